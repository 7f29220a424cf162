"""Moderation in force: moderators, mutes, bans and slow rooms. Pure; time is an argument.

A person is identified by their claim and by what their name looks like. That is not enough for guests, who change their names as they like,
nor for those who claim ever new ones. So a mute also covers the connections and networks that its target posts from, and a slow room counts
messages by them; but only those of *newcomers*: guests, and people whose claim was made after the mute, or after the room became slow.
Other people behind the same network are not affected.

All of it follows from a list of `AuditEntry`, the content of ``audit.txt``. So the file is what is in force: it is read at the start,
and a line added by hand counts as much as the server's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from besedka.serve.networks import FROM, NOWHERE, ON, Network, Origin
from besedka.serve.people.audit_entry import AuditEntry, Event
from besedka.serve.people.person import Person
from besedka.serve.rate_limits import TokenBucket
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act
from besedka.wire.log_line import stamp
from besedka.wire.validation import skeletons

POSTERS_KEPT: Final = 1_000
"""Number of remembered identifiers of posters in slow rooms above which those whose wait is over are purged."""

SHARE_OF_NETWORK: Final = 10
"""Messages that all newcomers behind one network may post in a slow room in the time in which a person may post one. Each of them has a connection of
their own, so they talk as if alone until ten of them do: enough for a class behind one address, of which few talk at the same moment. More
names, connections and secrets give one person no more than this."""

ORIGINS_KEPT: Final = 1_000
"""Skeletons of guests' names of which it is remembered where the last message came from: a mute is about something that was just said."""

_MINUTE: Final = len("0000-00-00 00:00")


@dataclass(frozen=True, slots=True)
class Restriction:
    """A mute or a ban.

    Attributes:
        user: the target's name, or an address.
        identifiers: identify the target: ``claim …``, ``look …``, ``from …``, ``on …``.
        until: unix seconds; 0: until it is lifted.
        reason: the moderator's reason.
        since: when it was imposed, in unix seconds.
    """

    user: str
    identifiers: frozenset[str]
    until: int
    reason: str
    since: float = float("inf")

    @property
    def ends(self) -> float:
        """When it ends, in unix seconds; infinity if never."""
        return self.until or float("inf")

    def is_over(self, now: float) -> bool:
        """Whether it has ended."""
        return self.ends <= now


class Restrictions:
    """All mutes, or all bans; also those that have ended: the wall clock may be wrong today, and right tomorrow."""

    def __init__(self) -> None:
        self._by_identifier: dict[str, list[Restriction]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Restrictions) and self._by_identifier == other._by_identifier

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __bool__(self) -> bool:
        return bool(self._by_identifier)

    def add(self, restriction: Restriction) -> None:
        """Add a restriction; it replaces those that cover no more identifiers and end no later."""
        for other in self._matching(restriction.identifiers):
            if other.identifiers <= restriction.identifiers and other.ends <= restriction.ends:
                self._drop(other)
        for identifier in restriction.identifiers:
            self._by_identifier.setdefault(identifier, []).append(restriction)

    def lift(self, identifiers: Iterable[str]) -> None:
        """Lift all restrictions that share an identifier; an address lifts only itself."""
        for identifier in identifiers:
            if identifier.startswith(FROM):
                self._by_identifier.pop(identifier, None)
            else:
                for other in self._matching([identifier]):
                    self._drop(other)

    def find(self, identifiers: Iterable[str], now: float) -> Restriction | None:
        """The restriction in force for any of these identifiers; the one that ends last, if there are several."""
        return max(self.in_force(identifiers, now), key=lambda other: other.ends, default=None)

    def in_force(self, identifiers: Iterable[str], now: float) -> Iterator[Restriction]:
        """All restrictions in force for any of these identifiers."""
        return (other for other in self._matching(identifiers) if not other.is_over(now))

    def _matching(self, identifiers: Iterable[str]) -> list[Restriction]:
        return [other for identifier in identifiers for other in self._by_identifier.get(identifier, ())]

    def _drop(self, restriction: Restriction) -> None:
        for identifier in restriction.identifiers:
            left = [other for other in self._by_identifier.pop(identifier, ()) if other is not restriction]
            if left:
                self._by_identifier[identifier] = left


class Moderation:
    """The moderation in force.

    Args:
        zone: of the times in sentences.

    Attributes:
        slow: the interval between a person's messages in a room, in seconds; 0: none.
        redactions: each room's last redaction.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._moderators: dict[str, str] = {}
        self._mutes = Restrictions()
        self._bans = Restrictions()
        self._restrictions: dict[Act | Event, Restrictions] = {
            Act.MUTE: self._mutes,
            Act.UNMUTE: self._mutes,
            Act.BAN: self._bans,
            Act.UNBAN: self._bans,
        }
        self.slow: dict[str, int] = {}
        self.redactions: dict[str, AuditEntry] = {}
        # When each slow room became so, in unix seconds.
        self._slow_since: dict[str, float] = {}
        # The last post in a slow room, by room and identifier.
        self._posted_at: dict[tuple[str, str], float] = {}
        # The newcomers' share of each network in a slow room, by room, network and interval.
        self._shares: dict[tuple[str, Network, int], TokenBucket] = {}
        # Where the guests' last messages came from, by the skeletons of their names; the oldest first.
        self._origins: dict[str, Origin] = {}
        self._purge_at = POSTERS_KEPT

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moderation) and self._in_force == other._in_force

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def _in_force(self) -> tuple[object, ...]:
        return (self._moderators, self._mutes, self._bans, self.slow, self.redactions)

    def apply(self, entry: AuditEntry, connections: Iterable[int] = ()) -> None:
        """Put an entry in force.

        Args:
            entry: the entry.
            connections: of a mute: those that its target has now.
        """
        match entry.act:
            case Act.APPOINT:
                self._moderators[entry.claim] = entry.user
            case Act.DISMISS:
                self._moderators = {
                    claim: name
                    for claim, name in self._moderators.items()
                    if claim != entry.claim
                    and (not entry.user or skeletons(name).isdisjoint(skeletons(entry.user)))
                }
            case Act.MUTE | Act.BAN:
                self._restrictions[entry.act].add(_restriction(entry, connections, self._zone))
            case Act.UNMUTE | Act.UNBAN:
                self._restrictions[entry.act].lift(identifiers_of_entry(entry))
            case Act.SLOW:
                self.slow[entry.room] = entry.seconds
                self._slow_since[entry.room] = _moment(entry.stamp, self._zone)
            case Act.REDACT:
                self.redactions[entry.room] = entry
            case Act.KICK | Act.ADMIT | Act.RELEASE | Act.ENTRUST | Event.PRIVATE:
                pass  # done at once, or kept elsewhere

    # Checks.

    def is_moderator(self, claim: str) -> bool:
        """Whether a claim is a moderator's."""
        return bool(claim) and claim in self._moderators

    def is_moderators_name(self, name: str) -> bool:
        """Whether a name is a moderator's, or looks like one."""
        return any(not skeletons(name).isdisjoint(skeletons(other)) for other in self._moderators.values())

    def check_entry(
        self, now: float, claim: str = "", name: str = "", network: Network | None = None
    ) -> None:
        """Check that a person is not banned.

        Args:
            now: unix seconds.
            claim: the person's claim; empty if they have shown no secret.
            name: the name that they want to use, if any.
            network: their network; None if it is not known, or not limited.

        Raises:
            Refused: `banned`.
        """
        if self._bans:
            self._refuse_banned(identifiers_from(claim, name, network), now)

    def check_stay(self, now: float, people: Iterable[Person], network: Network | None) -> None:
        """Check that a session is not banned, as any of its people.

        Raises:
            Refused: `banned`.
        """
        if self._bans:
            identifiers = [identifier for person in people for identifier in identifiers_of(person)]
            self._refuse_banned([*identifiers, *identifiers_from(network=network)], now)

    def origins(self, looks: Iterable[str]) -> set[Origin]:
        """Where the last messages of guests came from whose names look so."""
        return {self._origins[look] for look in looks if look in self._origins}

    def charge_post(
        self, now: float, ticks: float, room: str, person: Person, origin: Origin = NOWHERE
    ) -> None:
        """Check that a person may post in a room, and charge the post to its slow mode.

        Args:
            now: unix seconds.
            ticks: any monotonic clock.
            room: the room.
            person: the poster.
            origin: where they post from.

        Raises:
            Refused: `muted`; `too_fast` where the room is slow, with the time to wait.
        """
        if not person.is_verified:
            self._note_origin(person, origin)
        seconds = self.slow.get(room)
        if not (seconds or self._mutes):
            return
        self.check_voice(now, person, origin)
        if seconds and not self.is_moderator(person.claim):
            self._charge_slow(ticks, room, seconds, person, origin)

    def check_voice(self, now: float, person: Person, origin: Origin) -> None:
        """Check that a person may tell others something: neither they are muted, nor a place from which they come as a newcomer.

        Args:
            now: unix seconds.
            person: the person.
            origin: where they are connected from.

        Raises:
            Refused: `muted`.
        """
        muted = self._mute_of(person, origin, now) if self._mutes else None
        if muted:
            raise Refused(ErrorCode.MUTED, why=self._why(muted))

    def _note_origin(self, person: Person, origin: Origin) -> None:
        for look in person.looks:
            self._origins.pop(look, None)
            self._origins[look] = origin
        while len(self._origins) > ORIGINS_KEPT:
            del self._origins[next(iter(self._origins))]

    def _mute_of(self, person: Person, origin: Origin, now: float) -> Restriction | None:
        """The mute of a person, or of a place from which they post as a newcomer."""
        muted = self._mutes.find(identifiers_of(person), now)
        if muted or self.is_moderator(person.claim):
            return muted
        shared = self._mutes.in_force(origin.identifiers, now)
        return next((mute for mute in shared if person.since >= mute.since), None)

    def _charge_slow(self, ticks: float, room: str, seconds: int, person: Person, origin: Origin) -> None:
        identifiers, share = identifiers_of(person), None
        if person.since >= self._slow_since.get(room, 0.0):
            identifiers += [f"{ON}{origin.connection}"] if origin.connection else []
            share = self._share(room, seconds, origin)
        posted_at = [self._posted_at.get((room, identifier), float("-inf")) for identifier in identifiers]
        wait = max(posted_at, default=float("-inf")) + seconds - ticks
        wait = max(wait, share.wait(ticks) if share else 0.0)
        if wait > 0:
            raise Refused(ErrorCode.TOO_FAST, wait=wait, room=room)
        if share:
            share.spend(ticks)
        self._posted_at.update(dict.fromkeys(((room, identifier) for identifier in identifiers), ticks))
        if len(self._posted_at) + len(self._shares) > self._purge_at:
            self._purge_posts(ticks)
            self._purge_at = max(POSTERS_KEPT, 2 * (len(self._posted_at) + len(self._shares)))

    def _share(self, room: str, seconds: int, origin: Origin) -> TokenBucket | None:
        """The share of a network in a slow room; None if it has none."""
        if origin.network is None or origin.is_shared_by_machine:
            return None
        bucket = TokenBucket(SHARE_OF_NETWORK / seconds, seconds)
        return self._shares.setdefault((room, origin.network, seconds), bucket)

    def is_muted(self, now: float, identifiers: Iterable[str]) -> bool:
        """Whether one of these identifiers is muted."""
        return self._mutes.find(identifiers, now) is not None

    def is_banned(self, now: float, identifiers: Iterable[str]) -> bool:
        """Whether one of these identifiers is banned."""
        return self._bans.find(identifiers, now) is not None

    def is_silenced(self, now: float, person: Person, origin: Origin) -> bool:
        """Whether a person is muted, or a place from which they post as a newcomer."""
        return bool(self._mutes) and self._mute_of(person, origin, now) is not None

    def hides(self, now: float, person: Person, origin: Origin) -> bool:
        """Whether a person's name is not announced, because they come as a newcomer, perhaps the muted one, from a muted place."""
        muted = self._mute_of(person, origin, now) if self._mutes else None
        return muted is not None and person.since >= muted.since

    def _purge_posts(self, ticks: float) -> None:
        self._posted_at = {
            (room, identifier): at
            for (room, identifier), at in self._posted_at.items()
            if at + self.slow.get(room, 0) > ticks
        }
        self._shares = {key: share for key, share in self._shares.items() if not share.is_full(ticks)}

    def _refuse_banned(self, identifiers: Iterable[str], now: float) -> None:
        found = self._bans.find(identifiers, now)
        if found:
            raise Refused(ErrorCode.BANNED, why=self._why(found))

    def _why(self, found: Restriction) -> dict[Language, str]:
        return _joined(until_when(found.until, self._zone), found.reason)


def identifiers_from(claim: str = "", name: str = "", network: Network | None = None) -> list[str]:
    """The identifiers of a claim, a name and a network."""
    found = [f"look {look}" for look in skeletons(name)] if name else []
    found += [f"claim {claim}"] if claim else []
    return [*found, f"{FROM}{network}"] if network is not None else found


def identifiers_of(person: Person) -> list[str]:
    """The identifiers of a person who is present."""
    found = [f"look {look}" for look in person.looks]
    return [*found, f"claim {person.claim}"] if person.claim else found


def identifiers_of_entry(entry: AuditEntry) -> list[str]:
    """The identifiers of an entry's target."""
    return [*identifiers_from(entry.claim, entry.user), *(f"{FROM}{address}" for address in entry.addresses)]


def until_when(until: int, zone: tzinfo | None) -> dict[Language, str]:
    """The end of a restriction, as a part of a sentence."""
    if not until:
        return {Language.RU: "бессрочно", Language.EN: "until it is lifted"}
    at = stamp(until, zone)[:_MINUTE]
    return {Language.RU: f"до {at}", Language.EN: f"until {at}"}


def _joined(when: dict[Language, str], reason: str) -> dict[Language, str]:
    return {language: f"{text}: {reason}" if reason else text for language, text in when.items()}


def _restriction(entry: AuditEntry, connections: Iterable[int], zone: tzinfo | None) -> Restriction:
    user = entry.user or ", ".join(entry.addresses)
    identifiers = frozenset([*identifiers_of_entry(entry), *(f"{ON}{number}" for number in connections)])
    return Restriction(user, identifiers, entry.until, entry.reason, _moment(entry.stamp, zone))


def _moment(stamp: str, zone: tzinfo | None) -> float:
    """A time of the audit log in unix seconds; infinity, at which only guests are newcomers, if it is none."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return float("inf")
    return (at.replace(tzinfo=zone) if zone else at).timestamp()
