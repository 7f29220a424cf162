"""Commands on rooms: who is there, which there are, joining, creating and leaving them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from besedka.remote.errors import JoinRefused
from besedka.terminal.actions.direct_messages import open_direct_room
from besedka.terminal.room_view import RoomView, title
from besedka.terminal.session import Action, TerminalSession
from besedka.terminal.ui import formatting
from besedka.terminal.ui.room_keys import KEYS_AT_MOST
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Kind, RoomEntry
from besedka.wire.naming import listed
from besedka.wire.validation import clean_room


async def _who(session: TerminalSession, _: str) -> None:
    view = session.rooms.current
    unnamed = view.clients_count - len(view.people)
    people = sorted(view.people, key=str.casefold)
    names = listed(people, session.phrases.language) + (f" +{unnamed}" if unnamed > 0 else "")
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
    marks += [phrases.archived] if entry.archived else []
    marks += [_own_mark(session, view)] if view else []
    marks += [phrases.unread_in_room.format(n=view.unread_count)] if view and view.unread_count else []
    return marks


def _own_mark(session: TerminalSession, view: RoomView) -> str:
    """The mark of a joined room: it is on the screen, or this key leads there."""
    if session.rooms.is_current(view):
        return session.phrases.room_here
    return f"Alt-{view.number}" if view.number <= KEYS_AT_MOST else session.phrases.room_joined


async def _join(session: TerminalSession, argument: str) -> None:
    view = session.rooms.find(argument)
    if view is session.rooms.current:
        session.notifier.notify(session.phrases.already_here.format(room=view.name))
    elif view:
        session.rooms.switch_to(view)
    elif argument.startswith("@"):
        await open_direct_room(session, argument.removeprefix("@").strip())
    else:
        await _join_room(session, argument.removeprefix("#").strip())


async def _join_room(session: TerminalSession, name: str) -> None:
    room, rooms = clean_room(name), session.rooms
    if room in rooms.views:
        rooms.switch_to(rooms.views[room])
    else:
        rooms.check_connected()
        # A mistyped name makes no room; whoever means it types it again.
        is_meant, session.missing_room = session.missing_room == room, ""
        try:
            rooms.switch_to(await rooms.join(room, rooms.current.me, must_exist=not is_meant))
        except JoinRefused as refusal:
            if refusal.code != ErrorCode.NO_SUCH_ROOM:
                raise
            session.missing_room = room
            session.notifier.show_problem(session.phrases.missing_room.format(room=room))


async def _private(session: TerminalSession, argument: str) -> None:
    room, rooms = clean_room(argument.removeprefix("#").strip()), session.rooms
    rooms.check_connected()
    opened = await rooms.current.membership.requests.private(room)
    rooms.switch_to(await rooms.join(opened.room, rooms.current.me))


async def _leave(session: TerminalSession, argument: str) -> None:
    view = session.rooms.find(argument) if argument else session.rooms.current
    if view is None:
        name = argument.removeprefix("#")
        session.notifier.show_problem(session.phrases.not_in.format(room=formatting.excerpt(name)))
    elif len(session.rooms.views) == 1:
        session.notifier.notify(session.phrases.last_room)
    else:
        await session.rooms.leave(view)
        session.direct_room_watcher.left(view)


ACTIONS: Final[Mapping[str, Action]] = {
    "who": _who,
    "rooms": _rooms,
    "join": _join,
    "private": _private,
    "leave": _leave,
}
