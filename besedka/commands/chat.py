"""``besedka chat``."""

from __future__ import annotations

import click

from besedka.commands.access import KEY, find_key
from besedka.commands.endings import Failure, remote_errors_told
from besedka.commands.options import BELL, COLOUR, ROOM, URL_ARGUMENT, ClientCommand, preferred, setting


@click.command(
    cls=ClientCommand,
    epilog="""\b
Examples:
  besedka chat
  besedka chat 192.168.1.5#dev --name Anna
  besedka chat grpc://192.168.1.5:50051 --bell all
  besedka chat unix:/run/besedka.sock""",
)
@URL_ARGUMENT
@setting("--name", default=preferred("name"), show_default=False, help="Your name; asked for if not given.")
@ROOM
@KEY
@BELL
@COLOUR
def chat(*, url: str, name: str | None, room: str | None, key: str | None, bell: str, color: str) -> None:
    """Talk in the terminal.

    URL is HOST, HOST:PORT, what a browser shows, grpc://HOST:PORT or unix:PATH, with #ROOM behind it; localhost:8765
    if not given.
    It can also be set in the environment, as BESEDKA_URL.
    """
    from besedka.home import own_secret
    from besedka.terminal.app import NoTerminal, run

    with remote_errors_told():
        try:
            access_key = find_key(url, key).text
            run(url, name=name, room=room, secret=own_secret(), key=access_key, bell=bell, color=color)
        except NoTerminal as error:
            raise Failure(str(error)) from None
