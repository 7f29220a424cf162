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


class EventQueue:
    """The events of one room, for one reader."""

    def __init__(self) -> None:
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
        for event in events:
            self._waiting.add(event)
        self._has_events.set()
        if self._waiting.is_full:
            self._has_room.clear()

    def end(self, error: Exception | None) -> None:
        """Let `read` end behind the events that wait: with an error, or without."""
        self._has_ended, self._error = True, error
        self._has_events.set()
        self._has_room.set()

    async def read(self) -> AsyncGenerator[Event, None]:
        """Yield the events, up to the end."""
        while True:
            while self._waiting:
                event = self._waiting.take()
                if not self._waiting.is_full:
                    self._has_room.set()
                yield event
            if self._error:
                raise self._error
            if self._has_ended:
                return
            self._has_events.clear()
            await self._has_events.wait()
