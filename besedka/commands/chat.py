"""``besedka chat``."""

from __future__ import annotations

import click

from besedka.commands.options import Failure, setting


@click.command(
    epilog="""\b
Examples:
  besedka chat
  besedka chat 192.168.1.5#dev --name Anna
  besedka chat grpc://192.168.1.5:50051
  besedka chat unix:/run/besedka.sock"""
)
@click.argument("url", envvar="BESEDKA_URL", default="localhost:8765")
@setting("--name", help="Your name; asked for if not given.")
def chat(url: str, name: str | None) -> None:
    """Talk in the terminal.

    URL is HOST, HOST:PORT, what a browser shows, grpc://HOST:PORT or unix:PATH, with #ROOM behind it; localhost:8765
    if not given.
    It can also be set in the environment, as BESEDKA_URL.
    """
    from besedka.remote.errors import ConnectionFailed
    from besedka.terminal.app import run

    try:
        run(url, name)
    except ConnectionFailed as error:
        raise Failure(str(error)) from None
