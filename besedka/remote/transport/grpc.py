"""Frames over gRPC, by the call `Converse`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import grpc

from besedka.proto import frames as proto
from besedka.proto.besedka.v1.chat_pb2 import ListRoomsRequest
from besedka.proto.besedka.v1.chat_pb2_grpc import ChatStub
from besedka.remote.errors import ACCESS_ENDINGS, RemoteError, TransportClosed, frame_too_long, not_besedka
from besedka.remote.transport import HANDSHAKE_SECONDS
from besedka.wire.access import authorization
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import ClientFrame, ServerFrame, Welcome
from besedka.wire.validation import SERVER_FRAME_BYTES_AT_MOST

OPTIONS: Final = [
    # No more often than the server allows (doors/grpc/door.py), yet often enough for home routers.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 30_000),
    # Of a message as it came and, where it is compressed, of what it unpacks to.
    ("grpc.max_receive_message_length", SERVER_FRAME_BYTES_AT_MOST),
    # `ChatConnection` has its own backoff: the channel must connect at once when asked.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
]

RECONNECT_STATUSES: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)
"""The statuses after which the client reconnects."""

ENDED: Final = (grpc.aio.AioRpcError, grpc.aio.BaseError, asyncio.InvalidStateError)
"""The errors of a call that has ended; the last two come from using the call just then."""

TOO_LONG: Final = "message larger than max"
"""In the details of the status by which gRPC itself ends a call whose message is longer than OPTIONS allow."""

ACCESS_REASONS: Final = {
    **{code: code for code in ACCESS_ENDINGS.values()},
    ErrorCode.NOT_ALLOWED: ACCESS_ENDINGS[CloseCode.KICKED],
}
"""The error code that programs receive for a call that ends because access was denied or revoked, by the reason in its status. A
kick is `not_allowed`."""


class GrpcTransport:
    """An open call of `Converse`.

    Args:
        call: the call.
        probe: makes a small unary call, to learn the status that the server refuses calls with.
        url: of the chat.
    """

    def __init__(self, call: Any, probe: Callable[[], Awaitable[object]], url: str = "") -> None:
        self._url = url
        self._call = call
        self._probe = probe
        self._has_received = False
        self._utc_offset = 0
        self._turn = asyncio.Lock()

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame."""
        # gRPC ends a call when a write is cancelled, or when two tasks write at once.
        writing = asyncio.ensure_future(self._write(frame))
        # Mark an exception as retrieved even if the caller was cancelled.
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(writing)

    async def _write(self, frame: ClientFrame) -> None:
        async with self._turn:
            try:
                await self._call.write(proto.request(frame))
            except ENDED as error:
                raise await self._ended(error) from None

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """Receive frames."""
        try:
            while (response := await self._call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]  # the stubs lack it
                if response is None:
                    raise not_besedka(self._url, "its messages cannot be read")
                self._has_received = True
                for frame in proto.server_frames(response, self._utc_offset):
                    if isinstance(frame, Welcome):
                        self._utc_offset = frame.utc_offset
                    yield frame
        except ENDED as error:
            raise await self._ended(error) from None
        raise TransportClosed("goodbye", reconnect=False)

    async def _ended(self, error: Exception) -> RemoteError:
        code, details, trailing = (
            (error.code(), error.details(), error.trailing_metadata())
            if isinstance(error, grpc.aio.AioRpcError)
            else (await self._call.code(), await self._call.details(), await self._call.trailing_metadata())
        )
        if code is grpc.StatusCode.INTERNAL and not self._has_received:
            # A write to a call that has just ended replaces the status that has the reason.
            try:
                await self._probe()
            except grpc.aio.AioRpcError as other:
                code, details, trailing = other.code(), other.details(), other.trailing_metadata()
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and TOO_LONG in (details or "").lower():
            return frame_too_long(self._url)
        if code is grpc.StatusCode.UNAUTHENTICATED:
            reason: str = ErrorCode.NO_ACCESS
        else:
            reason = reason_of(trailing)[0] if code not in RECONNECT_STATUSES else ""
        return TransportClosed(
            details or code.name, reconnect=code in RECONNECT_STATUSES, code=ACCESS_REASONS.get(reason, "")
        )


@asynccontextmanager
async def open_grpc(url: str, key: str = "") -> AsyncIterator[GrpcTransport]:
    """Connect by ``grpc://``, ``grpcs://`` (TLS) or ``unix:``, with an access key or without.

    Raises:
        TransportClosed: if the chat cannot be reached.
    """
    async with open_channel(url) as channel:
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await _connected(channel)
        except TimeoutError:
            raise TransportClosed("no answer in time", reconnect=True) from None
        stub: Any = ChatStub(channel)  # type: ignore[no-untyped-call]  # generated without types
        call = stub.Converse(metadata=metadata(key))
        try:
            yield GrpcTransport(
                call,
                lambda: stub.ListRooms(
                    ListRoomsRequest(page_size=1), metadata=metadata(key), timeout=HANDSHAKE_SECONDS
                ),
                url,
            )
        finally:
            call.cancel()


def metadata(key: str) -> tuple[tuple[str, str], ...]:
    """The call metadata that carries an access key; empty without a key."""
    return (("authorization", authorization(key)),) if key else ()


def open_channel(url: str) -> grpc.aio.Channel:
    """A channel to a server; it connects on first use."""
    if url.startswith("unix:"):
        return grpc.aio.insecure_channel(url, options=OPTIONS)
    parts = urlsplit(url)
    target = target_of(parts.netloc)
    if parts.scheme == "grpcs":
        return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(), options=OPTIONS)
    return grpc.aio.insecure_channel(target, options=OPTIONS)


def target_of(endpoint: str) -> str:
    """A host and a port as a target of gRPC, which takes a host such as ``unix`` or ``xds`` for the name of another way parts."""
    return f"dns:///{endpoint}"


def reason_of(trailing_metadata: Any) -> tuple[str, float]:
    """The code of a refusal, empty if the connection failed instead, and the seconds to wait before a retry."""
    # Imported late: only errors need them.
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # noqa: PLC0415
    from google.rpc.status_pb2 import Status  # noqa: PLC0415

    info, retry = ErrorInfo(), RetryInfo()
    try:
        for key, value in trailing_metadata or ():
            if key == "grpc-status-details-bin":
                for packed in Status.FromString(value).details:
                    packed.Unpack(info)
                    packed.Unpack(retry)
    except DecodeError:
        return "", 0.0  # no Besedka sends it
    # Not as a `timedelta`, which holds fewer seconds than the message may.
    return info.reason, retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9


async def _connected(channel: grpc.aio.Channel) -> None:
    state = channel.get_state(try_to_connect=True)
    while state is not grpc.ChannelConnectivity.READY:
        if state in {grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN}:
            raise TransportClosed("no server answers", reconnect=True)
        await channel.wait_for_state_change(state)
        state = channel.get_state(try_to_connect=True)
