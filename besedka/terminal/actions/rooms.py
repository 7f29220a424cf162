"""Commands on rooms: joining, leaving, direct messages, older messages, search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.remote.room.events import ReceivedMessage
from besedka.terminal.commands import split_name
from besedka.terminal.room_view import title
from besedka.terminal.session import Action, TerminalSession
from besedka.terminal.ui import formatting
from besedka.wire.frames import Kind, RoomEntry
from besedka.wire.validation import clean_name, clean_room

HISTORY_MESSAGES: Final = 20
"""Messages that `/history` shows without an argument."""

HISTORY_MESSAGES_AT_MOST: Final = 1_000

FOUND_AT_MOST: Final = 20

DIGITS_AT_MOST: Final = 9
"""Longer numbers are not even parsed."""


async def _who(session: TerminalSession, _: str) -> None:
    view = session.rooms.current
    unnamed = view.clients_count - len(view.people)
    names = ", ".join(sorted(view.people, key=str.casefold)) + (f" +{unnamed}" if unnamed > 0 else "")
    session.notifier.notify(f"{session.phrases.present.format(names=names)} ({view.clients_count})")


async def _rooms(session: TerminalSession, _: str) -> None:
    session.rooms.check_connected()
    rows = []
    for entry in await session.rooms.current.membership.requests.rooms():
        session.rooms.add_known(entry.name, entry.kind, entry.peer)
        rows.append((title(entry.name, entry.kind, entry.peer), " · ".join(_room_marks(session, entry))))
    session.notifier.notify(session.phrases.rooms)
    session.notifier.show(*formatting.table(rows))


def _room_marks(session: TerminalSession, entry: RoomEntry) -> list[str]:
    phrases, view = session.phrases, session.rooms.views.get(entry.name)
    marks = [phrases.people.format(n=entry.clients_count)]
    marks += [phrases.private] if entry.kind is Kind.PRIVATE else []
    marks += [phrases.room_here] if view else []
    marks += [phrases.unread_in_room.format(n=view.unread_count)] if view and view.unread_count else []
    return marks


async def _join(session: TerminalSession, argument: str) -> None:
    view = session.rooms.find(argument)
    if view is session.rooms.current:
        session.notifier.notify(session.phrases.already_here.format(room=view.name))
    elif view:
        session.rooms.switch_to(view)
    elif argument.startswith("@"):
        await _open_direct_room(session, argument.removeprefix("@").strip())
    else:
        await _join_room(session, argument.removeprefix("#").strip())


async def _join_room(session: TerminalSession, name: str) -> None:
    room, rooms = clean_room(name), session.rooms
    if room in rooms.views:
        rooms.switch_to(rooms.views[room])
    else:
        rooms.check_connected()
        rooms.switch_to(await rooms.join(room, rooms.current.me))


async def _private(session: TerminalSession, argument: str) -> None:
    room, rooms = clean_room(argument.removeprefix("#").strip()), session.rooms
    rooms.check_connected()
    opened = await rooms.current.membership.requests.private(room)
    rooms.switch_to(await rooms.join(opened.room, rooms.current.me))


async def _msg(session: TerminalSession, argument: str) -> None:
    name, text = split_name(argument)
    if not name:
        session.notifier.show_problem(session.phrases.missing_name.format(command="msg"))
    elif await _open_direct_room(session, name) and text:
        session.post(text, f"/msg {argument}")


async def _open_direct_room(session: TerminalSession, name: str) -> bool:
    """Switch to the direct room with somebody; False if that would be the user."""
    name, rooms = clean_name(name), session.rooms
    if name == rooms.current.me:
        session.notifier.notify(session.phrases.direct_to_self)
        return False
    view = rooms.find(f"@{name}")
    if view is None:
        rooms.check_connected()
        opened = await rooms.current.membership.requests.direct(name)
        view = rooms.views.get(opened.room) or await rooms.join(opened.room, rooms.current.me)
    if view is not rooms.current:
        rooms.switch_to(view)
    return True


async def _leave(session: TerminalSession, argument: str) -> None:
    view = session.rooms.find(argument) if argument else session.rooms.current
    if view is None:
        name = argument.removeprefix("#")
        session.notifier.show_problem(session.phrases.not_in.format(room=formatting.excerpt(name)))
    elif len(session.rooms.views) == 1:
        session.notifier.notify(session.phrases.last_room)
    else:
        await session.rooms.leave(view)
        session.direct_messages.left(view)


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


async def _find(session: TerminalSession, argument: str) -> None:
    session.rooms.check_connected()
    view, found, before = session.rooms.current, list[ReceivedMessage](), 0
    # The server limits the time of each search.
    while len(found) < FOUND_AT_MOST:
        answer = await view.membership.history.search(argument, before, FOUND_AT_MOST - len(found))
        found, before = [*answer.messages, *found], answer.before
        if not before:
            break
    for message in found:
        view.mark_shown(message)
        session.notifier.show(formatting.found_message(message, view.me, is_numbered=view.may_moderate))
    count = f"{len(found)}{'+' if before else ''}"
    session.notifier.notify(session.phrases.found.format(n=count) if found else session.phrases.found_nothing)


ACTIONS: Final[Mapping[str, Action]] = {
    "who": _who,
    "rooms": _rooms,
    "join": _join,
    "private": _private,
    "msg": _msg,
    "leave": _leave,
    "history": _history,
    "find": _find,
}
