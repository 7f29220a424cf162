"""The events of a room that wait for the program, in order. Their number and memory are bounded: the connection waits for a slow program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from besedka.remote.room.backlog import Backlog
from besedka.remote.room.events import Event

EVENTS_AT_MOST: Final = 256
"""The most events of a room that wait for the program. At this number the connection stops reading, for all its rooms; the server keeps
the rest in its log."""

EVENT_BYTES_AT_MOST: Final = 4 * 1024 * 1024
"""The same for the memory that they take: a hundred of the longest messages that can be posted, all in emoji, are half of it."""


EVENT_BYTES_OF_CONNECTION_AT_MOST: Final = 8 * EVENT_BYTES_AT_MOST
"""The same for all rooms of a connection together: a hundred rooms that were each nearly full would take 400 MiB."""


class HeldEvents:
    """The memory of the events that wait in all rooms of one connection."""

    def __init__(self) -> None:
        self._bytes = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    def change(self, by: int) -> None:
        """Count so many bytes more, or less."""
        self._bytes += by
        if self._bytes < EVENT_BYTES_OF_CONNECTION_AT_MOST:
            self._has_room.set()
        else:
            self._has_room.clear()

    @property
    def is_full(self) -> bool:
        """Whether they take `EVENT_BYTES_OF_CONNECTION_AT_MOST`."""
        return not self._has_room.is_set()

    async def has_room(self) -> None:
        """Wait until they take less."""
        await self._has_room.wait()


class EventQueue:
    """The events of one room, for one reader.

    Args:
        held: counts them, until the queue has ended: no more are added then.
    """

    def __init__(self, held: HeldEvents) -> None:
        self._held = held
        self._waiting = Backlog[Event](EVENTS_AT_MOST, EVENT_BYTES_AT_MOST)
        self._has_ended = False
        self._error: Exception | None = None
        self._has_events = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def is_full(self) -> bool:
        """Whether `EVENTS_AT_MOST` events wait for the program, or events of `EVENT_BYTES_AT_MOST`."""
        return not self._has_room.is_set()

    async def has_room(self) -> None:
        """Wait until the program has read some events."""
        await self._has_room.wait()

    def put(self, *events: Event) -> None:
        """Add events; ignored after the end."""
        if self._has_ended:
            return
        before = self._waiting.held_bytes
        for event in events:
            self._waiting.add(event)
        self._held.change(self._waiting.held_bytes - before)
        self._has_events.set()
        if self._waiting.is_full:
            self._has_room.clear()

    def end(self, error: Exception | None) -> None:
        """Let `read` end behind the events that wait: with an error, or without."""
        if not self._has_ended:
            self._held.change(-self._waiting.held_bytes)
        self._has_ended, self._error = True, error
        self._has_events.set()
        self._has_room.set()

    async def read(self) -> AsyncGenerator[Event, None]:
        """Yield the events, up to the end."""
        while True:
            while self._waiting:
                before = self._waiting.held_bytes
                event = self._waiting.take()
                if not self._has_ended:
                    self._held.change(self._waiting.held_bytes - before)
                if not self._waiting.is_full:
                    self._has_room.set()
                yield event
            if self._error:
                raise self._error
            if self._has_ended:
                return
            self._has_events.clear()
            await self._has_events.wait()
