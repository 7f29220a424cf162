"""What was said and has not been heard back, in order. Pure.

Only so much is on its way at once that a server which refuses it as too fast is not flooded when it is said again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from besedka.wire.frames import Say

ON_THE_WAY_AT_MOST: Final = 32
"""Messages that were sent and not heard back; the next one waits until one of them is."""


@dataclass(slots=True)
class _Waiting:
    frame: Say
    is_again: bool = False


class Outbox:
    """The messages that wait."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._sent: set[str] = set()
        self._stored_to = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def frames(self) -> list[Say]:
        """What waits, in order, as it is to be said by somebody else."""
        return [self._again(waiting.frame) for waiting in self._waiting.values()]

    def add(self, frame: Say, *, is_again: bool = False) -> None:
        """Something is said, or said again; it has a key, and the last id that was seen when it was said first."""
        self._waiting[frame.key] = _Waiting(frame, is_again)

    def stored(self, key: str, number: int) -> None:
        """It was heard back with this id. What waits was said later, so its ids are higher ones, whatever it says."""
        if key in self._waiting:
            self._stored_to = max(self._stored_to, number)
        self.heard(key)

    def heard(self, key: str) -> None:
        """It was heard back, or refused for good."""
        self._waiting.pop(key, None)
        self._sent.discard(key)

    def forget_ids(self) -> None:
        """The log is another one: the ids that were heard mean nothing there."""
        self._stored_to = 0

    def next(self) -> Say | None:
        """What to send now; None if nothing, or enough is on its way."""
        if len(self._sent) >= ON_THE_WAY_AT_MOST:
            return None
        for key, waiting in self._waiting.items():
            if key not in self._sent:
                self._sent.add(key)
                # Only what was perhaps said before needs to be looked for in the log.
                return (
                    self._again(waiting.frame)
                    if waiting.is_again
                    else msgspec.structs.replace(waiting.frame, after=None)
                )
        return None

    def _again(self, frame: Say) -> Say:
        # Not to be looked for among what was said before it, which may be the same words.
        return msgspec.structs.replace(frame, after=max(frame.after or 0, self._stored_to))

    def said_too_fast(self) -> None:
        """All that is on its way was or will be refused: it is sent again."""
        self._sent.clear()

    def begin_again(self) -> None:
        """There is a new connection: what was on its way on the old one may have been stored."""
        for key in self._sent:
            self._waiting[key].is_again = True
        self._sent.clear()
