"""The sources of rooms: how many rooms each may hold open, and how many new ones it may create.

Pure: time is an argument, in seconds of any monotonic clock.
Loopback is an address like any other here: behind a reverse proxy that is not configured, everybody comes from it. Verified people have
a share and a quota of their own beside those of the others at their address, so that a class behind one address does not have to divide
one; all of them together are limited by the share and the quota of the address.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple, Protocol

from besedka.serve.limits.networks import Network
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


class Account(NamedTuple):
    """Something that has a quota or a share.

    Attributes:
        kind: whether that is an address, the unverified users there, or a person.
        of: the address, or the person's claim.
    """

    kind: str
    of: Network | str | None


def address_of(tenant: Tenant) -> Account:
    """The account of everybody at a tenant's address."""
    return Account("address", tenant.network)


def owner_of(tenant: Tenant) -> Account:
    """The account of a verified person, or of the unverified users of an address together."""
    return Account("person", tenant.claim) if tenant.claim else Account("unverified", tenant.network)


class RoomShares:
    """Counts the rooms that each source holds open: those that its users are in, and those that it has just opened.

    The default room is always open, and counts for nobody.
    """

    def __init__(self) -> None:
        self._held: dict[Account, Counter[str]] = {}

    def held_by(self, account: Account) -> int:
        """The number of rooms that an account holds."""
        return len(self._held.get(account, ()))

    def check(self, tenant: Tenant, room: str) -> None:
        """Check that a source may hold a room, which it may hold already.

        Raises:
            Refused: `too_many_rooms`.
        """
        if room == DEFAULT_ROOM:
            return
        own = ROOMS_OF_PERSON if tenant.claim else ROOMS_OF_UNVERIFIED
        for account, limit in ((owner_of(tenant), own), (address_of(tenant), ROOMS_OF_ADDRESS)):
            is_held = room in self._held.get(account, ())
            if not is_held and self.held_by(account) >= limit:
                raise Refused(ErrorCode.TOO_MANY_ROOMS, room=room, why=_held_too_many(account, limit))

    def hold(self, tenant: Tenant, room: str) -> None:
        """Count that a source holds a room; `release` it as often."""
        if room != DEFAULT_ROOM:
            for account in (owner_of(tenant), address_of(tenant)):
                self._held.setdefault(account, Counter())[room] += 1

    def release(self, tenant: Tenant, room: str) -> None:
        """Count that a source holds a room once less."""
        if room != DEFAULT_ROOM:
            for account in (owner_of(tenant), address_of(tenant)):
                self._release(account, room)

    def _release(self, account: Account, room: str) -> None:
        held = self._held[account]
        held[room] -= 1
        if not held[room]:
            del held[room]
        if not held:
            del self._held[account]


class NewRooms:
    """Limits how many rooms each source creates. A room is new as long as nothing was said in it."""

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
        buckets = (
            self._bucket(owner_of(tenant), NEW_ROOMS),
            self._bucket(address_of(tenant), NEW_ROOMS_OF_ADDRESS),
        )
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait:
            raise Refused(ErrorCode.TOO_MANY_ROOMS, wait=wait, why=_TOO_FAST)
        for bucket in buckets:
            bucket.spend(now)

    def forget(self, now: float) -> None:
        """Forget the accounts that have their whole quota again."""
        whole = [account for account, bucket in self._buckets.items() if bucket.is_full(now)]
        for account in whole:
            del self._buckets[account]

    def _bucket(self, account: Account, burst: int) -> TokenBucket:
        return self._buckets.setdefault(account, TokenBucket(NEW_ROOMS_RATE, burst / NEW_ROOMS_RATE))


def _held_too_many(account: Account, limit: int) -> dict[Language, str]:
    if account.kind == "person":
        return {
            Language.RU: f"одному человеку — до {limit}",
            Language.EN: f"one person may be in {limit}",
        }
    return {
        Language.RU: f"с одного адреса — до {limit}",
        Language.EN: f"one address may hold {limit}",
    }


_TOO_FAST: Final = {
    Language.RU: "новые появляются слишком быстро",
    Language.EN: "new ones come too fast",
}
