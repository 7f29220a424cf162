"""Presence notices in time: the first change is sent at once, changes that follow closely are batched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from besedka.serve.room import Room, Subscriber
from besedka.wire.errors import Language

NOTICE_SECONDS: Final = 0.25
"""Shortest interval between the notices of a room."""


class PresenceNotices:
    """The notices of all rooms.

    Args:
        language: of their sentences.
        stamp: the time now, as the log writes it.
    """

    def __init__(self, language: Language, stamp: Callable[[], str]) -> None:
        self._language = language
        self._stamp = stamp
        self._loop = asyncio.get_running_loop()
        self._due: dict[Room, asyncio.TimerHandle] = {}
        self._sent_at: WeakKeyDictionary[Room, float] = WeakKeyDictionary()

    def note(self, room: Room) -> None:
        """Schedule a notice of a change of presence."""
        if room not in self._due:
            at = max(self._sent_at.get(room, 0.0) + NOTICE_SECONDS, self._loop.time())
            self._due[room] = self._loop.call_at(at, self._broadcast, room)

    def send_missed(self, room: Room, subscriber: Subscriber) -> None:
        """Send a subscriber that has just gone live the present state, if it missed notices while behind."""
        missed = room.presence.missed_notices(subscriber, self._language, self._stamp())
        if missed:
            subscriber.send(missed)

    def close(self) -> None:
        """Cancel all scheduled notices."""
        for handle in self._due.values():
            handle.cancel()

    def _broadcast(self, room: Room) -> None:
        del self._due[room]
        system = room.presence.take_notice(self._language, self._stamp())
        if system is not None:
            self._sent_at[room] = self._loop.time()
            room.broadcast([system])
