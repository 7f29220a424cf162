"""Which nodes are alive: those that were heard of a moment ago. Pure; time is an argument, in seconds of any clock.

A node hears its own beats, too. While it does not, it is the one that is cut off, or stood still: then it learns nothing from the silence of others, and
their time begins anew when it hears itself again.
"""

from __future__ import annotations

from typing import Final

BEAT_SECONDS: Final = 1.0

DEAF_SECONDS: Final = 2.5
"""A node that has not heard its own beats for so long hears nobody."""

LEASE_SECONDS: Final = 5.0
"""After so long without a beat a node is not alive: names in use there are free."""

AWAY_SECONDS: Final = 11.0
"""After so long its people have left. Whoever has come back at another node by then was never away."""

LEAVING_SECONDS: Final = 10.0
"""The same after the good-bye of a node that was stopped."""


class Liveness:
    """The nodes of a cluster, as one of them hears them.

    Args:
        own: the name of that one.
        now: the time.

    Attributes:
        returns: how often it has heard itself again after a silence: so often the others may have taken it for dead.
    """

    def __init__(self, own: str, now: float) -> None:
        self.returns = 0
        self._own = own
        self._own_at = now
        self._receives_since = now
        self._heard: dict[str, float] = {}
        self._gone_at: dict[str, float] = {}

    def receive(self, node: str, now: float) -> None:
        """Note that a node was heard of."""
        if node != self._own:
            self._heard[node] = now
            return
        if self.is_deaf(now):
            self._receives_since = now
            self.returns += 1
        self._own_at = now

    def leave(self, node: str, now: float) -> None:
        """Note that a node has said good-bye."""
        if node in self._heard:
            self._gone_at[node] = now

    def is_deaf(self, now: float) -> bool:
        """Whether this node hears nobody, not even itself."""
        return now - self._own_at > DEAF_SECONDS

    def is_alive(self, node: str, now: float) -> bool:
        """Whether a node may use what it has a lease of; also one that was never heard of, for as long as it could not have been."""
        return node == self._own or (node not in self._gone_at and self._silence(node, now) < LEASE_SECONDS)

    def is_known(self, node: str) -> bool:
        """Whether a node was heard of, and is not forgotten."""
        return node == self._own or node in self._heard

    def ended(self, now: float) -> list[str]:
        """The nodes whose people have left, which are forgotten with this."""
        ended = [
            node
            for node in self._heard
            if self._silence(node, now) >= AWAY_SECONDS
            or now - self._gone_at.get(node, float("inf")) >= LEAVING_SECONDS
        ]
        for node in ended:
            del self._heard[node]
            self._gone_at.pop(node, None)
        return ended

    def _silence(self, node: str, now: float) -> float:
        """For how many seconds a node could have been heard, and was not."""
        if self.is_deaf(now):
            return 0.0
        return now - max(self._heard.get(node, float("-inf")), self._receives_since)
