"""The signs that a stream can be reached. Each stream has its own: another one in the same servers may have a leader while this one has none."""

from __future__ import annotations

from typing import NamedTuple


class Acknowledged(NamedTuple):
    """An entry that a stream has.

    Attributes:
        number: its number.
        at: when that was said, by the loop's clock.
    """

    number: int
    at: float


class Signs:
    """The signs of one stream.

    Args:
        now: since when there is a connection, by the loop's clock.

    Attributes:
        answered_at: when a question about it or an offer was answered last, by the loop's clock.
        decided_at: when an offer was accepted last, or an entry came.
        acknowledged: the last entry that it has, as answers to this node's offers said; None if none has.
    """

    __slots__ = ("acknowledged", "answered_at", "decided_at")

    def __init__(self, now: float) -> None:
        self.answered_at = self.decided_at = now
        self.acknowledged: Acknowledged | None = None

    def note_accepted(self, number: int, now: float) -> None:
        """Note that an offer of this node was accepted, as an entry of this number."""
        self.answered_at = self.decided_at = now
        self.acknowledged = Acknowledged(number, now)

    def note_refused(self, number: int, now: float) -> None:
        """Note that an offer was refused, because an entry of this number is there; 0 if that was not said.

        A leader that is cut off from the others still refuses what it takes for a repetition, so nothing is decided. The entry may be this node's own, whose answer was lost in an election.
        """
        self.answered_at = now
        if number and (self.acknowledged is None or self.acknowledged.number < number):
            self.acknowledged = Acknowledged(number, now)
