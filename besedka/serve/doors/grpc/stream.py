"""Subscribers over gRPC: each is a cursor that pulls what comes next, and HTTP/2's flow control holds back a slow client.

While a stream waits at the head its subscribers are live; a broadcast wakes it, and is the next thing that it writes. While it
writes it is behind, and catches up with all that was broadcast meanwhile in one response: from the recent messages that the
room keeps in the shared encoding, or else from the log. So a subscriber needs no queue, only its cursor. A page of the log may have to
wait for its turn; what the stream's other rooms and requests have for it is written meanwhile.

A message whose id is below the cursor is written before any response that is queued later: a client that gets its own message as a
response, because it has resent it, takes it for the next one, and whatever comes with a lower id for known.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import tzinfo
from functools import cache
from typing import Final

from besedka.proto import frames as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.chat import Page
from besedka.serve.doors.timeouts import STUCK_SECONDS
from besedka.serve.errors import SessionFailed
from besedka.serve.limits.rate_limits import GRPC_PAGE_COST
from besedka.serve.people.person import Person
from besedka.serve.room import Encode, Room, Subscriber
from besedka.serve.session import Services
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Language, Refused
from besedka.wire.frames import History, ServerFrame

UNREAD_BYTES: Final = 64 * 1024
"""Unread responses above which the client's requests wait until it reads; as over WebSocket."""

Write = Callable[[bytes], Awaitable[None]]


class StreamSubscriber(Subscriber):
    """A subscriber that receives the responses of a stream."""

    __slots__ = ("fetching", "handed", "room", "stream")

    pulls = True
    notice_writes = 10
    page_cost = GRPC_PAGE_COST

    def __init__(self, person: Person, room: Room, stream: Stream, *, is_seen: bool) -> None:
        super().__init__(person, self._deliver, is_seen=is_seen)
        self.room = room
        self.stream = stream
        # A broadcast that is not written yet.
        self.handed = b""
        # The page of the log that is read for it.
        self.fetching: asyncio.Task[Page | None] | None = None

    def take_handed(self) -> bytes:
        """Remove and return the broadcast that is not written yet; it must be written next."""
        handed, self.handed = self.handed, b""
        return handed

    def forget_unwritten(self) -> None:
        """Drop what is not written yet: it belongs to another log."""
        self.handed = b""
        self.stop_fetching()

    def stop_fetching(self) -> None:
        """Read no page for it any more; the cursor stays before that."""
        if self.fetching:
            self.fetching.cancel()
            self.fetching = None

    @property
    def language(self) -> Language:
        return self.stream.services.language

    @property
    def is_full(self) -> bool:
        return False

    def send(self, frame: ServerFrame) -> None:
        self.stream.send(frame)

    def read_on(self) -> None:
        self.stream.wake()

    def break_off(self) -> None:
        self.stream.abort()

    def _deliver(self, data: bytes) -> None:
        self.handed = data
        self.room.fall_behind(self)
        self.stream.wake()


class Stream(ABC):
    """A call that streams responses.

    Args:
        services: the services that sessions share.
        write: writes a response, and waits until there is room for the next.
    """

    def __init__(self, services: Services, write: Write) -> None:
        self.services = services
        self.is_ending = False
        # The reason why the client is disconnected.
        self.disconnected: asyncio.Future[Refused | SessionFailed] = (
            asyncio.get_running_loop().create_future()
        )
        self._write = write
        self._writes_begun = self._writes_done = 0
        # What had been written when the deadline was set; at first there is none.
        self._writes_seen = -1
        self._stuck_at = 0.0
        self._answers: deque[bytes] = deque()
        self._unread_bytes = 0
        self._woken = asyncio.Event()
        self._drained = asyncio.Event()

    @abstractmethod
    def subscriptions(self) -> Iterable[tuple[Room, StreamSubscriber]]:
        """Its subscriptions, with their rooms."""

    @abstractmethod
    def send(self, frame: ServerFrame) -> None:
        """Send a frame to this stream only."""

    @property
    def unsent(self) -> int:
        """Bytes of responses, but for messages, that wait to be sent."""
        return self._unread_bytes

    async def has_room(self) -> None:
        """Wait until responses of at most `UNREAD_BYTES` are unread."""
        while self._unread_bytes > UNREAD_BYTES:
            self._drained.clear()
            await self._drained.wait()

    def answer(self, response: bytes) -> None:
        """Queue a response ahead of messages."""
        self._answers.append(response)
        self._unread_bytes += len(response)
        self.wake()

    def wake(self) -> None:
        """Wake the writer: there is something to write."""
        self._woken.set()

    def end(self) -> None:
        """Write the rest, then end."""
        self.is_ending = True
        self.wake()

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:  # noqa: ARG002 - a call has a status instead
        """End the call with a refusal, after the responses that are queued."""
        self._disconnect(refusal)

    def abort(self) -> None:
        """End the call after an error of the server, after the responses that are queued."""
        self._disconnect(SessionFailed())

    def is_stuck(self, now: float) -> bool:
        """Whether the client has let no write end for `STUCK_SECONDS`; to be asked again and again."""
        if self._writes_begun == self._writes_done or self._writes_done != self._writes_seen:
            self._writes_seen = self._writes_done
            self._stuck_at = now + STUCK_SECONDS
        return now >= self._stuck_at

    def at_head(self, member: StreamSubscriber) -> None:  # noqa: B027 - optional
        """Called when a subscriber has caught up."""

    def cursors(self) -> pb.Cursors:
        """The cursors from which a client continues later."""
        found = [
            pb.Cursor(room=room.name, since=member.cursor - 1, epoch=room.epoch)
            for room, member in self.subscriptions()
        ]
        return pb.Cursors(cursors=found)

    async def run(self) -> None:
        """Write until `end` is called, or the task is cancelled."""
        try:
            await self._write_all()
        finally:
            for _, member in self.subscriptions():
                member.stop_fetching()

    async def _write_all(self) -> None:
        while True:
            self._woken.clear()
            wrote = await self._write_answers()
            # A disconnected client gets the responses that are queued, and no more messages.
            for room, member in () if self.disconnected.done() else tuple(self.subscriptions()):
                if member.is_gone:
                    continue  # removed while another one was written to; its room may be closed
                # Write nothing between these two: a response that arrives meanwhile may announce another log.
                data = self._next(room, member)
                if data:
                    await self._write_out(data)
                    wrote = True
            if not wrote and not self._woken.is_set():
                if self.is_ending:
                    return
                await self._woken.wait()

    def _disconnect(self, why: Refused | SessionFailed) -> None:
        if not self.disconnected.done():
            self.disconnected.set_result(why)
        self.end()

    async def _write_answers(self) -> bool:
        wrote = bool(self._answers)
        while self._answers:
            await self._write_handed()
            response = self._answers.popleft()
            await self._write_out(response)
            self._unread_bytes -= len(response)
            self._drained.set()
        return wrote

    async def _write_handed(self) -> None:
        """Write the broadcasts behind which cursors are already."""
        while not self.disconnected.done():
            members = (member for _, member in self.subscriptions() if member.handed)
            member = next(members, None)
            if member is None:
                return
            await self._write_out(member.take_handed())

    async def _write_out(self, data: bytes) -> None:
        self._writes_begun += 1
        await self._write(data)
        self._writes_done += 1

    def _next(self, room: Room, member: StreamSubscriber) -> bytes:
        """The next bytes for a subscriber; empty while they are read from the log, and at the head, where it becomes live."""
        if member.handed:
            return member.take_handed()
        if member.fetching:
            return self._fetched(room, member, member.fetching)
        if member.cursor <= room.head:
            if recalled := room.recall(member):
                return recalled
            member.fetching = self.services.catch_up.fetch(room, member)
            member.fetching.add_done_callback(lambda _: self.wake())
            return b""
        self.at_head(member)
        if not room.is_live(member):
            self.services.catch_up.try_live(room, member)
        return b""

    def _fetched(self, room: Room, member: StreamSubscriber, fetching: asyncio.Task[Page | None]) -> bytes:
        if not fetching.done():
            return b""
        member.fetching = None
        page = None if fetching.cancelled() else fetching.result()
        taken = self.services.catch_up.take(room, member, page) if page else None
        return taken.encoded(_page_encoder(self.services.clock.zone)) if taken else b""


@cache
def _page_encoder(zone: tzinfo | None) -> Encode:
    """Encodes pages; the times of the log are in this zone. All streams of a server have the same one, and so share what is encoded."""

    def encode(frames: Sequence[ServerFrame]) -> bytes:
        pages = [proto.page(frame, zone) for frame in frames if isinstance(frame, History)]
        # The bytes are the same for Follow and Converse.
        return b"".join(pb.FollowResponse(messages=page).SerializeToString() for page in pages)

    return encode
