"""The outbox of a room: messages that were posted and are not known to be stored, in order. Pure.

The number in flight is bounded, so that resending does not flood a server that has just refused messages as too fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from besedka.wire.frames import Say

IN_FLIGHT_AT_MOST: Final = 32
"""The most messages in flight: sent, and neither stored nor refused."""


@dataclass(slots=True)
class _Entry:
    frame: Say
    is_resend: bool = False


class Outbox:
    """The messages of a room that are not known to be stored."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._in_flight: set[str] = set()
        self._stored_to = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    @property
    def in_flight(self) -> int:
        """How many were sent and are neither stored nor refused."""
        return len(self._in_flight)

    @property
    def frames(self) -> list[Say]:
        """All messages in order, prepared for resending on another connection."""
        return [self._resend(entry.frame) for entry in self._entries.values()]

    def add(self, frame: Say, *, is_resend: bool = False) -> None:
        """Add a message. It has a key, and its ``after`` is the last id seen when it was first posted."""
        self._entries[frame.key] = _Entry(frame, is_resend)

    def stored(self, key: str, number: int) -> None:
        """Remove a message that was stored with this id. Those that remain were posted later, so their ids are higher."""
        if key in self._entries:
            self._stored_to = max(self._stored_to, number)
        self.settle(key)

    def settle(self, key: str) -> None:
        """Remove a message that was stored, or refused for good."""
        self._entries.pop(key, None)
        self._in_flight.discard(key)

    def forget_ids(self) -> None:
        """Forget stored ids: the log was replaced, and they mean nothing in the new one."""
        self._stored_to = 0

    def next(self) -> Say | None:
        """The message to send next; None if there is none, or `IN_FLIGHT_AT_MOST` are in flight."""
        if len(self._in_flight) >= IN_FLIGHT_AT_MOST:
            return None
        for key, entry in self._entries.items():
            if key not in self._in_flight:
                self._in_flight.add(key)
                # The server searches its log only for messages with `after`, which may be stored already.
                return (
                    self._resend(entry.frame)
                    if entry.is_resend
                    else msgspec.structs.replace(entry.frame, after=None)
                )
        return None

    def _resend(self, frame: Say) -> Say:
        # Keep it from being matched with a message posted before it that has the same text.
        return msgspec.structs.replace(frame, after=max(frame.after or 0, self._stored_to))

    def recall(self) -> None:
        """Send all messages in flight again: the server has refused one as too fast, and will refuse those behind it."""
        self._in_flight.clear()

    def resend_all(self) -> None:
        """Send all messages in flight again as resends: they may be stored. For a new connection, or a new log."""
        for key in self._in_flight:
            self._entries[key].is_resend = True
        self._in_flight.clear()
