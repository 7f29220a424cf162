"""The leases that a node has of names in use. Pure; time is an argument, in seconds of any clock."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Final, NamedTuple

import msgspec

RESERVED_SECONDS: Final = 10.0
"""A lease is given back if the person for whom it was taken has not joined by then."""

NODES_OF_PERSON_AT_MOST: Final = 200


class Lease(msgspec.Struct, frozen=True):
    """A lease, as it is in the bucket.

    Attributes:
        who: the digest of the person.
        nodes: at which nodes they are.
    """

    who: int
    nodes: Annotated[list[str], msgspec.Meta(max_length=NODES_OF_PERSON_AT_MOST)]


class Held(NamedTuple):
    """A lease of this node.

    Attributes:
        who: the digest of the person.
        revision: that of the value in the bucket; 0 if it is not there.
        nodes: the nodes in that value.
        at: when it was taken.
        is_sure: whether it is in the bucket, as far as this node knows.
        skeleton: of the name.
    """

    who: int
    revision: int
    nodes: tuple[str, ...]
    at: float
    is_sure: bool
    skeleton: str


class Leases:
    """All leases of this node, by the keys of their looks.

    Args:
        is_present: whether the person of a lease is present here.
    """

    def __init__(self, is_present: Callable[[Held], bool]) -> None:
        self._is_present = is_present
        self._held: dict[str, Held] = {}
        # Leases of people who have not come in yet, the oldest first.
        self._reserved: dict[str, float] = {}

    def get(self, look: str) -> Held | None:
        """The lease of a look, if this node has it."""
        return self._held.get(look)

    def put(self, look: str, held: Held) -> None:
        """Note a lease that was taken."""
        self._held[look] = held
        if not self._is_present(held):
            self._reserved.pop(look, None)
            self._reserved[look] = held.at

    def pop(self, look: str) -> None:
        """Forget a lease."""
        self._held.pop(look, None)
        self._reserved.pop(look, None)

    def is_of(self, look: str, who: int) -> bool:
        """Whether this node has a lease for a person."""
        return look in self._held and self._held[look].who == who

    def has_all(self, looks: Collection[str], who: int, now: float) -> bool:
        """Whether it has all of these for a person, who is present, or comes in now."""
        return all(self.is_of(look, who) and self.is_in_use(look, now) for look in looks)

    def is_in_use(self, look: str, now: float, *, but: int = -1) -> bool:
        """Whether a lease is in use here: its person is present, or it was taken for them a moment ago.

        Args:
            look: the look.
            now: the time.
            but: a person who does not count.
        """
        held = self._held.get(look)
        if held is None or held.who == but:
            return False
        return now - self._reserved.get(look, float("-inf")) < RESERVED_SECONDS or self._is_present(held)

    def unused(self, now: float) -> list[tuple[str, int]]:
        """The leases of people who have not come in in time, or have gone again, each with its person."""
        unused: list[tuple[str, int]] = []
        for look, at in [*self._reserved.items()]:
            if now - at < RESERVED_SECONDS:
                break
            del self._reserved[look]
            if not self._is_present(self._held[look]):
                unused.append((look, self._held[look].who))
        return unused

    def doubt_all(self) -> None:
        """Note that others may have taken any of them meanwhile."""
        self._held = {look: held._replace(is_sure=False) for look, held in self._held.items()}

    def doubtful(self, before: float) -> list[tuple[str, int]]:
        """The leases that are in doubt, or were taken before a moment, each with its person."""
        return [(look, held.who) for look, held in self._held.items() if not held.is_sure or held.at < before]
