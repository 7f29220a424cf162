"""The events that wait for a program: their order, their bound, their end."""

from __future__ import annotations

import asyncio

import pytest

from besedka.remote.errors import ConnectionFailed
from besedka.remote.room.event_queue import (
    EVENT_BYTES_AT_MOST,
    EVENT_BYTES_OF_CONNECTION_AT_MOST,
    EVENTS_AT_MOST,
    EventQueue,
    HeldEvents,
)
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset
from besedka.wire.message import Message
from tests.looping import run_jumping


async def read(queue: EventQueue) -> list[Event]:
    return [event async for event in queue.read()]


def test_events_that_wait_are_read_before_the_end() -> None:
    async def scenario() -> None:
        queue = EventQueue(HeldEvents())
        queue.put(Reset(), Away(1.0))
        queue.end(None)
        queue.put(Away(2.0))
        assert await read(queue) == [Reset(), Away(1.0)]

    run_jumping(scenario())


def test_an_error_is_raised_behind_the_events_that_wait() -> None:
    async def scenario() -> None:
        queue = EventQueue(HeldEvents())
        queue.put(Reset())
        queue.end(ConnectionFailed("gone"))
        events = queue.read()
        assert await anext(events) == Reset()
        with pytest.raises(ConnectionFailed, match="gone"):
            await anext(events)

    run_jumping(scenario())


def test_a_full_queue_has_room_as_soon_as_an_event_is_read() -> None:
    async def scenario() -> None:
        queue = EventQueue(HeldEvents())
        queue.put(*[Reset()] * (EVENTS_AT_MOST - 1))
        assert not queue.is_full
        queue.put(Reset())
        assert queue.is_full
        waiting = asyncio.ensure_future(queue.has_room())
        await anext(queue.read())
        await waiting
        assert not queue.is_full

    run_jumping(scenario())


def test_events_are_bounded_by_their_memory_too_and_short_ones_make_no_room_for_long_ones() -> None:
    async def scenario() -> None:
        queue = EventQueue(HeldEvents())
        long = ReceivedMessage(Message("2026-01-01 00:00:00", "Anna", "x" * EVENT_BYTES_AT_MOST))
        queue.put(Reset(), Reset(), long)
        assert queue.is_full
        waiting = asyncio.ensure_future(queue.has_room())
        events = queue.read()
        assert [await anext(events), await anext(events)] == [Reset(), Reset()]
        await asyncio.sleep(0)
        assert not waiting.done()
        assert await anext(events) == long
        await waiting

    run_jumping(scenario())


def test_nobody_waits_for_room_in_a_queue_that_has_ended() -> None:
    async def scenario() -> None:
        queue = EventQueue(HeldEvents())
        queue.put(*[Reset()] * EVENTS_AT_MOST)
        queue.end(None)
        await queue.has_room()

    run_jumping(scenario())


def test_the_events_of_all_rooms_of_a_connection_have_a_bound_of_memory_together() -> None:
    async def scenario() -> None:
        held = HeldEvents()
        queues = [EventQueue(held) for _ in range(100)]
        long = ReceivedMessage(Message("2026-01-01 00:00:00", "Anna", "x" * (EVENT_BYTES_AT_MOST - 2_000)))
        count = 0
        while not held.is_full:
            queues[count].put(long)
            assert not queues[count].is_full
            count += 1
        assert count == EVENT_BYTES_OF_CONNECTION_AT_MOST // EVENT_BYTES_AT_MOST + 1
        waiting = asyncio.ensure_future(held.has_room())
        await asyncio.sleep(0)
        assert not waiting.done()
        await anext(queues[0].read())
        await waiting
        queues[0].put(long)
        assert held.is_full
        # What an ended queue holds is read or dropped, and nothing more comes.
        queues[1].end(None)
        assert await read(queues[1]) == [long]
        await held.has_room()
        queues[2].put(long)
        assert held.is_full

    run_jumping(scenario())
