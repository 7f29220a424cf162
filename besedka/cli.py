"""The command line: ``besedka serve`` and ``besedka chat``.

Exit status: 0 done, 1 failed, 2 used wrongly. What goes wrong is one line on stderr.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from besedka import __version__
from besedka.wire.refusals import Language

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
FAILED, USED_WRONGLY, INTERRUPTED = 1, 2, 130


class Failure(click.ClickException):
    """Something went wrong that is not a mistake in the command line."""


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


def setting(option: str, **how: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that can also be set in the environment: ``--port`` as ``BESEDKA_PORT``."""
    variable = f"BESEDKA_{option.removeprefix('--').replace('-', '_').upper()}"
    return click.option(option, envvar=variable, show_envvar=True, show_default="default" in how, **how)


@click.group(
    context_settings=HELP,
    epilog="""\b
Examples:
  besedka serve                    start a chat, then open http://localhost:8765
  besedka serve --host 0.0.0.0     let others in the network come in
  besedka chat                     talk in the terminal
  cat chat_history.txt             read what was said

Every option can also be set in the environment: --port as BESEDKA_PORT, and so on.""",
)
@click.version_option(__version__, "--version", message="besedka %(version)s")
def besedka() -> None:
    """A chat that one command starts, with a history you can read with cat."""


@besedka.command(
    epilog="""\b
Examples:
  besedka serve
  besedka serve --port 9000 --history talk/history.txt --utc
  BESEDKA_PORT=9000 besedka serve"""
)
@setting("--host", default="127.0.0.1", help="The address to listen on; 0.0.0.0 is all of them.")
@setting(
    "--port", default=8765, type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one."
)
@setting(
    "--history",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
    help="The file with the history; the rooms' files stand beside it.",
)
@setting("--utc", is_flag=True, help="Write times in UTC instead of this machine's zone.")
@setting(
    "--lang",
    default=Language.RU.value,
    type=click.Choice([language.value for language in Language]),
    help="The language of notices and refusals that the server says.",
)
def serve(host: str, port: int, history: Path, utc: bool, lang: str) -> None:
    """Start the chat and keep it running until Ctrl-C."""
    from besedka.serve.errors import ServeError  # noqa: PLC0415 - the terminal client starts without the server
    from besedka.serve.main import run  # noqa: PLC0415
    from besedka.serve.settings import Settings  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    settings = Settings(host=host, port=port, history=history, utc=utc, language=Language(lang))
    try:
        run(settings, announce=click.echo)
    except ServeError as error:
        raise Failure(str(error)) from None


@besedka.command(
    epilog="""\b
Examples:
  besedka chat
  besedka chat 192.168.1.5#dev --name Anna"""
)
@click.argument("url", envvar="BESEDKA_URL", default="localhost:8765")
@setting("--name", help="Your name; asked for if not given.")
def chat(url: str, name: str | None) -> None:
    """Talk in the terminal.

    URL is HOST, HOST:PORT or what a browser shows, with #ROOM behind it; localhost:8765 if not given.
    It can also be set in the environment, as BESEDKA_URL.
    """
    from besedka.terminal.app import run  # noqa: PLC0415 - the server starts without the terminal client
    from besedka.terminal.connection import ConnectionFailed  # noqa: PLC0415

    try:
        run(url, name)
    except ConnectionFailed as error:
        raise Failure(str(error)) from None
