"""The joins of one connection that are sent and not answered: how many there may be, and when an answer is overdue."""

from __future__ import annotations

import math
from typing import Final

from besedka.remote.room.membership import Membership

ANSWER_SECONDS: Final = 15.0
"""How long a server may be silent while a join is unanswered; then the connection is taken to be dead."""

LONGEST_ANSWER_SECONDS: Final = 60.0
"""How long the next answer to a join may take although the server says other things: pages of rooms that were joined before may come first,
and fill a slow line. The time in which nothing is read does not count."""

JOINS_AT_ONCE: Final = 10
"""Unanswered joins at a time. After a loss up to a hundred rooms are joined again: the server answers joins one after the other, limits
the rate of frames, and ends a connection that floods it."""


class PendingJoins:
    """The unanswered joins, in the order in which they were sent; the server answers them in this order."""

    def __init__(self) -> None:
        self._memberships: list[Membership] = []
        # The time since which the next answer is awaited: the last one came, or the first join was sent.
        self._awaited_since = 0.0

    @property
    def is_full(self) -> bool:
        """Whether no further join may be sent now."""
        return len(self._memberships) >= JOINS_AT_ONCE

    def sent(self, membership: Membership, now: float) -> None:
        """Note that a join is sent."""
        if not self._memberships:
            self._awaited_since = now
        self._memberships.append(membership)

    def answered(self, room: str, now: float) -> Membership | None:
        """Take out the membership that the answer about a room belongs to; None if no join is unanswered there."""
        for membership in self._memberships:
            if membership.room == room:
                self._memberships.remove(membership)
                self._awaited_since = now
                return membership
        return None

    def extend(self, seconds: float) -> None:
        """Wait for so much longer: nothing was read meanwhile."""
        self._awaited_since += seconds

    def clear(self) -> None:
        """Forget all joins: the connection is lost, or the server has refused them all."""
        self._memberships.clear()

    def deadline(self, silent_since: float) -> float:
        """When a server is taken to be dead that has been silent since a time; infinite if no join is unanswered, or nothing is read."""
        if not self._memberships or math.isinf(silent_since):
            return math.inf
        return min(
            max(silent_since, self._awaited_since) + ANSWER_SECONDS,
            self._awaited_since + LONGEST_ANSWER_SECONDS,
        )
