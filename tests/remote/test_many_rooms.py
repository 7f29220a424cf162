"""A program in many rooms has one connection, and each room goes on by itself: through kills of the server, refusals and leaving."""

from __future__ import annotations

import asyncio

import pytest

from besedka import JoinRefused, Kind, RequestRefused, RoomClient, RoomOpened, SayRefused, connect
from besedka.remote.chat_connection import ROOMS_AT_MOST
from besedka.wire.message import MessageId
from tests.remote.conftest import BY_EVERY_WAY
from tests.remote.test_room_client import run, take
from tests.running import RunningServer, connections

ROOMS = [f"room{number:02}" for number in range(30)]
ANNA, BORIS = "a" * 64, "b" * 64


async def join_all(first: RoomClient) -> list[RoomClient]:
    return [first, *await asyncio.gather(*(first.join(room) for room in ROOMS[1:]))]


async def people(room: RoomClient) -> set[int]:
    """How many people are in the rooms."""
    return {entry.clients_count for entry in await room.rooms() if entry.name in ROOMS}


@BY_EVERY_WAY
def test_thirty_rooms_are_one_connection(chat_server: RunningServer, url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", ROOMS[0]) as first:
            rooms = await join_all(first)
            assert await asyncio.to_thread(connections, chat_server, url) == 1
            assert [room.room for room in rooms] == ROOMS
            assert await asyncio.gather(*(room.say("hello") for room in rooms)) == [1] * len(ROOMS)
            for room in rooms:
                (message,) = await take(room.follow(), 1)
                assert (message.text, message.is_own) == ("hello", True)
            assert await people(first) == {1}
        async with connect(url, "Boris") as boris:
            assert await people(boris) == {0}

    run(scenario)


@pytest.mark.parametrize("options", [("--rate", "0")], ids=["fast"])
def test_a_server_that_is_killed_while_thirty_rooms_talk_loses_and_doubles_nothing(
    chat_server: RunningServer, url: str
) -> None:
    each = 24

    async def scenario() -> None:
        async with connect(url, "Anna", ROOMS[0]) as first:
            rooms = await join_all(first)
            said: dict[str, list[asyncio.Future[MessageId]]] = {room: [] for room in ROOMS}
            for number in range(each):
                for room in rooms:
                    said[room.room].append(room.post("same" if number % 2 else f"{number}"))
                if number in {8, 16}:
                    # In the midst of sending: some are stored, and some of these acknowledged.
                    await said[ROOMS[0]][number - 5]
                    chat_server.kill()
                    assert any(room.waiting for room in rooms)
                    await asyncio.to_thread(chat_server.start)
            expected = list(range(1, each + 1))
            for room in rooms:
                assert await asyncio.gather(*said[room.room]) == expected
                assert [message.id for message in await take(room.follow(), each)] == expected
            assert await asyncio.to_thread(connections, chat_server, url) == 1
        texts = ["same" if number % 2 else f"{number}" for number in range(each)]
        for room_name in ROOMS:
            lines = chat_server.lines_of(f"chat_history.{room_name}.txt")
            assert [line.split("Anna: ")[1] for line in lines] == texts

    run(scenario)


def test_a_refusal_and_a_removal_in_one_room_leave_the_others_untouched(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna, connect(url, "Boris", secret=BORIS) as boris:
            plans = await anna.join(await anna.private("plans"))
            with pytest.raises(JoinRefused) as refused:
                await boris.join("plans")
            assert refused.value.code == "not_invited"
            with pytest.raises(JoinRefused) as refused:
                await boris.join("main")
            assert refused.value.code == "already_joined"
            invitation = await plans.invite()
            his = await boris.join("plans", invite=invitation.token)
            messages = boris.follow()
            await plans.uninvite(user="Boris")
            with pytest.raises(JoinRefused) as removed:
                await anext(his.follow())
            assert removed.value.code == "not_invited"
            assert not his.is_connected
            with pytest.raises(JoinRefused):
                await his.say("still here?")
            assert await boris.say("here I am") == 1
            assert [message.text for message in await take(messages, 1)] == ["here I am"]
            assert boris.is_connected

    run(scenario)


def test_a_room_is_watched_unseen_then_joined_on_the_same_connection(
    chat_server: RunningServer, url: str
) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", secret=ANNA) as anna, connect(url, "Boris", secret=BORIS) as boris:
            room = await boris.direct("Anna")
            assert await anext(anna.news()) == RoomOpened(room, Kind.DIRECT, "Boris", asked=True)
            his = await boris.join(room)
            watched = await anna.join(room, "", quiet=True)
            assert (watched.name, watched.clients_count, his.people) == ("", 1, ["Boris"])
            messages = watched.follow()
            await his.say("are you there?")
            assert [message.text for message in await take(messages, 1)] == ["are you there?"]
            cursor, epoch = watched.cursor
            await watched.leave()
            assert [message async for message in messages] == []
            hers = await anna.join(room, since=cursor, epoch=epoch)
            await hers.say("yes")
            assert [message.text for message in await take(hers.follow(), 1)] == ["yes"]
            assert await asyncio.to_thread(connections, chat_server, url) == 2

    run(scenario)


@BY_EVERY_WAY
def test_what_was_said_in_a_watched_room_during_a_restart_is_received(
    chat_server: RunningServer, url: str
) -> None:
    async def scenario() -> None:
        async with (
            connect(url, "Anna", secret=ANNA) as anna,
            connect(url, "Boris", "dev", secret=BORIS) as his,
        ):
            watched = await anna.join("dev", "", quiet=True)
            messages = watched.follow()
            await asyncio.to_thread(chat_server.kill)
            said = [his.post(f"{number}") for number in range(20)]
            await asyncio.to_thread(chat_server.start)
            assert await asyncio.gather(*said) == list(range(1, 21))
            assert [message.text for message in await take(messages, 20)] == [
                f"{number}" for number in range(20)
            ]

    run(scenario)


def test_what_no_server_would_read_is_refused_and_harms_no_room(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as room:
            dev = await room.join("dev")
            for code, bad in (("frame_too_long", "x" * 100_000), ("bad_frame", "\ud800")):
                with pytest.raises(SayRefused) as said:
                    await room.say(bad)
                with pytest.raises(RequestRefused) as asked:
                    await room.search(bad)
                with pytest.raises(JoinRefused) as joined:
                    await room.join(bad)
                assert (asked.value.code, joined.value.code) == (code, code)
                assert said.value.code == code.replace("frame_too", "text_too")
            assert (await room.say("here"), await dev.say("there")) == (1, 1)
            assert room.waiting == 0

    run(scenario)


def test_a_hundred_rooms_and_not_one_more(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", "r0") as first:
            rooms = [
                first,
                *await asyncio.gather(*(first.join(f"r{number}") for number in range(1, ROOMS_AT_MOST))),
            ]
            with pytest.raises(JoinRefused) as refused:
                await first.join("another")
            assert refused.value.code == "too_many_rooms"
            await rooms[-1].leave()
            another = await first.join("another")
            assert (
                await asyncio.gather(another.say("x"), *(room.say("x") for room in rooms[:-1]))
                == [1] * ROOMS_AT_MOST
            )

    run(scenario)
