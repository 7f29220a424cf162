"""An attacker's client: a socket, with control over every byte."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

from tests.running import RunningServer

SECONDS: Final = 60.0

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0
LAST = 0x80
MASK = b"\0\0\0\0"


class Raw:
    """A connection to a server's port.

    Args:
        server: whose.
        source: the address to come from.
        receive_buffer: bytes that the system may hold for us, if not as many as it likes.
    """

    def __init__(self, server: RunningServer, source: str = "127.0.0.1", receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind((source, 0))
        self.socket.settimeout(SECONDS)
        self.socket.connect(("127.0.0.1", server.port))
        self._come = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, data: bytes) -> None:
        """Send bytes, if the other side still takes them."""
        with suppress(ConnectionError):
            self.socket.sendall(data)

    def receive_all(self) -> bytes:
        """All that comes until the other side ends the connection."""
        with suppress(ConnectionError):
            while data := self.socket.recv(65536):
                self._come += data
        come, self._come = self._come, b""
        return come

    def head(self) -> bytes:
        """The head of the answer to a request."""
        while b"\r\n\r\n" not in self._come and (data := self.socket.recv(65536)):
            self._come += data
        head, _, self._come = self._come.partition(b"\r\n\r\n")
        return head

    def frames(self) -> list[tuple[int, bytes]]:
        """All frames until the other side ends the connection: first bytes, and what they carry."""
        data, found = self.receive_all(), []
        while data:
            first, short = data[0], data[1]
            extra = {126: 2, 127: 8}.get(short, 0)
            size = int.from_bytes(data[2 : 2 + extra], "big") if extra else short
            found.append((first, data[2 + extra : 2 + extra + size]))
            data = data[2 + extra + size :]
        return found

    def closing(self) -> int:
        """The code with which the other side closes; 0 if it just cuts the connection off."""
        ends = [payload for first, payload in self.frames() if first == LAST | CLOSE]
        return int.from_bytes(ends[-1][:2], "big") if ends else 0


def request(path: bytes = b"/", headers: Sequence[bytes] = (), host: bytes = b"localhost") -> bytes:
    """A request for a page, the last one of its connection."""
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: " + host, b"Connection: close", *headers, b"", b""]
    return b"\r\n".join(lines)


def handshake(path: bytes = b"/ws", headers: Sequence[bytes] = (), host: bytes = b"localhost") -> bytes:
    """A request for a WebSocket."""
    asked = [
        b"GET " + path + b" HTTP/1.1",
        b"Host: " + host,
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    return b"\r\n".join([*asked, *headers, b"", b""])


def frame(first: int, data: bytes = b"", *, size: int | None = None, is_masked: bool = True) -> bytes:
    """A frame with this first byte; it may promise another size than it has (RFC 6455, section 5.2)."""
    promised = len(data) if size is None else size
    mask_bit = 0x80 if is_masked else 0
    if promised < 126:
        head = bytes([first, mask_bit | promised])
    elif promised < 65_536:
        head = bytes([first, mask_bit | 126]) + struct.pack("!H", promised)
    else:
        head = bytes([first, mask_bit | 127]) + struct.pack("!Q", promised)
    return head + (MASK if is_masked else b"") + data


def opened(server: RunningServer, path: bytes = b"/ws", receive_buffer: int = 0) -> Raw:
    """A WebSocket whose handshake is done."""
    raw = Raw(server, receive_buffer=receive_buffer)
    raw.say(handshake(path))
    assert raw.head().startswith(b"HTTP/1.1 101 ")
    return raw
