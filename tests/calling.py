"""A gRPC client for the tests: one connection, calls that end by themselves if nothing happens for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, Self, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.proto.besedka.v1.chat_pb2_grpc import ChatStub
from tests.running import RunningServer

TIMEOUT_SECONDS: Final = 60.0

M = TypeVar("M", bound=Message)

OPTIONS: Final = [
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_send_message_length", -1),
]


class Caller:
    """One connection to a server, perhaps at an address that is not its name's.

    Attributes:
        stub: its methods, for what the methods here do not say shorter.
        channel: the connection.
    """

    def __init__(
        self,
        server: RunningServer,
        target: str = "",
        credentials: grpc.ChannelCredentials | None = None,
        name: str = "",
    ) -> None:
        target = target or f"127.0.0.1:{server.grpc_port}"
        self.channel = (
            grpc.secure_channel(
                target, credentials, [*OPTIONS, *([("grpc.ssl_target_name_override", name)] if name else [])]
            )
            if credentials
            else grpc.insecure_channel(target, OPTIONS)
        )
        self.stub: Any = ChatStub(self.channel)  # type: ignore[no-untyped-call]  # generated

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def send(self, user: str, text: str, **fields: Any) -> pb.SendResponse:
        """Say something, and wait for the answer."""
        response: pb.SendResponse = self.send_later(user, text, **fields).result()
        return response

    def send_later(self, user: str, text: str, **fields: Any) -> Any:
        """Say something; the answer is a future."""
        request = pb.SendRequest(user=user, text=text, **fields)
        return self.stub.Send.future(request, timeout=TIMEOUT_SECONDS)

    def messages(self, **fields: Any) -> pb.ListMessagesResponse:
        """A page."""
        page: pb.ListMessagesResponse = self.stub.ListMessages(
            pb.ListMessagesRequest(**fields), timeout=TIMEOUT_SECONDS
        )
        return page

    def rooms(self) -> dict[str, int]:
        """The number of people in each room, in the order of the response."""
        found = self.stub.ListRooms(pb.ListRoomsRequest(), timeout=TIMEOUT_SECONDS)
        return {room.name: room.clients_count for room in found.rooms}

    def search(self, text: str, **fields: Any) -> pb.SearchResponse:
        """The messages of a room with this text."""
        request = pb.SearchRequest(text=text, **fields)
        found: pb.SearchResponse = self.stub.Search(request, timeout=TIMEOUT_SECONDS)
        return found

    def import_(self, requests: Iterable[pb.ImportRequest]) -> pb.ImportResponse:
        """Post many messages."""
        response: pb.ImportResponse = self.stub.Import(iter(requests), timeout=TIMEOUT_SECONDS)
        return response

    def follow(self, seconds: float = TIMEOUT_SECONDS, **fields: Any) -> Following:
        """Read a room."""
        return Following(self.stub.Follow(pb.FollowRequest(**fields), timeout=seconds))

    def converse(self) -> Conversing:
        """Take part."""
        return Conversing(self.stub.Converse)

    def raw(self, method: str, data: bytes) -> bytes:
        """Call a unary method with bytes that may be no valid request."""
        call = self.channel.unary_unary(f"/besedka.v1.Chat/{method}", None, None)
        answer: bytes = call(data, timeout=TIMEOUT_SECONDS)
        return answer


class Following:
    """One call of `Follow`."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.call.cancel()

    def receive(self) -> pb.FollowResponse:
        """The next response."""
        response: pb.FollowResponse = next(self.call)
        return response

    def started(self) -> pb.Started:
        """The next response, which says where the reading begins."""
        response = self.receive()
        assert response.WhichOneof("event") == "started", response
        return response.started

    def past(self) -> list[pb.Message]:
        """All messages up to `caught_up`, which must name the last of them as the head."""
        found: list[pb.Message] = []
        while (response := self.receive()).HasField("messages"):
            found += response.messages.messages
        assert response.HasField("caught_up"), response
        assert not found or response.caught_up.head == found[-1].id
        return found

    def receive_to(self, last: int) -> list[pb.Message]:
        """All messages up to this id, past or live."""
        found: list[pb.Message] = []
        while not found or found[-1].id < last:
            found += self.receive().messages.messages
        return found

    def ending(self) -> CloseCode:
        """Its status, after all responses before it."""
        return ending(self.call)


class Conversing:
    """One call of `Converse`."""

    def __init__(self, method: Any) -> None:
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self.call = method(iter(self._requests.get, None), timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.call.cancel()
        self.say_no_more()

    def send_frame(self, **action: Message) -> None:
        """Send a request."""
        self._requests.put(pb.ConverseRequest(**action))  # type: ignore[arg-type]  # one of its fields

    def send(self, data: object) -> None:
        """Send something, as the serializer takes it."""
        self._requests.put(data)

    def say(self, text: str, **fields: Any) -> None:
        """Post a message."""
        self.send_frame(say=pb.Say(text=text, **fields))

    def join(self, user: str | None, room: str = "main", **fields: Any) -> pb.Welcome:
        """Enter a room, perhaps without a name, and return the welcome."""
        self.send_frame(join=pb.Join(user=user, room=room, **fields))
        return self.receive("welcome").welcome

    def say_no_more(self) -> None:
        """End the requests."""
        self._requests.put(None)

    def receive(self, kind: str | None = None) -> pb.ConverseResponse:
        """The next response; or the next one of a kind, past all others."""
        while True:
            response: pb.ConverseResponse = next(self.call)
            if kind in {None, response.WhichOneof("event")}:
                return response

    def receive_to(self, last: int) -> list[pb.Message]:
        """All messages up to this id."""
        found: list[pb.Message] = []
        while not found or found[-1].id < last:
            found += self.receive("messages").messages.messages
        return found

    def refused(self) -> pb.Refused:
        """The next refusal."""
        return self.receive("refused").refused

    def ending(self) -> CloseCode:
        """Its status, after all responses before it."""
        return ending(self.call)


@dataclass(frozen=True)
class CloseCode:
    """How a call failed."""

    code: grpc.StatusCode
    sentence: str
    status: Status

    def detail(self, kind: type[M]) -> M:
        """The detail of this kind; an empty one if there is none."""
        found = kind()
        for packed in self.status.details:
            if packed.Unpack(found):
                break
        return found

    @property
    def reason(self) -> str:
        """Our own code."""
        info = self.detail(ErrorInfo)
        return str(info.reason) if info.domain == "besedka" else ""

    @property
    def fields(self) -> list[str]:
        """The fields of the request that were wrong."""
        return [violation.field for violation in self.detail(BadRequest).field_violations]

    @property
    def retry_seconds(self) -> float:
        """How long to wait before the next try."""
        delay = self.detail(RetryInfo).retry_delay
        return float(delay.seconds + delay.nanos / 1e9)

    @property
    def cursors(self) -> dict[str, tuple[int, str]]:
        """Where to come back to, by room."""
        return {cursor.room: (cursor.since, cursor.epoch) for cursor in self.detail(pb.Cursors).cursors}


def ending(call: Iterator[object]) -> CloseCode:
    """How a stream ends with an error."""

    def exhaust() -> None:
        for _ in call:
            pass

    return refusal(exhaust)


def refusal(act: Callable[[], object]) -> CloseCode:
    """The status with which a call fails."""
    with pytest.raises(grpc.RpcError) as raised:
        act()
    error: Any = raised.value
    metadata = dict(error.trailing_metadata() or ())
    status = Status.FromString(metadata.get("grpc-status-details-bin", b""))
    if status.details:
        assert (status.code, status.message) == (error.code().value[0], error.details())
    return CloseCode(error.code(), error.details(), status)


def many(texts: Iterable[str], each: int = 500, keys: Iterable[str] = ()) -> Iterator[pb.ImportRequest]:
    """Requests of `Import`, without the speaker, so many messages in each."""
    messages: list[pb.ImportedMessage] = []
    given = iter(keys)
    for text in texts:
        messages.append(pb.ImportedMessage(text=text, key=next(given, "")))
        if len(messages) == each:
            yield pb.ImportRequest(messages=messages)
            messages = []
    if messages:
        yield pb.ImportRequest(messages=messages)


def speaker(user: str, **fields: Any) -> pb.ImportRequest:
    """The first request of an `Import`."""
    return pb.ImportRequest(speaker=pb.Speaker(user=user, **fields))
