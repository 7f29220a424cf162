"""Presence in a room: the number of people, their names, and the changes since the last notice. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import attrgetter
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from besedka.serve.people.person import Person
from besedka.serve.room.elsewhere import Elsewhere
from besedka.serve.room.subscriber import Subscriber
from besedka.wire.errors import Language
from besedka.wire.frames import System
from besedka.wire.log_line import clock_time
from besedka.wire.notices import archived, notice, presence, slow_mode

Notice = Callable[[Language], System]
"""A notice of presence, of slow mode or of the archive, in a language."""

NAMES_LISTED: Final = 100
"""How many names a welcome or a notice lists at most; the number of people is always exact."""

_NAME: Final = attrgetter("name")


@dataclass(slots=True)
class _Changes:
    # Names, each with the number of its people: those without a name have the same one.
    joined: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    # New names by the former ones, for people who are among those above under both.
    renamed: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, to: Counter[str], instead_of: Counter[str]) -> None:
        # A person who left and returned between two notices counts as never away.
        if name not in instead_of:
            to[name] += 1
        elif instead_of[name] > 1:
            instead_of[name] -= 1
        else:
            del instead_of[name]

    def rename(self, former: str, name: str) -> None:
        """Record a change of name, of somebody who is among those who left and those who joined."""
        first = next((old for old, new in self.renamed.items() if new == former), former)
        self.renamed[first] = name

    def renamings(self) -> dict[str, str]:
        """The changes of names that a notice reports: those of people who have not left or returned since, the first `NAMES_LISTED`."""
        reported = [
            (old, new) for old, new in self.renamed.items() if old in self.left and new in self.joined
        ]
        return dict(reported[:NAMES_LISTED])

    def forget(self, name: str) -> None:
        """Tell nothing of a person who has just come."""
        if name in self.joined:
            self.add(name, self.left, self.joined)


class Presence:
    """The people of a room.

    Args:
        room: its name.
        elsewhere: the people at other nodes of a cluster; None where there are none. A person who is here and there counts once.

    Attributes:
        notices: how many notices there have been.
    """

    def __init__(self, room: str, elsewhere: Elsewhere | None = None) -> None:
        self.notices = 0
        self._room = room
        self._elsewhere = elsewhere
        self._people: dict[Person, int] = {}
        self._changes = _Changes()
        self._is_state_due = False

    @property
    def count(self) -> int:
        """The number of people in the room."""
        return len(self._people) + (self._elsewhere.count(self._room) if self._elsewhere else 0)

    def names(self) -> list[str]:
        """Their names, the first `NAMES_LISTED` of them, in the order in which they came; those who are only elsewhere follow."""
        names = filter(None, map(_NAME, self._people))
        elsewhere = self._elsewhere.names(self._room) if self._elsewhere else ()
        return [*islice(chain(names, elsewhere), NAMES_LISTED)]

    def arrive(self, person: Person) -> None:
        """Add a connection of a person."""
        before = self._people.get(person, 0)
        self._people[person] = before + 1
        if not before and not (self._elsewhere and self._elsewhere.arrive(self._room, person)):
            self.arrive_elsewhere(person.name)

    def depart(self, person: Person) -> None:
        """Remove a connection of a person."""
        self._people[person] -= 1
        if not self._people[person]:
            del self._people[person]
            if not (self._elsewhere and self._elsewhere.depart(self._room, person)):
                self.depart_elsewhere(person.name)

    def rename(self, former: Person, person: Person) -> None:
        """Record a change of name, after the old name has departed and the new one has arrived."""
        self.rename_elsewhere(former.name, person.name)
        if self._elsewhere:
            self._elsewhere.rename(self._room, former.name, person.name)

    def withdraw(self, person: Person) -> None:
        """Remove a connection of a person of whom no notice is to tell: only those who miss it learn the present state."""
        self._people[person] -= 1
        if not self._people[person]:
            del self._people[person]
            if not (self._elsewhere and self._elsewhere.withdraw(self._room, person)):
                self.withdraw_elsewhere(person.name)

    # The same, of people who came and went at another node only.

    def arrive_elsewhere(self, name: str) -> None:
        """Record that a person is in the room who was not."""
        self._changes.add(name, self._changes.joined, self._changes.left)

    def depart_elsewhere(self, name: str) -> None:
        """Record that a person is not in the room any more."""
        self._changes.add(name, self._changes.left, self._changes.joined)

    def rename_elsewhere(self, former: str, name: str) -> None:
        """Record a change of name."""
        self._changes.rename(former, name)

    def withdraw_elsewhere(self, name: str) -> None:
        """Record that a person is not in the room any more, and that no notice is to tell it."""
        self._changes.forget(name)
        self.notices += 1

    def change_elsewhere(self) -> None:
        """Record that others are in the room now, of whom nothing is known: the next notice tells the present state."""
        self._is_state_due = True

    def take_notice(self, stamp: str) -> Notice | None:
        """A notice of the changes since the last one, if there are any."""
        changes = self._changes
        if self._is_state_due:
            self._is_state_due, self._changes = False, _Changes()
            self.notices += 1
            return self.state(stamp)
        if not changes.joined and not changes.left:
            return None
        self._changes = _Changes()
        self.notices += 1
        joined, left = [*changes.joined.elements()], [*changes.left.elements()]
        renamed = changes.renamings()
        frame = System(
            room=self._room,
            text="",
            timestamp=clock_time(stamp),
            clients_count=self.count,
            joined=_listed(changes.joined),
            left=_listed(changes.left),
            renamed=renamed or UNSET,
        )
        return lambda language: replace(frame, text=notice(joined, left, language, renamed))

    def missed_notices(self, subscriber: Subscriber, stamp: str) -> Notice | None:
        """The present state, for a subscriber that missed notices while behind; None if it missed none."""
        if subscriber.notices == self.notices:
            return None
        subscriber.notices = self.notices
        return self.state(stamp)

    def slowed(self, stamp: str, seconds: int) -> Notice:
        """A notice of slow mode: the seconds between two messages of a person; 0: it is off."""
        frame = replace(self._without_changes(stamp), slow=seconds)
        return lambda language: replace(frame, text=slow_mode(seconds, language))

    def archived(self, stamp: str, *, is_archived: bool) -> Notice:
        """A notice that the room was archived, or unarchived."""
        frame = replace(self._without_changes(stamp), archived=is_archived)
        return lambda language: replace(frame, text=archived(self._room, language, is_archived=is_archived))

    def state(self, stamp: str) -> Notice:
        """The present state: a notice with everybody's names, in place of all that were sent before."""
        frame = replace(self._without_changes(stamp), users=self.names())
        return lambda language: replace(frame, text=presence(frame.clients_count, language))

    def _without_changes(self, stamp: str) -> System:
        return System(
            room=self._room,
            text="",
            timestamp=clock_time(stamp),
            clients_count=self.count,
            joined=[],
            left=[],
        )


def _listed(people: Counter[str]) -> list[str]:
    return [name for name in people.elements() if name][:NAMES_LISTED]
