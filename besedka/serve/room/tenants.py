"""The sources of rooms, and how many new rooms each may create. Pure: time is an argument, in seconds of any monotonic clock.

Loopback is an address like any other here: behind a reverse proxy that is not configured, everybody comes from it. Verified people have
a quota of their own beside that of the others at their address, so that a class behind one address does not have to divide one; their
number is limited by the quota of the address.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from besedka.serve.people.moderation import Network
from besedka.serve.rate_limits import TokenBucket
from besedka.wire.errors import ErrorCode, Language, Refused

NEW_ROOMS_RATE: Final = 0.1
"""New rooms a second that a source may create, after its first ones."""

NEW_ROOMS: Final = 200
"""New rooms that a verified person, or all unverified users of an address, may create at once."""

NEW_ROOMS_OF_ADDRESS: Final = 1_000
"""New rooms that everybody at an address together may create at once: 30 people of a class make 30 rooms each."""


class Tenant(NamedTuple):
    """A source that opens rooms.

    Attributes:
        network: its address; None is this machine.
        claim: of a verified person; empty for unverified users.
    """

    network: Network | None
    claim: str = ""


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


_TOO_FAST: Final = {
    Language.RU: "новые появляются слишком быстро",
    Language.EN: "new ones come too fast",
}
