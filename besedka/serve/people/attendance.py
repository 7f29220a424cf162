"""Who can be told something now, whatever room he is in: connections by the claim of the person. Pure."""

from __future__ import annotations

from typing import Protocol

from besedka.wire.words import ServerWord


class Hearer(Protocol):
    """A connection of a person who has shown who he is."""

    def tell(self, word: ServerWord) -> None:
        """Tell something to him only."""

    def put_out(self, room: str) -> None:
        """Have him be in a room no more, because he does not belong there now."""


class Attendance:
    """All of them."""

    def __init__(self) -> None:
        self._by_claim: dict[str, dict[Hearer, int]] = {}

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
