"""``/ws``: Besedka's own protocol. One connection may be in many rooms."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar, assert_never

from besedka.serve.chat import Chat
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.talk import SocketMember, SocketTalk
from besedka.serve.fairness import REFUSAL_SECONDS
from besedka.serve.people import Person
from besedka.serve.resend import SaidBefore
from besedka.serve.room import Room, Said
from besedka.wire.names import (
    FRAME_BYTES_AT_MOST,
    NAME_CHARACTERS_AT_MOST,
    ROOM_CHARACTERS_AT_MOST,
    SECRET_CHARACTERS_AT_MOST,
    TEXT_CHARACTERS_AT_MOST,
    clean_key,
    clean_name,
    clean_room,
    clean_text,
)
from besedka.wire.refusals import Code, Language, Refused
from besedka.wire.words import (
    BeginTyping,
    Browse,
    ClientWord,
    History,
    Join,
    Leave,
    Limits,
    Say,
    Welcome,
    decode_client,
)
from besedka.wire.words import Chat as ChatWord

T = TypeVar("T")

ROOMS_OF_ONE_AT_MOST: Final = 100
"""Rooms that one connection may be in at once."""

LIMITS: Final = Limits(
    name=NAME_CHARACTERS_AT_MOST,
    room=ROOM_CHARACTERS_AT_MOST,
    text=TEXT_CHARACTERS_AT_MOST,
    frame=FRAME_BYTES_AT_MOST,
)


class BesedkaMember(SocketMember):
    """A member who has ids and a cursor of its own.

    Attributes:
        said_before: what the log has by its name, once it has said something again.
        refused_key: of the message that was said too fast, and must come again first.
    """

    __slots__ = ("refused_key", "said_before", "talk")

    talk: BesedkaTalk

    def __init__(self, person: Person, room: Room, talk: BesedkaTalk) -> None:
        super().__init__(person, room, talk)
        self.said_before: SaidBefore | None = None
        self.refused_key = ""

    def start_again(self) -> None:
        self.said_before = None
        self.talk.welcome(self, reset=True)


class BesedkaTalk(SocketTalk):
    """A talk in Besedka's own protocol."""

    __slots__ = ("_own_secret", "_places")

    def __init__(self, connection: Connection, chat: Chat, language: Language) -> None:
        super().__init__(connection, chat, language)
        self._places: dict[str, BesedkaMember] = {}
        # One connection is one person, in all its rooms, also if it brought no secret.
        self._own_secret = ""

    def members(self) -> Iterable[BesedkaMember]:
        return self._places.values()

    def begin(self) -> None:
        """Nothing is told before the first join."""

    def hear(self, text: str) -> None:
        try:
            word = decode_client(text)
        except Refused as refusal:
            self.refuse(refusal)
        else:
            self._try(word, lambda: self._act(word))

    def end(self) -> None:
        for member in self._places.values():
            self._go(member)
        self._places.clear()

    def welcome(self, member: BesedkaMember, *, reset: bool) -> None:
        """Tell a member what it must know of its room."""
        room = member.room
        welcome = Welcome(
            room=room.name,
            user=member.person.name,
            head=room.head,
            epoch=room.epoch,
            clients_count=room.clients_count,
            users=room.names(),
            limits=LIMITS,
            utc_offset=self.chat.utc_offset(),
            reset=reset,
        )
        self.send(welcome)

    def _try(self, word: ClientWord, act: Callable[[], None]) -> None:
        try:
            act()
        except Refused as refusal:
            refusal.room = refusal.room or word.room
            refusal.key = refusal.key or (word.key if isinstance(word, Say) else "")
            self.refuse(refusal)

    def _later(self, word: ClientWord, answer: Awaitable[T], act: Callable[[T], None]) -> None:
        """Deal with a word when something it needs is there; the words behind it wait."""
        future = asyncio.ensure_future(answer)
        self.connection.wait_for(future, lambda found: self._try(word, lambda: act(found)))

    def _act(self, word: ClientWord) -> None:
        match word:
            case Join():
                self._join(word)
            case Say():
                self._keep_pace(word)
                self._say(word)
            case Browse():
                room = self._place(word.room).room
                self._later(
                    word, self.chat.page(room, word.before, word.limit), lambda page: self._show(page, word)
                )
            case BeginTyping():
                member = self._place(word.room)
                self.chat.type(member.room, member)
            case Leave():
                member = self._place(word.room)
                del self._places[member.room.name]
                self._go(member)
            case _:
                assert_never(word)

    def _keep_pace(self, word: Say) -> None:
        """Refuse what is too fast, and then all else with a key until the refused message comes again: so its order stays."""
        member, key = self._place(word.room), word.key
        if key and member.room.knows(member.person.name, key):
            return
        if member.refused_key and key and key != member.refused_key:
            raise Refused(Code.TOO_FAST, wait=REFUSAL_SECONDS)
        try:
            self.pace()
        except Refused:
            member.refused_key = member.refused_key or key
            raise
        if key:
            member.refused_key = ""

    def _join(self, word: Join) -> None:
        name = clean_name(word.user)
        room_name = clean_room(word.room)
        if len(word.secret) > SECRET_CHARACTERS_AT_MOST:
            raise Refused(
                Code.BAD_FRAME, detail=f"`secret` has at most {SECRET_CHARACTERS_AT_MOST} characters"
            )
        if room_name in self._places:
            raise Refused(Code.ALREADY_JOINED, room=room_name)
        if len(self._places) >= ROOMS_OF_ONE_AT_MOST:
            raise Refused(Code.TOO_MANY_ROOMS, limit=ROOMS_OF_ONE_AT_MOST)
        room = self.chat.room(room_name)
        if isinstance(room, Room):
            self._enter(room, name, word)
        else:
            self._later(word, room, lambda room: self._enter(room, name, word))

    def _enter(self, room: Room, name: str, word: Join) -> None:
        if not word.secret:
            self._own_secret = self._own_secret or secrets.token_hex(16)
        person = self.chat.people.come(name, word.secret or self._own_secret)
        member = self._places[room.name] = BesedkaMember(person, room, self)
        reset = self.chat.enter(room, member, word.since, word.epoch)
        self.welcome(member, reset=reset)
        self.chat.follow(room, member)

    def _say(self, word: Say) -> None:
        member = self._place(word.room)
        room, user = member.room, member.person.name
        said = Said(member, user, clean_text(word.text), clean_key(word.key))
        if room.is_full:
            self._later(word, self.chat.space(room), lambda _: self._say(word))
        elif word.after is None or room.knows(user, said.key):
            self._tell_if_known(self.chat.say(room, said))
        elif member.said_before is None or member.said_before.after > word.after:
            before = self.chat.said_by(room, user, word.after)
            self._later(word, before, lambda before: self._say_again(word, said, before))
        else:
            self._say_again(word, said, member.said_before)

    def _say_again(self, word: Say, said: Said, before: SaidBefore) -> None:
        member = self._place(word.room)
        member.said_before = before
        known = self.chat.recognise(member.room, said, word.after or 0, before)
        self._tell_if_known(known or self.chat.say(member.room, said))

    def _tell_if_known(self, known: ChatWord | None) -> None:
        if known:
            self.send(known)

    def _show(self, page: History, word: Browse) -> None:
        answer = History(room=page.room, first=page.first, messages=page.messages, before=word.before)
        self.send(answer)

    def _place(self, room: str) -> BesedkaMember:
        name = clean_room(room)
        if name not in self._places:
            raise Refused(Code.NOT_JOINED, room=name)
        return self._places[name]

    def _go(self, member: BesedkaMember) -> None:
        self.chat.leave(member.room, member)
        self.chat.people.go(member.person)
