"""All HTTP connections of a server, and uvicorn, which serves them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp

from besedka.serve.act_on_each import act_on_each
from besedka.serve.background import Background
from besedka.serve.doors.forwarded import Proxies
from besedka.serve.doors.hosts import Hosts
from besedka.serve.doors.http.protocol import HttpConnection, Successor
from besedka.serve.doors.listener import BACKLOG
from besedka.serve.doors.tls import TlsServer
from besedka.serve.limits.descriptors import Capacity
from besedka.serve.limits.sources import Sources
from besedka.serve.metrics import Metrics
from besedka.serve.settings import Certificate

log = logging.getLogger(__name__)

UNWELCOME_SHARE: Final = 8
"""One of so many descriptors for connections may be used by connections above the limit of their address, which stay for at most two seconds,
until they can be told so; others are closed at once."""

STOP_SECONDS: Final = 0.5
"""The time in which a response must be finished when the server stops."""


class HttpDoor:
    """All HTTP connections of a server.

    Args:
        app: answers requests.
        connection: makes the protocol of a connection that becomes a WebSocket.
        sources: the addresses of clients, with their limits.
        metrics: counts refusals.
        now: a monotonic clock, in seconds.
        capacity: the file descriptors that connections may use.
        hosts: the host names that it accepts.
        proxies: the trusted proxies.
    """

    def __init__(
        self,
        app: ASGIApp,
        connection: Successor,
        sources: Sources,
        metrics: Metrics,
        now: Callable[[], float],
        *,
        capacity: Capacity | None = None,
        hosts: Hosts | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        self.hosts = hosts or Hosts()
        self.proxies = proxies or Proxies()
        self.connection = connection
        self.sources = sources
        self.metrics = metrics
        self.now = now
        self._app = app
        self._connections: set[HttpConnection] = set()
        self._unwelcome: set[HttpConnection] = set()
        self._capacity = capacity or Capacity()
        self._capacity.add(lambda: len(self._connections))
        self._config: uvicorn.Config | None = None

    def has_room(self) -> bool:
        """Whether there is a file descriptor for one more connection."""
        return self._capacity.has_room()

    def may_wait(self, connection: HttpConnection) -> bool:
        """Whether a connection above the limit of its address may wait for its request, to be told so."""
        if len(self._unwelcome) >= self._capacity.total // UNWELCOME_SHARE:
            return False
        self._unwelcome.add(connection)
        return True

    def add(self, connection: HttpConnection) -> None:
        """Register a new connection."""
        self._connections.add(connection)

    def remove(self, connection: HttpConnection) -> None:
        """Forget a connection that has ended or has been upgraded."""
        self._connections.discard(connection)
        self._unwelcome.discard(connection)

    def look_after(self, now: float) -> None:
        """Check the deadlines of all connections."""
        act_on_each(
            tuple(self._connections),
            lambda connection: connection.check_deadlines(now),
            "a connection could not be looked after",
        )

    @contextlib.asynccontextmanager
    async def open(
        self, listener: socket.socket, certificate: Certificate | None, background: Background
    ) -> AsyncIterator[Callable[[], None]]:
        """Serve on a socket, with TLS if there is a certificate; yields a function that stops accepting."""
        config = uvicorn.Config(
            self._app,
            http=self._make,  # type: ignore[arg-type]  # made like a class, and shares the door
            ws="none",  # `HttpConnection` makes its successor itself
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=STOP_SECONDS,  # type: ignore[arg-type]  # seconds, whole or not
            ssl_certfile=certificate.certificate if certificate else None,
            ssl_keyfile=certificate.key if certificate else None,
        )
        server = _Server(config, self._serve_tls)
        self._config = config
        running = background.run("serving HTTP", lambda: server.serve([listener]))
        listening = background.run("listening for HTTP", server.listen)
        await asyncio.wait({running, listening}, return_when=asyncio.FIRST_COMPLETED)
        try:
            yield server.stop_accepting
        finally:
            server.should_exit = True
            await running

    def use(self, certificate: Certificate) -> None:
        """Use what is in the files of a certificate now, for connections from now on; it was checked."""
        if self._config and self._config.ssl:
            self._config.ssl.load_cert_chain(certificate.certificate, certificate.key)

    def _serve_tls(
        self, listener: socket.socket, context: ssl.SSLContext, make: Callable[..., asyncio.Protocol]
    ) -> TlsServer:
        """Perform the handshakes of the connections that come at a socket."""
        server = TlsServer(self, listener, context, lambda counted: make(counted=counted))
        self._capacity.add(lambda: len(server))
        return server

    def _make(self, **uvicorn: Any) -> HttpConnection:
        return HttpConnection(self, **uvicorn)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, with an event for "it listens", and with our own handshakes of TLS.

    Args:
        config: uvicorn's.
        serve_tls: serves a socket with TLS, given a certificate and what makes the protocol of a connection.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        serve_tls: Callable[[socket.socket, ssl.SSLContext, Callable[..., asyncio.Protocol]], TlsServer],
    ) -> None:
        super().__init__(config)
        self._serve_tls = serve_tls
        self._listens = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # As uvicorn has it for sockets that it is given, but for TLS: asyncio's counts nothing, and waits for a minute.
        config = self.config
        http = cast("Callable[..., asyncio.Protocol]", config.http_protocol_class)
        make = partial(http, config=config, server_state=self.server_state, app_state={})
        self.servers = [await self._serve_at(listener, make) for listener in sockets or ()]
        self.started = True
        self._listens.set()

    async def _serve_at(self, listener: socket.socket, make: Callable[..., asyncio.Protocol]) -> Any:
        if self.config.ssl:
            return self._serve_tls(listener, self.config.ssl, make)
        return await asyncio.get_running_loop().create_server(
            make, sock=listener, backlog=self.config.backlog
        )

    async def listen(self) -> None:
        """Wait until it listens."""
        await self._listens.wait()

    def stop_accepting(self) -> None:
        for server in self.servers:
            server.close()
