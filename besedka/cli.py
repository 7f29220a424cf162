"""The command line: ``besedka serve`` and ``besedka chat``.

Exit status: 0 done, 1 failed, 2 used wrongly. What goes wrong is one line on stderr.
"""

from __future__ import annotations

import logging
from pathlib import Path

import click

from besedka import __version__
from besedka.wire.refusals import Language

HELP_WIDTH = 100


class Failure(click.ClickException):
    """Something went wrong that is not a mistake in the command line."""

    exit_code = 1

    def show(self, file: object = None) -> None:  # noqa: ARG002 - always stderr
        click.echo(f"besedka: {self.format_message()}", err=True)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH},
    epilog="Every option can also be set in the environment: --port as BESEDKA_PORT, and so on.",
)
@click.version_option(__version__, "--version", message="besedka %(version)s")
def main() -> None:
    r"""A chat that one command starts, with a history you can read with cat.

    \b
    Examples:
      besedka serve                      start a chat, then open http://localhost:8765
      besedka serve --host 0.0.0.0       let others in the network come in
      besedka chat                       talk in the terminal
      cat chat_history.txt               read what was said
    """


@main.command()
@click.option(
    "--host",
    envvar="BESEDKA_HOST",
    default="127.0.0.1",
    show_default=True,
    show_envvar=True,
    help="The address to listen on; 0.0.0.0 is all of them.",
)
@click.option(
    "--port",
    envvar="BESEDKA_PORT",
    default=8765,
    show_default=True,
    show_envvar=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--history",
    envvar="BESEDKA_HISTORY",
    default="chat_history.txt",
    show_default=True,
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The file with the history; the rooms' files stand beside it.",
)
@click.option(
    "--utc",
    envvar="BESEDKA_UTC",
    is_flag=True,
    show_envvar=True,
    help="Write times in UTC instead of this machine's zone.",
)
@click.option(
    "--lang",
    envvar="BESEDKA_LANG",
    default=Language.RU.value,
    show_default=True,
    show_envvar=True,
    type=click.Choice([language.value for language in Language]),
    help="The language of notices and refusals that the server says.",
)
def serve(host: str, port: int, history: Path, utc: bool, lang: str) -> None:
    r"""Start the chat and keep it running until Ctrl-C.

    \b
    Examples:
      besedka serve
      besedka serve --port 9000 --history talk/history.txt --utc
      BESEDKA_PORT=9000 besedka serve
    """
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


@main.command()
@click.argument("url", envvar="BESEDKA_URL", default="ws://localhost:8765/ws")
@click.option("--name", envvar="BESEDKA_NAME", show_envvar=True, help="Your name; asked for if not given.")
def chat(url: str, name: str | None) -> None:
    r"""Talk in the terminal. URL is ws://HOST:PORT/ws; ws://localhost:8765/ws if not given.

    \b
    Examples:
      besedka chat
      besedka chat ws://192.168.1.5:8765/ws --name Anna
    """
    from besedka.terminal.app import run  # noqa: PLC0415 - the server starts without the terminal client
    from besedka.terminal.connection import ConnectionFailed  # noqa: PLC0415

    try:
        run(url, name)
    except ConnectionFailed as error:
        raise Failure(str(error)) from None
