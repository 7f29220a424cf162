"""`Converse`: taking part over one stream, equal to ``/ws``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar, cast

from besedka.proto import frames as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.chat import Chat
from besedka.serve.conversation import Conversation
from besedka.serve.doors.grpc.stream import Stream, StreamMember, Write
from besedka.serve.fairness import Pace
from besedka.serve.people.presence import Person
from besedka.serve.room import Room
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import AddDevice, Join, ListRooms, ServerFrame, TakeDevice
from besedka.wire.frames import Chat as ChatFrame

T = TypeVar("T")

FIRST: Final = (Join, ListRooms, AddDevice, TakeDevice)
"""With one of these a stream begins: all others are about a room that was joined."""


class ConverseMember(StreamMember):
    """A place in a room."""

    __slots__ = ()

    stream: ConverseStream

    @staticmethod
    def encode(frames: Sequence[ServerFrame]) -> bytes:
        if isinstance(frames[0], ChatFrame):
            messages = proto.messages(cast("Sequence[ChatFrame]", frames))
            return pb.ConverseResponse(messages=messages).SerializeToString()
        return proto.response(frames[0], None).SerializeToString()

    def refused(self, refusal: Refused) -> None:
        self.stream.visitor.refuse(refusal)

    def start_again(self) -> None:
        self.handed = b""
        self.stream.visitor.start_again(self.room, self)


class ConverseStream(Stream):
    """One call of `Converse`.

    Attributes:
        visitor: who talks by it.
    """

    def __init__(self, chat: Chat, pace: Pace, language: Language, write: Write) -> None:
        super().__init__(chat, write)
        self.visitor = _Visitor(self, chat, pace, language)

    def members(self) -> Iterable[tuple[Room, ConverseMember]]:
        return cast("Iterable[tuple[Room, ConverseMember]]", self.visitor.members())

    def tell(self, frame: ServerFrame) -> None:
        self.answer(proto.response(frame, self.chat.zone).SerializeToString())

    async def listen(self, requests: AsyncIterator[pb.ConverseRequest]) -> None:
        """Take what comes in, until the other side has said all.

        Raises:
            Refused: if a request holds nothing, or the first one cannot be the first.
        """
        has_begun = False
        async for request in requests:
            if self.shown_out.done():
                return
            self.visitor.pace.hear(self.chat.now(), 1)
            await asyncio.sleep(self.visitor.pace.deaf_for(self.chat.now()))
            frame = proto.said(request)
            if not has_begun and not isinstance(frame, FIRST):
                raise _begun_wrongly()
            has_begun = True
            self.visitor.hear_word(frame)
            await self.visitor.answered()
            await self.has_room()
        if not has_begun:
            raise _begun_wrongly()


def _begun_wrongly() -> Refused:
    return Refused(ErrorCode.BAD_FRAME, detail="the first request must be a `join`, or one that needs none")


class _Visitor(Conversation):
    __slots__ = ("_pending", "_stream")

    def __init__(self, stream: ConverseStream, chat: Chat, pace: Pace, language: Language) -> None:
        super().__init__(chat, pace, language)
        self._stream = stream
        self._pending: tuple[asyncio.Future[Any], Callable[[Any], None]] | None = None

    def tell(self, frame: ServerFrame) -> None:
        self._stream.tell(frame)

    def show_out(self, ending: CloseCode, refusal: Refused) -> None:
        self.end()
        self._stream.show_out(ending, refusal)

    def make_member(self, person: Person, room: Room, *, is_seen: bool) -> ConverseMember:
        return ConverseMember(person, room, self._stream, is_seen=is_seen)

    def wait_for(self, answer: asyncio.Future[T], then: Callable[[T], None]) -> None:
        self._pending = (answer, then)

    async def answered(self) -> None:
        """Wait until what was heard last has been dealt with."""
        while self._pending:
            (answer, then), self._pending = self._pending, None
            try:
                found = await asyncio.shield(answer)
            except Refused as refusal:
                self.refuse(refusal)
            else:
                then(found)
