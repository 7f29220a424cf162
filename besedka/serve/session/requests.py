"""Requests: private rooms, direct rooms, invitations, devices, the list of rooms; acts of moderation are passed on.

A response is sent only after the files about people are on disk. Whatever there is only so much of is taken before anything is waited for, and given
back if the request fails: so no quota is passed by requests that come at once, and nothing is recorded for a refused one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from besedka.serve.chat import OpenRooms, Subscriptions
from besedka.serve.clock import Clock
from besedka.serve.directory import Directory
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.people.devices import LINK_SECONDS
from besedka.serve.people.memberships import direct_room
from besedka.serve.people.names import Known, claim_of
from besedka.serve.people.person import Person
from besedka.serve.session.moderation import Moderator
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import (
    AddDevice,
    Block,
    Device,
    DeviceLink,
    Done,
    Invitation,
    Invite,
    Kind,
    ListRooms,
    Moderate,
    OpenDirect,
    OpenPrivate,
    Request,
    Response,
    RoomOpened,
    Rooms,
    TakeDevice,
    Unblock,
    Uninvite,
)
from besedka.wire.naming import in_sentence
from besedka.wire.validation import clean_key, clean_room, clean_secret, stored_name

_REVOKED = {
    Language.RU: "Приглашения в комнату {room} отозваны: {count}",
    Language.EN: "Invitations to the room {room} revoked: {count}",
}
_BLOCKED = {
    Language.RU: "Личные сообщения от {name} больше не приходят",
    Language.EN: "You no longer receive direct messages from {name}",
}
_UNBLOCKED = {
    Language.RU: "Личные сообщения от {name} снова приходят",
    Language.EN: "You receive direct messages from {name} again",
}
_MEMBER_REMOVED = {
    Language.RU: "{name} больше не участник комнаты {room}",
    Language.EN: "{name} is no longer a member of the room {room}",
}
_GIVEN_UP = {
    Language.RU: "Комнаты {room} больше нет",
    Language.EN: "The room {room} was given up",
}
_YOURSELF = {
    Language.RU: "имя {name} тоже ваше",
    Language.EN: "the name {name} is your own",
}
_SAID = {
    Language.RU: "в этой комнате уже писали; отказаться можно только от пустой",
    Language.EN: "this room has messages; only an empty one can be given up",
}


class Requests:
    """Answers the requests of all connections.

    Args:
        directory: people and their rights.
        rooms: the rooms.
        subscriptions: who is in them.
        moderator: carries out acts of moderation.
        clock: the server's clock.
        language: of the sentences.
    """

    def __init__(
        self,
        directory: Directory,
        rooms: OpenRooms,
        subscriptions: Subscriptions,
        *,
        moderator: Moderator,
        clock: Clock,
        language: Language,
    ) -> None:
        self._directory = directory
        self._rooms = rooms
        self._subscriptions = subscriptions
        self._moderator = moderator
        self._clock = clock
        self._language = language

    async def answer(
        self, frame: ListRooms | Request, person: Person | None, limiter: RateLimiter
    ) -> Rooms | Response:
        """Carry out a request, and return the response.

        Args:
            frame: the request.
            person: the requester; None if they are in no room.
            limiter: of their connection.

        Raises:
            Refused: if it cannot be carried out.
        """
        clean_key(frame.key)
        match frame:
            case ListRooms():
                claim = person.claim if person else ""
                blocked = [] if frame.after else [row.name for row in self._directory.blocks.of(claim)]
                page = await self._rooms.list.page(claim, frame.after, frame.limit)
                limiter.charge_list(self._clock.now(), page.cost + sum(map(len, blocked)))
                return Rooms(page.entries, frame.key, blocked, page.next)
            case Moderate():
                return await self._moderator.answer(frame, person)
            case AddDevice():
                return await self._add_device(frame, limiter.source.network)
            case TakeDevice():
                return await self._take_device(frame)
            case OpenDirect():
                return await self._open_direct(frame, self._directory.policy.check_verified(person), limiter)
            case _:
                return await self._answer_person(
                    frame, self._directory.policy.check_verified(person), limiter
                )

    async def _answer_person(
        self, frame: OpenPrivate | Invite | Uninvite | Block | Unblock, person: Person, limiter: RateLimiter
    ) -> Response:
        match frame:
            case OpenPrivate():
                return await self._open_private(frame, person, limiter)
            case Block():
                return await self._block(frame, person)
            case Unblock():
                return await self._unblock(frame, person)
            case Invite():
                return await self._invite(frame, person, limiter.source.network)
            case Uninvite():
                return await self._uninvite(frame, person)

    async def _add_device(self, frame: AddDevice, network: Network | None) -> DeviceLink:
        known = self._directory.names.holder(stored_name(frame.user))
        claim = claim_of(clean_secret(frame.secret))
        if known is None or not claim or known.claim != claim:
            raise Refused(ErrorCode.NO_SECRET)
        await self._directory.store([(self._directory.names, known.name)])
        token = self._directory.devices.make(known.name, frame.secret, self._clock.now(), network)
        if self._directory.other_links:
            await self._directory.other_links.offer(token)
        return DeviceLink(token, known.name, LINK_SECONDS, frame.key)

    async def _take_device(self, frame: TakeDevice) -> Device:
        try:
            handover = self._directory.devices.take(frame.token, self._clock.now())
        except Refused:
            if self._directory.other_links is None:
                raise
            return Device(*await self._directory.other_links.take(frame.token), frame.key)
        return Device(handover.user, handover.secret, frame.key)

    async def _open_private(self, frame: OpenPrivate, person: Person, limiter: RateLimiter) -> RoomOpened:
        room, rooms = clean_room(frame.room), self._directory.rooms
        if not self._is_being_made(room, person):
            rooms.check_private(room)
            with self._making(Kind.PRIVATE, room, person, limiter):
                async with self._rooms.claimed(room):
                    await self._directory.private.enter(room, person.name, person.claim)
                    rooms.open_private(room, person.name, person.claim)
        await self._directory.store(self._directory.membership_changes(room))
        return RoomOpened(room, Kind.PRIVATE, key=frame.key)

    def _is_being_made(self, room: str, person: Person) -> bool:
        """Whether the person has requested this room before, and it is not on disk yet."""
        return self._directory.policy.may_invite(room, person.claim) and not self._directory.is_stored(
            self._directory.membership_changes(room)
        )

    async def _open_direct(self, frame: OpenDirect, person: Person, limiter: RateLimiter) -> RoomOpened:
        other, direct = self._other(frame.user, person), self._directory.direct
        moderation, origin = self._directory.moderation, limiter.origin
        room = direct_room(person.claim, other.claim)
        direct.check_open(person.claim, other)
        is_new = not self._directory.rooms.has_members(room)
        if is_new:
            await self._begin_direct(room, person, other, limiter)
        direct.note_answer(room, person.claim)
        await self._directory.store(self._directory.membership_changes(room))
        is_asked = direct.is_unanswered(room, other.claim)
        # A stranger's room is announced once; after an answer, each time: the other person may have left it. The muted are not announced.
        if (is_new or not is_asked) and not moderation.is_silenced(self._clock.wall(), person, origin):
            # The name that the list shows: whatever name they have taken since is no news.
            peer = self._directory.peer(room, other.claim)
            receivers = self._directory.sessions.outside(room, other.claim)
            for session in receivers:
                session.send(RoomOpened(room, Kind.DIRECT, peer, asked=is_asked))
            limiter.charge_writes(self._clock.now(), len(receivers))
        return RoomOpened(room, Kind.DIRECT, other.name, frame.key)

    async def _begin_direct(self, room: str, person: Person, other: Known, limiter: RateLimiter) -> None:
        directory, now, origin = self._directory, self._clock.now(), limiter.origin
        directory.moderation.check_voice(self._clock.wall(), person, origin)
        beginning = directory.direct.beginning(now, person.claim, other.claim, origin)
        with self._making(Kind.DIRECT, room, person, limiter), beginning:
            await directory.private.enter(room, person.name, person.claim)
            # Meanwhile one may have blocked the other.
            directory.direct.check_blocks(person.claim, other)
            directory.rooms.open_direct((person.name, person.claim), (other.name, other.claim))

    @contextmanager
    def _making(self, kind: Kind, room: str, person: Person, limiter: RateLimiter) -> Iterator[None]:
        """Take all quotas of a room that is made in this block, before anything is waited for; a failure gives them back."""
        tenant = Tenant.of(limiter, person)
        place = self._directory.quotas.place(kind, room, person.claim, tenant.network)
        with place, self._rooms.charged_as_new(tenant):
            yield

    async def _block(self, frame: Block, person: Person) -> Done:
        other = self._other(frame.user, person)
        key = self._directory.blocks.block(person.claim, other.claim, other.name)
        # Their names are not shown any more either, even if the block cannot be written for now.
        self._subscriptions.hide(direct_room(person.claim, other.claim), other.claim)
        await self._directory.store([(self._directory.blocks, key)])
        return Done(self._about(_BLOCKED, other.name), frame.key)

    async def _unblock(self, frame: Unblock, person: Person) -> Done:
        name, blocks = stored_name(frame.user), self._directory.blocks
        known = self._directory.names.holder(name)
        own = blocks.of(person.claim)
        # The person may have another name by now, or the name another holder.
        row = next((row for row in own if row.name == name), None) or next(
            (row for row in own if known and row.claim == known.claim), None
        )
        if row is None:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        await self._directory.store([(blocks, blocks.unblock(row))])
        return Done(self._about(_UNBLOCKED, row.name), frame.key)

    def _other(self, given: str, person: Person) -> Known:
        """The holder of a name who is not the person.

        Raises:
            Refused: `no_such_name`; `not_allowed` if it is another name of the person.
        """
        name = stored_name(given)
        other = self._directory.names.holder(name)
        if other is None or not other.claim:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        if other.claim == person.claim:
            why = {
                language: sentence.format(name=in_sentence(other.name, language))
                for language, sentence in _YOURSELF.items()
            }
            raise Refused(ErrorCode.NOT_ALLOWED, why=why)
        return other

    async def _invite(self, frame: Invite, person: Person, network: Network | None) -> Invitation:
        room = self._owned(frame.room, person)
        token, offer = self._directory.invitations.make(
            "room",
            room,
            person.name,
            self._clock.wall(),
            uses=frame.uses,
            seconds=frame.seconds,
            claim=person.claim,
            network=network,
        )
        await self._directory.store_invitation(offer)
        return Invitation(room, token, offer.uses, offer.expires, frame.key)

    async def _uninvite(self, frame: Uninvite, person: Person) -> Done:
        room = self._owned(frame.room, person)
        if not frame.user:
            revoked = self._directory.revoke_invitations(room)
            await self._directory.store(revoked)
            return Done(_REVOKED[self._language].format(room=room, count=len(revoked)), frame.key)
        name = stored_name(frame.user)
        known = self._directory.names.holder(name)
        member = next(
            (
                row
                for row in self._directory.rooms.members(room)
                if row.name == name or (known and row.claim == known.claim)
            ),
            None,
        )
        if member is not None and member.claim == person.claim:
            return await self._give_up(room, person, frame)
        if member is None:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        self._directory.rooms.remove_member(room, member.claim)
        # The former member may still have the link of their invitation.
        revoked = self._directory.revoke_invitations(room)
        # They receive nothing more, even if the change cannot be written for now.
        self._directory.recheck_sessions(self._directory.sessions.of(member.claim))
        await self._directory.store([(self._directory.rooms, self._directory.rooms.key(member)), *revoked])
        return Done(self._about(_MEMBER_REMOVED, member.name, room), frame.key)

    def _about(self, sentence: Mapping[Language, str], name: str, room: str = "") -> str:
        return sentence[self._language].format(name=in_sentence(name, self._language), room=room)

    async def _give_up(self, room: str, person: Person, frame: Uninvite) -> Done:
        """Give up a person's own room in which nothing was said, with all its members: its place is free."""
        is_unused = await self._rooms.is_unused(room)
        self._owned(room, person)  # they may have given it up meanwhile
        if not is_unused:
            raise Refused(ErrorCode.NOT_ALLOWED, room=room, why=_SAID)
        await self._directory.store(self._directory.give_up(room))
        return Done(_GIVEN_UP[self._language].format(room=room), frame.key)

    def _owned(self, given: str, person: Person) -> str:
        room = clean_room(given)
        if not self._directory.policy.may_invite(room, person.claim):
            why = {
                Language.RU: f"в комнату {room} приглашает только тот, кто её создал",
                Language.EN: f"only the creator of the room {room} may invite to it",
            }
            raise Refused(ErrorCode.NOT_ALLOWED, room=room, why=why)
        return room
