"""The sources of rooms: how many rooms each may hold open, and how many new ones it may create.

Pure: time is an argument, in seconds of any monotonic clock.
Loopback is an address like any other here: behind a reverse proxy that is not configured, everybody comes from it. Verified people have
a share and a quota of their own beside those of the others at their address, so that a class behind one address does not have to divide
one; all of them together are limited by the share and the quota of the address, and for IPv6 by those of the site, which are the same.

Shares alone do not keep two addresses from holding all rooms. So when all are open, a source that holds few gets a room from those that hold
many: `RoomShares.to_close` (max-min fairness). A room counts by the poorest of its holders, so that nobody loses one because somebody who holds
many has entered it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeVar

from besedka.serve.limits.networks import Network, site_of
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.limits.token_bucket import TokenBucket
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import DEFAULT_ROOM

ROOMS_OF_ADDRESS: Final = 900
"""Rooms that everybody at an address together may hold open: 30 people of a class in 30 rooms each. Some are left for other addresses."""

ROOMS_OF_UNVERIFIED: Final = 200
"""Rooms that the unverified users of an address together may hold open: two connections with all the rooms that each may have."""

ROOMS_OF_PERSON: Final = 100
"""Rooms that a verified person may hold open on all connections together: as many as a connection may have."""

SUBSCRIPTIONS_OF_ADDRESS: Final = 20_000
"""How often everybody at an address together may be in rooms: 28 MB. A school of a thousand connections in twenty rooms each has as many."""

MACHINE_TIMES: Final = 4
"""This machine itself may have so many times as many, as of held bytes: a proxy may bring everybody there."""

NEW_ROOMS_RATE: Final = 0.1
"""New rooms a second that a source may create, after its first ones."""

NEW_ROOMS: Final = 200
"""New rooms that a verified person, or all unverified users of an address, may create at once."""

NEW_ROOMS_OF_ADDRESS: Final = 1_000
"""New rooms that everybody at an address together may create at once: 30 people of a class make 30 rooms each."""


class Claimant(Protocol):
    """A person, as shares see one."""

    @property
    def claim(self) -> str:
        """The hash of their secret; empty if they have shown none."""

    @property
    def is_verified(self) -> bool:
        """Whether their name is theirs by that claim."""


class Tenant(NamedTuple):
    """A source of requests, which has shares and turns of its own.

    Attributes:
        network: its address; None is this machine.
        claim: of a verified person; empty for unverified users, who are one source at an address: they could be as many as they like.
    """

    network: Network | None
    claim: str = ""

    @classmethod
    def of(cls, limiter: RateLimiter, person: Claimant) -> Tenant:
        """A person at their connection's address."""
        return cls(limiter.source.network, person.claim if person.is_verified else "")

    @property
    def of_site(self) -> Tenant:
        """The same source, counted by the site of its address."""
        return Tenant(site_of(self.network), self.claim)


class Account(NamedTuple):
    """Something that has a quota or a share.

    Attributes:
        kind: whether that is an address, an IPv6 site, the unverified users of an address, or a person.
        of: the address or network, or the person's claim.
    """

    kind: str
    of: Network | str | None


def address_of(tenant: Tenant) -> Account:
    """The account of everybody at a tenant's address."""
    return Account("address", tenant.network)


@lru_cache(maxsize=4096)
def accounts_of(tenant: Tenant) -> tuple[Account, ...]:
    """All accounts that a tenant's rooms are charged to: its own, and those of its address and of its site, the widest last."""
    site = site_of(tenant.network)
    wider = () if site == tenant.network else (Account("network", site),)
    return (owner_of(tenant), address_of(tenant), *wider)


def site_account_of(tenant: Tenant) -> Account:
    """The account of everybody at a tenant's site."""
    return accounts_of(tenant)[-1]


def owner_of(tenant: Tenant) -> Account:
    """The account of a verified person, or of the unverified users of an address together."""
    return Account("person", tenant.claim) if tenant.claim else Account("unverified", tenant.network)


class _Holding:
    """The rooms that an account holds, each with how often, and how often it holds any; its identity stands for the account."""

    __slots__ = ("account", "rooms", "times")

    def __init__(self, account: Account) -> None:
        self.account = account
        self.rooms: Counter[str] = Counter()
        self.times = 0


class _Holders:
    """The accounts of one kind that hold a room, each with how often. Looks at all of them only if the poorest one has left, or has become rich."""

    __slots__ = ("_poorest", "counts")

    def __init__(self) -> None:
        self.counts: Counter[_Holding] = Counter()
        self._poorest: _Holding | None = None

    def fewest(self, least: int) -> int:
        """The number of rooms that the poorest of them holds; 0 if that is less than so many."""
        poorest = self._poorest
        if poorest is None or poorest not in self.counts or len(poorest.rooms) >= least:
            poorest = self._poorest = min(self.counts, key=lambda holding: len(holding.rooms))
        held = len(poorest.rooms)
        return held if held >= least else 0


class RoomShares:
    """Counts the rooms that each source holds open: those that its users are in, and those that it has just opened.

    The default room is always open, and counts for nobody.
    """

    def __init__(self) -> None:
        self._held: dict[Account, _Holding] = {}
        # Of each room, the sites and the people that hold it.
        self._sites_in: defaultdict[str, _Holders] = defaultdict(_Holders)
        self._owners_in: defaultdict[str, _Holders] = defaultdict(_Holders)

    def held_by(self, account: Account) -> int:
        """The number of rooms that an account holds."""
        return len(self._held[account].rooms) if account in self._held else 0

    def check(self, tenant: Tenant, room: str) -> None:
        """Check that a source may hold a room, which it may hold already.

        Raises:
            Refused: `too_many_rooms`.
        """
        if room == DEFAULT_ROOM:
            return
        for account in accounts_of(tenant):
            limit, holding = _share_of(account), self._held.get(account)
            if holding and room not in holding.rooms and len(holding.rooms) >= limit:
                raise Refused(ErrorCode.TOO_MANY_ROOMS, room=room, why=_held_too_many(account, limit))
        _, *wider = accounts_of(tenant)
        for account in wider:
            limit, holding = _subscriptions_of(account), self._held.get(account)
            if holding and holding.times >= limit:
                raise Refused(ErrorCode.TOO_MANY_ROOMS, room=room, why=_held_too_often(account, limit))

    def hold(self, tenant: Tenant, room: str) -> None:
        """Count that a source holds a room; `release` it as often."""
        if room != DEFAULT_ROOM:
            holdings = [self._held.setdefault(account, _Holding(account)) for account in accounts_of(tenant)]
            for holding in holdings:
                holding.rooms[room] += 1
                holding.times += 1
            self._owners_in[room].counts[holdings[0]] += 1
            self._sites_in[room].counts[holdings[-1]] += 1

    def release(self, tenant: Tenant, room: str) -> None:
        """Count that a source holds a room once less."""
        if room != DEFAULT_ROOM:
            holdings = [self._held[account] for account in accounts_of(tenant)]
            for holding in holdings:
                holding.times -= 1
                if _uncount(holding.rooms, room):
                    del self._held[holding.account]
            if _uncount(self._owners_in[room].counts, holdings[0]):
                del self._owners_in[room]
            if _uncount(self._sites_in[room].counts, holdings[-1]):
                del self._sites_in[room]

    def to_close(self, tenant: Tenant, rooms: Iterable[str]) -> list[str]:
        """The rooms of which any may be closed for a source: their holders all hold more than the source would then, and most of all.

        Sites are compared first; then, within the site of the source, people.

        Args:
            tenant: the source.
            rooms: those that may be closed.
        """
        held = [room for room in rooms if room in self._sites_in]
        site, owner = site_account_of(tenant), owner_of(tenant)
        if found := _held_by_the_greediest(held, self._sites_in, self.held_by(site) + 2):
            return found
        own = {self._held.get(site)}
        of_site = (room for room in held if self._sites_in[room].counts.keys() == own)
        return _held_by_the_greediest(of_site, self._owners_in, self.held_by(owner) + 2)


def _held_by_the_greediest(rooms: Iterable[str], holders: Mapping[str, _Holders], least: int) -> list[str]:
    """The rooms whose poorest holder holds the most, but no less than so many."""
    found: list[str] = []
    for room in rooms:
        fewest = holders[room].fewest(least)
        if fewest > least:
            found, least = [], fewest
        if fewest:
            found.append(room)
    return found


class NewRooms:
    """Limits how many rooms each source creates, private and direct ones among them. A room is new as long as nothing was said in it."""

    def __init__(self) -> None:
        self._buckets: dict[Account, TokenBucket] = {}

    def __len__(self) -> int:
        """The number of accounts that are remembered."""
        return len(self._buckets)

    def charge(self, tenant: Tenant, now: float) -> None:
        """Charge a source for a new room.

        Raises:
            Refused: `too_many_rooms`, with the time to wait.
        """
        own, *others = accounts_of(tenant)
        buckets = [
            self._bucket(own, NEW_ROOMS),
            *(self._bucket(account, NEW_ROOMS_OF_ADDRESS) for account in others),
        ]
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait:
            raise Refused(ErrorCode.TOO_MANY_ROOMS, wait=wait, why=_TOO_FAST)
        for bucket in buckets:
            bucket.spend(now)

    def give_back(self, tenant: Tenant, now: float) -> None:
        """Return the charge for a room that did not come into being."""
        own, *others = accounts_of(tenant)
        self._bucket(own, NEW_ROOMS).spend(now, -1)
        for account in others:
            self._bucket(account, NEW_ROOMS_OF_ADDRESS).spend(now, -1)

    def forget(self, now: float) -> None:
        """Forget the accounts that have their whole quota again."""
        whole = [account for account, bucket in self._buckets.items() if bucket.is_full(now)]
        for account in whole:
            del self._buckets[account]

    def _bucket(self, account: Account, burst: int) -> TokenBucket:
        return self._buckets.setdefault(account, TokenBucket(NEW_ROOMS_RATE, burst / NEW_ROOMS_RATE))


V = TypeVar("V")


def _uncount(counter: Counter[V], value: V) -> bool:
    """Count one less of a value, and keep nothing that is zero. Returns whether nothing is left."""
    counter[value] -= 1
    if not counter[value]:
        del counter[value]
    return not counter


def _share_of(account: Account) -> int:
    own = {"person": ROOMS_OF_PERSON, "unverified": ROOMS_OF_UNVERIFIED}
    return own.get(account.kind, ROOMS_OF_ADDRESS)


def _subscriptions_of(account: Account) -> int:
    return SUBSCRIPTIONS_OF_ADDRESS * (MACHINE_TIMES if account.of is None else 1)


def _held_too_many(account: Account, limit: int) -> dict[Language, str]:
    if account.kind == "person":
        return {
            Language.RU: f"одному человеку — до {limit}",
            Language.EN: f"one person may be in {limit}",
        }
    if account.kind == "network":
        return {
            Language.RU: f"из одной сети — до {limit}",
            Language.EN: f"one network may hold {limit}",
        }
    return {
        Language.RU: f"с одного адреса — до {limit}",
        Language.EN: f"one address may hold {limit}",
    }


def _held_too_often(account: Account, limit: int) -> dict[Language, str]:
    if account.kind == "network":
        return {
            Language.RU: f"из одной сети можно быть в комнатах до {limit} раз",
            Language.EN: f"one network may be in rooms {limit} times",
        }
    return {
        Language.RU: f"с одного адреса можно быть в комнатах до {limit} раз",
        Language.EN: f"one address may be in rooms {limit} times",
    }


_TOO_FAST: Final = {
    Language.RU: "новые появляются слишком быстро",
    Language.EN: "new ones are being created too fast",
}
