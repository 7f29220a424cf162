"""``/ws``: Besedka's own protocol. One connection may be in many rooms."""

from __future__ import annotations

import asyncio
import secrets
from typing import Final, assert_never

from besedka.serve.chat import Chat
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.talk import SocketMember, SocketTalk
from besedka.serve.room import Room, Said, Telling
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

LIMITS: Final = Limits(
    name=NAME_CHARACTERS_AT_MOST,
    room=ROOM_CHARACTERS_AT_MOST,
    text=TEXT_CHARACTERS_AT_MOST,
    frame=FRAME_BYTES_AT_MOST,
)


class BesedkaTalk(SocketTalk):
    """A talk in Besedka's own protocol."""

    def __init__(self, connection: Connection, chat: Chat, language: Language) -> None:
        super().__init__(connection, chat, language)
        self._places: dict[str, SocketMember] = {}
        # One connection is one person, in all its rooms, also if it brought no secret.
        self._own_secret = secrets.token_hex(16)

    def begin(self) -> None:
        """Nothing is told before the first join."""

    def hear(self, text: str) -> None:
        word: ClientWord | None = None
        try:
            word = decode_client(text)
            self._act(word)
        except Refused as refusal:
            refusal.room = refusal.room or (word.room if word else "")
            refusal.key = refusal.key or (word.key if isinstance(word, Say) else "")
            self.refuse(refusal)

    def resume(self) -> None:
        for member in tuple(self._places.values()):
            self._chat.follow(member.room, member)

    def end(self) -> None:
        for member in self._places.values():
            self._go(member)
        self._places.clear()

    def _act(self, word: ClientWord) -> None:
        match word:
            case Join():
                self._join(word)
            case Say():
                self._say(word)
            case Browse():
                room = self._place(word.room).room
                page = asyncio.ensure_future(self._chat.page(room, word.before, word.limit))
                self._connection.wait_for(page, lambda found: self._show(found, word.before))
            case BeginTyping():
                member = self._place(word.room)
                self._chat.type(member.room, member)
            case Leave():
                member = self._place(word.room)
                del self._places[member.room.name]
                self._go(member)
            case _:
                assert_never(word)

    def _join(self, word: Join) -> None:
        name = clean_name(word.user)
        room_name = clean_room(word.room)
        if len(word.secret) > SECRET_CHARACTERS_AT_MOST:
            raise Refused(
                Code.BAD_FRAME, detail=f"`secret` has at most {SECRET_CHARACTERS_AT_MOST} characters"
            )
        if room_name in self._places:
            raise Refused(Code.ALREADY_JOINED, room=room_name)
        room = self._chat.room(room_name)
        if isinstance(room, Room):
            self._enter(room, name, word)
        else:
            self._connection.wait_for(room, lambda room: self._enter_later(room, name, word))

    def _enter_later(self, room: Room, name: str, word: Join) -> None:
        try:
            self._enter(room, name, word)
        except Refused as refusal:
            refusal.room = room.name
            self.refuse(refusal)

    def _enter(self, room: Room, name: str, word: Join) -> None:
        person = self._chat.people.come(name, word.secret or self._own_secret)
        member = self._places[room.name] = SocketMember(person, room, self)
        reset = self._chat.enter(room, member, word.since, word.epoch)
        welcome = Welcome(
            room=room.name,
            user=name,
            head=room.head,
            epoch=room.epoch,
            clients_count=room.clients_count,
            users=room.names(),
            limits=LIMITS,
            utc_offset=self._chat.utc_offset(),
            reset=reset,
        )
        self.send(Telling([welcome]))
        self._chat.follow(room, member)

    def _say(self, word: Say) -> None:
        member = self._place(word.room)
        said = Said(member, member.person.name, clean_text(word.text), clean_key(word.key))
        known = self._chat.say(member.room, said)
        if known:
            self.send(Telling([known]))

    def _show(self, page: History, before: int) -> None:
        answer = History(room=page.room, first=page.first, messages=page.messages, before=before)
        self.send(Telling([answer]))

    def _place(self, room: str) -> SocketMember:
        name = clean_room(room)
        if name not in self._places:
            raise Refused(Code.NOT_JOINED, room=name)
        return self._places[name]

    def _go(self, member: SocketMember) -> None:
        self._chat.leave(member.room, member)
        self._chat.people.go(member.person)
