"""Probes of a port: connections, TLS and a little HTTP by hand, each with a deadline.

By hand, because the probes look for details that well-behaved clients hide: the protocol of the answer, and its exact text.
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
"""Time limit of each step: far more than a network that is usable for a chat needs."""

ANSWER_BYTES: Final = 64 * 1024
"""So much of an answer is read, and about as much again at most."""

LENGTH_DIGITS_AT_MOST: Final = 15

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.\d (\d{3})")
_SETTINGS_FRAME: Final = 4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint of a chat.

    Attributes:
        host: as in the address.
        port: of TCP.
        is_tls: whether the address asks for TLS.
    """

    host: str
    port: int
    is_tls: bool

    @property
    def shown(self) -> str:
        """The host and port as in a URL."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Response:
    """A response.

    Attributes:
        data: its bytes, as far as they were received.
        is_cut: whether the wait for more timed out.
        status: of HTTP; 0 if it is not HTTP.
        headers: of HTTP.
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


def connect(endpoint: Endpoint) -> socket.socket:
    """Connect, without TLS.

    Raises:
        OSError: if that fails.
    """
    return socket.create_connection((endpoint.host, endpoint.port), timeout=SECONDS)


def secured(
    plain: socket.socket, endpoint: Endpoint, *, trusted: bool = True, alpn: str = "http/1.1"
) -> ssl.SSLSocket:
    """Start TLS on a connection.

    Args:
        plain: the connection.
        endpoint: the endpoint, whose name must be in the certificate.
        trusted: whether this machine must trust it.
        alpn: the application protocol.

    Raises:
        OSError: if that fails; `ssl.SSLError` is one.
    """
    roots = os.environ.get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") if alpn == "h2" else None
    context = ssl.create_default_context(cafile=roots)
    if not trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context.wrap_socket(plain, server_hostname=endpoint.host)


def tls_of(endpoint: Endpoint) -> str | None:
    """The application protocol of a port over TLS, ``h2`` or another; None if it does not speak TLS."""
    for alpn in ("h2", "http/1.1"):
        try:
            with connect(endpoint) as plain, secured(plain, endpoint, trusted=False, alpn=alpn) as sealed:
                return sealed.selected_alpn_protocol() or ""
        except TimeoutError:
            return None
        except OSError:
            continue  # it may refuse the offered protocol
    return None


def ask(endpoint: Endpoint, path: str, **headers: str) -> Response:
    """Ask by HTTP/1.1, over TLS if the place says so, and take what comes.

    An access key goes only to who has a certificate that this machine trusts: another connection than the one that was looked at may end elsewhere.

    Raises:
        OSError: if there is no connection, or, for a request with a key, none to be trusted.
    """
    lines = {"Host": endpoint.shown, "User-Agent": "besedka doctor", "Connection": "close", **headers}
    request = f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with connect(endpoint) as plain:
        if not endpoint.is_tls:
            return _exchange(plain, f"{request}\r\n".encode())
        with secured(plain, endpoint, trusted="Authorization" in headers) as sealed:
            return _exchange(sealed, f"{request}\r\n".encode())


def _exchange(connection: socket.socket, request: bytes) -> Response:
    """Send a request, and receive until the response is complete, the connection ends, or time is up."""
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
        pass  # the connection has failed; the data received before it counts
    return _answer(data, is_cut=is_cut)


def _is_whole(data: bytes) -> bool:
    if not data.startswith(b"HTTP/"[: len(data)]):
        return True
    if b"\r\n\r\n" not in data:
        return False
    answer = _answer(data)
    length = answer.headers.get("Content-Length", "")
    # More digits than these are no length: nothing so long is read.
    length = length if len(length) <= LENGTH_DIGITS_AT_MOST else ""
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
