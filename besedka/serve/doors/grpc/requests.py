"""Requests as they come: held to their bounds before they are decoded, and decoded when they are handled.

gRPC keeps what a reader makes of a call's request as long as the call lasts. So it makes no message, which may take ten times the bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final, Generic, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.proto.elements import count_elements
from besedka.serve.limits.rate_limits import REFUSAL_SECONDS, RateLimiter
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.json_elements import BYTES_OF_AN_ELEMENT
from besedka.wire.validation import FRAME_BYTES_AT_MOST, IMPORT_MESSAGES_AT_MOST

M = TypeVar("M", bound=Message)

_MESSAGES: Final = (
    pb.ImportRequest.MESSAGES_FIELD_NUMBER << 3 | 2
)  # the tag of a message in it (protobuf.dev, Encoding)

REQUEST_BYTES: Final = 1024 * 1024
"""The longest request, one of `Import`: gRPC has one bound for all methods."""

SHORT_REQUEST_BYTES: Final = 4 * 1024
"""The longest request of `Follow`, and of the services beside the chat's: a room and a secret; the name of a service, a file or a symbol."""

FIELDS_AT_MOST: Final = 100
"""The fields of a request, with those of the message in it: `Join` has the most, eight. The rest is room for those of later versions."""


FIELDS_PER_FRAME: Final = 100
"""Fields of a request of `Import` that cost a frame, beside its bytes: to count so many takes as long as to handle a frame."""


DECODED_TIMES: Final = 2
"""Memory of a decoded request, in times its bytes: once where texts are long, 2.5 times where messages have a letter each."""


class Checked(NamedTuple):
    """The findings about a request before it is decoded.

    Attributes:
        counted: how many fields were counted.
        refusal: why it is not decoded; None if it is.
    """

    counted: int
    refusal: Refused | None = None


class Bounds(NamedTuple):
    """The bounds of a request.

    Attributes:
        size: its bytes.
        fields: its own fields; and, where there may be any message in it, these together with its fields. (Deeper are texts, which cannot be
            told from messages before they are decoded.)
        allowed: how many there may be, as the refusal of more says it.
        tags: the bytes with which a field begins of which there may be many, also where its tag is longer than it need be. Where a request has few
            of these, it has few such fields, and counting bytes costs nothing.
    """

    size: int
    fields: tuple[int, ...] = (FIELDS_AT_MOST,)
    allowed: str = f"{FIELDS_AT_MOST} fields"
    tags: bytes = b""

    def check(self, data: bytes) -> Checked:
        """Check the bytes of a request."""
        if len(data) > self.size:
            return Checked(0, Refused(ErrorCode.FRAME_TOO_LONG, limit=self.size))
        counted = 0
        for depth, at_most in enumerate(self.fields, 1):
            if len(data) <= BYTES_OF_AN_ELEMENT * at_most or self._has_few(data, at_most):
                continue
            count = count_elements(data, at_most + 1, depth=depth)
            counted += count
            if count > at_most:
                sentence = f"a request may hold at most {self.allowed}"
                return Checked(counted, Refused(ErrorCode.BAD_FRAME, detail=sentence))
        return Checked(counted)

    def _has_few(self, data: bytes, at_most: int) -> bool:
        return bool(self.tags) and sum(map(data.count, self.tags)) <= at_most


FRAME: Final = Bounds(FRAME_BYTES_AT_MOST)
"""The bounds of a request without messages in it; as long as a frame over WebSocket."""

CONVERSE: Final = Bounds(FRAME_BYTES_AT_MOST, (FIELDS_AT_MOST, FIELDS_AT_MOST))
"""Those of `Converse`, whose requests hold one message."""

OTHER: Final = Bounds(SHORT_REQUEST_BYTES)
"""Those of the services beside the chat's."""

FOLLOW: Final = Bounds(SHORT_REQUEST_BYTES)
"""Those of `Follow`: gRPC keeps its bytes as long as the stream lasts, and an address may have a thousand."""

IMPORT: Final = Bounds(
    REQUEST_BYTES,
    (1 + IMPORT_MESSAGES_AT_MOST,),
    f"{IMPORT_MESSAGES_AT_MOST} messages",
    tags=bytes([_MESSAGES, _MESSAGES | 0x80]),
)
"""Those of `Import`: the speaker, and the messages. Of a field that comes again in one of these the last one is kept, so they need not be counted."""


class Request(Generic[M]):
    """A request that is not decoded yet.

    Args:
        data: its bytes.
        decode: decodes them.
        bounds: its bounds.

    Attributes:
        size: its number of bytes.
        cost: what counting its fields has cost, in frames.
        refusal: why it is not decoded; None if it is.
    """

    __slots__ = ("_data", "_decode", "cost", "refusal", "size")

    def __init__(self, data: bytes, decode: Callable[[bytes], M], bounds: Bounds) -> None:
        self.size = len(data)
        counted, self.refusal = bounds.check(data)
        self.cost = counted // FIELDS_PER_FRAME
        self._data = b"" if self.refusal else data
        self._decode = decode

    def take(self) -> M:
        """Decode it, and forget its bytes; once.

        Raises:
            Refused: `frame_too_long`; `bad_frame` if it has too many fields, or is none.
        """
        if self.refusal:
            raise self.refusal
        data, self._data = self._data, b""
        try:
            return self._decode(data)
        except DecodeError as error:
            raise Refused(ErrorCode.BAD_FRAME, detail=str(error)) from None


def reader(decode: Callable[[bytes], M], bounds: Bounds) -> Callable[[bytes], Request[M]]:
    """A reader of requests with these bounds, as gRPC calls it."""
    return lambda data: Request(data, decode, bounds)


async def charged(
    requests: AsyncIterator[Request[M]], limiter: RateLimiter, now: Callable[[], float]
) -> AsyncIterator[M]:
    """Requests, each decoded when it is its turn, and charged as a frame; the next one waits until that is paid for.

    Raises:
        Refused: as `Request.take`.
    """
    async for request in requests:
        limiter.charge_frames(now(), 1)
        await asyncio.sleep(limiter.delay(now()))
        yield request.take()


async def held(
    requests: AsyncIterator[Request[M]], limiter: RateLimiter, now: Callable[[], float]
) -> AsyncGenerator[M, None]:
    """The same, each counted as held by its address until the next one is needed, and charged for its fields.

    Args:
        requests: the requests.
        limiter: the rate limits of their call.
        now: a monotonic clock, in seconds.

    Raises:
        Refused: as `Request.take`; `too_fast` if too much is held for the address, and no less for this request than for others.
    """
    bytes_held = limiter.source.held
    async for request in requests:
        limiter.charge_frames(now(), request.cost)
        size = DECODED_TIMES * request.size
        bytes_held.change(0, size)
        try:
            if bytes_held.is_too_much(size):
                raise Refused(ErrorCode.TOO_FAST, wait=REFUSAL_SECONDS)
            yield request.take()
        finally:
            bytes_held.change(size, 0)
