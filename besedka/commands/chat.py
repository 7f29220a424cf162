"""``besedka chat``."""

from __future__ import annotations

from pathlib import Path

import click

from besedka.commands import garbage
from besedka.commands.access import KEY, find_key
from besedka.commands.exit_status import report_remote_errors, used_wrongly
from besedka.commands.options import (
    BELL,
    COLOUR,
    IDENTITY,
    ROOM,
    URL_ARGUMENT,
    UTF8,
    ClientCommand,
    is_given,
    preferred,
    secret_of,
    setting,
)


@click.command(
    cls=ClientCommand,
    short_help="Chat in the terminal.",
    epilog="""\b
Examples:
  besedka chat
  besedka chat 192.168.1.5#dev --name Anna
  besedka chat grpc://192.168.1.5:50051 --bell all
  besedka chat unix:/run/besedka.sock""",
)
@URL_ARGUMENT
@setting(
    "--name",
    type=UTF8,
    default=preferred("name"),
    show_default=False,
    help="Your name; if not given, your last one in this chat, or asked for.",
)
@ROOM
@KEY
@IDENTITY
@BELL
@COLOUR
@click.option("--yes", is_flag=True, help="Accept an add-a-device link without a question.")
def chat(
    *,
    url: str,
    name: str | None,
    room: str | None,
    key: str | None,
    identity: Path | None,
    bell: str,
    color: str,
    yes: bool,
) -> None:
    """Talk in the terminal.

    URL is HOST, HOST:PORT, the address in a browser, grpc://HOST:PORT or unix:PATH, with #ROOM after it; localhost:8765
    if not given.
    It can also be set in the environment, as BESEDKA_URL.

    It may also be the link of an invitation, or a link that /device has made on another machine: then you are asked whether to
    be that person on this machine from now on.
    """
    from besedka.remote.address import address
    from besedka.terminal.app import NoTerminal, run

    garbage.resume()
    with report_remote_errors():
        if identity and address(url).device:
            raise used_wrongly(
                "an add-a-device link makes you its person on this machine, so it goes without --identity"
            )
        try:
            run(
                url,
                secret=lambda there, who: secret_of(identity, there, who),
                name=name,
                is_name_given=is_given("name"),
                is_sure=yes,
                room=room,
                key=find_key(url, key).text,
                bell=bell,
                color=color,
            )
        except NoTerminal as error:
            raise used_wrongly(str(error)) from None
