"""Messages that were posted to a room and are not known to be stored, in order. Pure.

Only so many are in flight at once that a server which refuses them as too fast is not flooded when they are sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from besedka.wire.frames import Say

IN_FLIGHT_AT_MOST: Final = 32
"""Messages that were sent and are neither stored nor refused; the next one waits until one of them is."""


@dataclass(slots=True)
class _Waiting:
    frame: Say
    is_resend: bool = False


class Outbox:
    """The messages that wait."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._in_flight: set[str] = set()
        self._stored_to = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """How many were sent and are neither stored nor refused."""
        return len(self._in_flight)

    @property
    def frames(self) -> list[Say]:
        """What waits, in order, as another connection is to resend it."""
        return [self._resend(waiting.frame) for waiting in self._waiting.values()]

    def add(self, frame: Say, *, is_resend: bool = False) -> None:
        """A message is posted; it has a key, and in ``after`` the last id that was seen when it was posted first."""
        self._waiting[frame.key] = _Waiting(frame, is_resend)

    def stored(self, key: str, number: int) -> None:
        """A message came back with this id. Those that wait were posted later, so their ids are higher, whatever their text."""
        if key in self._waiting:
            self._stored_to = max(self._stored_to, number)
        self.settle(key)

    def settle(self, key: str) -> None:
        """A message is stored, or refused for good."""
        self._waiting.pop(key, None)
        self._in_flight.discard(key)

    def forget_ids(self) -> None:
        """The log was replaced: ids of the old one mean nothing in it."""
        self._stored_to = 0

    def next(self) -> Say | None:
        """The message to send now; None if there is none, or enough are in flight."""
        if len(self._in_flight) >= IN_FLIGHT_AT_MOST:
            return None
        for key, waiting in self._waiting.items():
            if key not in self._in_flight:
                self._in_flight.add(key)
                # Only what may have been stored already needs to be looked for in the log.
                return (
                    self._resend(waiting.frame)
                    if waiting.is_resend
                    else msgspec.structs.replace(waiting.frame, after=None)
                )
        return None

    def _resend(self, frame: Say) -> Say:
        # Not to be looked for among the messages posted before it, which may have the same text.
        return msgspec.structs.replace(frame, after=max(frame.after or 0, self._stored_to))

    def recall(self) -> None:
        """All that is in flight was or will be refused as too fast: it is sent again."""
        self._in_flight.clear()

    def resend_all(self) -> None:
        """There is a new connection, or another log: what was in flight may have been stored."""
        for key in self._in_flight:
            self._waiting[key].is_resend = True
        self._in_flight.clear()
