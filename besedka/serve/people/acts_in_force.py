"""The acts of moderators that are in force: moderators, mutes, bans and slow rooms. Pure; time is an argument.

A person is identified by their claim and by what their name looks like. That is not enough for guests, who change their names as they like,
nor for those who have many claims. So a mute also covers the connections and networks that its target posts from, and a slow room counts
messages by them. On a connection this is for everybody: all its names are one person's, however old their claims are. Behind a network it is
for *newcomers*: guests, and people whose claim was made after the mute, or after the room became slow. A mute affects nobody else there,
and a slow room has a larger share for them.

A name is a message, too: the muted are announced under the name that was muted only, and newcomers from a muted place not at all.

All of it follows from a list of `AuditEntry`, the content of ``audit.txt``. So the file is what is in force: it is read at the start,
and a line added by hand counts as much as the server's own. `restrictions` are the mutes and bans, `slow_rooms` has slow mode; acts are
carried out by `besedka/serve/session/moderation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from besedka.serve.limits.networks import NOWHERE, Network, Origin
from besedka.serve.people.audit_entry import AuditEntry, Event
from besedka.serve.people.ended_rooms import EndedRooms
from besedka.serve.people.person import Person
from besedka.serve.people.recent_origins import RecentOrigins
from besedka.serve.people.restrictions import (
    Restriction,
    Restrictions,
    identifiers_from,
    identifiers_of,
    identifiers_of_entry,
    restriction_of,
    why,
)
from besedka.serve.people.slow_rooms import SlowRooms
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Act
from besedka.wire.skeletons import skeletons


class ActsInForce:
    """The moderation in force.

    Args:
        zone: of the times in sentences.

    Attributes:
        redactions: each room's last redaction.
        ended: the rooms that are deleted or renamed.
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
        self.redactions: dict[str, AuditEntry] = {}
        self._slow = SlowRooms()
        self._archived: set[str] = set()
        self.ended = EndedRooms()
        self._origins = RecentOrigins()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActsInForce) and self._in_force == other._in_force

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def _in_force(self) -> tuple[object, ...]:
        return (
            self._moderators,
            self._mutes,
            self._bans,
            self._slow,
            self._archived,
            self.redactions,
        )

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
                self._restrictions[entry.act].add(
                    restriction_of(entry, connections, _moment(entry.stamp, self._zone))
                )
            case Act.UNMUTE | Act.UNBAN:
                self._restrictions[entry.act].lift(identifiers_of_entry(entry))
            case Act.SLOW:
                self._slow.slow_down(entry.room, entry.seconds, _moment(entry.stamp, self._zone))
            case Act.ARCHIVE | Act.UNARCHIVE:
                self._archive(entry)
            case Act.REDACT:
                self.redactions[entry.room] = entry
            case Act.RENAME | Act.DELETE | Event.ENDED:
                self._end(entry)
            case Act.KICK | Act.ADMIT | Act.RELEASE | Act.ENTRUST | Event.PRIVATE:
                pass  # done at once, or kept elsewhere

    def _archive(self, entry: AuditEntry) -> None:
        self._archived.discard(entry.room)
        if entry.act is Act.ARCHIVE:
            self._archived.add(entry.room)

    def _end(self, entry: AuditEntry) -> None:
        """Move what is in force in a room to its new name, or end it."""
        self.ended.apply(entry)
        if entry.act is Event.ENDED:
            return
        self._slow.rename(entry.room, entry.to)
        redaction = self.redactions.pop(entry.room, None)
        if entry.to and redaction:
            self.redactions[entry.to] = redaction
        if entry.room in self._archived:
            self._archived.remove(entry.room)
            self._archived.update([entry.to] if entry.to else [])

    # Checks.

    def is_archived(self, room: str) -> bool:
        """Whether a room is archived: it can be read, and nobody may post."""
        return room in self._archived

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
        return self._origins.find(looks)

    def slow_seconds(self, room: str) -> int:
        """In slow mode, the seconds between two messages of a person in a room; 0: it is not slow."""
        return self._slow.interval(room)

    def check_post(
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
            Refused: `room_archived`; `muted`; `too_fast` where the room is slow, with the time to wait.
        """
        if room in self._archived:
            raise Refused(ErrorCode.ROOM_ARCHIVED, room=room)
        if not person.is_verified:
            self._origins.note(person.looks, origin)
        is_slow = self._slow.interval(room) > 0
        if not (is_slow or self._mutes):
            return
        self.check_voice(now, person, origin)
        if is_slow and not self.is_moderator(person.claim):
            self._slow.charge(ticks, room, person, origin)

    def check_voice(self, now: float, person: Person, origin: Origin) -> None:
        """Check that a person may tell others something: neither they are muted, nor their connection, nor, for a newcomer, their network.

        Args:
            now: unix seconds.
            person: the person.
            origin: where they are connected from.

        Raises:
            Refused: `muted`.
        """
        muted = self._mute_of(person, origin, now) if self._mutes else None
        if muted:
            raise Refused(ErrorCode.MUTED, why=why(muted, self._zone))

    def _mute_of(self, person: Person, origin: Origin, now: float) -> Restriction | None:
        """The mute of a person, or of a place from which they post."""
        muted = self._mutes.find(identifiers_of(person), now)
        if muted or self.is_moderator(person.claim):
            return muted
        return next(self._mutes_of_place(person, origin, now), None)

    def _mutes_of_place(self, person: Person, origin: Origin, now: float) -> Iterator[Restriction]:
        """The mutes of a person's connection; and of their network, if they are a newcomer there."""
        yield from self._mutes.in_force(origin.of_connection, now)
        there = self._mutes.in_force(origin.of_network, now)
        yield from (mute for mute in there if person.since >= mute.since)

    def end_of(self, act: Act, now: float, identifiers: Iterable[str]) -> int:
        """When the mute or ban of one of these identifiers ends that ends last, in unix seconds; 0 if it must be lifted."""
        found = self._restrictions[act].find(identifiers, now)
        return found.until if found else 0

    def is_muted(self, now: float, identifiers: Iterable[str]) -> bool:
        """Whether one of these identifiers is muted."""
        return self._mutes.find(identifiers, now) is not None

    def is_banned(self, now: float, identifiers: Iterable[str]) -> bool:
        """Whether one of these identifiers is banned."""
        return self._bans.find(identifiers, now) is not None

    def is_silenced(self, now: float, person: Person, origin: Origin) -> bool:
        """Whether a person is muted, or a place from which they post."""
        return bool(self._mutes) and self._mute_of(person, origin, now) is not None

    def hides(self, now: float, person: Person, origin: Origin) -> bool:
        """Whether a person's name is not announced: they are muted, and under another name; or a newcomer, perhaps the muted one."""
        if not self._mutes:
            return False
        own = [*self._mutes.in_force(identifiers_of(person), now)]
        there = () if self.is_moderator(person.claim) else self._mutes_of_place(person, origin, now)
        return any(person.since >= mute.since or not mute.is_of_name(person) for mute in (*own, *there))

    def _refuse_banned(self, identifiers: Iterable[str], now: float) -> None:
        found = self._bans.find(identifiers, now)
        if found:
            raise Refused(ErrorCode.BANNED, why=why(found, self._zone))


def _moment(stamp: str, zone: tzinfo | None) -> float:
    """A time of the audit log in unix seconds; infinity, at which only guests are newcomers, if it is none."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return float("inf")
    return (at.replace(tzinfo=zone) if zone else at).timestamp()
