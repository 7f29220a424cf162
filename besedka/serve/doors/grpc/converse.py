"""`Converse`: a session over one stream, with all that ``/ws`` has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any, Final, cast

from besedka.proto import frames as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.grpc.requests import Request
from besedka.serve.doors.grpc.stream import Stream, StreamSubscriber, Write
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.people.person import Person
from besedka.serve.room import Room
from besedka.serve.session import ChatSession, Services
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import AddDevice, Join, ListRooms, ServerFrame, TakeDevice
from besedka.wire.frames import Chat as ChatFrame

FIRST: Final = (Join, ListRooms, AddDevice, TakeDevice)
"""The frames with which a stream may begin: all others are about a room that was joined."""


class ConverseSubscriber(StreamSubscriber):
    """A subscriber over a stream of `Converse`."""

    __slots__ = ()

    stream: ConverseStream

    @staticmethod
    def encode(frames: Sequence[ServerFrame]) -> bytes:
        if isinstance(frames[0], ChatFrame):
            messages = proto.messages(cast("Sequence[ChatFrame]", frames))
            return pb.ConverseResponse(messages=messages).SerializeToString()
        return proto.response(frames[0], None).SerializeToString()

    def refused(self, refusal: Refused) -> None:
        self.stream.session.refuse_message(refusal)

    def remove(self, refusal: Refused) -> None:
        self.stream.session.remove_from_room(self.room.name, refusal)

    def start_again(self) -> None:
        self.forget_unwritten()
        self.stream.session.start_again(self.room, self)


class ConverseStream(Stream):
    """One call of `Converse`.

    Attributes:
        session: the session over this stream.
    """

    def __init__(self, services: Services, limiter: RateLimiter, write: Write) -> None:
        super().__init__(services, write)
        self.session = _ConverseSession(self, services, limiter)

    def subscriptions(self) -> Iterable[tuple[Room, ConverseSubscriber]]:
        return cast("Iterable[tuple[Room, ConverseSubscriber]]", self.session.subscriptions())

    def send(self, frame: ServerFrame) -> None:
        self.answer(proto.response(frame, self.services.clock.zone).SerializeToString())

    async def listen(self, requests: AsyncIterator[Request[pb.ConverseRequest]]) -> None:
        """Handle requests until the client ends its side. It goes on receiving from its rooms; in no room, the stream ends.

        Raises:
            Refused: if a request is empty or out of bounds, or the first one is none of `FIRST`.
        """
        has_begun = False
        async for request in requests:
            if self.disconnected.done():
                return
            self.session.limiter.charge_frames(self.services.clock.now(), 1)
            await asyncio.sleep(self.session.limiter.delay(self.services.clock.now()))
            self._receive(request, is_first=not has_begun)
            has_begun = True
            await self.session.answered()
            await self.has_room()
        if not has_begun:
            raise _begun_wrongly()
        if not any(True for _ in self.subscriptions()):
            self.end()

    def _receive(self, request: Request[pb.ConverseRequest], *, is_first: bool) -> None:
        frame = proto.client_frame(request.take())
        if is_first and not isinstance(frame, FIRST):
            raise _begun_wrongly()
        self.session.receive_frame(frame)


def _begun_wrongly() -> Refused:
    return Refused(ErrorCode.BAD_FRAME, detail="the first request must be a `join`, or one that needs none")


class _ConverseSession(ChatSession):
    __slots__ = ("_stream", "_work")

    def __init__(self, stream: ConverseStream, services: Services, limiter: RateLimiter) -> None:
        super().__init__(services, limiter)
        self._stream = stream
        self._work: Coroutine[Any, Any, None] | None = None

    @property
    def door(self) -> str:
        return "gRPC Converse"

    @property
    def unsent(self) -> int:
        return self._stream.unsent

    def send(self, frame: ServerFrame) -> None:
        self._stream.send(frame)

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        self.end()
        self._stream.disconnect(ending, refusal)

    def abort(self) -> None:
        self._stream.abort()

    def make_subscriber(self, person: Person, room: Room, *, is_seen: bool) -> ConverseSubscriber:
        return ConverseSubscriber(person, room, self._stream, is_seen=is_seen)

    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work

    async def answered(self) -> None:
        """Wait until the last frame has been handled."""
        if self._work:
            work, self._work = self._work, None
            await work
