"""What both protocols of the WebSocket door have in common: telling words to a connection."""

from __future__ import annotations

from besedka.serve.chat import Chat
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.frames import frames
from besedka.serve.people import Person
from besedka.serve.room import Member, Room, Telling
from besedka.wire.line import clock_time
from besedka.wire.refusals import Language, Refused
from besedka.wire.words import Error


class SocketTalk:
    """A talk over a WebSocket connection.

    Args:
        connection: where to write.
        chat: whom to talk with.
        language: of the sentences in refusals.
    """

    def __init__(self, connection: Connection, chat: Chat, language: Language) -> None:
        self._connection = connection
        self._chat = chat
        self._language = language

    def send(self, telling: Telling) -> bool:
        """Write words to the connection. False if its buffer is full now."""
        return self.write(telling.encoded(frames))

    def write(self, data: bytes) -> bool:
        """Write frames to the connection. False if its buffer is full now."""
        self._connection.send(data)
        return not self._connection.is_full

    def refuse(self, refusal: Refused) -> None:
        """Tell that something was refused, and why."""
        error = Error(
            code=refusal.code,
            text=refusal.sentence(self._language),
            timestamp=clock_time(self._chat.stamp()),
            key=refusal.key,
            room=refusal.room,
        )
        self.send(Telling([error]))


class SocketMember(Member):
    """A member who hears by WebSocket frames."""

    __slots__ = ("room", "talk")

    def __init__(self, person: Person, room: Room, talk: SocketTalk) -> None:
        super().__init__(person)
        self.room = room
        self.talk = talk

    def hear(self, telling: Telling) -> bool:
        return self.talk.send(telling)

    def refused(self, refusal: Refused) -> None:
        self.talk.refuse(refusal)
