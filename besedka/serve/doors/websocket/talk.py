"""What both protocols of the WebSocket door have in common: telling words to a connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from besedka.serve.chat import Chat
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.frames import frames
from besedka.serve.people import Person
from besedka.serve.room import Member, Room
from besedka.wire.line import clock_time
from besedka.wire.refusals import Language, Refused
from besedka.wire.words import Error, SeedHistory, ServerWord


class SocketTalk:
    """A talk over a WebSocket connection.

    Args:
        connection: where to write.
        chat: whom to talk with.
        language: of the sentences in refusals.
    """

    __slots__ = ("chat", "connection", "language")

    def __init__(self, connection: Connection, chat: Chat, language: Language) -> None:
        self.connection = connection
        self.chat = chat
        self.language = language

    def members(self) -> Iterable[SocketMember]:
        """Its places in rooms."""
        raise NotImplementedError

    def send(self, word: ServerWord | SeedHistory) -> None:
        """Tell something to this connection only."""
        self.connection.send(frames([word]))

    def pace(self) -> None:
        """A message is said.

        Raises:
            Refused: `too_fast`.
        """
        self.connection.pace.say(self.chat.now())

    def refuse(self, refusal: Refused) -> None:
        """Tell that something was refused, and why."""
        self.chat.metrics.refused(refusal.code)
        self.connection.pace.refuse(self.chat.now())
        error = Error(
            code=refusal.code,
            text=refusal.sentence(self.language),
            timestamp=clock_time(self.chat.stamp()),
            key=refusal.key,
            room=refusal.room,
            retry_after=refusal.wait,
        )
        self.send(error)

    def fall_behind(self) -> None:
        """Nothing more should be written: from here on the log is read."""
        for member in self.members():
            member.room.fall_behind(member)

    def resume(self) -> None:
        """There is room again."""
        for member in tuple(self.members()):
            self.chat.follow(member.room, member)


class SocketMember(Member):
    """A member who hears by WebSocket frames."""

    __slots__ = ("room", "talk")

    def __init__(self, person: Person, room: Room, talk: SocketTalk) -> None:
        super().__init__(person, talk.connection.transport.write)
        self.room = room
        self.talk = talk

    @staticmethod
    def encode(words: Sequence[ServerWord]) -> bytes:
        return frames(words)

    @property
    def is_full(self) -> bool:
        return self.talk.connection.is_full

    def hear(self, word: ServerWord) -> None:
        self.talk.send(word)

    def refused(self, refusal: Refused) -> None:
        self.talk.refuse(refusal)
