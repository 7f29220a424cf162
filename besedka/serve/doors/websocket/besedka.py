"""``/ws``: Besedka's own protocol, as JSON text frames."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.frames import encode_frames
from besedka.serve.doors.websocket.subscriber import SocketSubscriber
from besedka.serve.people.person import Person
from besedka.serve.room import Room
from besedka.serve.session import ChatSession, Services
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Refused
from besedka.wire.frames import ServerFrame, decode_client


class BesedkaSubscriber(SocketSubscriber):
    """A subscriber with ids and its own cursor."""

    __slots__ = ("_room",)

    session: BesedkaSession

    def __init__(
        self, person: Person, room: Room, session: BesedkaSession, connection: Connection, *, is_seen: bool
    ) -> None:
        super().__init__(person, session, connection, is_seen=is_seen)
        self._room = room

    def start_again(self) -> None:
        self.session.start_again(self._room, self)

    def remove(self, refusal: Refused) -> None:
        self.session.remove_from_room(self._room.name, refusal)


class BesedkaSession(ChatSession):
    """A session over a WebSocket connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection, services: Services) -> None:
        super().__init__(services, connection.limiter)
        self._connection = connection

    @property
    def door(self) -> str:
        return "/ws"

    @property
    def unsent(self) -> int:
        return self._connection.unsent

    def begin(self) -> None:
        """Do nothing: the server sends no frame before the first join."""

    def receive(self, text: str) -> None:
        """Handle a complete text message."""
        try:
            frame = decode_client(text)
        except Refused as refusal:
            self.refuse(refusal)
        else:
            self.receive_frame(frame)

    def send(self, frame: ServerFrame) -> None:
        self._connection.send(encode_frames([frame]))

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        self.refuse(refusal)
        self._connection.disconnect(ending)

    def abort(self) -> None:
        self._connection.abort()

    def make_subscriber(self, person: Person, room: Room, *, is_seen: bool) -> BesedkaSubscriber:
        return BesedkaSubscriber(person, room, self, self._connection, is_seen=is_seen)

    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        self._connection.wait_for(work)
