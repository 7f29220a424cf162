"""Admission to rooms, for every door.

To join a room, with a name or unseen, the sequence of steps is defined here, and nowhere else:

1. check the chat (`Policy.check_chat`): neither the person nor the address is banned, and the person is known where that is required;
2. check the room (`Policy.check_room`): it is open, or the person is a member, or their invitation is valid;
3. open the room: its log may have to be read first; a muted person (`ActsInForce.check_voice`) and a join with `must_exist` create none; a node of a
   cluster may be behind what the person has read at another (`RoomHeads`);
4. sign in (`Directory.sign_in`): the name is theirs, or free, at all nodes of a cluster (`NamesInUse`);
5. redeem an invitation to the room (`Directory.redeem`);
6. wait until their claim and their membership are on disk.

To read without joining: 1, 2; the room exists; 6, 3. The rules of 1 and 2 are in `besedka/serve/people/policy.py`.

Steps 3, 4 and 6 may wait, and after a wait all steps start again: meanwhile the person may have been banned, the invitation revoked or used up,
the room closed, the name taken. An attempt leaves nothing behind but the work that it waits for.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.room_heads import RoomHeads
from besedka.serve.clock import Clock
from besedka.serve.directory import Directory
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room, Tenant
from besedka.serve.tasks import mark_retrieved
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Kind


class Arrival(NamedTuple):
    """A person's request to enter a room. (A tuple: a frozen dataclass costs five times as much, and thousands come at once.)

    Attributes:
        room: the room, as `clean_room` gives it.
        limiter: of their connection.
        name: as `clean_name` gives it; empty for an unseen reader.
        secret: their secret; may be empty.
        fallback: the identity of their connection without a secret.
        invite: the token of an invitation, if they have one.
        must_exist: open no new room.
        epoch: that of the cursor that they come back with; empty if they have none.
        since: the cursor itself: the id of the last message that they have seen.
    """

    room: str
    limiter: RateLimiter
    name: str = ""
    secret: str = ""
    fallback: str = ""
    invite: str = ""
    must_exist: bool = False
    epoch: str = ""
    since: int | None = None


class Admitted(NamedTuple):
    """A person who may enter a room now, and is signed in. The caller must register them before it awaits anything."""

    person: Person
    room: Room


Waiting = asyncio.Future[Any]
"""The work that an attempt waits for; several attempts may share it, so it must be shielded."""


class Admission:
    """Admits people to rooms.

    Args:
        directory: people and their rights.
        rooms: the rooms.
        heads: waits until this node has what a person has read at another.
        clock: the server's clock.
    """

    def __init__(self, directory: Directory, rooms: OpenRooms, heads: RoomHeads, clock: Clock) -> None:
        self._directory = directory
        self._policy = directory.policy
        self._rooms = rooms
        self._heads = heads
        self._clock = clock.wall
        self._now = clock.now

    def check_network(self, network: Network | None) -> None:
        """Check that an address is not banned, as soon as a connection or a call begins.

        Raises:
            Refused: `banned`.
        """
        self._directory.moderation.check_entry(self._clock(), network=network)

    # Joining.

    def attempt(self, arrival: Arrival) -> Admitted | Waiting:
        """Admit a person, or return the work to wait for before the next attempt.

        Raises:
            Refused: `banned`, `not_known`; `room_gone`; `not_invited`, `bad_link`; `too_many_rooms`, `going_down`; `name_taken`, `name_claimed`,
                `too_many_names`; `no_secret`. The work may raise `no_such_room`, `muted`, `room_unavailable`, `storage_full`, `not_stored`, `out_of_reach`.
        """
        claim, now = claim_of(arrival.secret), self._clock()
        self._check(arrival, claim, now)
        # Before their rights: only somebody who was there knows the epoch.
        self._directory.moderation.ended.check(arrival.room, arrival.epoch)
        self._policy.check_room(arrival.room, claim, arrival.invite, now)
        if self._may_be_absent(arrival) and (arrival.must_exist or self._is_silenced(arrival, claim)):
            return mark_retrieved(asyncio.ensure_future(self._open_existing(arrival, claim)))
        room = self._open(arrival, claim)
        if not isinstance(room, Room):
            return room
        if reaching := self._heads.reaching(room, arrival.since, arrival.epoch):
            return reaching
        if taking := self.taking(arrival):
            return taking
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
        return mark_retrieved(asyncio.ensure_future(storing))

    async def admit(self, arrival: Arrival, waiting: Waiting | None = None) -> Admitted:
        """Admit a person, after all necessary waits.

        Args:
            arrival: the request.
            waiting: the work that an attempt has returned, if there was one.

        Raises:
            Refused: as `attempt`.
        """
        found: Admitted | Waiting = waiting or self.attempt(arrival)
        while not isinstance(found, Admitted):
            await asyncio.shield(found)
            # Every check is repeated after a wait.
            found = self.attempt(arrival)
        return found

    def taking(self, arrival: Arrival) -> Waiting | None:
        """The wait until a name is a person's at all nodes of a cluster; None if there is nothing to wait for. It may fail with `name_taken`."""
        names = self._directory.names_in_use
        if names is None or not arrival.name:
            return None
        return names.taking(arrival.name, claim_of(arrival.secret), arrival.fallback)

    def rename(self, arrival: Arrival) -> Person:
        """Sign in a person under another name, in a room that they are in; in a cluster, after the wait of `taking`.

        Raises:
            Refused: `banned`, `not_known`; `name_taken`, `name_claimed`, `too_many_names`.
        """
        claim = claim_of(arrival.secret)
        self._check(arrival, claim, self._clock())
        return self._sign_in(arrival, claim)

    def tenant(self, claim: str, network: Network | None) -> Tenant:
        """The source of a request: a person with a known claim is one by themselves.

        Args:
            claim: the claim that was shown; may be empty.
            network: the address.
        """
        is_verified = self._directory.names.is_kept and self._directory.names.is_known(claim)
        return Tenant(network, claim if is_verified else "")

    def sign_out(self, person: Person) -> None:
        """Sign out one connection of a person."""
        if person.name:
            self._directory.sign_out(person)

    # Reading.

    async def existing_room(
        self,
        room: str,
        claim: str,
        limiter: RateLimiter | None = None,
        *,
        since: int | None = None,
        epoch: str = "",
    ) -> Room:
        """The room of this name, if it exists, for a reader; it is not created.

        Args:
            room: as `clean_room` gives it.
            claim: the reader's claim; empty if they have shown no secret.
            limiter: of their connection; None for the operator.
            since: their cursor; None if they have none.
            epoch: of the cursor.

        Raises:
            Refused: `no_such_room`; `banned`, `not_known`; `not_invited`; `room_unavailable`, `storage_full`, `not_stored`; `out_of_reach`.
        """
        network = limiter.source.network if limiter else None
        self._check_reader(room, claim, network)
        if self._directory.rooms.kind(room) is Kind.OPEN and not await self._rooms.exists(room):
            raise Refused(ErrorCode.NO_SUCH_ROOM, room=room)
        self._directory.note_reader(claim)
        await self._directory.wait_until_stored(claim, room)
        self._check_reader(room, claim, network)
        tenant = self.tenant(claim, network)
        has_name = bool(tenant.claim)
        while True:
            found = self._open_charged(room, tenant, limiter, has_name=has_name)
            if not isinstance(found, Room):
                await asyncio.shield(found)
            elif reaching := self._heads.reaching(found, since, epoch):
                await asyncio.shield(reaching)
            else:
                return found
            self._check_reader(room, claim, network)

    def check_reader(self, claim: str, network: Network | None) -> None:
        """Check again that a reader may read and list rooms, after a wait.

        Raises:
            Refused: `banned`, `not_known`.
        """
        self._policy.check_chat(claim, now=self._clock(), network=network)

    def check_room(self, room: Room, claim: str, network: Network | None) -> None:
        """Check again that a reader may read a room, before they receive the result of a lookup.

        Raises:
            Refused: `banned`, `not_known`; `not_invited`.
        """
        self._check_reader(room.name, claim, network)

    def register(self, session: LiveSession) -> None:
        """Register a call or a download as a session, after checking its rights again.

        Raises:
            Refused: `banned`, `not_known`; `not_invited`.
        """
        self._policy.check_stay(session, self._clock())
        for room, claim in session.memberships():
            self._policy.check_room(room, claim)
        self._directory.sessions.add(session)

    def unregister(self, session: LiveSession) -> None:
        """Remove a session that has ended."""
        self._directory.sessions.discard(session)

    # Steps.

    def _open(self, arrival: Arrival, claim: str) -> Room | asyncio.Task[Room]:
        tenant = self.tenant(claim, arrival.limiter.source.network)
        return self._open_charged(arrival.room, tenant, arrival.limiter, has_name=bool(arrival.name))

    def _open_charged(
        self, room: str, tenant: Tenant, limiter: RateLimiter | None, *, has_name: bool
    ) -> Room | asyncio.Task[Room]:
        is_open = self._rooms.is_open(room)
        found = self._rooms.open(room, tenant, has_name=has_name)
        if limiter and not is_open:
            limiter.charge_opening(self._now())
        return found

    def _may_be_absent(self, arrival: Arrival) -> bool:
        """Whether it is not known that the room exists."""
        rooms = self._directory.rooms
        return not self._rooms.is_open(arrival.room) and rooms.kind(arrival.room) is Kind.OPEN

    def _is_silenced(self, arrival: Arrival, claim: str) -> bool:
        """Whether the person is muted: the name of a new open room, which all are shown, would be a message."""
        moderation, newcomer = self._directory.moderation, self._newcomer(arrival, claim)
        return moderation.is_silenced(self._clock(), newcomer, arrival.limiter.origin)

    async def _open_existing(self, arrival: Arrival, claim: str) -> None:
        """Open a room, if it exists, for a person who is not to create it."""
        if not await self._rooms.exists(arrival.room):
            if arrival.must_exist:
                raise Refused(ErrorCode.NO_SUCH_ROOM, room=arrival.room)
            newcomer = self._newcomer(arrival, claim)
            self._directory.moderation.check_voice(self._clock(), newcomer, arrival.limiter.origin)
        opening = self._open(arrival, claim)
        if not isinstance(opening, Room):
            await asyncio.shield(opening)

    def _newcomer(self, arrival: Arrival, claim: str) -> Person:
        """A person who is not signed in yet, as mutes see them."""
        names = self._directory.names
        person = Person(arrival.name, claim, is_kept=names.is_kept)
        if names.is_kept and names.is_known(claim):
            person.since = names.since(claim)
        return person

    def _check(self, arrival: Arrival, claim: str, now: float) -> None:
        network = arrival.limiter.source.network
        self._policy.check_chat(claim, arrival.name, arrival.invite, now, network)

    def _check_reader(self, room: str, claim: str, network: Network | None) -> None:
        self.check_reader(claim, network)
        self._policy.check_room(room, claim)

    def _sign_in(self, arrival: Arrival, claim: str) -> Person:
        if not arrival.name:
            return Person(claim=claim)
        return self._directory.sign_in(
            arrival.name, arrival.secret, arrival.fallback, arrival.limiter, arrival.invite
        )
