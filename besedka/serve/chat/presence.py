"""Comings and goings, told in time: the first at once, those that follow closely together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from besedka.serve.room import Room, Subscriber
from besedka.wire.errors import Language

NOTICE_SECONDS: Final = 0.25
"""Comings and goings of a room are told at most this often."""


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
        self._told_at: WeakKeyDictionary[Room, float] = WeakKeyDictionary()

    def note(self, room: Room) -> None:
        """Somebody has come or gone."""
        if room not in self._due:
            at = max(self._told_at.get(room, 0.0) + NOTICE_SECONDS, self._loop.time())
            self._due[room] = self._loop.call_at(at, self._broadcast, room)

    def send_missed(self, room: Room, member: Subscriber) -> None:
        """Tell a member who has just gone live what it could not be told of while it was behind."""
        missed = room.presence.missed_notices(member, self._language, self._stamp())
        if missed:
            member.send(missed)

    def close(self) -> None:
        """Tell nothing more."""
        for handle in self._due.values():
            handle.cancel()

    def _broadcast(self, room: Room) -> None:
        del self._due[room]
        system = room.presence.take_notice(self._language, self._stamp())
        if system is not None:
            self._told_at[room] = self._loop.time()
            room.broadcast([system])
