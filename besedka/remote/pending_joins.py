"""The joins of one connection that are sent and not answered: how many there may be, and when an answer is overdue."""

from __future__ import annotations

import math
from typing import Final

from besedka.remote.room.membership import Membership

ANSWER_SECONDS: Final = 15.0
"""How long a server may be silent while a join is unanswered; then the connection is taken to be dead."""

JOINS_AT_ONCE: Final = 10
"""Unanswered joins at a time. After a loss up to a hundred rooms are joined again: the server answers joins one after the other, limits
the rate of frames, and ends a connection that floods it."""


class PendingJoins:
    """The unanswered joins, in the order in which they were sent; the server answers them in this order."""

    def __init__(self) -> None:
        self._memberships: list[Membership] = []
        self._first_sent_at = 0.0

    @property
    def is_full(self) -> bool:
        """Whether no further join may be sent now."""
        return len(self._memberships) >= JOINS_AT_ONCE

    def sent(self, membership: Membership, now: float) -> None:
        """Note that a join is sent."""
        if not self._memberships:
            self._first_sent_at = now
        self._memberships.append(membership)

    def answered(self, room: str) -> Membership | None:
        """Take out the membership that the answer about a room belongs to; None if no join is unanswered there."""
        for membership in self._memberships:
            if membership.room == room:
                self._memberships.remove(membership)
                return membership
        return None

    def clear(self) -> None:
        """Forget all joins: the connection is lost, or the server has refused them all."""
        self._memberships.clear()

    def deadline(self, silent_since: float) -> float:
        """When a server is taken to be dead that has been silent since a time; infinite if no join is unanswered."""
        if not self._memberships:
            return math.inf
        return max(silent_since, self._first_sent_at) + ANSWER_SECONDS
