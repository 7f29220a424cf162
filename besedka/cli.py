"""The command line: ``besedka serve``, ``chat``, ``send``, ``tail``, ``search``, ``history`` and the others.

How it ends is in `besedka.commands.exit_status.Status`. What goes wrong is one line on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import click
from click.exceptions import NoArgsIsHelpError

from besedka import __version__
from besedka.commands import garbage
from besedka.commands.exit_status import MEANINGS, Status, discard_broken_stderr, discard_stdout, why
from besedka.commands.messages import complain

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

COMMANDS: Final = {
    "serve": ("serve", "serve"),
    "chat": ("chat", "chat"),
    "send": ("send", "send"),
    "tail": ("tail", "tail"),
    "search": ("search", "search"),
    "history": ("history", "history"),
    "verify": ("history", "verify"),
    "import": ("importing", "import_history"),
    "doctor": ("doctor", "doctor"),
    "admin": ("admin", "admin"),
    "cluster": ("cluster", "cluster"),
    "completion": ("completion", "completion"),
}
"""All commands by their names: the module in `besedka.commands`, and its command there."""


def main() -> None:
    """Run the command line; every error is one line on stderr."""
    garbage.postpone()
    status = _run()
    discard_broken_stderr()
    garbage.skip_at_exit()
    sys.exit(status)


def _run() -> int:
    try:
        status: int | None = besedka.main(prog_name="besedka", standalone_mode=False)
    except NoArgsIsHelpError as error:
        error.show()
        return Status.USED_WRONGLY
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "besedka"
        complain(f"{error.format_message()} (see {command} --help)")
        return Status.USED_WRONGLY
    except click.ClickException as error:
        complain(error.format_message())
        return error.exit_code
    except click.Abort:
        return Status.INTERRUPTED
    except OSError as error:
        # A file system that is gone, or a stdout that takes nothing, whatever was done just then.
        discard_stdout()
        complain(why(error))
        return Status.FAILED
    return status or Status.DONE


class _Imported(Mapping[str, click.Command]):
    """The commands by their names; a command's module is imported when the command is looked up, for it alone or for the help of all."""

    def __getitem__(self, name: str) -> click.Command:
        module, command = COMMANDS[name]
        found: click.Command = getattr(import_module(f"besedka.commands.{module}"), command)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Commands(click.Group):
    """All commands; what ends each of them in the same way is dealt with here, before click does it in its own."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(Status.INTERRUPTED)
        except BrokenPipeError:
            discard_stdout()  # the reader has closed the pipe
            ctx.exit(Status.DONE)


_STATUSES = "\n".join(f"  {status:<4} {meaning}" for status, meaning in MEANINGS.items())


@click.group(
    short_help="A chat that one command starts.",
    cls=_Commands,
    commands=_Imported(),
    context_settings=HELP,
    epilog=f"""\b
Examples:
  besedka serve                    start a chat, then open http://localhost:8765
  besedka serve --lan              let others in the network come in, by a link with a key
  besedka chat                     talk in the terminal
  besedka send "the cake is here"  say something from a script
  make 2>&1 | besedka send --lines say all that a program prints
  besedka tail -f                  see what is said, as it is said
  besedka search from:Anna cake    find what was said
  besedka doctor                   why does it not connect?
  cat chat_history.txt             read what was said
  besedka history -n 20            the same, the last 20 messages
  besedka verify                   is the history as it was written?
  besedka admin ban Boris --for 2d keep order

\b
Exit status:
{_STATUSES}

Options can also be set in the environment: --port as BESEDKA_PORT, and so on; url, name, color and bell also in
~/.config/besedka/config.toml, those of serve in besedka.toml.""",
)
@click.version_option(__version__, "--version", message="besedka %(version)s")
def besedka() -> None:
    """A chat that one command starts, with a history you can read with cat."""
