"""``/ws``: Besedka's own protocol, as JSON text frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from besedka.serve.chat import Chat
from besedka.serve.conversation import Conversation
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.frames import encode_frames
from besedka.serve.doors.websocket.member import SocketMember
from besedka.serve.people.presence import Person
from besedka.serve.room import Room
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Language, Refused
from besedka.wire.frames import ServerFrame, decode_client

T = TypeVar("T")


class BesedkaMember(SocketMember):
    """A member who has ids and a cursor of its own."""

    __slots__ = ("_room", "visitor")

    visitor: BesedkaTalk

    def __init__(
        self, person: Person, room: Room, talk: BesedkaTalk, connection: Connection, *, is_seen: bool
    ) -> None:
        super().__init__(person, talk, connection, is_seen=is_seen)
        self._room = room

    def start_again(self) -> None:
        self.visitor.start_again(self._room, self)


class BesedkaTalk(Conversation):
    """A conversation over a WebSocket connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection, chat: Chat, language: Language) -> None:
        super().__init__(chat, connection.pace, language)
        self._connection = connection

    def begin(self) -> None:
        """Nothing is told before the first join."""

    def hear(self, text: str) -> None:
        """A whole text frame came in."""
        try:
            frame = decode_client(text)
        except Refused as refusal:
            self.refuse(refusal)
        else:
            self.hear_word(frame)

    def tell(self, frame: ServerFrame) -> None:
        self._connection.send(encode_frames([frame]))

    def show_out(self, ending: CloseCode, refusal: Refused) -> None:
        self.refuse(refusal)
        self._connection.show_out(ending)

    def make_member(self, person: Person, room: Room, *, is_seen: bool) -> BesedkaMember:
        return BesedkaMember(person, room, self, self._connection, is_seen=is_seen)

    def wait_for(self, answer: asyncio.Future[T], then: Callable[[T], None]) -> None:
        self._connection.wait_for(answer, then)
