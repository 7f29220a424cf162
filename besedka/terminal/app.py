"""``besedka chat``: sets up the terminal and runs a session."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from prompt_toolkit.application import create_app_session
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.utils import is_dumb_terminal

from besedka.home import remembered_name
from besedka.remote.address import address as parse_address
from besedka.remote.errors import Expelled, JoinRefused, RemoteError, RequestRefused
from besedka.terminal.actions import ACTIONS
from besedka.terminal.session import TerminalSession
from besedka.terminal.session.device_link import become_person_of_link, confirms_device
from besedka.terminal.ui.keyboard import TerminalInput
from besedka.terminal.ui.notifier import Bell
from besedka.terminal.ui.phrases import phrases_for
from besedka.terminal.ui.terminal_quirks import (
    discard_typed_ahead,
    ignore_closed_window,
    keep_scrollback_clean,
)
from besedka.wire.errors import Refused
from besedka.wire.validation import clean_name, clean_room


class NoTerminal(RemoteError):  # noqa: N818 - says what is missing
    """Input or output is not a terminal."""


def run(
    url: str,
    *,
    secret: Callable[[str, str], str],
    name: str | None,
    is_name_given: bool,
    is_sure: bool,
    room: str | None,
    key: str,
    bell: str,
    color: str,
) -> None:
    """Run a session until `/exit`.

    Args:
        url: the chat's address, as `besedka.remote.address` parses it.
        secret: returns the secret that proves a name, by the chat's URL and the name.
        name: the user's name; None asks for it.
        is_name_given: whether `name` takes precedence over a name in the address.
        is_sure: do not ask whether to become the person of an add-a-device link.
        room: the first room, in place of the one in the URL.
        key: the access key, if it is not in the URL.
        bell: ``on`` rings when the user is mentioned, ``all`` at each message, ``off`` never.
        color: ``always``, ``never`` or, as the terminal and ``NO_COLOR`` say, ``auto``.

    Raises:
        NoTerminal: if there is no terminal.
        InvalidAddress: if the URL is not valid.
        ConnectionFailed: if the chat cannot be reached.
        Expelled: if the server ends the session.
        RequestRefused: if the add-a-device link is no longer valid.
        JoinRefused: if the server refuses the room or the name.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminal(
            "besedka chat needs a terminal; for a script there are besedka send, which posts what is piped in, and besedka tail"
        )
    address, phrases = parse_address(url), phrases_for(os.environ)
    try:
        address = replace(
            address,
            room=clean_room(room or address.room),
            key=address.key or key,
            name=clean_name(address.name) if address.name else "",
        )
    except Refused as refusal:
        raise JoinRefused(refusal.code, refusal.sentence(phrases.language)) from None
    # A dumb terminal supports no control sequences.
    output = PlainTextOutput(sys.stdout) if is_dumb_terminal() else create_output(sys.stdout)
    ignore_closed_window(output)
    if not is_dumb_terminal():
        keep_scrollback_clean(output)
    with create_app_session(TerminalInput(sys.stdin), output):
        session = TerminalSession(
            address,
            secret=partial(secret, address.url),
            bell=Bell(bell),
            color_depth=_color_depth(color),
            phrases=phrases,
            actions=ACTIONS,
        )
        if not is_name_given:
            name = address.name or name or remembered_name(address.url) or None
        try:
            asyncio.run(_run(session, name, is_sure=is_sure))
        except (Expelled, RequestRefused) as error:
            raise type(error)(error.code, phrases.refusals.get(error.code, error.text)) from None
        finally:
            discard_typed_ahead(sys.stdin)


async def _run(session: TerminalSession, name: str | None, *, is_sure: bool) -> None:
    if session.address.device:
        if not (is_sure or await confirms_device(session)):
            return
        name = await become_person_of_link(session)
    await session.run(name)


def _color_depth(color: str) -> ColorDepth | None:
    """The number of colours to use; None leaves the choice to prompt_toolkit."""
    if color == "never" or (color == "auto" and os.environ.get("NO_COLOR")):
        return ColorDepth.DEPTH_1_BIT
    if os.environ.get("COLORTERM") in {"truecolor", "24bit"}:
        return ColorDepth.DEPTH_24_BIT
    return ColorDepth.DEPTH_8_BIT if color == "always" else None
