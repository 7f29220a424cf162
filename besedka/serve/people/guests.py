"""Who is at the doors: all connections, and those of a person. Pure.

Those who keep order see each of them; a person who has shown who he is can be told something, whatever room he is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from besedka.serve.people.order import Network
from besedka.serve.people.presence import Person
from besedka.wire.closing import Ending
from besedka.wire.refusals import Refused
from besedka.wire.words import ServerWord


class Guest(Protocol):
    """One connection, or one call that lasts."""

    @property
    def network(self) -> Network | None:
        """From where it comes; None if that is this machine, or no address."""

    def people(self) -> Iterable[Person]:
        """As whom it is here."""

    def show_out(self, ending: Ending, refusal: Refused) -> None:
        """End it, and have it say nothing more.

        Args:
            ending: how, where endings have numbers.
            refusal: why, where they have sentences.
        """


class Hearer(Protocol):
    """A connection with places in rooms, of a person who has shown who he is."""

    def tell(self, word: ServerWord) -> None:
        """Tell something to him only."""

    def put_out(self, room: str) -> None:
        """Have him be in a room no more, because he does not belong there now."""


class Guests:
    """All of them."""

    def __init__(self) -> None:
        self._all: set[Guest] = set()
        self._by_claim: dict[str, dict[Hearer, int]] = {}

    def __iter__(self) -> Iterator[Guest]:
        return iter(self._all)

    def add(self, guest: Guest) -> None:
        """Somebody is at a door."""
        self._all.add(guest)

    def discard(self, guest: Guest) -> None:
        """He is gone."""
        self._all.discard(guest)

    def come(self, claim: str, hearer: Hearer) -> None:
        """A connection has taken a place as this person; it may have many places."""
        places = self._by_claim.setdefault(claim, {})
        places[hearer] = places.get(hearer, 0) + 1

    def go(self, claim: str, hearer: Hearer) -> None:
        """It has given one of them up."""
        places = self._by_claim[claim]
        places[hearer] -= 1
        if not places[hearer]:
            del places[hearer]
        if not places:
            del self._by_claim[claim]

    def of(self, claim: str) -> list[Hearer]:
        """All connections of a person."""
        return [*self._by_claim.get(claim, ())]
