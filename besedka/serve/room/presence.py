"""Who is in a room, as they know of each other: how many, by which names, and the news of comings and goings. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from besedka.serve.people.person import Person
from besedka.serve.room.subscriber import Subscriber
from besedka.wire.errors import Language
from besedka.wire.frames import System
from besedka.wire.log_line import clock_time
from besedka.wire.notices import notice, presence

NAMES_TOLD: Final = 100
"""How many names a welcome or a notice lists at most; the number of people is always exact."""


@dataclass(slots=True)
class _News:
    joined: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, name: str, to: list[str], instead_of: list[str]) -> None:
        # Who went and came back between two notices was never away.
        if name in instead_of:
            instead_of.remove(name)
        else:
            to.append(name)


class Presence:
    """The people of a room.

    Args:
        room: its name.

    Attributes:
        notices: how many notices there have been.
    """

    def __init__(self, room: str) -> None:
        self.notices = 0
        self._room = room
        self._people: dict[Person, int] = {}
        self._news = _News()

    @property
    def count(self) -> int:
        """How many people are here."""
        return len(self._people)

    def names(self) -> list[str]:
        """Their names, the first `NAMES_TOLD` of them, in the order in which they came."""
        named = (person.name for person in self._people if person.name)
        return [name for name, _ in zip(named, range(NAMES_TOLD), strict=False)]

    def arrive(self, person: Person) -> None:
        """Count a person in, by one more connection."""
        before = self._people.get(person, 0)
        self._people[person] = before + 1
        if not before:
            self._news.add(person.name, self._news.joined, self._news.left)

    def depart(self, person: Person) -> None:
        """Count a person out, by one connection."""
        self._people[person] -= 1
        if not self._people[person]:
            del self._people[person]
            self._news.add(person.name, self._news.left, self._news.joined)

    def take_notice(self, language: Language, stamp: str) -> System | None:
        """What has changed since the last notice, if anything."""
        news = self._news
        if not news.joined and not news.left:
            return None
        self._news = _News()
        self.notices += 1
        return System(
            room=self._room,
            text=notice(news.joined, news.left, language),
            timestamp=clock_time(stamp),
            clients_count=self.count,
            joined=[name for name in news.joined if name][:NAMES_TOLD],
            left=[name for name in news.left if name][:NAMES_TOLD],
        )

    def missed_notices(self, member: Subscriber, language: Language, stamp: str) -> System | None:
        """Who is here now, for a member who could not be told of all comings and goings; None if it was told."""
        if member.notices == self.notices:
            return None
        member.notices = self.notices
        return System(
            room=self._room,
            text=presence(self.count, language),
            timestamp=clock_time(stamp),
            clients_count=self.count,
            joined=[],
            left=[],
            users=self.names(),
        )
