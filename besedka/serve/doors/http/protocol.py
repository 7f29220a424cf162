"""One HTTP connection: uvicorn's protocol, with limits on what a client may send and how long it may take.

A request for a WebSocket is passed on, with its transport, to the WebSocket door.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, Protocol, cast

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from websockets.datastructures import Headers
from websockets.http11 import Request

from besedka.serve.doors import tls
from besedka.serve.doors.buffers import StuckDeadline, limit_buffers, unsent_bytes
from besedka.serve.doors.forwarded import Client
from besedka.serve.doors.hosts import Hosts, is_loopback
from besedka.serve.doors.http.authentication import CONNECTION
from besedka.serve.doors.http.target import TargetBad, split_target
from besedka.serve.doors.listener import host_of
from besedka.serve.doors.timeouts import CLOSE_SECONDS, REQUEST_SECONDS
from besedka.serve.limits.rate_limits import HTTP_FRAMES, RateLimiter, Source
from besedka.wire.errors import Refused

HEADER_BYTES: Final = 16 * 1024
"""Largest size of a request's headers, and of what may follow a request for a WebSocket before it is answered; browsers send less than
2 KiB, and nothing."""

UPGRADE_HEADERS: Final = 128
"""Most headers of a request for a WebSocket; browsers send a dozen."""

RESPONSE_BYTES: Final = 16 * 1024
"""Unsent bytes above which nothing more of a response is made."""

REQUESTS_WAITING: Final = 16
"""Requests that may be pipelined behind the one that is being answered; browsers wait for each response."""

_FOREVER: Final = float("inf")


class NextProtocol(Protocol):
    """The protocol that takes over a connection that becomes a WebSocket."""

    def connection_made(self, transport: asyncio.BaseTransport, /) -> None:
        """Take over a transport."""

    def take_request(self, request: Request, /) -> None:
        """Answer the request."""

    def data_received(self, data: bytes, /) -> None:
        """Take bytes behind the request."""


class Successor(Protocol):
    """Makes the protocol that takes over a connection that becomes a WebSocket."""

    def __call__(self, source: Source, *, is_forwarded: bool) -> NextProtocol:
        """A protocol for a connection from this source, perhaps through a proxy."""


class Door(tls.Door, Protocol):
    """The door, as its connections see it."""

    @property
    def hosts(self) -> Hosts:
        """The host names that the chat accepts."""

    @property
    def connection(self) -> Successor:
        """Makes the protocol of a connection that becomes a WebSocket."""

    def may_wait(self, connection: HttpConnection) -> bool:
        """Whether a connection above the limit of its address may wait for its request, to be told so."""

    def add(self, connection: HttpConnection) -> None:
        """Register a new connection."""

    def remove(self, connection: HttpConnection) -> None:
        """Forget a connection that has ended or has been upgraded."""


class HttpConnection(HttpToolsProtocol):
    """An HTTP connection.

    Args:
        door: the door that it came through.
        counted: ends the count of its handshake of TLS.
        uvicorn: the arguments of uvicorn's own protocol.
    """

    def __init__(self, door: Door, *, counted: Callable[[], None] | None = None, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._counted = counted
        self.parser = self._parser = _Parser(self)
        self._door = door
        self._peer = ""
        self._source: Source | None = None
        self._limiter: RateLimiter | None = None
        self._client = Client("")
        self._unwelcome: Refused | None = None
        self._answering: RequestResponseCycle | None = None
        self._is_refused = False
        self._header_bytes = 0
        self._bytes = 0
        self._has_body = False
        self._request_until = door.now() + REQUEST_SECONDS
        self._abort_at = _FOREVER
        self._held = 0
        self._stuck = StuckDeadline()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        limit_buffers(transport, RESPONSE_BYTES)
        if self._counted:
            self._counted()
        host = host_of(transport)
        self._peer = host or ""
        if not self._door.has_room():
            sentence = "the server has no room for more connections now, try again later"
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_connections", sentence)
            transport.close()  # it must not stay until it is understood
            return
        if host is None:
            self._is_refused = True
            transport.abort()
            return
        self._door.add(self)
        if self._door.proxies.trust(self._peer):
            return  # the clients behind it are admitted, request by request
        try:
            self._source = self._door.sources.admit(self._peer)
        except Refused as refusal:
            # Clients do not understand a response before their request; but they must send one soon.
            self._unwelcome = refusal
            self._request_until = self._door.now() + CLOSE_SECONDS
            if not self._door.may_wait(self):
                self._door.metrics.refused(refusal.code, self._peer)
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.remove(self)
        self._leave()
        super().connection_lost(exc)
        if self._answering:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self._unwelcome:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, self._unwelcome.code, str(self._unwelcome))
        if self._is_refused:
            return
        if self._request_until == _FOREVER:
            self._request_until = self._door.now() + REQUEST_SECONDS
        # The parser reports a header only when it is complete, so received bytes are counted, too.
        self._bytes += len(data)
        super().data_received(data)
        if self._bytes > HEADER_BYTES:
            self._refuse_headers()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn says None
        # A client that sends no more may still be waiting for a response.
        if self._is_answering:
            self.cycle.keep_alive = False
        return self._is_answering

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", msg)

    def handle_websocket_upgrade(self) -> None:
        if self._is_answering:
            sentence = "a WebSocket cannot begin behind a request that is being answered"
            self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", sentence)
        elif len(self.headers) > UPGRADE_HEADERS:
            sentence = f"a request for a WebSocket has at most {UPGRADE_HEADERS} headers"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_long", sentence)
        elif len(self._parser.rest) > HEADER_BYTES:
            sentence = (
                f"at most {HEADER_BYTES} bytes may follow a request for a WebSocket before it is answered"
            )
            self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", sentence)
        if self._is_refused or self._source is None:
            return
        self._hold(0)
        self._door.remove(self)
        self.connections.discard(self)
        connection = self._door.connection(self._source, is_forwarded=self._client.is_forwarded)
        self._source = None
        self._bytes = 0
        connection.connection_made(self.transport)
        self.transport.set_protocol(cast("asyncio.BaseProtocol", connection))
        _read_anew(self.transport)
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers)
        path = self.url.decode("ascii", "surrogateescape")
        connection.take_request(Request(path, headers, self.scope["method"]))
        if self._parser.rest:
            connection.data_received(self._parser.rest)
        # Break the cycle between this object and its parser.
        self.parser = self._parser = None  # type: ignore[assignment]

    @property
    def _is_answering(self) -> bool:
        return bool(self.pipeline) or (self._answering is not None and not self._answering.response_complete)

    def _should_upgrade_to_ws(self) -> bool:
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # When a connection is lost, uvicorn notifies only the last of several requests, not the one that it answers.
        self._answering = cycle
        cycle.scope["extensions"] = {CONNECTION: {"abort": self.transport.abort, "drain": self.flow.drain}}
        super()._start_asgi_task(cycle, app)

    def abort(self) -> None:
        """Cut the connection off at once."""
        self.transport.abort()

    def check_deadlines(self, now: float) -> None:
        """Give up a client that is too slow to send its request, or to read the response."""
        stuck_at = self._stuck.look(self.transport.get_write_buffer_size(), now)
        self._hold(unsent_bytes(self.transport) + self._bytes)
        is_too_much = self._source is not None and self._source.held.is_too_much(self._held)
        if is_too_much or now >= min(self._abort_at, stuck_at):
            self.transport.abort()
        elif now >= self._request_until and not self._is_refused:
            sentence = f"a request must have come in whole within {REQUEST_SECONDS:g} seconds"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "too_slow", sentence)

    # Callbacks of the parser. One piece of data may hold a whole request, and more than one.

    def on_message_begin(self) -> None:
        self._header_bytes = 0
        self._has_body = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_header(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_header(len(name) + len(value) + len(": \r\n"))
        self._has_body |= name.lower() == b"transfer-encoding"
        self._has_body |= name.lower() == b"content-length" and value.strip() != b"0"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._has_body:
            sentence = "nothing here takes a request with a body"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body", sentence)
        elif len(self.pipeline) >= REQUESTS_WAITING:
            sentence = f"at most {REQUESTS_WAITING} requests may wait for the answer to another"
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", sentence)
        self._check_host()
        self._recognise()
        if not self._is_refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._is_refused:
            self._request_until = _FOREVER
            self._bytes = 0
            super().on_message_complete()

    def on_response_complete(self) -> None:
        if not self.pipeline and self._door.proxies.trust(self._peer):
            self._leave()
        super().on_response_complete()

    # Inside.

    def _take_absolute_form(self) -> None:
        """Replace the Host header by the host of a target in absolute form (RFC 9112, section 3.2.2)."""
        try:
            parts = split_target(self.url)
        except TargetBad as error:
            self._refuse(HTTPStatus.BAD_REQUEST, "bad_request", str(error))
            return
        if parts:
            host, self.url = parts
            # In place: uvicorn has passed the list on already.
            self.headers[:] = [
                (b"host", host),
                *((name, value) for name, value in self.headers if name != b"host"),
            ]

    def _check_host(self) -> None:
        hosts = self._values(b"host")
        if len(hosts) > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            self._refuse(HTTPStatus.BAD_REQUEST, "bad_host", "a request has one Host header")
            return
        self._take_absolute_form()
        hosts = self._values(b"host")
        if hosts and not self._door.hosts.know(hosts[0]):
            sentence = (
                "the chat is not known by this host name; who runs it may allow it with --public-host NAME"
            )
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "bad_host", sentence)

    def _recognise(self) -> None:
        """Find out which client the request is from, and admit it if it came through a proxy."""
        if self._is_refused:
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers]
        client = self._door.proxies.client(self._peer, headers)
        # A proxy that adds no header may still pass on the Host header that it received.
        if not all(is_loopback(value) for name, value in headers if name == "host"):
            client = replace(client, is_forwarded=True)
        self._client = self.scope["state"]["client"] = client
        if client.is_via_trusted_proxy:
            self.scope["client"] = (client.host, 0)
        if self._door.proxies.trust(self._peer):
            self._leave()
            try:
                self._source = self._door.sources.admit(client.host, is_limited=client.is_via_trusted_proxy)
            except Refused as refusal:
                self._refuse(HTTPStatus.TOO_MANY_REQUESTS, refusal.code, str(refusal))
        if self._source:
            self._charge_request(self._source)

    def _charge_request(self, source: Source) -> None:
        """Charge the client for the request; it is answered when the rate limit allows."""
        if self._limiter is None or self._limiter.source is not source:
            self._limiter = self._door.sources.limiter(source)
        self._limiter.is_forwarded = self._client.is_forwarded
        self._limiter.charge_frames(self._door.now(), HTTP_FRAMES)
        self.scope["state"]["limiter"] = self._limiter

    def _hold(self, held: int) -> None:
        if self._source:
            self._source.held.change(self._held, held)
            self._held = held

    def _leave(self) -> None:
        self._hold(0)
        if self._source:
            self._door.sources.leave(self._source)
            self._source = None

    def _values(self, wanted: bytes) -> list[str]:
        return [value.decode("latin-1") for name, value in self.headers if name == wanted]

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > HEADER_BYTES:
            self._refuse_headers()

    def _refuse_headers(self) -> None:
        sentence = f"the headers of a request are at most {HEADER_BYTES} bytes"
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_long", sentence)

    def _refuse(self, status: HTTPStatus, code: str, sentence: str) -> None:
        if self._is_refused:
            return
        self._is_refused = True
        self._door.metrics.refused(code, self._client.host or self._peer)
        if self._is_answering:
            self.transport.abort()  # in the middle of another response there is no place for this one
            return
        body = f"{sentence}\n".encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        # Closing at once would reset the connection while more comes in, and the response would be lost.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()  # TLS cannot be half closed
        self._abort_at = self._door.now() + CLOSE_SECONDS


def _read_anew(transport: asyncio.Transport) -> None:
    """Have the loop ask the new protocol of a transport how it reads; uvloop does so only when it begins to read."""
    if transport.is_reading():
        transport.pause_reading()
        transport.resume_reading()


class _Parser(HttpRequestParser):
    """Keeps the bytes behind a request for an upgrade.

    Attributes:
        rest: the first bytes of the other protocol, if there are any yet.
    """

    def __init__(self, connection: HttpConnection) -> None:
        super().__init__(connection)
        # A second request may follow one that asks to close; uvicorn sets it, too.
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self.rest = b""

    def feed_data(self, data: Any) -> None:
        try:
            super().feed_data(data)
        except HttpParserUpgrade as upgrade:
            self.rest = data[upgrade.args[0] :]
            raise
