"""The one way in: what changes while somebody waits at it is noticed, each check by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from besedka.serve.chat import Chat
from besedka.serve.history import room_path
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.people.audit_entry import OPERATOR, AuditEntry
from besedka.serve.people.names import Names, claim_of
from besedka.serve.people.person import Person
from besedka.serve.room import Room
from besedka.serve.session import Admission, Arrival, ChatSession
from besedka.serve.settings import Settings
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Act, Error, History, Join, ListHistory, ServerFrame, Welcome
from tests import looping
from tests.serve.faking import TENANT, FakeSubscriber, admission, services

ANNA, BORIS = "Anna's secret", "Boris's secret"
ADDRESS = "192.0.2.1"


class Scene:
    """A chat with a private room of Boris, into which Anna has an invitation."""

    def __init__(self, folder: Path, names: Names) -> None:
        self.chat = Chat(Settings(history=folder / "talk.txt", names=names))
        self.admission: Admission = admission(self.chat)
        sources = Sources(RateLimits())
        self.limiter: RateLimiter = sources.limiter(sources.admit(ADDRESS))
        self.token = ""

    async def start(self) -> None:
        directory = self.chat.directory
        await self.chat.start()
        directory.names.take("Boris", claim_of(BORIS), self.chat.clock.stamp())
        directory.rooms.open_private("secret", "Boris", claim_of(BORIS))
        self.token, _ = directory.invitations.make(
            "room", "secret", "Boris", self.chat.clock.wall(), uses=1, seconds=60
        )

    def claim(self) -> None:
        """Have the name Anna be hers, on disk."""
        self.chat.directory.names.take("Anna", claim_of(ANNA), self.chat.clock.stamp())

    def arrival(self, room: str = "closed", name: str = "Anna", **more: Any) -> Arrival:
        return Arrival(room, self.limiter, name, **more)

    def sign_in(self, name: str, secret: str = "") -> Person:
        return self.chat.directory.sign_in(name, secret, "another connection", self.limiter)


def play(folder: Path, scene: Callable[[Scene], Awaitable[None]], names: Names = Names.CLAIMED) -> None:
    async def all_of_it() -> None:
        made = Scene(folder, names)
        await made.start()
        await scene(made)
        await made.chat.close()

    looping.run(all_of_it())


async def ban(scene: Scene, **whom: Any) -> None:
    await scene.chat.directory.record(AuditEntry(scene.chat.clock.stamp(), OPERATOR, Act.BAN, **whom))


async def ban_name(scene: Scene) -> None:
    await ban(scene, user="Anna")


async def ban_claim(scene: Scene) -> None:
    await ban(scene, user="Another name", claim=claim_of(ANNA))


async def ban_address(scene: Scene) -> None:
    await ban(scene, addresses=(ADDRESS,))


async def release_name(scene: Scene) -> None:
    scene.chat.directory.names.release("Anna")


async def take_name(scene: Scene) -> None:
    scene.sign_in("Anna")


async def claim_name(scene: Scene) -> None:
    scene.chat.directory.sign_out(scene.sign_in("Anna", BORIS))


async def remove_member(scene: Scene) -> None:
    scene.chat.directory.rooms.remove_member("secret", claim_of(ANNA))


async def take_invitation_back(scene: Scene) -> None:
    scene.chat.directory.revoke_invitations("secret")


async def use_invitation_up(scene: Scene) -> None:
    await scene.admission.admit(scene.arrival("secret", "Vera", secret="Vera's secret", invite=scene.token))


async def go_down(scene: Scene) -> None:
    await scene.chat.finish()


Change = Callable[[Scene], Awaitable[None]]
GUEST: dict[str, str] = {}
KNOWN = {"secret": ANNA}

MEANWHILE: Sequence[tuple[Change, ErrorCode, dict[str, str]]] = (
    (ban_name, ErrorCode.BANNED, GUEST),
    (ban_claim, ErrorCode.BANNED, KNOWN),
    (ban_address, ErrorCode.BANNED, GUEST),
    (take_name, ErrorCode.NAME_TAKEN, GUEST),
    (claim_name, ErrorCode.NAME_CLAIMED, GUEST),
    (claim_name, ErrorCode.NAME_CLAIMED, KNOWN),
    (go_down, ErrorCode.GOING_DOWN, GUEST),
)


@pytest.mark.parametrize(("change", "code", "who"), MEANWHILE)
def test_what_changes_while_the_room_is_opened_is_noticed(
    tmp_path: Path, change: Change, code: ErrorCode, who: dict[str, str]
) -> None:
    async def scene(there: Scene) -> None:
        arrival = there.arrival(**who)
        waiting = there.admission.attempt(arrival)
        assert isinstance(waiting, asyncio.Future)
        # While somebody waits the name is not theirs yet.
        assert not there.chat.directory.people.present()
        await change(there)
        with pytest.raises(Refused) as refused:
            await there.admission.admit(arrival, waiting)
        assert refused.value.code is code

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (ban_name, ErrorCode.BANNED),
        (ban_claim, ErrorCode.BANNED),
        (ban_address, ErrorCode.BANNED),
        (remove_member, ErrorCode.BAD_LINK),
        (go_down, ErrorCode.GOING_DOWN),
    ],
)
def test_what_changes_while_a_membership_is_written_is_noticed(
    tmp_path: Path, change: Change, code: ErrorCode
) -> None:
    async def scene(there: Scene) -> None:
        await there.admission.admit(there.arrival("secret", "Boris", secret=BORIS))
        arrival = there.arrival("secret", secret=ANNA, invite=there.token)
        waiting = there.admission.attempt(arrival)
        assert isinstance(waiting, asyncio.Future)
        assert {person.name for person in there.chat.directory.people.present()} == {"Boris"}
        await change(there)
        with pytest.raises(Refused) as refused:
            await there.admission.admit(arrival, waiting)
        assert refused.value.code is code

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("change", "code"),
    [(take_invitation_back, ErrorCode.BAD_LINK), (use_invitation_up, ErrorCode.BAD_LINK)],
)
def test_an_invitation_that_is_gone_when_the_room_is_open_is_noticed(
    tmp_path: Path, change: Change, code: ErrorCode
) -> None:
    async def scene(there: Scene) -> None:
        arrival = there.arrival("secret", secret=ANNA, invite=there.token)
        waiting = there.admission.attempt(arrival)
        assert isinstance(waiting, asyncio.Future)
        await change(there)
        with pytest.raises(Refused) as refused:
            await there.admission.admit(arrival, waiting)
        assert refused.value.code is code

    play(tmp_path, scene)


def test_a_name_that_is_released_while_its_holder_waits_where_only_known_people_come_in_is_noticed(
    tmp_path: Path,
) -> None:
    async def scene(there: Scene) -> None:
        there.claim()
        arrival = there.arrival(secret=ANNA)
        waiting = there.admission.attempt(arrival)
        assert isinstance(waiting, asyncio.Future)
        await release_name(there)
        with pytest.raises(Refused) as refused:
            await there.admission.admit(arrival, waiting)
        assert refused.value.code is ErrorCode.NOT_KNOWN

    play(tmp_path, scene, Names.INVITED)


def test_a_room_that_was_closed_again_when_its_turn_comes_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(there: Scene) -> None:
        rooms = there.chat.rooms
        arrival = there.arrival()
        waiting = there.admission.attempt(arrival)
        assert isinstance(waiting, asyncio.Future)
        first = await waiting
        monkeypatch.setattr("besedka.serve.chat.open_rooms.ROOMS_AT_MOST", 2)
        monkeypatch.setattr("besedka.serve.chat.open_rooms.RESERVED_ROOMS", 0)
        rooms.close_later(first)
        other = rooms.open("other", TENANT)
        assert isinstance(other, asyncio.Future)
        await other
        monkeypatch.undo()
        admitted = await there.admission.admit(arrival, waiting)
        assert admitted.room is not first
        assert rooms.open("closed", TENANT) is admitted.room

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (ban_claim, ErrorCode.BANNED),
        (ban_address, ErrorCode.BANNED),
        (remove_member, ErrorCode.NOT_INVITED),
        (go_down, ErrorCode.GOING_DOWN),
    ],
)
def test_what_changes_while_a_reader_waits_is_noticed(
    tmp_path: Path, change: Change, code: ErrorCode
) -> None:
    async def scene(there: Scene) -> None:
        there.claim()
        there.chat.directory.rooms.add_member("secret", "Anna", claim_of(ANNA))
        reading = asyncio.ensure_future(
            there.admission.existing_room("secret", claim_of(ANNA), there.limiter)
        )
        await asyncio.sleep(0)
        assert not reading.done()
        await change(there)
        with pytest.raises(Refused) as refused:
            await reading
        assert refused.value.code is code

    play(tmp_path, scene)


class Session(ChatSession):
    """Writes down what it is told.

    Attributes:
        frames: what that is.
        work: what it waits for.
    """

    door = "/ws"

    def __init__(self, there: Scene) -> None:
        super().__init__(services(there.chat), there.limiter)
        self.frames: list[ServerFrame] = []
        self.work: Coroutine[Any, Any, None] | None = None

    def send(self, frame: ServerFrame) -> None:
        self.frames.append(frame)

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        raise AssertionError(ending) from refusal

    def abort(self) -> None:
        raise AssertionError

    def make_subscriber(self, person: Person, room: Room, *, is_seen: bool) -> FakeSubscriber:
        return FakeSubscriber(person.name, room, is_seen=is_seen)

    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        self.work = work


def test_a_join_waits_for_nothing_where_the_room_is_open_and_the_name_on_disk(tmp_path: Path) -> None:
    async def scene(there: Scene) -> None:
        there.claim()
        await there.admission.admit(there.arrival("main", secret=ANNA))
        tasks = asyncio.all_tasks()
        for join in (Join("Vera"), Join("Anna", secret=ANNA), Join()):
            session = Session(there)
            session.receive_frame(join)
            assert session.work is None
            assert isinstance(session.frames[0], Welcome)
        assert asyncio.all_tasks() == tasks

    play(tmp_path, scene)


def test_a_room_from_which_somebody_reads_a_page_stays_open_until_that_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(there: Scene) -> None:
        session = Session(there)
        session.receive_frame(Join(None, "closed"))
        assert session.work
        await session.work
        room = there.chat.rooms.open("closed", TENANT)
        assert isinstance(room, Room)
        reading: asyncio.Future[History] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(there.chat.log_reader, "page", lambda *_, **__: reading)
        session.receive_frame(ListHistory(9, "closed"))
        working = asyncio.ensure_future(session.work)
        await asyncio.sleep(0)
        assert room.holds
        session.remove_from_room("closed", Refused(ErrorCode.TOO_MANY_ROOMS, room="closed", why="none"))
        assert not room.is_idle
        reading.set_result(History("closed", 1, []))
        await working
        assert room.is_idle
        codes = [frame.code for frame in session.frames if isinstance(frame, Error)]
        assert codes == [ErrorCode.TOO_MANY_ROOMS, ErrorCode.NOT_JOINED]

    play(tmp_path, scene)


def test_a_session_that_ended_while_it_waited_is_in_no_room(tmp_path: Path) -> None:
    async def scene(there: Scene) -> None:
        session = Session(there)
        session.receive_frame(Join("Vera", "closed"))
        assert session.work
        session.end()
        await session.work
        assert not session.frames
        assert not there.chat.directory.people.present()
        room = there.chat.rooms.open("closed", TENANT)
        assert isinstance(room, Room)
        assert room.is_idle

    play(tmp_path, scene)


def test_what_is_refused_after_a_wait_tells_to_which_frame_it_belongs(tmp_path: Path) -> None:
    async def scene(there: Scene) -> None:
        session = Session(there)
        session.receive_frame(Join("Vera", "closed"))
        there.sign_in("Vera")
        assert session.work
        await session.work
        (error,) = session.frames
        assert isinstance(error, Error)
        assert (error.code, error.room) == (ErrorCode.NAME_TAKEN, "closed")

    play(tmp_path, scene)


def test_a_room_that_is_opened_is_charged_for_and_one_that_is_open_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a client that enters it, and to one that only reads it."""
    charged: list[RateLimiter] = []
    monkeypatch.setattr(RateLimiter, "charge_opening", lambda limiter, _: charged.append(limiter))
    room_path(tmp_path / "talk.txt", "other").write_text("[2025-01-01 00:00:00] Old: hi\n")

    async def scene(there: Scene) -> None:
        await there.admission.admit(there.arrival("closed"))
        assert charged == [there.limiter]
        await there.admission.admit(there.arrival("closed", "Somebody else"))
        assert charged == [there.limiter]
        await there.admission.existing_room("other", "", there.limiter)
        assert charged == [there.limiter] * 2
        await there.admission.existing_room("other", "", there.limiter)
        assert charged == [there.limiter] * 2

    play(tmp_path, scene)
