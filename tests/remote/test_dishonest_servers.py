"""A connection to a server that is not honest: it decides neither how fast the client works, nor how much it keeps, nor how long it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from besedka.remote.backoff import LONGEST_HOLD_SECONDS
from besedka.remote.chat_connection import ROOMS_AT_MOST, ChatConnection
from besedka.remote.errors import ConnectionFailed, JoinRefused, TransportClosed
from besedka.remote.pending_joins import ANSWER_SECONDS, LONGEST_ANSWER_SECONDS
from besedka.remote.room.membership import Membership
from besedka.remote.room.outbox import IN_FLIGHT_AT_MOST
from besedka.remote.room_pages import ROOM_PAGES_AT_MOST
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import (
    Chat,
    ClientFrame,
    Error,
    Join,
    ListRooms,
    Rooms,
    Say,
    ServerFrame,
    System,
    Typing,
    Welcome,
)
from tests.remote.fakes import FRAMES_AT_MOST, FakeNetwork, FakeTransport, welcome
from tests.remote.test_chat_connection import collect, has_failed, joins, run, settle, texts

A_MINUTE_SECONDS = 60

SENT_IN_A_MINUTE = 12
"""How often a client tries in the first minute: after 0.1, 0.2, 0.4, … seconds."""


async def joined(connection: ChatConnection, network: FakeNetwork) -> tuple[Membership, FakeTransport]:
    """A membership of Anna in `main`, and its transport."""
    room = connection.join("main", "Anna")
    await settle()
    (transport,) = network.visits
    if not network.answer:
        transport.deliver(welcome())
        await settle()
    return room, transport


# How fast.


def test_messages_that_are_refused_as_too_fast_for_no_time_are_resent_ever_more_seldom() -> None:
    def refuse(frame: ClientFrame) -> Iterator[ServerFrame]:
        match frame:
            case Join():
                yield welcome()
            case Say(key=key):
                yield Error(ErrorCode.TOO_FAST, "", "", key, "main", retry_after=0)
            case _:
                pass

    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        network.answer = refuse
        room, transport = await joined(connection, network)
        # The connection reads on only as long as the program does.
        reading = asyncio.create_task(collect(room))
        for number in range(2 * IN_FLIGHT_AT_MOST):
            room.say(f"{number}")
        await asyncio.sleep(A_MINUTE_SECONDS)
        reading.cancel()
        assert len(texts(transport)) <= SENT_IN_A_MINUTE * IN_FLIGHT_AT_MOST
        assert len(texts(transport)) > IN_FLIGHT_AT_MOST

    run(scenario)


def test_what_is_accepted_lets_the_next_refusal_be_a_first_one() -> None:
    accepted: set[str] = set()

    def refuse_first(frame: ClientFrame) -> Iterator[ServerFrame]:
        match frame:
            case Join():
                yield welcome()
            case Say(key=key) if key in accepted:
                yield Chat("main", int(frame.text), "Anna", frame.text, "12:00:00", 0, key)
            case Say(key=key):
                accepted.add(key)
                yield Error(ErrorCode.TOO_FAST, "", "", key, "main", retry_after=0.05)
            case _:
                pass

    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        network.answer = refuse_first
        room, _ = await joined(connection, network)
        began = asyncio.get_running_loop().time()
        for number in range(1, 101):
            assert await room.say(f"{number}") == number
        assert asyncio.get_running_loop().time() - began == pytest.approx(100 * 0.1, abs=1)

    run(scenario)


def test_a_room_that_is_closed_again_and_again_is_joined_ever_more_seldom() -> None:
    def close(frame: ClientFrame) -> Iterator[ServerFrame]:
        if isinstance(frame, Join):
            yield welcome()
            yield Error(ErrorCode.TOO_MANY_ROOMS, "", "", "", "main", retry_after=0)

    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        network.answer = close
        _, transport = await joined(connection, network)
        await asyncio.sleep(A_MINUTE_SECONDS)
        assert 2 < len(joins(transport)) <= SENT_IN_A_MINUTE + 2

    run(scenario)


def test_a_room_that_is_closed_after_an_hour_is_joined_again_as_soon_as_the_server_says() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        _, transport = await joined(connection, network)
        for times in range(2, 12):
            await asyncio.sleep(2 * LONGEST_HOLD_SECONDS)
            transport.deliver(Error(ErrorCode.TOO_MANY_ROOMS, "", "", "", "main", retry_after=1))
            await asyncio.sleep(1.1)
            assert len(joins(transport)) == times
            transport.deliver(welcome())

    run(scenario)


def test_a_log_that_is_replaced_all_the_time_does_not_have_all_messages_resent_each_time() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room, transport = await joined(connection, network)
        for number in range(IN_FLIGHT_AT_MOST):
            room.say(f"{number}")
        await settle()
        for number in range(1_000):
            replaced = msgspec.structs.replace(welcome(), epoch=f"{number}", reset=True)
            transport.deliver(replaced)
            await settle()
        assert len(texts(transport)) <= SENT_IN_A_MINUTE * IN_FLIGHT_AT_MOST

    run(scenario)


# How long.


@pytest.mark.parametrize("frame", [Typing("main", "Eve"), System("main", "", "", 1, [], [])])
def test_nothing_but_an_answer_puts_off_the_deadline_of_the_first_join(frame: ServerFrame) -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        began = asyncio.get_running_loop().time()
        room = connection.join("main", "Anna")
        await settle()
        (transport,) = network.visits

        async def drip() -> None:
            while True:
                transport.deliver(frame)
                await asyncio.sleep(4)

        dripping = asyncio.create_task(drip())
        failure = await has_failed(room)
        dripping.cancel()
        assert "it does not answer" in str(failure)
        assert asyncio.get_running_loop().time() - began == pytest.approx(ANSWER_SECONDS, abs=0.1)

    run(scenario)


def test_other_rooms_put_off_the_deadline_of_a_join_by_a_minute_at_most() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room, transport = await joined(connection, network)
        began = asyncio.get_running_loop().time()
        connection.join("late", "Anna")
        number = 0
        while len(network.visits) == 1:
            number += 1
            transport.deliver(Chat("main", number, "Boris", "x", "12:00:00", 0))
            async for event in room.events():
                if not isinstance(event, Welcome):
                    break
            await asyncio.sleep(0.5)
        waited = asyncio.get_running_loop().time() - began
        assert waited == pytest.approx(LONGEST_ANSWER_SECONDS, abs=2)

    run(scenario)


def test_each_answered_join_gives_the_next_one_its_time() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        rooms = [connection.join(f"r{number}", "Anna") for number in range(10)]
        await settle()
        (transport,) = network.visits
        for room in rooms:
            await asyncio.sleep(ANSWER_SECONDS - 1)
            transport.deliver(welcome(room=room.room))
        await settle()
        assert len(network.visits) == 1

    run(scenario)


# How much.


def test_a_connection_holds_as_many_rooms_as_a_server_allows_and_refuses_more_itself() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        rooms = [connection.join(f"r{number}", "Anna") for number in range(ROOMS_AT_MOST)]
        with pytest.raises(JoinRefused) as refused:
            connection.join("another", "Anna")
        assert refused.value.code == ErrorCode.TOO_MANY_ROOMS
        await rooms[0].leave()
        connection.join("another", "Anna")
        await settle()
        assert len(connection.rooms) == ROOMS_AT_MOST
        assert "r0" not in joins(network.visits[0])

    run(scenario)


def test_a_list_of_rooms_that_does_not_end_is_not_read_for_ever() -> None:
    assert ROOM_PAGES_AT_MOST < FRAMES_AT_MOST

    def list_for_ever(frame: ClientFrame) -> Iterator[ServerFrame]:
        match frame:
            case Join():
                yield welcome()
            case ListRooms(key=key, after=after):
                yield Rooms([], key, next="A" if after == "B" else "B")
            case _:
                pass

    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        network.answer = list_for_ever
        await joined(connection, network)
        for request in (connection.requests.own_rooms, connection.requests.rooms):
            with pytest.raises(ConnectionFailed, match="more than 200 pages"):
                await request()

    run(scenario)


def test_a_name_that_is_no_line_ends_the_connection() -> None:
    async def scenario(connection: ChatConnection, network: FakeNetwork) -> None:
        room, transport = await joined(connection, network)
        transport.deliver(Chat("main", 1, "Boris\n[2026-01-01 12:00:00] Boss", "x", "12:00:00", 0))
        failure = await has_failed(room)
        assert isinstance(failure, ConnectionFailed)
        assert not isinstance(failure, TransportClosed)
        assert "`user`" in str(failure)

    run(scenario)
