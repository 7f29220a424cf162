"""Quotas of private and direct rooms: of a person, an address, an IPv6 site, and in all. Pure.

A place is taken before anything is waited for, and given back if the room does not come into being. So no two requests get the same place, and
nothing is recorded for a request that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from besedka.serve.limits.networks import Network, levels_of, share_of_site
from besedka.serve.people.memberships import PrivateRooms
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Kind

ROOMS_OF_OWNER_AT_MOST: Final = 50
"""Private rooms that one person may own."""

PRIVATE_ROOMS_OF_ADDRESS_AT_MOST: Final = 1_000
"""Private rooms made from one address since the start: a tenth, so that nobody takes all of them."""

PRIVATE_ROOMS_AT_MOST: Final = 10_000
"""Private rooms in all: they are kept in memory, and their file is read as a whole."""

PRIVATE_ROOMS_KEPT: Final = 9_000
"""Private rooms above which those in which nothing was said make room for others: the rest is for people who have something to say."""

DIRECT_ROOMS_OF_ONE_AT_MOST: Final = 500
"""Direct rooms that one person may open; those opened by others do not count."""

DIRECT_ROOMS_OF_ADDRESS_AT_MOST: Final = 5_000
"""Direct rooms opened from one address since the start: a tenth, too."""

DIRECT_ROOMS_AT_MOST: Final = 50_000
"""Direct rooms in all: as many as there may be names."""

NAMES_TIMES: Final = 2
"""So many times their quota a person and an address may make since the start, with those that were given up: as many mistakes as rooms."""


class _Quota(NamedTuple):
    """The quotas of rooms of one kind."""

    person: int
    address: int
    whole: int

    @property
    def site(self) -> int:
        """That of an IPv6 site."""
        return share_of_site(self.address, self.whole)


class _Making(NamedTuple):
    """The place of a room that is being made."""

    kind: Kind
    claim: str
    network: Network | None


class RoomQuotas:
    """The places, and who has them.

    Args:
        rooms: the rooms that have one.
    """

    def __init__(self, rooms: PrivateRooms) -> None:
        self._rooms = rooms
        self._being_made: list[_Making] = []
        # The rooms made by a claim, or from an address or a site, since the start; in memory only: an address is personal data.
        self._made: dict[tuple[Kind, Network | str], set[str]] = {}

    @contextmanager
    def place(self, kind: Kind, room: str, claim: str, network: Network | None) -> Iterator[None]:
        """Take a place for a room that is made in this block; it is given back if the block fails.

        Args:
            kind: the room's kind.
            room: its name.
            claim: the claim of its maker.
            network: their address; None if it is not limited.

        Raises:
            Refused: `not_allowed`.
        """
        self._check(kind, claim, network)
        place = _Making(kind, claim, network)
        self._being_made.append(place)
        try:
            yield
            for of in (claim, *levels_of(network)):
                self._made.setdefault((kind, of), set()).add(room)
        finally:
            self._being_made.remove(place)

    def too_many(self, private: Iterable[str]) -> list[str]:
        """Those of some private rooms that should make room for others: first those of people who own the most."""
        surplus = max(0, self._rooms.count(Kind.PRIVATE) - PRIVATE_ROOMS_KEPT)
        return sorted(private, key=self._owned_by_owner, reverse=True)[:surplus]

    def _owned_by_owner(self, room: str) -> int:
        """The number of private rooms that the owner of one owns."""
        owned = (self._rooms.count_made(Kind.PRIVATE, row.claim) for row in self._rooms.members(room))
        return max(owned, default=0)

    def _check(self, kind: Kind, claim: str, network: Network | None) -> None:
        quota, making = _quota(kind), [place for place in self._being_made if place.kind is kind]
        own = self._rooms.count_made(kind, claim) + sum(place.claim == claim for place in making)
        if own >= quota.person or self._has_used_up(kind, claim, quota.person):
            raise _of_person(kind, quota.person)
        for of, limit in zip(levels_of(network), (quota.address, quota.site), strict=False):
            count = self._count_of(kind, of, limit) + sum(of in levels_of(place.network) for place in making)
            if count >= limit or self._has_used_up(kind, of, limit):
                raise _too_many(
                    f"с одного адреса — до {limit} таких комнат", f"one address may make {limit} such rooms"
                )
        if self._rooms.count(kind) + len(making) >= quota.whole:
            raise _too_many(
                f"всего таких комнат может быть {quota.whole}",
                f"there may be {quota.whole} such rooms in all",
            )

    def _count_of(self, kind: Kind, of: Network, limit: int) -> int:
        """The number of rooms made from somewhere that still have members; exact if the limit could be reached."""
        made = self._made.get((kind, of), set())
        return len(made) if len(made) < limit else sum(map(self._rooms.has_members, made))

    def _has_used_up(self, kind: Kind, of: Network | str, limit: int) -> bool:
        """Whether too many names are nobody's any more: a private room stays closed when it is given up, for good."""
        made, at_most = self._made.get((kind, of), set()), NAMES_TIMES * limit
        if len(made) >= at_most:
            made.intersection_update([room for room in made if self._rooms.kind(room) is not Kind.OPEN])
        return len(made) >= at_most


def _quota(kind: Kind) -> _Quota:
    if kind is Kind.DIRECT:
        return _Quota(DIRECT_ROOMS_OF_ONE_AT_MOST, DIRECT_ROOMS_OF_ADDRESS_AT_MOST, DIRECT_ROOMS_AT_MOST)
    return _Quota(ROOMS_OF_OWNER_AT_MOST, PRIVATE_ROOMS_OF_ADDRESS_AT_MOST, PRIVATE_ROOMS_AT_MOST)


def _of_person(kind: Kind, limit: int) -> Refused:
    if kind is Kind.DIRECT:
        return _too_many(
            f"начать можно до {limit} разговоров вдвоём", f"one person may open {limit} direct rooms"
        )
    return _too_many(f"частных комнат у одного — до {limit}", f"one person may make {limit} private rooms")


def _too_many(russian: str, english: str) -> Refused:
    return Refused(ErrorCode.NOT_ALLOWED, why={Language.RU: russian, Language.EN: english})
