"""Slow rooms: each person, and each connection, may post once in an interval, and all behind one network have a share. Pure; time is an argument.

`acts_in_force` says which rooms are slow, and asks before each post.
"""

from __future__ import annotations

from typing import Final

from besedka.serve.limits.networks import SITE_TIMES, Network, Origin, levels_of
from besedka.serve.limits.token_bucket import TokenBucket
from besedka.serve.people.person import Person
from besedka.serve.people.restrictions import identifiers_of
from besedka.wire.errors import ErrorCode, Refused

POSTERS_KEPT: Final = 1_000
"""Number of remembered identifiers of posters in slow rooms above which those whose wait is over are purged."""

SHARE_OF_NETWORK: Final = 10
"""Messages that all newcomers behind one network may post in a slow room in the time in which a person may post one. Each of them has a connection of
their own, so they talk as if alone until ten of them do: enough for a class behind one address, of which few talk at the same moment. More
names, connections and new secrets give one person no more than this. All networks of an IPv6 site have `SITE_TIMES` as much."""

SHARE_OF_KNOWN: Final = 50
"""The same for those whose claim is older than the slow mode: a school behind one address talks on, and whoever has claimed names ahead says
no more than this with all of them. All networks of a site have `SITE_TIMES` as much."""


class SlowRooms:
    """All slow rooms, and who has posted in them of late."""

    def __init__(self) -> None:
        # The interval between a person's messages in a room, in seconds; 0: none.
        self._seconds: dict[str, int] = {}
        # When each slow room became so, in unix seconds.
        self._since: dict[str, float] = {}
        # The last post in a slow room, by room and identifier.
        self._posted_at: dict[tuple[str, str], float] = {}
        # The shares of each network in a slow room, by room, network, number of messages for one network, and interval.
        self._shares: dict[tuple[str, Network, int, int], TokenBucket] = {}
        self._purge_at = POSTERS_KEPT

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SlowRooms) and self._seconds == other._seconds

    __hash__ = None  # type: ignore[assignment]  # it changes

    def interval(self, room: str) -> int:
        """The seconds between a person's messages in a room; 0: it is not slow."""
        return self._seconds.get(room, 0)

    def slow_down(self, room: str, seconds: int, since: float) -> None:
        """Make a room slow.

        Args:
            room: the room.
            seconds: the interval between a person's messages; 0: none.
            since: when it becomes so, in unix seconds.
        """
        self._seconds[room] = seconds
        self._since[room] = since

    def rename(self, room: str, to: str) -> None:
        """Move a room's slow mode to its new name; if that is empty, end it."""
        seconds, since = self._seconds.pop(room, 0), self._since.pop(room, 0.0)
        if to and seconds:
            self.slow_down(to, seconds, since)

    def charge(self, ticks: float, room: str, person: Person, origin: Origin) -> None:
        """Charge a post; nothing happens if the room is not slow.

        Args:
            ticks: any monotonic clock.
            room: the room.
            person: the poster.
            origin: where they post from.

        Raises:
            Refused: `too_fast`, with the time to wait; nothing is charged.
        """
        seconds = self.interval(room)
        if not seconds:
            return
        identifiers = identifiers_of(person) + origin.of_connection
        is_newcomer = person.since >= self._since.get(room, 0.0)
        shares = self._shares_of(room, seconds, origin, SHARE_OF_NETWORK if is_newcomer else SHARE_OF_KNOWN)
        posted_at = [self._posted_at.get((room, identifier), float("-inf")) for identifier in identifiers]
        wait = max(posted_at, default=float("-inf")) + seconds - ticks
        wait = max(wait, *(share.wait(ticks) for share in shares), 0.0)
        if wait > 0:
            raise Refused(ErrorCode.TOO_FAST, wait=wait, room=room)
        for share in shares:
            share.spend(ticks)
        self._posted_at.update(dict.fromkeys(((room, identifier) for identifier in identifiers), ticks))
        if len(self._posted_at) + len(self._shares) > self._purge_at:
            self._purge(ticks)
            self._purge_at = max(POSTERS_KEPT, 2 * (len(self._posted_at) + len(self._shares)))

    def _shares_of(self, room: str, seconds: int, origin: Origin, messages: int) -> list[TokenBucket]:
        """The shares of a network, of so many messages in an interval, and of its site, in a slow room; none of this machine."""
        if origin.is_shared_by_machine:
            return []
        levels = zip(levels_of(origin.network), (messages, SITE_TIMES * messages), strict=False)
        return [self._share(room, seconds, network, size, messages) for network, size in levels]

    def _share(self, room: str, seconds: int, network: Network, size: int, kind: int) -> TokenBucket:
        bucket = TokenBucket(size / seconds, seconds)
        return self._shares.setdefault((room, network, kind, seconds), bucket)

    def _purge(self, ticks: float) -> None:
        self._posted_at = {
            (room, identifier): at
            for (room, identifier), at in self._posted_at.items()
            if at + self.interval(room) > ticks
        }
        self._shares = {key: share for key, share in self._shares.items() if not share.is_full(ticks)}
