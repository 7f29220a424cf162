"""Who is at the doors: everything that lasts and is somebody's, each a guest while it does. Pure.

Those who keep order see each of them, and whoever does not belong here any more, or not in a room, is found among them. There is no
index: what walks over all of them is rare.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from besedka.serve.people.moderation import Network
from besedka.serve.people.person import Person
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Refused
from besedka.wire.frames import ServerFrame


class LiveSession(ABC):
    """A connection, a call, or a download."""

    __slots__ = ()

    @property
    @abstractmethod
    def network(self) -> Network | None:
        """From where it comes; None if that is this machine, or no address."""

    @abstractmethod
    def people(self) -> Iterable[Person]:
        """As whom it is here."""

    @abstractmethod
    def places(self) -> Iterable[tuple[str, str]]:
        """The rooms that it is in or reads, each with the claim by which it is there."""

    @abstractmethod
    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        """End it, and have it say and hear nothing more.

        Args:
            ending: how, where endings have numbers.
            refusal: why, where they have sentences.
        """

    @abstractmethod
    def remove_from_room(self, room: str) -> None:
        """Have it be in a room no more, because it does not belong there now."""

    def send(self, frame: ServerFrame) -> None:  # noqa: B027 - not every guest hears such words
        """Tell something to him only, if it is one who hears."""


class LiveSessions:
    """All of them."""

    def __init__(self) -> None:
        self._all: set[LiveSession] = set()

    def __iter__(self) -> Iterator[LiveSession]:
        """All of them as they are now, whoever goes meanwhile."""
        return iter([*self._all])

    def add(self, session: LiveSession) -> None:
        """Somebody is at a door."""
        self._all.add(session)

    def discard(self, session: LiveSession) -> None:
        """He is gone."""
        self._all.discard(session)

    def of(self, claim: str) -> list[LiveSession]:
        """All of a person."""
        return [session for session in self._all if any(person.claim == claim for person in session.people())]
