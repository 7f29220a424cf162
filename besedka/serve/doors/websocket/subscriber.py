"""A subscriber over a WebSocket connection: the common part of the door's two protocols."""

from __future__ import annotations

from besedka.serve.act_on_each import act_on_each
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.frames import encode_frames
from besedka.serve.people.person import Person
from besedka.serve.room import Broadcast, Subscriber
from besedka.serve.session import SessionBase
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Language, Refused
from besedka.wire.frames import ServerFrame


class SocketSubscriber(Subscriber):
    """A subscriber that receives WebSocket frames."""

    __slots__ = ("_connection", "session")

    def __init__(
        self, person: Person, session: SessionBase, connection: Connection, *, is_seen: bool = True
    ) -> None:
        super().__init__(person, connection.transport.write, is_seen=is_seen)
        self.session = session
        self._connection = connection

    encode = staticmethod(encode_frames)

    @property
    def language(self) -> Language:
        return self.session.services.language

    @property
    def is_full(self) -> bool:
        return self._connection.is_full

    def send(self, frame: ServerFrame) -> None:
        self.session.send(frame)

    def send_page(self, page: Broadcast) -> None:
        self._connection.send(page.encoded(self.encode))

    def refused(self, refusal: Refused) -> None:
        self.session.refuse_message(refusal)

    def break_off(self) -> None:
        act_on_each(
            [self._connection],
            lambda connection: connection.close(CloseCode.BROKEN),
            "a connection could not be closed",
        )
