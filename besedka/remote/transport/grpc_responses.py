"""Responses of a server over gRPC, as a client accepts them: their bounds, and the reasons of errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import DecodeError

from besedka.proto.besedka.v1.chat_pb2_grpc import ChatStub
from besedka.proto.elements import has_more_elements
from besedka.remote.errors import frame_too_long, not_besedka, parsing_frames
from besedka.wire.frames import SERVER_ELEMENTS_AT_MOST
from besedka.wire.received_frames import check_code

T = TypeVar("T")

TOO_LONG: Final = "message larger than max"
"""In the details of the status by which gRPC itself ends a call whose message is longer than OPTIONS allow."""


class _BoundedChannel:
    """A channel whose responses have a bound of their elements, which is known before one of them is built."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    def __getattr__(self, kind: str) -> Callable[..., Any]:
        make: Callable[..., Any] = getattr(self._channel, kind)
        # The responses of `Converse` hold one event, which holds the lists; those of the other calls hold lists themselves.
        depth = 2 if kind == "stream_stream" else 1

        def method(path: str, *, response_deserializer: Callable[[bytes], Any], **options: Any) -> Any:
            return make(path, response_deserializer=_bounded(response_deserializer, depth), **options)

        return method


def _bounded(parse: Callable[[bytes], Any], depth: int) -> Callable[[bytes], Any]:
    def parse_bounded(data: bytes) -> Any:
        if has_more_elements(data, SERVER_ELEMENTS_AT_MOST, depth=depth):
            raise ValueError(f"more than {SERVER_ELEMENTS_AT_MOST} elements")
        return parse(data)

    return parse_bounded


def chat_stub(channel: grpc.aio.Channel) -> Any:
    """The calls of a chat on a channel.

    A response that cannot be parsed, or has too many elements, is None: gRPC keeps the error for itself. So each goes through `readable`.
    """
    return ChatStub(_BoundedChannel(channel))  # type: ignore[no-untyped-call]  # generated without types


def readable(response: T | None, url: str) -> T:
    """A response.

    Raises:
        ConnectionFailed: if it could not be parsed, or has more elements than any Besedka sends.
    """
    if response is None:
        raise not_besedka(url, "its messages cannot be read")
    return response


def check_length(code: grpc.StatusCode, details: str | None, url: str) -> None:
    """Check that a call has not ended because of a response that is too long, as it would the next time.

    Raises:
        ConnectionFailed: if it has.
    """
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and TOO_LONG in (details or "").lower():
        raise frame_too_long(url)


def reason_of(trailing_metadata: Any, url: str) -> tuple[str, float]:
    """The code of a refusal, empty if the connection failed instead, and the seconds to wait before a retry.

    Raises:
        ConnectionFailed: if the details of the status cannot be read.
    """
    # Imported late: only errors need them.
    from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # noqa: PLC0415
    from google.rpc.status_pb2 import Status  # noqa: PLC0415

    status, info, retry = Status(), ErrorInfo(), RetryInfo()
    try:
        for key, value in trailing_metadata or ():
            if key == "grpc-status-details-bin":
                status = Status.FromString(value)
        for packed in status.details:
            packed.Unpack(info)
            packed.Unpack(retry)
    except DecodeError:
        raise not_besedka(url, "the details of a status cannot be read") from None
    with parsing_frames(url):
        check_code(info.reason)
    # Not as a `timedelta`, which holds fewer seconds than the message may.
    return info.reason, retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
