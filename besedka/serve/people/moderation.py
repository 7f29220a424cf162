"""Keeping order: who is a moderator, who may not talk, who may not come in, which rooms are slow. Pure; time comes in.

All of it follows from a list of `AuditEntry`, which is what ``audit.txt`` holds. So the file is what is in force: it is read at the start,
and a line added by hand counts as much as one of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from ipaddress import IPv4Address, IPv6Network
from typing import Final

from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.person import Person
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act
from besedka.wire.log_line import stamp
from besedka.wire.validation import skeletons

MARKS_KEPT: Final = 1_000
"""With so many marks of those who have talked in slow rooms it is looked for the first time who may talk again."""

_MINUTE: Final = len("0000-00-00 00:00")
_FROM: Final = "from "

Network = IPv4Address | IPv6Network
"""What counts as one address, as `besedka.serve.rate_limits.network_of` gives it."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Somebody may not talk, or may not come in.

    Attributes:
        user: his name, or an address.
        marks: by what he is known: ``claim …``, ``look …``, ``from …``.
        until: unix seconds; 0: until it is taken back.
        reason: why.
    """

    user: str
    marks: frozenset[str]
    until: int
    reason: str

    @property
    def ends(self) -> float:
        """When it ends, in unix seconds, if ever."""
        return self.until or float("inf")

    def is_over(self, now: float) -> bool:
        """Whether its time has passed."""
        return self.ends <= now


class Restrictions:
    """All mutes, or all bans; also those that are over: the wall clock may be wrong today, and right tomorrow."""

    def __init__(self) -> None:
        self._by_mark: dict[str, list[Restriction]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Restrictions) and self._by_mark == other._by_mark

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __bool__(self) -> bool:
        return bool(self._by_mark)

    def add(self, restriction: Restriction) -> None:
        """Restrict somebody; what it says already, and for no longer, is replaced."""
        for one in self._about(restriction.marks):
            if one.marks <= restriction.marks and one.ends <= restriction.ends:
                self._drop(one)
        for mark in restriction.marks:
            self._by_mark.setdefault(mark, []).append(restriction)

    def lift(self, marks: Iterable[str]) -> None:
        """Take back all that is about somebody known by one of these marks; by an address only the address."""
        for mark in marks:
            if mark.startswith(_FROM):
                self._by_mark.pop(mark, None)
            else:
                for one in self._about([mark]):
                    self._drop(one)

    def find(self, marks: Iterable[str], now: float) -> Restriction | None:
        """What is in force for one who is known by any of these marks; what ends last, if it is more than one thing."""
        in_force = (one for one in self._about(marks) if not one.is_over(now))
        return max(in_force, key=lambda one: one.ends, default=None)

    def _about(self, marks: Iterable[str]) -> list[Restriction]:
        return [one for mark in marks for one in self._by_mark.get(mark, ())]

    def _drop(self, restriction: Restriction) -> None:
        for mark in restriction.marks:
            left = [one for one in self._by_mark.pop(mark, ()) if one is not restriction]
            if left:
                self._by_mark[mark] = left


class Moderation:
    """What is in force.

    Args:
        zone: of the times in sentences.

    Attributes:
        slow: in a room one says one message in so many seconds; 0: as many as one likes.
        revisions: of each room the last one.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._moderators: dict[str, str] = {}
        self._mutes = Restrictions()
        self._bans = Restrictions()
        self._restrictions = {
            Act.MUTE: self._mutes,
            Act.UNMUTE: self._mutes,
            Act.BAN: self._bans,
            Act.UNBAN: self._bans,
        }
        self.slow: dict[str, int] = {}
        self.revisions: dict[str, AuditEntry] = {}
        # When somebody, by one of his marks, has said something in a slow room.
        self._said_at: dict[tuple[str, str], float] = {}
        self._look_at = MARKS_KEPT

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moderation) and self._in_force == other._in_force

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def _in_force(self) -> tuple[object, ...]:
        return (self._moderators, self._mutes, self._bans, self.slow, self.revisions)

    def apply(self, entry: AuditEntry) -> None:
        """Something was done: from now on it counts."""
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
                self._restrictions[entry.act].add(_restriction(entry))
            case Act.UNMUTE | Act.UNBAN:
                self._restrictions[entry.act].lift(marks_of_entry(entry))
            case Act.SLOW:
                self.slow[entry.room] = entry.seconds
            case Act.REDACT:
                self.revisions[entry.room] = entry
            case Act.KICK | Act.ADMIT | Act.RELEASE:
                pass  # it is over when it is done, or stands somewhere else

    # What somebody may do.

    def is_moderator(self, claim: str) -> bool:
        """Whether he keeps order."""
        return bool(claim) and claim in self._moderators

    def is_moderators_name(self, name: str) -> bool:
        """Whether a name is a moderator's, or looks like it."""
        return any(not skeletons(name).isdisjoint(skeletons(one)) for one in self._moderators.values())

    def check_entry(
        self, now: float, claim: str = "", name: str = "", network: Network | None = None
    ) -> None:
        """May he come in, read, and stay?

        Args:
            now: unix seconds.
            claim: who he is; empty if he has shown nothing.
            name: by which he comes, if he does.
            network: from where; None if it is not known, or not limited.

        Raises:
            Refused: `banned`.
        """
        if self._bans:
            self._refuse_banned(marks(claim, name, network), now)

    def check_stay(self, now: float, people: Iterable[Person], network: Network | None) -> None:
        """May somebody who is here stay, as all whom he is?

        Raises:
            Refused: `banned`.
        """
        if self._bans:
            about = [mark for person in people for mark in marks_of(person)]
            self._refuse_banned([*about, *marks(network=network)], now)

    def charge_post(self, now: float, ticks: float, room: str, person: Person) -> None:
        """May he say something here? If he may, he does.

        Args:
            now: unix seconds.
            ticks: any clock that never goes back.
            room: where.
            person: who.

        Raises:
            Refused: `muted`; where the room is slow `too_fast`, with how long to wait.
        """
        seconds = self.slow.get(room)
        if not (seconds or self._mutes):
            return
        about = marks_of(person)
        muted = self._mutes.find(about, now)
        if muted:
            raise Refused(ErrorCode.MUTED, why=self._why(muted))
        if seconds and not self.is_moderator(person.claim):
            self._check_slow(ticks, room, seconds, about)

    def _check_slow(self, ticks: float, room: str, seconds: int, about: list[str]) -> None:
        said_at = [self._said_at.get((room, mark), float("-inf")) for mark in about]
        wait = max(said_at, default=float("-inf")) + seconds - ticks
        if wait > 0:
            raise Refused(ErrorCode.TOO_FAST, wait=wait, room=room)
        self._said_at.update(dict.fromkeys(((room, mark) for mark in about), ticks))
        if len(self._said_at) > self._look_at:
            self._forget_talk(ticks)
            self._look_at = max(MARKS_KEPT, 2 * len(self._said_at))

    def is_muted(self, now: float, about: Iterable[str]) -> bool:
        """Whether somebody known by one of these marks may not talk."""
        return self._mutes.find(about, now) is not None

    def is_banned(self, now: float, about: Iterable[str]) -> bool:
        """Whether somebody known by one of these marks may not come in."""
        return self._bans.find(about, now) is not None

    def _forget_talk(self, ticks: float) -> None:
        self._said_at = {
            (room, mark): at
            for (room, mark), at in self._said_at.items()
            if at + self.slow.get(room, 0) > ticks
        }

    def _refuse_banned(self, about: Iterable[str], now: float) -> None:
        found = self._bans.find(about, now)
        if found:
            raise Refused(ErrorCode.BANNED, why=self._why(found))

    def _why(self, found: Restriction) -> dict[Language, str]:
        return _joined(until_when(found.until, self._zone), found.reason)


def marks(claim: str = "", name: str = "", network: Network | None = None) -> list[str]:
    """By what somebody is known."""
    found = [f"look {look}" for look in skeletons(name)] if name else []
    found += [f"claim {claim}"] if claim else []
    return [*found, f"{_FROM}{network}"] if network is not None else found


def marks_of(person: Person) -> list[str]:
    """By what somebody is known who is here."""
    found = [f"look {look}" for look in person.looks]
    return [*found, f"claim {person.claim}"] if person.claim else found


def marks_of_entry(entry: AuditEntry) -> list[str]:
    """By what the one is known to whom something was done."""
    return [*marks(entry.claim, entry.user), *(f"{_FROM}{address}" for address in entry.addresses)]


def until_when(until: int, zone: tzinfo | None) -> dict[Language, str]:
    """Until when something is in force, as a part of a sentence."""
    if not until:
        return {Language.RU: "пока не отменят", Language.EN: "until it is taken back"}
    at = stamp(until, zone)[:_MINUTE]
    return {Language.RU: f"до {at}", Language.EN: f"until {at}"}


def _joined(when: dict[Language, str], reason: str) -> dict[Language, str]:
    return {language: f"{text}: {reason}" if reason else text for language, text in when.items()}


def _restriction(entry: AuditEntry) -> Restriction:
    user = entry.user or ", ".join(entry.addresses)
    return Restriction(user, frozenset(marks_of_entry(entry)), entry.until, entry.reason)
