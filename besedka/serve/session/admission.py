"""The one way in, whatever door somebody came by.

To take part, by a name or unseen, the order is this, and is decided nowhere else:

1. they may come in (`Policy.check_chat`): neither they nor their address are banned, and they are known where they must be;
2. they may enter this room (`Policy.check_room`): it is open, or theirs, or their invitation is valid;
3. the room is open: its log may have to be read first;
4. the name is theirs, or free (`Directory.sign_in`);
5. an invitation into the room is redeemed (`Directory.redeem`);
6. what makes them belong here is on disk: their claim, their membership.

To read what there is, unseen: 1, 2; there is such a room; 6, 3.

3 and 6 may take a while, and after that everything begins anew: they may have been banned meanwhile, their invitation taken back or used up,
the room closed, the name taken. Nothing of an attempt remains but what it waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.directory import Directory
from besedka.serve.people.moderation import Network
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.rate_limits import RateLimiter
from besedka.serve.room import Room
from besedka.serve.tasks import unheard
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Kind


class Arrival(NamedTuple):
    """Somebody who wants to come in. (A tuple, because thousands come in at once, and a frozen dataclass costs five times as much.)

    Attributes:
        room: where to, as `clean_room` gives it.
        limiter: of their connection.
        name: as `clean_name` gives it; empty for one who only reads, unseen.
        secret: what they show; may be empty.
        own: what their connections have in common if they show no secret.
        invite: the token of an invitation, if they have one.
    """

    room: str
    limiter: RateLimiter
    name: str = ""
    secret: str = ""
    own: str = ""
    invite: str = ""


class Admitted(NamedTuple):
    """Somebody who may be in a room now, and is signed in. Whoever is given it registers them before anything is awaited."""

    person: Person
    room: Room


Waiting = asyncio.Future[Any]
"""What an attempt waits for; others may wait for the same, so it is shielded."""


class Admission:
    """Lets people in.

    Args:
        directory: what is known of them.
        rooms: where to.
        clock: unix seconds.
    """

    def __init__(self, directory: Directory, rooms: OpenRooms, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._policy = directory.policy
        self._rooms = rooms
        self._clock = clock

    def check_network(self, network: Network | None) -> None:
        """Check whether anybody comes in from an address, as soon as a connection or a call begins.

        Raises:
            Refused: `banned`.
        """
        self._directory.moderation.check_entry(self._clock(), network=network)

    # Taking part.

    def attempt(self, arrival: Arrival) -> Admitted | Waiting:
        """Let somebody in, or say what must be waited for before the next attempt.

        Raises:
            Refused: `banned`, `not_known`; `not_invited`, `bad_link`; `too_many_rooms`, `going_down`; `name_taken`, `name_claimed`,
                `too_many_names`; `no_secret`. What is waited for may raise `room_unavailable`, `storage_full`, `not_stored`.
        """
        claim, now = claim_of(arrival.secret), self._clock()
        self._check(arrival, claim, now)
        self._policy.check_room(arrival.room, claim, arrival.invite, now)
        room = self._rooms.open(arrival.room)
        if not isinstance(room, Room):
            return room
        person = self._sign_in(arrival, claim)
        try:
            self._directory.redeem(room.name, person, arrival.invite)
        except Refused:
            self.sign_out(person)
            raise
        storing = self._directory.storing_arrival(person, room.name, arrival.invite)
        if storing is None:
            return Admitted(person, room)
        self.sign_out(person)
        return unheard(asyncio.ensure_future(storing))

    async def admit(self, arrival: Arrival, waiting: Waiting | None = None) -> Admitted:
        """Let somebody in, however long it takes.

        Args:
            arrival: who, and where to.
            waiting: what an attempt has returned already, if there was one.

        Raises:
            Refused: as `attempt`.
        """
        found: Admitted | Waiting = waiting or self.attempt(arrival)
        while not isinstance(found, Admitted):
            await asyncio.shield(found)
            # Every check is repeated after a wait.
            found = self.attempt(arrival)
        return found

    def rename(self, arrival: Arrival) -> Person:
        """Sign in somebody by another name, in a room where they are already.

        Raises:
            Refused: `banned`, `not_known`; `name_taken`, `name_claimed`, `too_many_names`.
        """
        claim = claim_of(arrival.secret)
        self._check(arrival, claim, self._clock())
        return self._sign_in(arrival, claim)

    def sign_out(self, person: Person) -> None:
        """They are here no more by this connection."""
        if person.name:
            self._directory.sign_out(person)

    # Reading.

    async def existing_room(self, room: str, claim: str, network: Network | None = None) -> Room:
        """The room of this name, if there is one, for somebody who only reads; it is not made.

        Args:
            room: as `clean_room` gives it.
            claim: theirs; empty if they show nothing.
            network: from where they come.

        Raises:
            Refused: `no_such_room`; `banned`, `not_known`; `not_invited`; `room_unavailable`, `storage_full`, `not_stored`.
        """
        self._check_reader(room, claim, network)
        if self._directory.rooms.kind(room) is Kind.OPEN and not await self._rooms.exists(room):
            raise Refused(ErrorCode.NO_SUCH_ROOM, room=room)
        self._directory.note_reader(claim)
        await self._directory.wait_until_stored(claim, room)
        self._check_reader(room, claim, network)
        while not isinstance(found := self._rooms.open(room), Room):
            await asyncio.shield(found)
            self._check_reader(room, claim, network)
        return found

    def check_room(self, room: Room, claim: str) -> None:
        """Check again whether somebody may read a room, before they are handed what was looked up.

        Raises:
            Refused: `not_invited`.
        """
        self._policy.check_room(room.name, claim)

    def register(self, session: LiveSession) -> None:
        """Have a call or a download that reads among the sessions, if it may still be where it is.

        Raises:
            Refused: `banned`, `not_known`; `not_invited`.
        """
        self._policy.check_stay(session, self._clock())
        for room, claim in session.places():
            self._policy.check_room(room, claim)
        self._directory.sessions.add(session)

    def unregister(self, session: LiveSession) -> None:
        """It is over."""
        self._directory.sessions.discard(session)

    # Inside.

    def _check(self, arrival: Arrival, claim: str, now: float) -> None:
        network = arrival.limiter.source.network
        self._policy.check_chat(claim, arrival.name, arrival.invite, now, network)

    def _check_reader(self, room: str, claim: str, network: Network | None) -> None:
        self._policy.check_chat(claim, now=self._clock(), network=network)
        self._policy.check_room(room, claim)

    def _sign_in(self, arrival: Arrival, claim: str) -> Person:
        if not arrival.name:
            return Person(claim=claim)
        return self._directory.sign_in(
            arrival.name, arrival.secret, arrival.own, arrival.limiter, arrival.invite
        )
