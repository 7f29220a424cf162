"""Keeping order: what moderators and the operator do, one thing after the other.

Whatever it is, it is noted in ``audit.txt`` first, and has no effect if that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from besedka.serve.chat import Chat
from besedka.serve.conversation.target import Target, author, target_of
from besedka.serve.fairness import THIS_MACHINE
from besedka.serve.people.deeds import LATEST, OPERATOR, Deed
from besedka.serve.people.guests import Guest
from besedka.serve.people.order import until_when
from besedka.serve.people.presence import Person
from besedka.serve.room import Room
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import INVITATION_SECONDS, Act, Done, Invitation, Moderate, Response, Rights
from besedka.wire.validation import clean_key, clean_name, clean_reason, clean_room

OPERATORS_ACTS: Final = frozenset({Act.APPOINT, Act.DISMISS, Act.ADMIT, Act.RELEASE})
"""What only the operator may do."""

SLOWEST_SECONDS: Final = 24 * 3600
"""A message a day."""

_DONE: Final = {
    Act.KICK: {Language.RU: "{user}: показана дверь", Language.EN: "{user} was shown out"},
    Act.MUTE: {
        Language.RU: "{user}: говорить нельзя {until}",
        Language.EN: "{user} may not talk {until}",
    },
    Act.UNMUTE: {Language.RU: "{user}: снова можно говорить", Language.EN: "{user} may talk again"},
    Act.BAN: {Language.RU: "{user}: вход закрыт {until}", Language.EN: "{user} is banned {until}"},
    Act.UNBAN: {Language.RU: "{user}: вход снова открыт", Language.EN: "{user} may come in again"},
    Act.SLOW: {
        Language.RU: "{room}: одно сообщение за {seconds} с",
        Language.EN: "{room}: one message in {seconds} seconds",
    },
    Act.REDACT: {
        Language.RU: "{room}: текст сообщения {id} убран",
        Language.EN: "{room}: the text of message {id} was taken away",
    },
    Act.APPOINT: {Language.RU: "{user} теперь модератор", Language.EN: "{user} is a moderator now"},
    Act.DISMISS: {
        Language.RU: "{user} больше не модератор",
        Language.EN: "{user} is no moderator any more",
    },
    Act.RELEASE: {Language.RU: "Имя {user} свободно", Language.EN: "The name {user} is free"},
}
_NOT_SLOW: Final = {
    Language.RU: "{room}: говорить можно сколько угодно",
    Language.EN: "{room}: as many messages as one likes",
}
_SHOWN_OUT: Final = {Language.RU: "вам показали на дверь", Language.EN: "you were shown out"}
_NOT_SO: Final = {
    Act.KICK: {Language.RU: "{user} сейчас не здесь", Language.EN: "{user} is not here now"},
    Act.UNMUTE: {Language.RU: "{user}: говорить и так можно", Language.EN: "{user} is not muted"},
    Act.UNBAN: {Language.RU: "{user}: вход и так открыт", Language.EN: "{user} is not banned"},
}
_ONESELF: Final = {
    Language.RU: "это о вас самих, попросите другого",
    Language.EN: "it is about yourself; ask somebody else",
}
_NO_MODERATOR: Final = {
    Language.RU: "порядок держат модераторы",
    Language.EN: "moderators keep order",
}
_OPERATORS: Final = {
    Language.RU: "это делает тот, кто ведёт чат, командой besedka admin",
    Language.EN: "whoever runs the chat does this, with besedka admin",
}
_ANOTHER: Final = {
    Language.RU: "это другой модератор",
    Language.EN: "that is another moderator",
}


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Who keeps order.

    Attributes:
        name: as it is noted.
        claim: of a moderator; the operator has none.
    """

    name: str = OPERATOR
    claim: str = ""


class Keeping:
    """Does what those who keep order ask for.

    Args:
        chat: where.
        language: of the sentences.
    """

    __slots__ = ("_chat", "_language", "_order", "_register")

    def __init__(self, chat: Chat, language: Language) -> None:
        self._chat = chat
        self._register = chat.register
        self._order = chat.register.order
        self._language = language

    async def answer(self, frame: Moderate, person: Person | None) -> Response:
        """Do what somebody who is here asks for.

        Args:
            frame: what.
            person: who; None if he is in no room.

        Raises:
            Refused: if he may not, or it cannot be.
        """
        async with self._register.keeping:
            if person is None or not self._order.is_moderator(person.claim):
                raise Refused(ErrorCode.NOT_ALLOWED, why=_NO_MODERATOR)
            if frame.act in OPERATORS_ACTS:
                raise Refused(ErrorCode.NOT_ALLOWED, why=_OPERATORS)
            # Who has come without a name is known by his claim.
            name = person.name or self._register.names.name_of(person.claim)
            if not name:
                raise Refused(ErrorCode.NO_NAME)
            return await self._act(frame, _Keeper(name, person.claim))

    async def command(self, frame: Moderate) -> Response:
        """Do what the operator asks for.

        Raises:
            Refused: if it cannot be.
        """
        async with self._register.keeping:
            return await self._act(frame, _Keeper())

    async def _act(self, frame: Moderate, keeper: _Keeper) -> Response:
        clean_key(frame.key)
        if self._chat.is_going_down:
            raise Refused(ErrorCode.GOING_DOWN)
        match frame.act:
            case Act.REDACT:
                return await self._redact(frame, keeper)
            case Act.SLOW:
                return await self._slow(frame, keeper)
            case Act.ADMIT:
                return await self._admit(frame, keeper)
            case Act.RELEASE:
                return await self._release(frame, keeper)
            case _:
                return await self._restrict(frame, keeper)

    # To somebody.

    async def _restrict(self, frame: Moderate, keeper: _Keeper) -> Response:
        target = target_of(frame, self._register)
        guests = self._guests(target)
        self._protect(frame.act, target, guests, keeper)
        self._expect(frame.act, target, guests)
        addresses = target.addresses
        if frame.act is Act.BAN and target.user:
            addresses = self._addresses(guests)
        until = self._until(frame) if frame.act in {Act.MUTE, Act.BAN} else 0
        deed = self._deed(
            frame, keeper, user=target.user, claim=target.claim, addresses=addresses, until=until
        )
        await self._register.note(deed)
        if frame.act is Act.KICK:
            # Who came while it was noted is meant, too.
            why = {language: _with_reason(text, deed.reason) for language, text in _SHOWN_OUT.items()}
            self._register.show_out(
                self._guests(target), CloseCode.KICKED, Refused(ErrorCode.NOT_ALLOWED, why=why)
            )
        if frame.act is Act.BAN:
            self._register.reconsider()
        if frame.act in {Act.APPOINT, Act.DISMISS}:
            self._tell_rights(target)
        return self._done(frame, user=target.shown, until=until_when(until, self._chat.zone)[self._language])

    def _tell_rights(self, target: Target) -> None:
        for guest in self._register.guests.of(target.claim):
            for room, claim in guest.places():
                guest.tell(Rights(room, self._register.admission.may(room, claim)))

    def _guests(self, target: Target) -> list[Guest]:
        return [guest for guest in self._register.guests if target.is_guest(guest)]

    def _protect(self, act: Act, target: Target, guests: Iterable[Guest], keeper: _Keeper) -> None:
        """Only the operator does anything to a moderator, or to an address from which one is here."""
        if not keeper.claim:
            return
        if target.claim == keeper.claim:
            if act in {Act.UNMUTE, Act.UNBAN, Act.KICK, Act.BAN, Act.MUTE}:
                raise Refused(ErrorCode.NOT_ALLOWED, why=_ONESELF)
            return
        # A name that somebody else has claimed since protects nobody.
        is_moderator = (
            self._order.is_moderator(target.claim)
            if target.claim
            else bool(target.user) and self._order.is_moderators_name(target.user)
        )
        if is_moderator or any(map(self._is_moderator, guests)):
            raise Refused(ErrorCode.NOT_ALLOWED, why=_ANOTHER)

    def _expect(self, act: Act, target: Target, guests: list[Guest]) -> None:
        """Whether there is somebody to whom it can be done."""
        now = self._chat.clock()
        is_known = {
            Act.KICK: bool(guests),
            Act.UNMUTE: self._order.is_muted(now, target.marks),
            Act.UNBAN: self._order.is_banned(now, target.marks),
            Act.APPOINT: bool(target.claim),
            Act.DISMISS: self._order.is_moderator(target.claim)
            or self._order.is_moderators_name(target.user),
        }
        if is_known.get(act, True):
            return
        if act in _NOT_SO:
            raise Refused(ErrorCode.NOT_ALLOWED, why=_filled(_NOT_SO[act], user=target.shown))
        raise Refused(ErrorCode.NO_SUCH_NAME, name=target.shown)

    def _addresses(self, guests: Iterable[Guest]) -> tuple[str, ...]:
        """From where somebody is here, but for this machine, and for the addresses of others who have shown who they are."""
        meant = {*guests}
        others = [guest for guest in self._register.guests if guest not in meant]
        shared = {guest.network for guest in others if any(person.is_verified for person in guest.people())}
        networks = {guest.network for guest in meant} - shared - {None, THIS_MACHINE}
        return tuple(sorted(map(str, networks)))

    def _is_moderator(self, guest: Guest) -> bool:
        return any(self._order.is_moderator(person.claim) for person in guest.people())

    def _until(self, frame: Moderate) -> int:
        if not frame.seconds:
            return 0
        until = int(self._chat.clock()) + frame.seconds
        if until > LATEST:
            raise Refused(ErrorCode.BAD_FRAME, detail="`seconds` is too much; 0 is without an end")
        return until

    # To rooms and messages.

    async def _redact(self, frame: Moderate, keeper: _Keeper) -> Response:
        room = await self._room(frame, keeper)
        self._chat.rooms.hold(room)
        try:
            subject = await self._chat.redacting.subject(room, frame.id)
            self._protect(frame.act, author(subject.user, self._register), (), keeper)
            deed = self._deed(
                frame,
                keeper,
                user=subject.user,
                room=room.name,
                id=frame.id,
                said=subject.stamp,
                epoch=subject.epoch,
                size=subject.size,
            )
            await self._register.note(deed)
            await self._chat.redacting.redact(room, subject)
        finally:
            self._chat.rooms.let_go(room)
        return self._done(frame, room=room.name, id=frame.id)

    async def _slow(self, frame: Moderate, keeper: _Keeper) -> Response:
        room = await self._room(frame, keeper)
        if frame.seconds > SLOWEST_SECONDS:
            raise Refused(ErrorCode.BAD_FRAME, detail=f"`seconds` is at most {SLOWEST_SECONDS}")
        await self._register.note(self._deed(frame, keeper, room=room.name, seconds=frame.seconds))
        if not frame.seconds:
            return Done(_NOT_SLOW[self._language].format(room=room.name), frame.key)
        return self._done(frame, room=room.name, seconds=frame.seconds)

    async def _room(self, frame: Moderate, keeper: _Keeper) -> Room:
        """The room that is meant; a moderator must be let into it."""
        name = clean_room(frame.room)
        if keeper.claim:
            return await self._chat.rooms.existing(name, keeper.claim)
        return await self._chat.rooms.for_operator(name)

    # To names.

    async def _admit(self, frame: Moderate, keeper: _Keeper) -> Response:
        name = clean_name(frame.user)
        known = self._register.names.holder(name)
        if known and known.claim:
            raise Refused(ErrorCode.NAME_CLAIMED, name=name)
        name = known.name if known else name
        await self._register.note(self._deed(frame, keeper, user=name))
        token, offer = self._register.invitations.make(
            "name",
            name,
            keeper.name,
            self._chat.clock(),
            uses=1,
            seconds=frame.seconds or INVITATION_SECONDS,
        )
        await self._register.store_invitation(offer)
        return Invitation("", token, offer.uses, offer.expires, frame.key)

    async def _release(self, frame: Moderate, keeper: _Keeper) -> Response:
        known = self._register.names.holder(clean_name(frame.user))
        if known is None:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=frame.user)
        await self._register.note(self._deed(frame, keeper, user=known.name))
        self._register.names.release(known.name)
        self._register.reconsider()
        await self._register.store([(self._register.names, known.name)])
        return self._done(frame, user=known.name)

    # Inside.

    def _deed(self, frame: Moderate, keeper: _Keeper, **what: object) -> Deed:
        reason = clean_reason(frame.reason)
        return Deed(
            self._chat.stamp(),
            keeper.name,
            frame.act,
            by=keeper.claim,
            reason=reason,
            **what,  # type: ignore[arg-type]  # each act has its own
        )

    def _done(self, frame: Moderate, **figures: object) -> Done:
        return Done(_DONE[frame.act][self._language].format(**figures), frame.key)


def _filled(sentences: Mapping[Language, str], **figures: object) -> dict[Language, str]:
    return {language: text.format(**figures) for language, text in sentences.items()}


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text
