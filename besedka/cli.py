"""The command line: ``besedka serve``, ``chat``, ``history``, ``verify``, ``import``.

Exit status: 0 done, 1 failed, 2 used wrongly, 130 interrupted. What goes wrong is one line on stderr.
"""

from __future__ import annotations

import sys

import click
from click.exceptions import NoArgsIsHelpError

from besedka import __version__
from besedka.commands.chat import chat
from besedka.commands.history import history, import_history, verify
from besedka.commands.serve import serve

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
FAILED, USED_WRONGLY, INTERRUPTED = 1, 2, 130


def main() -> None:
    """Run the command line; every error is one line on stderr."""
    try:
        besedka.main(prog_name="besedka", standalone_mode=False)
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(USED_WRONGLY)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "besedka"
        click.echo(f"besedka: {error.format_message()} (see {command} --help)", err=True)
        sys.exit(USED_WRONGLY)
    except click.ClickException as error:
        click.echo(f"besedka: {error.format_message()}", err=True)
        sys.exit(FAILED)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)


@click.group(
    context_settings=HELP,
    epilog="""\b
Examples:
  besedka serve                    start a chat, then open http://localhost:8765
  besedka serve --host 0.0.0.0     let others in the network come in
  besedka chat                     talk in the terminal
  cat chat_history.txt             read what was said
  besedka history -n 20            the same, the last 20 messages
  besedka verify                   is the history as it was written?

Every option can also be set in the environment: --port as BESEDKA_PORT, and so on.""",
)
@click.version_option(__version__, "--version", message="besedka %(version)s")
def besedka() -> None:
    """A chat that one command starts, with a history you can read with cat."""


besedka.add_command(serve)
besedka.add_command(chat)
besedka.add_command(history)
besedka.add_command(verify)
besedka.add_command(import_history)
