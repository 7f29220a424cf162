"""The operator's view of the server: who is there, which sessions there are, which limits are in force and how much of them is used.

Each answer looks at every session or address once; only the operator can ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from besedka.serve.chat import OpenRooms
from besedka.serve.chat.open_rooms import RESERVED_ROOMS, ROOMS_AT_MOST
from besedka.serve.directory import Directory
from besedka.serve.limits.descriptors import Capacity
from besedka.serve.limits.rate_limits import RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.people.devices import LINKS_AT_MOST
from besedka.serve.people.invitations import INVITATIONS_AT_MOST
from besedka.serve.people.names import NAMES_AT_MOST
from besedka.serve.people.read_marks import MARKS_AT_MOST
from besedka.serve.people.room_quotas import DIRECT_ROOMS_AT_MOST, PRIVATE_ROOMS_AT_MOST
from besedka.serve.people.sessions import LiveSession
from besedka.wire.frames import Kind
from besedka.wire.operator_frames import (
    ROWS_AT_MOST,
    LimitEntry,
    LimitList,
    ListLimits,
    ListPresent,
    ListSessions,
    OperatorResponse,
    PersonPresent,
    Present,
    SessionEntry,
    SessionList,
)
from besedka.wire.validation import clean_key, clean_room


class Load(NamedTuple):
    """The limits that the doors share.

    Attributes:
        rates: the rate limits.
        sources: the addresses of clients.
        capacity: the descriptors that connections may use.
    """

    rates: RateLimits
    sources: Sources
    capacity: Capacity


class Overview:
    """Answers the operator's questions.

    Args:
        directory: people, and their sessions.
        rooms: the open rooms.
        load: the limits that the doors share.
    """

    def __init__(self, directory: Directory, rooms: OpenRooms, load: Load) -> None:
        self._directory = directory
        self._rooms = rooms
        self._load = load

    async def answer(self, frame: ListPresent | ListSessions | ListLimits) -> OperatorResponse:
        """Answer a question.

        Raises:
            Refused: `bad_key`, `bad_room`, `no_such_room`; `going_down`.
        """
        clean_key(frame.key)
        match frame:
            case ListPresent():
                return await self._present(frame)
            case ListSessions():
                return self._sessions(frame)
            case _:
                return LimitList([*self._limits()], frame.key)

    async def _present(self, frame: ListPresent) -> Present:
        wanted = clean_room(frame.room) if frame.room else ""
        if wanted:
            await self._rooms.check_exists(wanted)
        counted: Counter[tuple[str, str, bool]] = Counter()
        for session in self._directory.sessions:
            for room, person in session.people_in_rooms():
                if not wanted or room == wanted:
                    counted[room, person.name, person.is_verified] += 1
        rows = sorted(counted.items())[frame.after :]
        people = [PersonPresent(*who, sessions) for who, sessions in rows[:ROWS_AT_MOST]]
        return Present(people, frame.after + len(people) if len(rows) > len(people) else 0, frame.key)

    def _sessions(self, frame: ListSessions) -> SessionList:
        rows = [row for row in self._directory.sessions.with_begin() if row.number > frame.after]
        page = rows[:ROWS_AT_MOST]
        found = [_entry(session, since) for session, _, since in page]
        return SessionList(found, page[-1].number if len(rows) > len(page) else 0, frame.key)

    def _limits(self) -> Iterable[LimitEntry]:
        rates, people = self._load.rates, self._directory
        yield LimitEntry("messages a second of a connection", rates.rate)
        yield LimitEntry("messages a second of an address", rates.rate_address)
        for count in self._load.sources.fullest():
            yield LimitEntry(count.name, count.limit, count.used, str(count.network))
        yield LimitEntry("descriptors of connections", self._load.capacity.total, self._load.capacity.used)
        yield LimitEntry("open rooms", ROOMS_AT_MOST, self._rooms.count)
        yield LimitEntry("open rooms without messages", ROOMS_AT_MOST - RESERVED_ROOMS, self._rooms.count_new)
        yield LimitEntry("names", NAMES_AT_MOST, people.names.size)
        yield LimitEntry("private rooms", PRIVATE_ROOMS_AT_MOST, people.rooms.count(Kind.PRIVATE))
        yield LimitEntry("direct rooms", DIRECT_ROOMS_AT_MOST, people.rooms.count(Kind.DIRECT))
        yield LimitEntry("invitations", INVITATIONS_AT_MOST, people.invitations.size)
        yield LimitEntry("read marks", MARKS_AT_MOST, people.read_marks.size)
        yield LimitEntry("links to another device", LINKS_AT_MOST, people.devices.size)


def _entry(session: LiveSession, since: float) -> SessionEntry:
    present = [*session.people_in_rooms()]
    return SessionEntry(
        door=session.door,
        since=int(since),
        address=str(session.network or ""),
        connection=session.connection,
        client=session.client,
        users=sorted({person.name for _, person in present if person.name}),
        rooms=sorted({room for room, _ in present}),
        unsent=session.unsent,
        behind=session.behind,
    )
