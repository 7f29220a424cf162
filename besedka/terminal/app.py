"""``besedka chat``: what it is given, and the talk that comes of it."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace

from prompt_toolkit.application import create_app_session
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.utils import is_dumb_terminal

from besedka.home import secret_for
from besedka.remote.address import address
from besedka.remote.errors import AskRefused, JoinRefused, RemoteError, ShownOut
from besedka.terminal.actions.rooms import ACTS
from besedka.terminal.arrival import arrive
from besedka.terminal.session import Talk
from besedka.terminal.ui.keyboard import TerminalInput
from besedka.terminal.ui.notifier import Bell
from besedka.terminal.ui.phrases import phrases
from besedka.terminal.ui.window import bear_closing, keep_scrollback_clean
from besedka.wire.errors import Refused
from besedka.wire.validation import clean_room


class NoTerminal(RemoteError):  # noqa: N818 - says what is missing
    """There is no terminal to talk in."""


def run(
    url: str,
    *,
    name: str | None,
    is_name_given: bool,
    is_sure: bool,
    room: str | None,
    key: str,
    bell: str,
    color: str,
) -> None:
    """Talk until `/exit`.

    Args:
        url: of the chat, as `address` takes it.
        name: one's own; asked for if there is none.
        is_name_given: it goes before a name in the address.
        is_sure: do not ask whether to be the person of an add-a-device link.
        room: where to begin, instead of the room in the URL.
        key: the access key, if it is not in the URL.
        bell: ``on`` rings when one is mentioned, ``all`` at each message, ``off`` never.
        color: ``always``, ``never`` or, as the terminal and ``NO_COLOR`` say, ``auto``.

    Raises:
        NoTerminal: if there is no terminal.
        AddressBad: if the URL is none.
        ConnectionFailed: if there is no chat.
        ShownOut: if it does not want us, now or later.
        AskRefused: if the link that one came by is not valid any more.
        JoinRefused: if it does not let us in.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminal(
            "besedka chat talks with a person: run it in a terminal, or use besedka send and besedka tail"
        )
    there, words = address(url), phrases(os.environ)
    try:
        there = replace(there, room=clean_room(room or there.room), key=there.key or key)
    except Refused as refusal:
        raise JoinRefused(refusal.code, refusal.sentence(words.language)) from None
    # A dumb terminal knows no control sequences at all.
    output = PlainTextOutput(sys.stdout) if is_dumb_terminal() else create_output(sys.stdout)
    bear_closing(output)
    if not is_dumb_terminal():
        keep_scrollback_clean(output)
    with create_app_session(TerminalInput(sys.stdin), output):
        talk = Talk(
            there,
            secret=lambda name: secret_for(there.url, name),
            bell=Bell(bell),
            color_depth=_color_depth(color),
            words=words,
            acts=ACTS,
        )
        name = name if is_name_given else there.name or name
        try:
            asyncio.run(arrive(talk, name, is_sure=is_sure))
        except (ShownOut, AskRefused) as error:
            raise type(error)(error.code, words.refusals.get(error.code, str(error))) from None


def _color_depth(color: str) -> ColorDepth | None:
    """How many colours there may be; None: as many as prompt_toolkit finds that the terminal has."""
    if color == "never" or (color == "auto" and os.environ.get("NO_COLOR")):
        return ColorDepth.DEPTH_1_BIT
    if os.environ.get("COLORTERM") in {"truecolor", "24bit"}:
        return ColorDepth.DEPTH_24_BIT
    return ColorDepth.DEPTH_8_BIT if color == "always" else None
