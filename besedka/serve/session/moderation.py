"""Moderation: the acts of moderators and the operator, one after the other.

Each act is written to ``audit.txt`` first, and has no effect if that fails; but for a kick, which leaves no state that has to be found there.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from besedka.serve.chat import OpenRooms, Redactor, RoomEndings
from besedka.serve.clock import Clock
from besedka.serve.directory import Directory
from besedka.serve.people.audit_entry import LATEST, OPERATOR, AuditEntry
from besedka.serve.people.person import Person
from besedka.serve.people.restrictions import until_when
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room
from besedka.serve.session.act_effects import ActEffects
from besedka.serve.session.act_target import Target, author, target_of
from besedka.serve.session.admission import Admission
from besedka.serve.session.room_acts import RoomActs
from besedka.serve.session.whereabouts import Whereabouts
from besedka.wire.counting import count_of
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import INVITATION_SECONDS, Act, Done, Invitation, Kind, Moderate, Response
from besedka.wire.naming import in_sentence
from besedka.wire.validation import clean_key, clean_name, clean_reason, clean_room, stored_name

log = logging.getLogger(__name__)

OPERATORS_ACTS: Final = frozenset(
    {
        Act.APPOINT,
        Act.DISMISS,
        Act.ADMIT,
        Act.RELEASE,
        Act.ENTRUST,
        Act.ARCHIVE,
        Act.UNARCHIVE,
        Act.RENAME,
        Act.DELETE,
    }
)
"""Acts that only the operator may do."""

CHANGES_OF_LOGS: Final = frozenset({Act.RENAME, Act.DELETE})
"""Acts that a node of a cluster cannot do for the others yet: their logs would differ from its own."""

SLOWEST_SECONDS: Final = 24 * 3600
"""A message a day."""

_DONE: Final = {
    Act.KICK: {Language.RU: "{user}: соединение разорвано", Language.EN: "{user} was disconnected"},
    Act.MUTE: {Language.RU: "{user}: писать запрещено {until}", Language.EN: "{user} is muted {until}"},
    Act.UNMUTE: {Language.RU: "{user}: снова можно писать", Language.EN: "{user} is no longer muted"},
    Act.BAN: {Language.RU: "{user}: вход заблокирован {until}", Language.EN: "{user} is banned {until}"},
    Act.UNBAN: {Language.RU: "{user}: вход разблокирован", Language.EN: "{user} is no longer banned"},
    Act.SLOW: {
        Language.RU: "{room}: медленный режим, одно сообщение от человека за {seconds} с",
        Language.EN: "{room}: slow mode, one message per person every {pause}",
    },
    Act.REDACT: {
        Language.RU: "{room}: сообщение {id} удалено",
        Language.EN: "{room}: message {id} was removed",
    },
    Act.APPOINT: {Language.RU: "{user} теперь модератор", Language.EN: "{user} is now a moderator"},
    Act.DISMISS: {
        Language.RU: "{user} больше не модератор",
        Language.EN: "{user} is no longer a moderator",
    },
    Act.RELEASE: {Language.RU: "Имя {user} свободно", Language.EN: "The name {user} is free"},
    Act.ENTRUST: {
        Language.RU: "{room}: теперь это комната {user}",
        Language.EN: "{room}: {user} is now an owner of this room",
    },
    Act.ARCHIVE: {
        Language.RU: "{room}: комната в архиве, её можно только читать",
        Language.EN: "{room}: the room is archived, it can only be read",
    },
    Act.UNARCHIVE: {
        Language.RU: "{room}: комната больше не в архиве",
        Language.EN: "{room}: the room is no longer archived",
    },
    Act.RENAME: {
        Language.RU: "{room}: комната теперь называется {to}",
        Language.EN: "{room}: the room is called {to} now",
    },
    Act.DELETE: {
        Language.RU: "{room}: комната удалена, её файлы отложены",
        Language.EN: "{room}: the room is deleted, its files are kept aside",
    },
}
_NOT_SLOW: Final = {
    Language.RU: "{room}: медленный режим выключен",
    Language.EN: "{room}: slow mode is off",
}
_NOT_APPLICABLE: Final = {
    Act.KICK: {Language.RU: "{user} сейчас не в чате", Language.EN: "{user} is not here now"},
    Act.UNMUTE: {Language.RU: "{user}: писать и так можно", Language.EN: "{user} is not muted"},
    Act.UNBAN: {Language.RU: "{user}: вход не заблокирован", Language.EN: "{user} is not banned"},
    Act.ARCHIVE: {
        Language.RU: "комната {room} уже в архиве",
        Language.EN: "the room {room} is archived already",
    },
    Act.UNARCHIVE: {
        Language.RU: "комната {room} не в архиве",
        Language.EN: "the room {room} is not archived",
    },
}
_YOURSELF: Final = {
    Language.RU: "к себе это применить нельзя, попросите другого модератора",
    Language.EN: "you cannot do this to yourself; ask another moderator",
}
_MODERATOR_ONLY: Final = {
    Language.RU: "это могут только модераторы",
    Language.EN: "only moderators may do this",
}
_OPERATOR_ONLY: Final = {
    Language.RU: "это может только администратор чата, командой besedka admin",
    Language.EN: "only the operator of the chat may do this, with besedka admin",
}
_IN_CLUSTER: Final = {
    Language.RU: "в кластере этого пока нельзя: другие узлы об этом не узнают",
    Language.EN: "this cannot be done in a cluster yet: the other nodes would not learn of it",
}
_NOT_RECORDED: Final = {
    Language.RU: "записать это в audit.txt не удалось",
    Language.EN: "this could not be recorded in audit.txt",
}
_NOT_PRIVATE: Final = {
    Language.RU: "это не частная комната",
    Language.EN: "that is not a private room",
}
_OTHER_MODERATOR: Final = {
    Language.RU: "это другой модератор",
    Language.EN: "that is another moderator",
}


@dataclass(frozen=True, slots=True)
class _Actor:
    """The actor of an audit entry.

    Attributes:
        name: the name in the entry.
        claim: a moderator's claim; the operator has none.
    """

    name: str = OPERATOR
    claim: str = ""


class Moderator:
    """Carries out acts of moderation.

    Args:
        directory: people and their rights; records the acts.
        rooms: the rooms.
        redactor: redacts messages.
        endings: ends rooms.
        admission: decides which rooms a moderator may enter.
        clock: the server's clock.
        language: of the sentences.
        has_others: whether there are other nodes.
    """

    def __init__(
        self,
        directory: Directory,
        rooms: OpenRooms,
        redactor: Redactor,
        *,
        endings: RoomEndings,
        admission: Admission,
        clock: Clock,
        language: Language,
        has_others: bool = False,
    ) -> None:
        self._has_others = has_others
        self._directory = directory
        self._moderation = directory.moderation
        self._rooms = rooms
        self._redactor = redactor
        self._room_acts = RoomActs(directory, rooms, endings)
        self._whereabouts = Whereabouts(directory)
        self._effects = ActEffects(directory, rooms, clock)
        self._admission = admission
        self._clock = clock
        self._language = language
        # All others are on people.
        self._acts: Mapping[Act, Callable[[Moderate, _Actor], Awaitable[Response]]] = {
            Act.REDACT: self._redact,
            Act.SLOW: self._slow,
            Act.ARCHIVE: self._archive,
            Act.UNARCHIVE: self._archive,
            Act.RENAME: self._end_room,
            Act.DELETE: self._end_room,
            Act.ADMIT: self._admit,
            Act.RELEASE: self._release,
            Act.ENTRUST: self._entrust,
        }

    async def answer(self, frame: Moderate, person: Person | None) -> Response:
        """Carry out a moderator's act.

        Args:
            frame: the act.
            person: the requester; None if they are in no room.

        Raises:
            Refused: if they may not do it, or it cannot be carried out.
        """
        async with self._directory.moderation_lock:
            if person is None or not self._moderation.is_moderator(person.claim):
                raise Refused(ErrorCode.NOT_ALLOWED, why=_MODERATOR_ONLY)
            if frame.act in OPERATORS_ACTS:
                raise Refused(ErrorCode.NOT_ALLOWED, why=_OPERATOR_ONLY)
            # A person who joined without a name is identified by their claim.
            name = person.name or self._directory.names.name_of(person.claim)
            if not name:
                raise Refused(ErrorCode.NO_NAME)
            return await self._act(frame, _Actor(name, person.claim))

    async def command(self, frame: Moderate) -> Response:
        """Carry out the operator's act.

        Raises:
            Refused: if it cannot be carried out.
        """
        async with self._directory.moderation_lock:
            return await self._act(frame, _Actor())

    async def _act(self, frame: Moderate, actor: _Actor) -> Response:
        clean_key(frame.key)
        self._rooms.check_accepting()
        if self._has_others and frame.act in CHANGES_OF_LOGS:
            raise Refused(ErrorCode.NOT_ALLOWED, room=frame.room, why=_IN_CLUSTER)
        return await self._acts.get(frame.act, self._restrict)(frame, actor)

    # Acts on people.

    async def _restrict(self, frame: Moderate, actor: _Actor) -> Response:
        target = target_of(frame, self._directory)
        sessions = self._whereabouts.sessions(target)
        self._check_protected(frame.act, target, sessions, actor)
        self._check_applicable(frame.act, target, sessions, actor)
        addresses = self._whereabouts.restricted_addresses(frame.act, target, sessions)
        until = self._until(frame) if frame.act in {Act.MUTE, Act.BAN} else 0
        entry = self._entry(
            frame, actor, user=target.user, claim=target.claim, addresses=addresses, until=until
        )
        # Those that it has before the entry is written, and after it.
        before = self._whereabouts.muted_connections(frame.act, target)
        is_recorded = await self._record(
            entry, lambda: before | self._whereabouts.muted_connections(frame.act, target)
        )
        # Also for sessions that began while the entry was written.
        self._effects.follow(entry)
        if frame.act in {Act.MUTE, Act.BAN}:
            # An earlier one may last longer.
            until = self._moderation.end_of(frame.act, self._clock.wall(), target.identifiers)
        done = self._done(frame, user=target.shown, until=until_when(until, self._clock.zone)[self._language])
        return done if is_recorded else Done(f"{done.text}; {_NOT_RECORDED[self._language]}", done.key)

    async def _record(self, entry: AuditEntry, connections: Callable[[], Iterable[int]]) -> bool:
        """Record an act. Returns False if that failed and it takes effect all the same.

        Raises:
            Refused: `storage_full`, `not_stored`; then it may have no effect.
        """
        try:
            await self._directory.record(entry, connections)
        except Refused:
            if entry.act is not Act.KICK:
                raise
            log.warning("%s kicked %s, which is not in the audit log", ascii(entry.actor), ascii(entry.user))
            return False
        return True

    def _check_protected(
        self, act: Act, target: Target, sessions: Iterable[LiveSession], actor: _Actor
    ) -> None:
        """Refuse a moderator's act on a moderator, or on an address that a moderator is connected from."""
        if not actor.claim:
            return
        if target.claim == actor.claim:
            if act in {Act.UNMUTE, Act.UNBAN, Act.KICK, Act.BAN, Act.MUTE}:
                raise Refused(ErrorCode.NOT_ALLOWED, why=_YOURSELF)
            return
        # A moderator's name does not protect its present holder.
        is_moderator = (
            self._moderation.is_moderator(target.claim)
            if target.claim
            else bool(target.user) and self._moderation.is_moderators_name(target.user)
        )
        if is_moderator or any(map(self._is_moderator, sessions)):
            raise Refused(ErrorCode.NOT_ALLOWED, why=_OTHER_MODERATOR)

    def _check_applicable(self, act: Act, target: Target, sessions: list[LiveSession], actor: _Actor) -> None:
        """Refuse an act that does not apply to the target."""
        now = self._clock.wall()
        # A moderator has mistyped a name that nobody has or had; the operator may restrict one that nobody has yet.
        is_somebody = not actor.claim or bool(
            target.addresses or self._whereabouts.origins(target, sessions) or target.claim
        )
        is_known = {
            Act.MUTE: is_somebody,
            Act.BAN: is_somebody,
            Act.KICK: bool(sessions) or self._rooms.is_present_elsewhere(target.user),
            Act.UNMUTE: self._moderation.is_muted(now, target.identifiers),
            Act.UNBAN: self._moderation.is_banned(now, target.identifiers),
            Act.APPOINT: bool(target.claim),
            Act.DISMISS: self._moderation.is_moderator(target.claim)
            or self._moderation.is_moderators_name(target.user),
        }
        if is_known.get(act, True):
            return
        if act in _NOT_APPLICABLE:
            raise Refused(ErrorCode.NOT_ALLOWED, why=_filled(_NOT_APPLICABLE[act], user=target.shown))
        raise Refused(ErrorCode.NO_SUCH_NAME, name=target.shown)

    def _is_moderator(self, session: LiveSession) -> bool:
        return any(self._moderation.is_moderator(person.claim) for person in session.people())

    def _until(self, frame: Moderate) -> int:
        if not frame.seconds:
            return 0
        until = int(self._clock.wall()) + frame.seconds
        if until > LATEST:
            raise Refused(ErrorCode.BAD_FRAME, detail="`seconds` is too large; 0 means no end")
        return until

    # Acts on rooms and messages.

    async def _redact(self, frame: Moderate, actor: _Actor) -> Response:
        room = await self._room(frame, actor)
        with self._rooms.held(room):
            subject = await self._redactor.subject(room, frame.id)
            self._check_protected(frame.act, author(subject.user, self._directory), (), actor)
            entry = self._entry(
                frame,
                actor,
                user=subject.user,
                room=room.name,
                id=frame.id,
                said=subject.stamp,
                epoch=subject.epoch,
                size=subject.size,
            )
            await self._directory.record(entry)
            await self._redactor.redact(room, subject)
        return self._done(frame, room=room.name, id=frame.id)

    async def _slow(self, frame: Moderate, actor: _Actor) -> Response:
        room = await self._room(frame, actor)
        if frame.seconds > SLOWEST_SECONDS:
            raise Refused(ErrorCode.BAD_FRAME, detail=f"`seconds` is at most {SLOWEST_SECONDS}")
        entry = self._entry(frame, actor, room=room.name, seconds=frame.seconds)
        await self._directory.record(entry)
        self._effects.follow(entry)
        if not frame.seconds:
            return Done(_NOT_SLOW[self._language].format(room=room.name), frame.key)
        return self._done(
            frame, room=room.name, seconds=frame.seconds, pause=count_of(frame.seconds, "second")
        )

    async def _archive(self, frame: Moderate, actor: _Actor) -> Response:
        room = await self._room(frame, actor)
        is_archived = frame.act is Act.ARCHIVE
        if self._moderation.is_archived(room.name) is is_archived:
            why = _filled(_NOT_APPLICABLE[frame.act], room=room.name)
            raise Refused(ErrorCode.NOT_ALLOWED, room=room.name, why=why)
        entry = self._entry(frame, actor, room=room.name)
        with self._rooms.held(room):
            await self._directory.record(entry)
            # Those who are there learn it before they have written something.
            self._effects.follow(entry)
        return self._done(frame, room=room.name)

    async def _end_room(self, frame: Moderate, actor: _Actor) -> Response:
        room, to = clean_room(frame.room), clean_room(frame.to) if frame.act is Act.RENAME else ""
        await self._room_acts.end(self._entry(frame, actor, room=room, to=to))
        return self._done(frame, room=room, to=to)

    async def _room(self, frame: Moderate, actor: _Actor) -> Room:
        """The frame's room; a moderator must have access to it."""
        name = clean_room(frame.room)
        if actor.claim:
            return await self._admission.existing_room(name, actor.claim)
        return await self._rooms.for_operator(name)

    async def _entrust(self, frame: Moderate, actor: _Actor) -> Response:
        room, name = clean_room(frame.room), stored_name(frame.user)
        rooms, known = self._directory.rooms, self._directory.names.holder(name)
        if rooms.kind(room) is not Kind.PRIVATE:
            raise Refused(ErrorCode.NOT_ALLOWED, room=room, why=_NOT_PRIVATE)
        if known is None or not known.claim:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=name)
        await self._directory.record(self._entry(frame, actor, user=known.name, claim=known.claim, room=room))
        # The links of a room that nobody is in any more are those of its former owner.
        revoked = [] if rooms.has_members(room) else self._directory.revoke_invitations(room)
        rooms.entrust(room, known.name, known.claim)
        self._effects.send_rights(known.claim)
        await self._directory.store([*revoked, *self._directory.membership_changes(room)])
        return self._done(frame, user=known.name, room=room)

    # Acts on names.

    async def _admit(self, frame: Moderate, actor: _Actor) -> Response:
        name = clean_name(frame.user)
        known = self._directory.names.holder(name)
        if known and known.claim:
            raise Refused(ErrorCode.NAME_CLAIMED, name=name)
        name = known.name if known else name
        # Made first: an invitation that is refused is not recorded.
        token, offer = self._directory.invitations.make(
            "name",
            name,
            actor.name,
            self._clock.wall(),
            uses=1,
            seconds=frame.seconds or INVITATION_SECONDS,
        )
        with self._directory.withdrawn_if_refused(offer):
            await self._directory.record(self._entry(frame, actor, user=name))
            await self._directory.store_invitation(offer)
        return Invitation("", token, offer.uses, offer.expires, frame.key)

    async def _release(self, frame: Moderate, actor: _Actor) -> Response:
        known = self._directory.names.holder(stored_name(frame.user))
        if known is None:
            raise Refused(ErrorCode.NO_SUCH_NAME, name=frame.user)
        await self._directory.record(self._entry(frame, actor, user=known.name))
        self._directory.names.release(known.name)
        self._directory.read_marks.keep(self._directory.names.is_known)
        self._directory.recheck_sessions()
        await self._directory.store([(self._directory.names, known.name)])
        return self._done(frame, user=known.name)

    # Entries and answers.

    def _entry(self, frame: Moderate, actor: _Actor, **details: object) -> AuditEntry:
        reason = clean_reason(frame.reason)
        return AuditEntry(
            self._clock.stamp(),
            actor.name,
            frame.act,
            by=actor.claim,
            reason=reason,
            **details,  # type: ignore[arg-type]  # each act has its own
        )

    def _done(self, frame: Moderate, **figures: object) -> Done:
        return Done(_filled(_DONE[frame.act], **figures)[self._language], frame.key)


def _filled(sentences: Mapping[Language, str], **figures: object) -> dict[Language, str]:
    user = str(figures.pop("user", ""))
    return {
        language: text.format(user=_shown(user, language), **figures) for language, text in sentences.items()
    }


def _shown(user: str, language: Language) -> str:
    """A name or an address in a sentence; no name holds a colon, as addresses of IPv6 do."""
    return user if ":" in user else in_sentence(user, language)
