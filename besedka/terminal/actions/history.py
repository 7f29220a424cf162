"""Commands on a room's history: older messages, and search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from besedka.remote.room.events import ReceivedMessage
from besedka.terminal.search_terms import beginning_of, parse_date, parse_terms
from besedka.terminal.session import Action, Search, TerminalSession
from besedka.terminal.ui import formatting

HISTORY_MESSAGES: Final = 20
"""Messages that `/history` shows without an argument."""

HISTORY_MESSAGES_AT_MOST: Final = 1_000

FOUND_AT_MOST: Final = 20

DIGITS_AT_MOST: Final = 9
"""Longer numbers are not even parsed."""


async def _history(session: TerminalSession, argument: str) -> None:
    if argument and not (argument.isdecimal() and len(argument) <= DIGITS_AT_MOST and int(argument)):
        session.notifier.show_invalid(session.phrases.invalid_number, argument, command="history")
        return
    view, count = session.rooms.current, min(int(argument or HISTORY_MESSAGES), HISTORY_MESSAGES_AT_MOST)
    if view.oldest <= 1:
        session.notifier.notify(session.phrases.no_older)
        return
    session.rooms.check_connected()
    first = max(1, view.oldest - count)
    older = await view.membership.history.page(first, view.oldest - first)
    if not older:
        session.notifier.notify(session.phrases.no_older)
        return
    day = view.day
    session.notifier.show(formatting.rule(session.phrases.older.format(first=older[0].id, last=older[-1].id)))
    session.notifier.show_messages(view, older)
    session.notifier.show(formatting.rule(session.phrases.now))
    view.oldest, view.day = older[0].id, day


async def _goto(session: TerminalSession, argument: str) -> None:
    try:
        day = parse_date(argument)
    except ValueError:
        session.notifier.show_invalid(session.phrases.invalid_date, argument)
        return
    session.rooms.check_connected()
    view = session.rooms.current
    history = view.membership.history
    messages = await history.since(beginning_of(day, history.utc_offset), HISTORY_MESSAGES)
    if not messages:
        session.notifier.notify(session.phrases.nothing_since.format(day=day))
        return
    shown = view.day
    rule = session.phrases.since.format(day=day, first=messages[0].id, last=messages[-1].id)
    session.notifier.show(formatting.rule(rule))
    session.notifier.show_messages(view, messages)
    session.notifier.show(formatting.rule(session.phrases.now))
    view.day = shown


async def _find(session: TerminalSession, argument: str) -> None:
    try:
        terms = parse_terms(argument)
    except ValueError as error:
        session.notifier.show_invalid(session.phrases.invalid_date, str(error))
        return
    await _search(session, Search(session.rooms.current, terms, 0))


async def _more(session: TerminalSession, _: str) -> None:
    search = session.search
    if search is None or session.rooms.views.get(search.view.name) is not search.view:
        session.notifier.show_problem(session.phrases.no_search)
    else:
        await _search(session, search)


async def _search(session: TerminalSession, search: Search) -> None:
    """Show the newest messages that fit, and remember where to go on."""
    session.rooms.check_connected()
    view, terms, before = search.view, search.terms, search.before
    found, history = list[ReceivedMessage](), view.membership.history
    # The server limits the time of each search.
    while len(found) < FOUND_AT_MOST:
        answer = await history.search(
            terms.text,
            before,
            FOUND_AT_MOST - len(found),
            user=terms.user,
            from_time=terms.from_time(history.utc_offset),
            to_time=terms.to_time(history.utc_offset),
        )
        found, before = [*answer.messages, *found], answer.before
        if not before:
            break
    session.notifier.show_found(view, found)
    session.search = replace(search, before=before) if before else None
    phrases, is_first = session.phrases, not search.before
    phrase = phrases.found_more if before else phrases.found if found else phrases.found_nothing
    if not (found or is_first):
        phrase = phrases.found_no_more
    session.notifier.notify(phrase.format(n=len(found)))


ACTIONS: Final[Mapping[str, Action]] = {
    "history": _history,
    "goto": _goto,
    "find": _find,
    "more": _more,
}
