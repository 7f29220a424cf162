"""Requests of gRPC that have come in part: how many bytes a connection makes the gRPC server hold for them, and how many calls it begins.

gRPC hands over whole requests only, and says nothing of those that are not whole yet. So the port reads along: the frames of HTTP/2
(RFC 9113, section 4.1), and in their data the messages of gRPC, each with five bytes in front that say its length
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). It reads no headers. What breaks the rules is left to the gRPC server,
which ends the connection.

Pure: no loop, no clock; time is an argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

HALF_OPEN_BYTES: Final = 16 * 1024
"""Cost of a call without a whole request, beside its bytes: gRPC holds its headers and its state."""

_PREFACE: Final = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
_HEADER: Final = 9
_PREFIX: Final = 5
_DATA, _HEADERS, _RST_STREAM = 0, 1, 3
_END_STREAM, _PADDED = 0x1, 0x8
_FOREVER: Final = float("inf")


class HalfOpenRequests:
    """The requests of one connection that are not whole.

    Attributes:
        size: the bytes that they cost.
        begun: the number of calls that have begun so far.
        frames: the number of frames that the client has begun to send so far.
    """

    __slots__ = ("_calls", "_newest", "_received", "_sent", "begun", "frames", "size")

    def __init__(self) -> None:
        self.size = 0
        self.begun = self.frames = 0
        self._calls: dict[int, _Call] = {}
        self._newest = 0
        self._received = _Splitter(_PREFACE)
        self._sent = _Splitter()

    def receive(self, data: bytes, now: float) -> None:
        """Read along what the client sends."""
        for piece in self._received.split(data):
            self.frames += piece.is_first
            if piece.kind == _DATA:
                self._receive_data(piece, now)
            elif piece.kind == _HEADERS and piece.is_first and piece.stream > self._newest:
                self._newest = piece.stream
                self.begun += 1
                self._calls[piece.stream] = _Call(now)
                self.size += HALF_OPEN_BYTES
            self._end_if_ended(piece)

    def send(self, data: bytes) -> None:
        """Read along what the server sends: it may end a call before its request is whole."""
        for piece in self._sent.split(data):
            self._end_if_ended(piece)

    def oldest(self) -> float:
        """The time at which the oldest of them began; infinite if there is none."""
        return min((call.since for call in self._calls.values()), default=_FOREVER)

    def _receive_data(self, piece: _Piece, now: float) -> None:
        call = self._calls.get(piece.stream)
        if call:
            before = call.size
            call.receive(piece.content, now)
            self.size += call.size - before

    def _end_if_ended(self, piece: _Piece) -> None:
        ends = piece.kind in {_DATA, _HEADERS} and piece.flags & _END_STREAM and piece.is_last
        if (ends or piece.kind == _RST_STREAM) and (call := self._calls.pop(piece.stream, None)):
            self.size -= call.size


class _Call:
    """The request of one call that comes next.

    Attributes:
        since: the time at which it began; infinite if nothing of it is there, and it is not the first one.
        size: the bytes that it costs.
    """

    __slots__ = ("_missing", "_prefix", "since", "size")

    def __init__(self, now: float) -> None:
        self.since = now
        self.size = HALF_OPEN_BYTES
        self._prefix = b""
        self._missing = 0

    def receive(self, content: bytes, now: float) -> None:
        """More bytes of it, and perhaps of those behind it."""
        at = 0
        while at < len(content):
            if not self.size:
                self.since, self.size = now, HALF_OPEN_BYTES
            if self._missing:
                count = min(self._missing, len(content) - at)
                self._missing -= count
            else:
                count = min(_PREFIX - len(self._prefix), len(content) - at)
                self._prefix += content[at : at + count]
                if len(self._prefix) == _PREFIX:
                    self._missing, self._prefix = int.from_bytes(self._prefix[1:]), b""
            self.size += count
            at += count
            if not (self._missing or self._prefix):
                self.since, self.size = _FOREVER, 0


class _Piece(NamedTuple):
    """A frame, or a piece of one.

    Attributes:
        kind: the kind of the frame.
        flags: its flags.
        stream: the number of its call.
        content: the bytes of its content in this piece, without padding.
        is_first: whether the frame begins with this piece.
        is_last: whether it ends with it.
    """

    kind: int
    flags: int
    stream: int
    content: bytes
    is_first: bool
    is_last: bool


class _Splitter:
    """Splits one direction of a connection into frames, wherever its pieces were cut."""

    __slots__ = ("_flags", "_header", "_is_first", "_kind", "_left", "_padding", "_stream")

    def __init__(self, preface: int = 0) -> None:
        self._header = b""
        # The frame that is being read, of no kind for what comes before the first one; and the bytes of it that are still to come.
        self._kind, self._flags, self._stream = -1, 0, 0
        self._left, self._padding = preface, 0
        self._is_first = False

    def split(self, data: bytes) -> Iterator[_Piece]:
        at = 0
        while at < len(data):
            if not self._left:
                header = self._header + data[at : at + _HEADER - len(self._header)]
                at += len(header) - len(self._header)
                if len(header) < _HEADER:
                    self._header = header
                    return
                self._begin(header)
                if self._left:
                    continue
                yield self._piece(b"")
            else:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                yield self._piece(piece)

    def _begin(self, header: bytes) -> None:
        self._header = b""
        self._left = int.from_bytes(header[:3])
        self._kind, self._flags = header[3], header[4]
        self._stream = int.from_bytes(header[5:]) & 0x7FFF_FFFF
        self._padding = 0
        self._is_first = True

    def _piece(self, content: bytes) -> _Piece:
        is_first, self._is_first = self._is_first, False
        if self._kind == _DATA and self._flags & _PADDED:
            if is_first:
                self._padding, content = content[0] if content else 0, content[1:]
            # What is left of the frame, its padding among it, is behind this piece.
            content = content[: max(0, len(content) + self._left - self._padding)]
        return _Piece(self._kind, self._flags, self._stream, content, is_first, not self._left)
