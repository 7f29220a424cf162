"""Notices to whole rooms in time: the first is sent at once, those that follow closely are batched, and all rooms share what they may cost.

A notice costs a write for each live subscriber, and what causes it may be a frame of twenty bytes. So the price of a notice is not paid by
whoever causes it, whose own frames would then be read later, nor by the other rooms' messages: it is bounded for the whole server. Under a
flood notices come later, and say as much.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from besedka.serve.limits.token_bucket import TokenBucket
from besedka.serve.room import Room

NOTICE_SECONDS: Final = 0.25
"""Shortest interval between two notices of one kind in a room."""

ROOM_WRITES_RATE: Final = 5_000.0
"""Writes a second that the notices of one kind in one room may take: four notices a second for 1250 people, one for 5000. When so many come at once,
as after a restart, the notices of it would be a third of what that costs."""

NOTICE_WRITES_RATE: Final = 20_000.0
"""Writes a second that the notices of all rooms may take together: six microseconds each, so an eighth of the loop's time."""

NOTICE_BURST_SECONDS: Final = 0.25
"""Seconds' worth of them at once. A notice to more people than that is sent all the same, and the next ones wait longer."""


class NoticeTurns:
    """Turns at sending a notice, in the order in which they were due.

    They come as fast as `NOTICE_WRITES_RATE` allows, and one in each turn of the loop, so that clients get in between.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._writes = TokenBucket(NOTICE_WRITES_RATE, NOTICE_BURST_SECONDS)
        self._waiting: deque[Callable[[], int]] = deque()
        self._next: asyncio.Handle | None = None

    def take(self, send: Callable[[], int]) -> None:
        """Have something sent when it is its turn; it returns the number of its writes."""
        self._waiting.append(send)
        if self._next is None:
            self._send()

    def close(self) -> None:
        """Send nothing more."""
        self._waiting.clear()
        if self._next:
            self._next.cancel()

    def _send(self) -> None:
        self._next = None
        if not self._waiting:
            return
        wait = self._writes.wait(self._loop.time(), 0)
        if wait:
            self._next = self._loop.call_later(wait, self._send)
            return
        self._next = self._loop.call_soon(self._send)
        self._writes.spend(self._loop.time(), self._waiting.popleft()())


class Notices:
    """The notices of one kind, in all rooms.

    Args:
        send: sends a room its notice, and returns whether there was one.
        turns: what they share with those of other kinds.
    """

    def __init__(self, send: Callable[[Room], bool], turns: NoticeTurns) -> None:
        self._send = send
        self._turns = turns
        self._loop = asyncio.get_running_loop()
        # Rooms with a notice to be sent, and the timer of those whose turn is not asked for yet.
        self._due: dict[Room, asyncio.TimerHandle | None] = {}
        self._not_before: WeakKeyDictionary[Room, float] = WeakKeyDictionary()

    def note(self, room: Room) -> None:
        """Schedule a room's notice."""
        if room not in self._due:
            at = max(self._not_before.get(room, float("-inf")), self._loop.time())
            self._due[room] = self._loop.call_at(at, self._take_turn, room)

    def close(self) -> None:
        """Cancel all scheduled notices."""
        for handle in self._due.values():
            if handle:
                handle.cancel()
        self._turns.close()

    def _take_turn(self, room: Room) -> None:
        self._due[room] = None
        self._turns.take(lambda: self._send_now(room))

    def _send_now(self, room: Room) -> int:
        del self._due[room]
        writes = room.notice_writes
        if not self._send(room):
            return 0
        self._not_before[room] = self._loop.time() + max(NOTICE_SECONDS, writes / ROOM_WRITES_RATE)
        return writes
