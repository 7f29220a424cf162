"""The direct rooms that a terminal joins and watches by itself: however many a server offers, the user keeps room for others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from besedka.remote.address import address
from besedka.remote.chat_connection import ROOMS_AT_MOST, ChatConnection
from besedka.terminal.room_view import TYPING_AT_MOST, TYPING_SHOWN_SECONDS
from besedka.terminal.session.direct_room_watcher import (
    ANNOUNCED_AT_MOST,
    JOIN_SECONDS,
    JOINS_AT_ONCE,
    REQUESTS_AT_MOST,
    ROOMS_FREE,
    DirectRoomWatcher,
)
from besedka.terminal.session.rooms import KNOWN_ROOMS_AT_MOST, Rooms
from besedka.terminal.storage import Storage
from besedka.terminal.ui.phrases import ENGLISH
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import (
    ROOMS_LISTED,
    ClientFrame,
    Error,
    Join,
    Kind,
    ListRooms,
    RoomEntry,
    RoomOpened,
    ServerFrame,
    Typing,
)
from besedka.wire.frames import (
    Rooms as ListedRooms,
)
from tests import looping
from tests.remote.fakes import FakeNetwork, welcome

MOMENT_SECONDS = 1.0
"""By the clock that jumps: everything that is not waited for has been done by then."""


class Notes:
    """A notifier that only notes what is to be shown."""

    def __init__(self) -> None:
        self.phrases = ENGLISH
        self.shown: list[str] = []
        self.ignored: list[str] = []

    def notify(self, text: str) -> None:
        self.shown.append(text)

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None


class Session:
    """The parts of a session that join rooms, with a server that welcomes to each.

    Attributes:
        listed: the rooms that the server lists.
        notes: what is shown.
        network: the server.
        rooms: the rooms of the session.
        watcher: watches and joins direct rooms.
    """

    def __init__(self) -> None:
        self.listed: list[RoomEntry] = []
        self.notes = cast("Any", Notes())
        self.network = FakeNetwork()
        self.network.answer = self.answer
        storage = Storage("ws://nowhere:8765/ws", self.notes.notify)

        async def at_once() -> None:
            return

        self.rooms = Rooms(
            address("ws://nowhere:8765/ws"),
            lambda _: "secret",
            self.notes,
            storage,
            receive=lambda _, event: self.watcher.opened(event) if isinstance(event, RoomOpened) else None,
            until_printable=at_once,
            redraw=lambda: None,
            switched=lambda _: None,
            ended=lambda _: None,
        )
        self.rooms.connection = ChatConnection("ws://nowhere:8765/ws", open_transport=self.network.open)
        self.watcher = DirectRoomWatcher(self.rooms, self.notes, storage)

    async def begin(self) -> None:
        self.rooms.switch_to(await self.rooms.join("main", "Anna"))
        self.watcher.start()
        await looping.pass_time(MOMENT_SECONDS)

    async def offer(self, *offers: RoomOpened) -> None:
        self.network.visits[0].deliver(*offers)
        await looping.pass_time(MOMENT_SECONDS)

    async def end(self) -> None:
        await self.watcher.stop()
        await self.rooms.leave_all()

    @property
    def joined(self) -> list[str]:
        return [frame.room for frame in self.network.visits[0].sent if isinstance(frame, Join)]

    def answer(self, frame: ClientFrame) -> Iterator[ServerFrame]:
        match frame:
            case Join(room="main"):
                yield welcome()
            case Join(room=room):
                yield msgspec.structs.replace(welcome(0, room), kind=Kind.DIRECT, peer=f"peer of {room}")
            case ListRooms(key=key, after=after, limit=limit):
                first = int(after or "0")
                page = self.listed[first : first + min(limit, ROOMS_LISTED)]
                is_last = limit == 1 or first + len(page) >= len(self.listed)
                yield ListedRooms(page, key, next="" if is_last else f"{first + len(page)}")
            case _:
                pass


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def offers(count: int, *, asked: bool = False, kind: Kind = Kind.DIRECT) -> list[RoomOpened]:
    return [
        RoomOpened(f"direct-{number}", kind, f"Stranger {number}", asked=asked) for number in range(count)
    ]


def test_of_a_thousand_direct_rooms_that_are_opened_some_are_joined_and_the_user_has_room_for_others() -> (
    None
):
    async def scenario() -> None:
        session = Session()
        await session.begin()
        await session.offer(*offers(1_000))
        assert len(session.joined) == len(session.rooms.connection.rooms) == ROOMS_AT_MOST - ROOMS_FREE
        for number in range(ROOMS_FREE):
            await session.rooms.join(f"room-{number}", "Anna")
        await session.end()

    looping.run_jumping(scenario())


def test_rooms_that_are_opened_and_not_joined_are_announced_once_and_not_without_end() -> None:
    async def scenario() -> None:
        session = Session()
        await session.begin()
        for _ in range(3):
            await session.offer(*offers(500, asked=True))
            await session.offer(*offers(500))
        assert len(session.notes.shown) <= ROOMS_AT_MOST + ANNOUNCED_AT_MOST + 1
        assert len({*session.notes.shown}) == len(session.notes.shown)
        await session.end()

    looping.run_jumping(scenario())


def test_a_stranger_whose_room_is_not_joined_is_announced_once_however_many_rooms_are_joined() -> None:
    async def scenario() -> None:
        session = Session()
        await session.begin()
        *first, last = offers(REQUESTS_AT_MOST + 1, asked=True)
        await session.offer(*first)
        await session.offer(last)
        assert len(session.joined) == 1 + REQUESTS_AT_MOST
        about_the_last = [note for note in session.notes.shown if f"“Stranger {REQUESTS_AT_MOST}”" in note]
        assert len(about_the_last) == 1
        await session.end()

    looping.run_jumping(scenario())


@pytest.mark.parametrize("names", [3, 1_000_000])
def test_rooms_that_a_server_opens_and_ends_without_end_are_joined_ever_more_seldom(names: int) -> None:
    async def scenario() -> None:
        session = Session()
        numbers = itertools.count(1)

        def end_and_open(frame: ClientFrame) -> Iterator[ServerFrame]:
            yield from session.answer(frame)
            if isinstance(frame, Join) and frame.room != "main":
                yield Error(ErrorCode.NOT_INVITED, "", "", "", frame.room)
                yield RoomOpened(f"direct-{next(numbers) % names}", Kind.DIRECT, "Bob")

        session.network.answer = end_and_open
        await session.begin()
        await session.offer(*offers(1))
        assert len(session.joined) == 1 + JOINS_AT_ONCE
        for _ in range(10):
            await looping.pass_time(JOIN_SECONDS)
            await session.offer(*offers(1))
        assert len(session.joined) == pytest.approx(1 + JOINS_AT_ONCE + 10, abs=2)
        await session.end()

    looping.run_jumping(scenario())


@pytest.mark.parametrize("kind", [Kind.OPEN, Kind.PRIVATE])
def test_no_other_room_than_a_direct_one_is_joined_unasked(kind: Kind) -> None:
    async def scenario() -> None:
        session = Session()
        await session.begin()
        await session.offer(*offers(3, kind=kind))
        assert session.joined == ["main"]
        await session.end()

    looping.run_jumping(scenario())


@pytest.mark.parametrize("asked", [0, 1])
def test_of_a_long_list_of_direct_rooms_some_are_watched(asked: int) -> None:
    async def scenario() -> None:
        session = Session()
        session.listed = [
            RoomEntry(f"direct-{number:06}", 0, Kind.DIRECT, f"Peer {number}", asked * (number + 1))
            for number in range(KNOWN_ROOMS_AT_MOST + 1_000)
        ]
        await session.begin()
        most = 1 + REQUESTS_AT_MOST if asked else ROOMS_AT_MOST - ROOMS_FREE
        assert len(session.joined) == most
        assert len(session.rooms.known_rooms) + len(session.rooms.known_direct_rooms) == KNOWN_ROOMS_AT_MOST
        await session.end()

    looping.run_jumping(scenario())


def test_people_who_type_are_counted_up_to_a_bound_and_the_next_ones_when_these_have_stopped() -> None:
    async def scenario() -> None:
        session = Session()
        await session.begin()
        for round_ in ("first", "second"):
            typing = [Typing("main", f"{round_} {number}") for number in range(10 * TYPING_AT_MOST)]
            session.network.visits[0].deliver(*typing)
            await looping.pass_time(MOMENT_SECONDS)
            shown = session.rooms.current.typing()
            assert shown == [f"{round_} {number}" for number in range(TYPING_AT_MOST)]
            await looping.pass_time(TYPING_SHOWN_SECONDS)
        await session.end()

    looping.run_jumping(scenario())


def test_a_room_that_the_connection_refuses_keeps_no_file_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        session = Session()
        await session.begin()
        for number in range(ROOMS_AT_MOST - 1):
            await session.rooms.join(f"room-{number}", "Anna")
        locks = tmp_path / "state" / "besedka" / "unsent"
        before = sorted(locks.iterdir())
        with pytest.raises(Exception, match=f"in {ROOMS_AT_MOST} rooms"):
            await session.rooms.join("another", "Anna")
        assert sorted(locks.iterdir()) == before
        await session.end()

    looping.run_jumping(scenario())
