"""How far the user has read a room, here and on their other devices, and what of it the server is still to be sent. Pure."""

from __future__ import annotations

import math
from typing import Final

from besedka.wire.frames import MarkRead, ReadUpTo, Welcome

SEND_SECONDS: Final = 2.5
"""Shortest interval between two marks that are sent; of those that move meanwhile the last one counts."""


class ReadMark:
    """The user's mark in a room. It only moves forward, until the log is replaced.

    Args:
        room: the room's name.
    """

    def __init__(self, room: str) -> None:
        self._room = room
        self._is_kept = False
        self._to = 0
        # The highest that the server is known to have, or was sent.
        self._stored = 0
        self._send_at = -math.inf

    @property
    def up_to(self) -> int | None:
        """The id of the last message read, on any device; None where the server keeps no marks for the user."""
        return self._to if self._is_kept else None

    def begin(self, frame: Welcome, *, is_new: bool) -> None:
        """Take over a `Welcome`, perhaps of another log."""
        if is_new:
            self._to = 0
        self._is_kept = frame.read_up_to is not None
        self._stored = frame.read_up_to or 0
        self._to = max(self._to, self._stored)

    def receive(self, frame: ReadUpTo) -> None:
        """Take over the mark of another device."""
        self._stored = max(self._stored, frame.id)
        self._to = max(self._to, frame.id)

    def move(self, number: int) -> None:
        """Note that the user has read up to a message."""
        self._to = max(self._to, number)

    def due(self) -> float:
        """The time at which a mark may be sent; infinite if none waits."""
        return self._send_at if self._is_waiting else math.inf

    def next(self, now: float) -> MarkRead | None:
        """The mark to send now; None if none waits, or it is too early."""
        if now < self.due():
            return None
        self._send_at = now + SEND_SECONDS
        return self.last()

    def last(self) -> MarkRead | None:
        """The mark that waits, which is sent now, however early it is; None if none waits."""
        if not self._is_waiting:
            return None
        self._stored = self._to
        return MarkRead(self._to, self._room)

    @property
    def _is_waiting(self) -> bool:
        return self._is_kept and self._to > self._stored
