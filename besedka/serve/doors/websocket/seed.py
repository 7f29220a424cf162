"""``/``: the seed's protocol, as its clients know it.

There is nothing to join: whoever connects is in the default room, is sent its last messages, and says with each
message who speaks. The name of a speaker is his while he is connected; in notices he stays nameless, as in the seed.
"""

from __future__ import annotations

from besedka.serve.chat import Chat
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.frames import frames
from besedka.serve.doors.websocket.talk import SocketMember, SocketTalk
from besedka.serve.people import Person
from besedka.serve.room import Room, Said, Telling
from besedka.wire.line import clock_time
from besedka.wire.names import DEFAULT_ROOM, SYSTEM_NAME, clean_name, clean_text
from besedka.wire.refusals import Language, Refused
from besedka.wire.words import History, SeedHistory, decode_seed


class SeedMember(SocketMember):
    """A member who knows only the seed's frames: the seed's clients show any other as a message."""

    __slots__ = ("talk",)

    talk: SeedTalk

    hears_typing = False

    def hear(self, telling: Telling) -> bool:
        first = telling.words[0]
        if isinstance(first, History):
            return self.talk.show(first)
        return super().hear(telling)

    def start_again(self) -> None:
        # There are no ids here: what is new is heard, whatever log it stands in.
        self.cursor = self.room.head + 1


class SeedTalk(SocketTalk):
    """A talk in the seed's protocol."""

    def __init__(self, connection: Connection, chat: Chat, language: Language) -> None:
        super().__init__(connection, chat, language)
        self._member: SeedMember | None = None
        self._speaker: Person | None = None

    def begin(self) -> None:
        try:
            room = self._chat.room(DEFAULT_ROOM)
        except Refused as refusal:
            self.refuse(refusal)
            return
        if isinstance(room, Room):
            self._enter(room)
        else:
            self._connection.wait_for(room, self._enter)

    def hear(self, text: str) -> None:
        try:
            word = decode_seed(text)
            name, cleaned = clean_name(word.user), clean_text(word.text)
            if self._member:
                self._speak_as(name)
                self._chat.say(self._member.room, Said(self._member, name, cleaned, key=""))
        except Refused as refusal:
            self.refuse(refusal)

    def show(self, page: History) -> bool:
        """Send a page of history, in a frame that can also be shown as one message."""
        timestamp = clock_time(self._chat.stamp())
        text = "".join(f"\n{line}" for line in page.messages)
        return self.write(frames([SeedHistory(page.messages, SYSTEM_NAME, text, timestamp)]))

    def resume(self) -> None:
        if self._member:
            self._chat.follow(self._member.room, self._member)

    def end(self) -> None:
        if self._member:
            self._chat.leave(self._member.room, self._member)
        if self._speaker:
            self._chat.people.go(self._speaker)

    def _enter(self, room: Room) -> None:
        self._member = SeedMember(Person(), room, self)
        self._chat.enter(room, self._member)
        self._chat.follow(room, self._member)

    def _speak_as(self, name: str) -> None:
        if self._speaker and self._speaker.name == name:
            return
        speaker = self._chat.people.come(name)
        if self._speaker:
            self._chat.people.go(self._speaker)
        self._speaker = speaker
