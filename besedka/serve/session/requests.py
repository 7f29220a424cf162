"""What people ask about who belongs where: private rooms, talks of two, invitations, other devices.

What is answered is on disk: each question waits until the files about people are written.
"""

from __future__ import annotations

from besedka.serve.chat import Chat
from besedka.serve.people.devices import LINK_SECONDS
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import (
    AddDevice,
    Device,
    DeviceLink,
    Done,
    Invitation,
    Invite,
    Kind,
    OpenDirect,
    OpenPrivate,
    Response,
    RoomOpened,
    TakeDevice,
    Uninvite,
)
from besedka.wire.validation import clean_key, clean_name, clean_room, clean_secret

Request = OpenPrivate | OpenDirect | Invite | Uninvite | AddDevice | TakeDevice
"""What is asked here: all questions but those of who keeps order."""

_TAKEN_BACK = {
    Language.RU: "Приглашения в комнату {room} отозваны: {count}",
    Language.EN: "Invitations into the room {room} taken back: {count}",
}
_OPEN_NAMES = {
    Language.RU: "в этом чате имена ничьи (--names open), и знать, кто вошёл, нельзя",
    Language.EN: "names are nobody's in this chat (--names open), so it cannot be known who comes in",
}
_PUT_OUT = {
    Language.RU: "{name} больше не участник комнаты {room}",
    Language.EN: "{name} is no member of the room {room} any more",
}


class Requests:
    """Answers what a connection asks.

    Args:
        chat: whose people and rooms.
        language: of the sentences.
    """

    __slots__ = ("_chat", "_language")

    def __init__(self, chat: Chat, language: Language) -> None:
        self._chat = chat
        self._language = language

    async def answer(self, frame: Request, person: Person | None) -> Response:
        """Do what is asked for, and say what came of it.

        Args:
            frame: the question.
            person: who asks; None if he is in no room.

        Raises:
            Refused: if it cannot be.
        """
        clean_key(frame.key)
        match frame:
            case AddDevice():
                return await self._add_device(frame)
            case TakeDevice():
                handover = self._chat.directory.devices.take(frame.token, self._chat.now())
                return Device(handover.user, handover.secret, frame.key)
            case _:
                return await self._answer_person(frame, self._verified(person))

    async def _answer_person(
        self, frame: OpenPrivate | OpenDirect | Invite | Uninvite, person: Person
    ) -> Response:
        match frame:
            case OpenPrivate():
                return await self._open_private(frame, person)
            case OpenDirect():
                return await self._open_direct(frame, person)
            case Invite():
                return await self._invite(frame, person)
            case Uninvite():
                return await self._uninvite(frame, person)

    async def _add_device(self, frame: AddDevice) -> DeviceLink:
        directory = self._chat.directory
        known, claim = directory.names.holder(clean_name(frame.user)), claim_of(clean_secret(frame.secret))
        if known is None or not claim or known.claim != claim:
            raise Refused(ErrorCode.NO_SECRET)
        await directory.store([(directory.names, known.name)])
        token = directory.devices.make(known.name, frame.secret, self._chat.now())
        return DeviceLink(token, known.name, LINK_SECONDS, frame.key)

    async def _open_private(self, frame: OpenPrivate, person: Person) -> RoomOpened:
        directory, room = self._chat.directory, clean_room(frame.room)
        if not self._is_being_made(room, person):
            if await self._chat.rooms.exists(room):
                raise Refused(ErrorCode.ROOM_TAKEN, room=room)
            directory.rooms.open_private(room, person.name, person.claim)
        await directory.store(directory.membership_changes(room))
        return RoomOpened(room, Kind.PRIVATE, key=frame.key)

    def _is_being_made(self, room: str, person: Person) -> bool:
        """Whether he has asked for it before, and was not told that it is made."""
        directory = self._chat.directory
        return directory.policy.may_invite(room, person.claim) and not directory.is_stored(
            directory.membership_changes(room)
        )

    async def _open_direct(self, frame: OpenDirect, person: Person) -> RoomOpened:
        directory, name = self._chat.directory, clean_name(frame.user)
        other = directory.names.holder(name)
        if other is None or not other.claim or other.claim == person.claim:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        room = directory.rooms.open_direct((person.name, person.claim), (other.name, other.claim))
        await directory.store(directory.membership_changes(room))
        for session in directory.sessions.of(other.claim):
            if all(room != name for name, _ in session.places()):
                session.send(RoomOpened(room, Kind.DIRECT, person.name))
        return RoomOpened(room, Kind.DIRECT, other.name, frame.key)

    async def _invite(self, frame: Invite, person: Person) -> Invitation:
        directory, room = self._chat.directory, self._owned(frame.room, person)
        token, offer = directory.invitations.make(
            "room", room, person.name, self._chat.clock(), uses=frame.uses, seconds=frame.seconds
        )
        await directory.store_invitation(offer)
        return Invitation(room, token, offer.uses, offer.expires, frame.key)

    async def _uninvite(self, frame: Uninvite, person: Person) -> Done:
        directory, room = self._chat.directory, self._owned(frame.room, person)
        if not frame.user:
            taken = directory.revoke_invitations(room)
            await directory.store(taken)
            return Done(_TAKEN_BACK[self._language].format(room=room, count=len(taken)), frame.key)
        name = clean_name(frame.user)
        known = directory.names.holder(name)
        member = next(
            (
                one
                for one in directory.rooms.members(room)
                if one.name == name or (known and one.claim == known.claim)
            ),
            None,
        )
        if member is None or member.claim == person.claim:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        directory.rooms.remove_member(room, member.claim)
        # He may still have the link by which he came.
        taken = directory.revoke_invitations(room)
        # He hears nothing more, also if it cannot be written for now.
        directory.recheck_sessions()
        await directory.store([(directory.rooms, directory.rooms.key(member)), *taken])
        return Done(_PUT_OUT[self._language].format(room=room, name=member.name), frame.key)

    def _verified(self, person: Person | None) -> Person:
        if not self._chat.directory.names.is_kept:
            raise Refused(ErrorCode.NOT_ALLOWED, why=_OPEN_NAMES)
        if person is None or not person.is_verified:
            raise Refused(ErrorCode.NO_SECRET)
        return person

    def _owned(self, given: str, person: Person) -> str:
        room = clean_room(given)
        if not self._chat.directory.policy.may_invite(room, person.claim):
            why = {
                Language.RU: f"в комнату {room} приглашает только тот, кто её создал",
                Language.EN: f"only who has made the room {room} invites into it",
            }
            raise Refused(ErrorCode.NOT_ALLOWED, room=room, why=why)
        return room
