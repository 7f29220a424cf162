"""The live sessions of all doors: everything that lasts and belongs to a person. Pure.

Moderation sees each of them, and so does every recheck of rights. There is an index by claim, because every user may cause something to be
sent to another person's sessions; iterating over all of them is left to moderators and the operator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from besedka.serve.limits.networks import Network
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
        """The client's network; None if that is this machine, or no address."""

    @property
    @abstractmethod
    def door(self) -> str:
        """The path or the call by which it came."""

    @property
    def client(self) -> str:
        """The name that the client's program gives itself; empty if it is not known."""
        return ""

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent to it."""
        return 0

    @property
    def behind(self) -> int:
        """Messages of its rooms that it has not received yet."""
        return 0

    @property
    def connection(self) -> int:
        """The number of its connection; 0 if it posts nothing, or for the time of a call only."""
        return 0

    @abstractmethod
    def people(self) -> Iterable[Person]:
        """The people it is signed in as."""

    @abstractmethod
    def memberships(self) -> Iterable[tuple[str, str]]:
        """The rooms that it is in or reads, each with the claim used there."""

    def people_in_rooms(self) -> Iterable[tuple[str, Person]]:
        """The rooms that it is in or reads, each with the person that it is there."""
        return [(room, person) for room, _ in self.memberships() for person in self.people()]

    @abstractmethod
    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        """Close it; it receives and sends nothing more.

        Args:
            ending: the close code, for doors that have numbers.
            refusal: the reason, for doors that have sentences.
        """

    @abstractmethod
    def abort(self) -> None:
        """Cut it off at once, because an error of the server kept it from being disconnected."""

    @abstractmethod
    def remove_from_room(self, room: str, refusal: Refused) -> None:
        """Remove it from a room in which it may no longer be, or that is closed.

        Args:
            room: the room.
            refusal: the reason.
        """

    def refuse(self, refusal: Refused) -> None:  # noqa: B027 - not every session receives frames
        """Send a refusal to this session alone, if it is of a kind that receives frames."""

    def send(self, frame: ServerFrame) -> None:  # noqa: B027 - not every session receives frames
        """Send a frame to this session alone, if it is of a kind that receives frames."""


class Begun(NamedTuple):
    """A session that has begun.

    Attributes:
        session: the session.
        number: its number; later ones have greater ones.
        since: when it began, in unix seconds.
    """

    session: LiveSession
    number: int
    since: float


class LiveSessions:
    """All live sessions.

    Args:
        clock: unix seconds.
    """

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._numbers = count(1)
        # Each with its number, and when it began; the oldest first.
        self._all: dict[LiveSession, tuple[int, float]] = {}
        self._by_claim: dict[str, set[LiveSession]] = {}
        self._claims: dict[LiveSession, frozenset[str]] = {}

    def __iter__(self) -> Iterator[LiveSession]:
        """A snapshot of the sessions, safe against changes during the iteration."""
        return iter([*self._all])

    def add(self, session: LiveSession) -> None:
        """Register a session."""
        self._all.setdefault(session, (next(self._numbers), self._clock()))
        self.note_people(session)

    def with_begin(self) -> list[Begun]:
        """All sessions, the oldest first, each with its beginning; for the operator."""
        return [Begun(session, *begin) for session, begin in self._all.items()]

    def note_people(self, session: LiveSession) -> None:
        """Note that a session is signed in as other people than before; nothing happens if it has ended."""
        if session in self._all:
            self._index(session, frozenset(person.claim for person in session.people() if person.claim))

    def discard(self, session: LiveSession) -> None:
        """Remove a session that has ended."""
        self._all.pop(session, None)
        self._index(session, frozenset())

    def of(self, claim: str) -> list[LiveSession]:
        """All sessions of a person; none of somebody without a claim."""
        return [*self._by_claim.get(claim, ())]

    def outside(self, room: str, claim: str) -> list[LiveSession]:
        """The sessions of a person that are not in a room."""
        return [
            session for session in self.of(claim) if all(room != name for name, _ in session.memberships())
        ]

    def in_room(self, room: str) -> list[LiveSession]:
        """All sessions that are in a room, or read it; this looks at every session, and is left to the operator."""
        return [session for session in self if any(name == room for name, _ in session.memberships())]

    def _index(self, session: LiveSession, claims: frozenset[str]) -> None:
        before = self._claims.get(session, frozenset())
        if claims == before:
            return
        for claim in before - claims:
            self._by_claim[claim].remove(session)
            if not self._by_claim[claim]:
                del self._by_claim[claim]
        for claim in claims - before:
            self._by_claim.setdefault(claim, set()).add(session)
        if claims:
            self._claims[session] = claims
        else:
            del self._claims[session]
