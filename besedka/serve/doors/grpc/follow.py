"""`Follow`: a read-only subscription from a cursor, not listed among the room's users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from besedka.proto import frames as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.grpc.stream import Stream, StreamSubscriber, Write
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room
from besedka.serve.session import Services
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Refused
from besedka.wire.frames import Chat as ChatFrame
from besedka.wire.frames import Redacted, ServerFrame, Typing


class FollowSubscriber(StreamSubscriber):
    """A subscriber that only reads."""

    __slots__ = ()

    stream: FollowStream
    ignores = frozenset({Typing})
    notice_writes = 0

    @staticmethod
    def encode(frames: Sequence[ServerFrame]) -> bytes:
        if isinstance(frames[0], Redacted):
            return _redacted(frames[0])
        if not isinstance(frames[0], ChatFrame):
            return b""
        return pb.FollowResponse(
            messages=proto.messages(cast("Sequence[ChatFrame]", frames))
        ).SerializeToString()

    def refused(self, refusal: Refused) -> None:
        raise AssertionError("a subscriber that posts nothing was refused") from refusal

    def remove(self, refusal: Refused) -> None:
        self.stream.remove_from_room(self.room.name, refusal)

    def start_again(self) -> None:
        self.forget_unwritten()
        self.stream.begin(reset=True)


class FollowStream(Stream, LiveSession):
    """One call of `Follow`.

    Args:
        services: the services that sessions share.
        room: the room to read.
        reader: the person who reads; not listed.
        limiter: the limits of their connection.
        write: writes a response.
    """

    def __init__(
        self,
        services: Services,
        room: Room,
        *,
        reader: Person,
        limiter: RateLimiter,
        write: Write,
    ) -> None:
        super().__init__(services, write)
        self._limiter = limiter
        self._room = room
        self._member = FollowSubscriber(reader, room, self, is_seen=False)
        self._is_caught_up = False

    @property
    def door(self) -> str:
        return "gRPC Follow"

    @property
    def client(self) -> str:
        return self._limiter.client

    @property
    def behind(self) -> int:
        is_late = not (self._member.is_gone or self._room.is_live(self._member))
        return max(0, self._room.head + 1 - self._member.cursor) if is_late else 0

    @property
    def network(self) -> Network | None:
        return self._limiter.source.network

    def subscriptions(self) -> Iterable[tuple[Room, StreamSubscriber]]:
        return ((self._room, self._member),)

    def memberships(self) -> Iterable[tuple[str, str]]:
        return ((self._room.name, self._member.person.claim),)

    def send(self, frame: ServerFrame) -> None:
        """Send a redaction; other frames, such as presence, are not part of `Follow`."""
        if isinstance(frame, Redacted):
            self.answer(_redacted(frame))

    def people(self) -> Iterable[Person]:
        return (self._member.person,)

    def remove_from_room(self, room: str, refusal: Refused) -> None:  # noqa: ARG002 - it is the only one
        self.disconnect(CloseCode.LEFT, refusal)
        self._leave_room()

    def enter(self, since: int | None, epoch: str) -> None:
        """Begin to read.

        Raises:
            Refused: `banned`, `not_known`, `not_invited`: the reader has lost the right to read.
        """
        self.services.admission.register(self)
        tenant = self.services.admission.tenant(self._member.person.claim, self.network)
        reset = self.services.subscriptions.enter(
            self._room, self._member, since, epoch, tenant=tenant, limiter=self._limiter
        )
        self.begin(reset=reset)

    def leave(self) -> None:
        """End the subscription."""
        self.services.admission.unregister(self)
        self._leave_room()

    def _leave_room(self) -> None:
        if not self._member.is_gone:
            self.services.subscriptions.leave(self._room, self._member)

    def begin(self, *, reset: bool) -> None:
        """Send where the reading begins."""
        room = self._room
        started = pb.Started(room=room.name, head=room.head, epoch=room.epoch, reset=reset)
        self.answer(pb.FollowResponse(started=started).SerializeToString())
        self._is_caught_up = False

    def at_head(self, member: StreamSubscriber) -> None:
        if not self._is_caught_up:
            self._is_caught_up = True
            caught_up = pb.CaughtUp(head=member.cursor - 1)
            self.answer(pb.FollowResponse(caught_up=caught_up).SerializeToString())


def _redacted(frame: Redacted) -> bytes:
    redacted = pb.Redacted(room=frame.room, id=frame.id, text=frame.text)
    return pb.FollowResponse(redacted=redacted).SerializeToString()
