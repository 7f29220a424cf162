"""Frames over gRPC, by the call `Converse`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import grpc

from besedka.proto import frames as proto
from besedka.proto.besedka.v1.chat_pb2 import ListRoomsRequest
from besedka.remote.errors import (
    ACCESS_ENDINGS,
    ConnectionFailed,
    RemoteError,
    TransportClosed,
    parsing_frames,
)
from besedka.remote.transport import HANDSHAKE_SECONDS
from besedka.remote.transport.grpc_responses import chat_stub, check_length, readable, reason_of
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
                response = readable(response, self._url)
                self._has_received = True
                with parsing_frames(self._url):
                    frames = proto.server_frames(response, self._utc_offset)
                for frame in frames:
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
        try:
            check_length(code, details, self._url)
            if code is grpc.StatusCode.UNAUTHENTICATED:
                reason: str = ErrorCode.NO_ACCESS
            else:
                reason = reason_of(trailing, self._url)[0] if code not in RECONNECT_STATUSES else ""
        except ConnectionFailed as failure:
            return failure
        return TransportClosed(
            details or code.name, reconnect=code in RECONNECT_STATUSES, code=ACCESS_REASONS.get(reason, "")
        )


@asynccontextmanager
async def open_grpc(url: str, headers: Mapping[str, str]) -> AsyncIterator[GrpcTransport]:
    """Connect by ``grpc://``, ``grpcs://`` (TLS) or ``unix:``, with additional metadata.

    Raises:
        TransportClosed: if the chat cannot be reached.
    """
    async with open_channel(url) as channel:
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await _connected(channel)
        except TimeoutError:
            raise TransportClosed("no answer in time", reconnect=True) from None
        stub = chat_stub(channel)
        metadata = (*headers.items(),)
        call = stub.Converse(metadata=metadata)
        try:
            yield GrpcTransport(
                call,
                lambda: stub.ListRooms(
                    ListRoomsRequest(page_size=1), metadata=metadata, timeout=HANDSHAKE_SECONDS
                ),
                url,
            )
        finally:
            call.cancel()


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


async def _connected(channel: grpc.aio.Channel) -> None:
    state = channel.get_state(try_to_connect=True)
    while state is not grpc.ChannelConnectivity.READY:
        if state in {grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN}:
            raise TransportClosed("no server answers", reconnect=True)
        await channel.wait_for_state_change(state)
        state = channel.get_state(try_to_connect=True)
