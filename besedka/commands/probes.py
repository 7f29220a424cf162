"""What a port says to a stranger: connections, TLS and a little HTTP by hand, each with a deadline.

By hand, because what is looked for is what well-behaved clients hide: which language it is that answers, and with which words.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

SECONDS: Final = 5.0
"""How long each step may take: far longer than any network that is fit for talking needs."""

ANSWER_BYTES: Final = 64 * 1024

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.\d (\d{3})")
_SETTINGS_FRAME: Final = 4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a chat should be.

    Attributes:
        host: as the address has it.
        port: of TCP.
        is_tls: whether the address says that it speaks TLS.
    """

    host: str
    port: int
    is_tls: bool

    @property
    def shown(self) -> str:
        """The host and port as a URL has them."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Response:
    """What came back.

    Attributes:
        data: all of it, as far as it came.
        is_cut: whether we have waited for more in vain.
        status: of HTTP; 0 if it is no HTTP.
        headers: likewise.
        body: its text.
    """

    data: bytes
    is_cut: bool = False
    status: int = 0
    headers: Message = field(default_factory=Message)
    body: str = ""

    @property
    def is_http2(self) -> bool:
        """Whether it begins as an HTTP/2 server does (RFC 9113, section 3.4), which gRPC needs."""
        return self.data[3:4] == bytes([_SETTINGS_FRAME]) and self.data[:1] == b"\0"


def connect(place: Endpoint) -> socket.socket:
    """A connection, plain.

    Raises:
        OSError: if there is none to be had.
    """
    return socket.create_connection((place.host, place.port), timeout=SECONDS)


def secured(
    plain: socket.socket, place: Endpoint, *, trusted: bool = True, alpn: str = "http/1.1"
) -> ssl.SSLSocket:
    """TLS on a connection.

    Args:
        plain: the connection.
        place: whose name the certificate must bear.
        trusted: whether it must be one that this machine trusts.
        alpn: what shall be spoken then.

    Raises:
        OSError: if it comes to nothing; `ssl.SSLError` is one.
    """
    roots = os.environ.get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") if alpn == "h2" else None
    context = ssl.create_default_context(cafile=roots)
    if not trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context.wrap_socket(plain, server_hostname=place.host)


def tls_of(place: Endpoint) -> str | None:
    """What a port speaks behind TLS, ``h2`` or something else; None if it speaks no TLS."""
    for alpn in ("h2", "http/1.1"):
        try:
            with connect(place) as plain, secured(plain, place, trusted=False, alpn=alpn) as sealed:
                return sealed.selected_alpn_protocol() or ""
        except TimeoutError:
            return None
        except OSError:
            continue  # perhaps it does not want to speak what we offer
    return None


def ask(place: Endpoint, path: str, **headers: str) -> Response:
    """Ask by HTTP/1.1, over TLS if the place says so, and take what comes.

    Raises:
        OSError: if there is no connection.
    """
    lines = {"Host": place.shown, "User-Agent": "besedka doctor", "Connection": "close", **headers}
    request = f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with connect(place) as plain:
        if not place.is_tls:
            return _exchange(plain, f"{request}\r\n".encode())
        with secured(plain, place, trusted=False) as sealed:
            return _exchange(sealed, f"{request}\r\n".encode())


def _exchange(connection: socket.socket, request: bytes) -> Response:
    """Say something, and hear what comes until it is whole, ends, or takes too long."""
    data, is_cut = b"", False
    until = time.monotonic() + SECONDS
    try:
        connection.sendall(request)
        while len(data) < ANSWER_BYTES and not _is_whole(data) and time.monotonic() < until:
            more = connection.recv(ANSWER_BYTES)
            if not more:
                break
            data += more
    except TimeoutError:
        is_cut = True
    except OSError:
        pass  # it has ended, in its own way; what came before counts
    return _answer(data, is_cut=is_cut)


def _is_whole(data: bytes) -> bool:
    if not data.startswith(b"HTTP/"[: len(data)]):
        return True
    if b"\r\n\r\n" not in data:
        return False
    answer = _answer(data)
    length = answer.headers.get("Content-Length", "")
    is_bare = answer.status < http.HTTPStatus.OK or answer.status == http.HTTPStatus.NOT_MODIFIED
    return is_bare or (length.isdecimal() and len(data) >= data.index(b"\r\n\r\n") + 4 + int(length))


def _answer(data: bytes, *, is_cut: bool = False) -> Response:
    head, _, body = data.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    parts = _STATUS_LINE.match(first)
    if parts is None:
        return Response(data, is_cut)
    try:
        headers: Message = http.client.parse_headers(io.BytesIO(rest + b"\r\n\r\n"))
    except http.client.HTTPException:
        headers = Message()
    return Response(data, is_cut, int(parts[1]), headers, body.decode("utf-8", "replace").strip())
