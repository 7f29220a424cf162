"""Requests, by their parts: quotas hold also for those that come at once, and what a request has sent to others is paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.limits.rate_limits import WRITES_PER_FRAME, RateLimiter, RateLimits
from besedka.serve.limits.room_shares import NEW_ROOMS
from besedka.serve.limits.sources import Sources
from besedka.serve.people.direct import ASKED_AT_MOST, BEGUN_BY_PERSON
from besedka.serve.people.memberships import direct_room
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.serve.people.room_quotas import ROOMS_OF_OWNER_AT_MOST
from besedka.serve.room import Room, Tenant
from besedka.serve.settings import Settings
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import (
    Block,
    Done,
    Invite,
    Kind,
    OpenDirect,
    OpenPrivate,
    Request,
    Response,
    RoomOpened,
    ServerFrame,
    Uninvite,
)
from tests import looping
from tests.serve.faking import TENANT, FakeSubscriber, draft, running, services
from tests.serve.session.test_moderation import Comer

CONNECTIONS = 50


class Hearer(Comer):
    """A session that counts what it is sent."""

    received = 0

    def send(self, frame: ServerFrame) -> None:
        assert isinstance(frame, RoomOpened)
        self.received += 1


def test_a_direct_room_is_announced_at_a_price_by_the_connections_that_receive_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        limiter = Sources(RateLimits(rate=100)).limiter(Sources(RateLimits()).admit("192.0.2.1"))
        directory, now = chat.directory, chat.clock.now()
        for name in ("Anna", "Boris"):
            directory.names.take(name, claim_of(name), chat.clock.stamp())
        anna = directory.sign_in("Anna", "Anna", "", limiter)
        boris = directory.sign_in("Boris", "Boris", "", limiter)
        hearers = [Hearer(boris) for _ in range(CONNECTIONS)]
        for hearer in hearers:
            directory.sessions.add(hearer)
        limiter.charge_frames(now, 400)  # nothing is left
        await services(chat).requests.answer(OpenDirect("Boris"), anna, limiter)
        assert {hearer.received for hearer in hearers} == {1}
        assert limiter.delay(now) == pytest.approx(CONNECTIONS / WRITES_PER_FRAME / 200)
        await chat.close()

    looping.run(scenario())


class Asker:
    """Somebody who makes requests of a chat, from an address of their own."""

    def __init__(self, chat: Chat, name: str, address: str = "192.0.2.1") -> None:
        self.chat = chat
        sources = Sources(RateLimits())
        self.limiter: RateLimiter = sources.limiter(sources.admit(address))
        self.person: Person = chat.directory.sign_in(name, name, "", self.limiter)

    async def ask(self, frame: Request) -> Response:
        answer = await services(self.chat).requests.answer(frame, self.person, self.limiter)
        assert not isinstance(answer, (tuple, str))
        return answer  # type: ignore[return-value]  # no list of rooms is requested here

    async def make(self, *rooms: str) -> list[str]:
        """Request private rooms at once. Returns the outcomes: ``made``, or the error codes."""
        return outcomes(
            await asyncio.gather(*(self.ask(OpenPrivate(room)) for room in rooms), return_exceptions=True)
        )


def outcomes(answers: Sequence[Response | BaseException]) -> list[str]:
    return [answer.code.value if isinstance(answer, Refused) else "made" for answer in answers]


def recorded(folder: Path) -> list[str]:
    """The rooms that the audit log has."""
    lines = (folder / "audit.txt").read_text().splitlines()
    return [line.partition("room=")[2].split()[0] for line in lines if ": private " in line]


def test_a_quota_holds_for_requests_that_come_at_once_and_what_is_refused_is_not_recorded(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            anna = Asker(chat, "Anna")
            await anna.make(*(f"own{number}" for number in range(ROOMS_OF_OWNER_AT_MOST - 1)))
            made = await anna.make(*(f"word{number}" for number in range(12)))
            assert sorted(made) == ["made"] + ["not_allowed"] * 11
            words = [room for room in recorded(tmp_path) if room.startswith("word")]
            assert words == [f"word{made.index('made')}"]
            assert all(
                chat.directory.rooms.kind(f"word{number}") is (Kind.PRIVATE if one == "made" else Kind.OPEN)
                for number, one in enumerate(made)
            )

    looping.run(scenario())


TWINS = ("board", "b\u043eard", "bo\u0430rd")  # two of them with a Cyrillic letter


def test_of_private_rooms_that_look_alike_and_come_at_once_one_comes_into_being(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            askers = [Asker(chat, name) for name in ("Anna", "Boris", "Eve")]
            made = outcomes(
                await asyncio.gather(
                    *(asker.ask(OpenPrivate(room)) for asker, room in zip(askers, TWINS, strict=True)),
                    return_exceptions=True,
                )
            )
            assert made == ["made", "bad_room", "bad_room"]
            assert recorded(tmp_path) == [TWINS[0]]

    looping.run(scenario())


@pytest.mark.parametrize("steps", range(0, 40, 2))
def test_no_open_room_comes_into_being_that_looks_like_a_private_one_that_is_being_made(
    tmp_path: Path, steps: int
) -> None:
    """At whatever moment between the request and its answer it is joined."""

    async def scenario() -> None:
        async with running(tmp_path) as chat:
            making = asyncio.ensure_future(Asker(chat, "Anna").ask(OpenPrivate(TWINS[0])))
            for _ in range(steps):
                await asyncio.sleep(0)
            opening = chat.rooms.open(TWINS[1], TENANT)
            opened, made = await asyncio.gather(
                opening if not isinstance(opening, Room) else asyncio.sleep(0), making, return_exceptions=True
            )
            is_open, is_made = isinstance(opened, Room), isinstance(made, RoomOpened)
            assert is_made is not is_open
            refused = made if is_open else opened
            assert isinstance(refused, Refused)
            assert refused.code is ErrorCode.BAD_ROOM

    looping.run(scenario())


def test_a_name_is_free_again_after_a_request_that_could_not_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            anna, boris = Asker(chat, "Anna"), Asker(chat, "Boris")

            async def full(*_: object) -> None:
                raise Refused(ErrorCode.STORAGE_FULL)

            with monkeypatch.context() as disk:
                disk.setattr(chat.directory.private, "enter", full)
                for number in range(NEW_ROOMS + 1):
                    assert await anna.make(f"room{number}") == ["storage_full"]
                for _ in range(BEGUN_BY_PERSON + 1):
                    with pytest.raises(Refused, match="disk"):
                        await anna.ask(OpenDirect("Boris"))
            assert await boris.make(TWINS[1]) == ["made"]
            assert (
                await anna.make(*(f"room{number}" for number in range(ROOMS_OF_OWNER_AT_MOST)))
                == ["made"] * ROOMS_OF_OWNER_AT_MOST
            )
            assert isinstance(await anna.ask(OpenDirect("Boris")), RoomOpened)

    looping.run(scenario())


def test_new_private_and_direct_rooms_are_charged_as_new_rooms(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            anna, boris = Asker(chat, "Anna"), Asker(chat, "Boris")
            for _ in range(NEW_ROOMS - 1):
                with chat.rooms.charged_as_new(Tenant.of(anna.limiter, anna.person)):
                    pass
            assert await anna.make("plans") == ["made"]
            assert await anna.make("more") == ["too_many_rooms"]
            with pytest.raises(Refused) as refused:
                await anna.ask(OpenDirect("Boris"))
            assert refused.value.code is ErrorCode.TOO_MANY_ROOMS
            assert await boris.make("more") == ["made"]

    looping.run(scenario())


def test_strangers_who_begin_at_once_are_no_more_than_may_wait_for_an_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            anna = Asker(chat, "Anna")
            strangers = [
                Asker(chat, f"Stranger {number}", f"192.0.2.{number}") for number in range(ASKED_AT_MOST + 9)
            ]
            answers = await asyncio.gather(
                *(stranger.ask(OpenDirect("Anna")) for stranger in strangers), return_exceptions=True
            )
            assert sorted(outcomes(answers)) == ["made"] * ASKED_AT_MOST + ["not_accepted"] * 9
            assert len(chat.directory.direct.unanswered(anna.person.claim)) == ASKED_AT_MOST
            assert len(recorded(tmp_path)) == ASKED_AT_MOST

    looping.run(scenario())


def test_whoever_is_blocked_while_they_begin_a_direct_room_is_not_announced(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            anna, eve = Asker(chat, "Anna"), Asker(chat, "Eve")
            beginning = asyncio.ensure_future(eve.ask(OpenDirect("Anna")))
            await asyncio.sleep(0)
            blocking = asyncio.ensure_future(anna.ask(Block("Eve")))
            with pytest.raises(Refused) as refused:
                await beginning
            assert refused.value.code is ErrorCode.NOT_ACCEPTED
            await blocking
            assert not chat.directory.rooms.has_members(direct_room(eve.person.claim, anna.person.claim))

    looping.run(scenario())


async def entered(chat: Chat, name: str) -> Room:
    opening = chat.rooms.open(name, TENANT)
    return opening if isinstance(opening, Room) else await opening


def test_an_owner_gives_up_a_room_in_which_nothing_was_said_and_gets_its_place_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            anna, eve = Asker(chat, "Anna"), Asker(chat, "Eve")
            await anna.make(*(f"own{number}" for number in range(ROOMS_OF_OWNER_AT_MOST)))
            await anna.ask(Invite("own0"))
            assert await anna.make("more") == ["not_allowed"]
            assert isinstance(await anna.ask(Uninvite("own0", "Anna")), Done)
            assert not [*chat.directory.invitations.rows()]
            assert await anna.make("more") == ["made"]
            # It stays private, and is whoever's makes it anew.
            assert chat.directory.rooms.kind("own0") is Kind.PRIVATE
            assert await eve.make("own0") == ["made"]
            assert recorded(tmp_path).count("own0") == 1
        assert "own0\towner\tAnna" not in (tmp_path / "private_rooms.txt").read_text().splitlines()[-1]
        async with running(tmp_path) as chat:
            assert [row.name for row in chat.directory.rooms.members("own0")] == ["Eve"]

    looping.run(scenario())


@pytest.mark.parametrize("is_open", [True, False])
def test_a_room_with_a_history_is_not_given_up(tmp_path: Path, is_open: bool) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            anna = Asker(chat, "Anna")
            await anna.make("plans")
            room = await entered(chat, "plans")
            chat.committer.post(room, draft("Anna", "our plan"), FakeSubscriber("Anna", room))
            if is_open:
                # It is not on the disk yet.
                with pytest.raises(Refused, match="only an empty one"):
                    await anna.ask(Uninvite("plans", "Anna"))
            await chat.committer.finish()
            if not is_open:
                chat.rooms.close_later(room)
                await looping.jump(120)
                assert not chat.rooms.is_open("plans")
            with pytest.raises(Refused, match="only an empty one"):
                await anna.ask(Uninvite("plans", "Anna"))
            assert chat.directory.rooms.has_members("plans")

    looping.run(scenario())
