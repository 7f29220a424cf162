"""Mutes and bans, and the identifiers that say whom they are about. Pure; time is an argument.

`acts_in_force` makes them of entries of the audit log, and asks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from besedka.serve.limits.networks import FROM, ON, Network
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.person import Person
from besedka.wire.errors import Language
from besedka.wire.log_line import stamp
from besedka.wire.skeletons import skeletons

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

    def is_of_name(self, person: Person) -> bool:
        """Whether a person has the name that it was imposed on, or one that looks like it."""
        return any(f"look {look}" in self.identifiers for look in person.looks)

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


def restriction_of(entry: AuditEntry, connections: Iterable[int], since: float) -> Restriction:
    """The restriction of an entry.

    Args:
        entry: a mute or a ban.
        connections: those that its target has now.
        since: when it was imposed, in unix seconds.
    """
    user = entry.user or ", ".join(entry.addresses)
    identifiers = frozenset([*identifiers_of_entry(entry), *(f"{ON}{number}" for number in connections)])
    return Restriction(user, identifiers, entry.until, entry.reason, since)


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


def why(found: Restriction, zone: tzinfo | None) -> dict[Language, str]:
    """The end and the reason of a restriction, as a part of a sentence."""
    when = until_when(found.until, zone)
    return {language: f"{text}: {found.reason}" if found.reason else text for language, text in when.items()}
