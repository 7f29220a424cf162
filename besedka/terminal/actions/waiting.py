"""The command on what waits to be sent: it lists the messages, and discards them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.terminal.session import Action, TerminalSession
from besedka.terminal.ui import formatting

DIGITS_AT_MOST: Final = 6
"""Longer numbers are not even parsed."""


async def _waiting(session: TerminalSession, argument: str) -> None:
    word, _, which = argument.partition(" ")
    if not argument:
        _list(session)
    elif word == "discard" and which.strip() == "all":
        for view in session.rooms.views.values():
            for message in view.membership.unsent:
                view.membership.discard(message.key)
        session.notifier.notify(session.phrases.discarded_all)
    elif word == "discard" and which.strip().isdecimal() and len(which.strip()) <= DIGITS_AT_MOST:
        _discard(session, int(which))
    else:
        session.notifier.show_invalid(
            session.phrases.unknown_choice, argument, command="waiting", usage="[discard N|all]"
        )


def _list(session: TerminalSession) -> None:
    session.listed_waiting = [
        (view, message) for view in session.rooms.views.values() for message in view.membership.unsent
    ]
    if not session.listed_waiting:
        session.notifier.notify(session.phrases.nothing_waits)
        return
    rows = [
        (str(number), f"{view.title}: {formatting.excerpt(message.text)}")
        for number, (view, message) in enumerate(session.listed_waiting, 1)
    ]
    session.notifier.notify(session.phrases.waiting)
    session.notifier.show(*formatting.table(rows))


def _discard(session: TerminalSession, number: int) -> None:
    """Discard a message by its number in the last list: the numbers of those that wait change as they are sent."""
    listed = session.listed_waiting[number - 1 : number] if number else []
    for view, message in listed:
        if any(message.key == other.key for other in view.membership.unsent):
            view.membership.discard(message.key)
            text = formatting.excerpt(message.text)
            session.notifier.notify(session.phrases.discarded.format(text=text))
            return
    session.notifier.show_problem(session.phrases.waits_no_more.format(n=number))


ACTIONS: Final[Mapping[str, Action]] = {"waiting": _waiting}
