"""The gRPC server: its addresses, its limits, health and reflection, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.forwarded import Proxies
from besedka.serve.doors.grpc.authentication import KeyInterceptor
from besedka.serve.doors.grpc.calls_in_progress import CallsInProgress
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.connections import DESCRIPTORS, STREAMS_AT_MOST, Connections, ServeTls
from besedka.serve.doors.grpc.health_and_reflection import HealthAndReflection
from besedka.serve.doors.grpc.requests import REQUEST_BYTES
from besedka.serve.doors.grpc.service import NAME, ChatService
from besedka.serve.doors.listener import listen
from besedka.serve.doors.timeouts import REQUEST_SECONDS
from besedka.serve.doors.tls import TlsServer
from besedka.serve.doors.unix_sockets import nobody_else, remove_if_dead
from besedka.serve.errors import SocketUnusable
from besedka.serve.files.descriptor import reason
from besedka.serve.limits.descriptors import Capacity
from besedka.serve.limits.sources import Sources
from besedka.serve.session import Services
from besedka.serve.settings import Certificate, Settings

METADATA_BYTES: Final = 16 * 1024
"""Largest size of a call's headers; as over HTTP."""

UNREAD_BYTES_INSIDE: Final = 4 * 1024
"""Unread bytes of a call that gRPC keeps beside the response that it writes; above that the server sees that nobody reads."""

READ_AHEAD_BYTES: Final = 64 * 1024
"""Bytes of a call's requests that gRPC takes before the call needs them. By itself it takes 4 MiB, and more if they come quickly."""

KEEPALIVE_SECONDS: Final = 25
"""The interval of keepalive pings; as over WebSocket."""

PING_SECONDS_AT_LEAST: Final = 10
"""A client that pings more often is disconnected (`too_many_pings`); Besedka's own client pings every 30 seconds."""

IDLE_SECONDS: Final = 45
"""A connection without a call for this long is closed in good order: clients reconnect with their next call."""

STREAM_END_SECONDS: Final = 1.0
"""The time that subscribers have to read the rest when the server stops."""

STOP_SECONDS: Final = 0.5
"""The time that all other calls have then: accepted messages have been stored already."""

OPTIONS: Final = [
    ("grpc.so_reuseport", 0),
    ("grpc.http2.write_buffer_size", UNREAD_BYTES_INSIDE),
    ("grpc.max_receive_message_length", REQUEST_BYTES),
    ("grpc.http2.lookahead_bytes", READ_AHEAD_BYTES),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
    ("grpc.max_concurrent_streams", STREAMS_AT_MOST),
    ("grpc.server_handshake_timeout_ms", int(REQUEST_SECONDS * 1_000)),
    ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1_000),
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1_000),
    ("grpc.keepalive_timeout_ms", 35_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", PING_SECONDS_AT_LEAST * 1_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", PING_SECONDS_AT_LEAST * 1_000),
]


OTHER_SERVICES: Final = (health.SERVICE_NAME, reflection.SERVICE_NAME)
"""The services beside the chat's."""


class _ClientsThatAreGone(logging.Filter):
    """Drops gRPC's reports of answers that could not be sent, each with a traceback: a client that is gone is no error of the server's."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("ExecuteBatchError raised in core")


CORE: Final = "grpc._cython.cygrpc"
"""The logger of gRPC's own server."""

_CLIENTS_THAT_ARE_GONE: Final = _ClientsThatAreGone()


class GrpcDoor:
    """The gRPC server.

    Args:
        services: the services that sessions share.
        sources: the addresses of clients, with their limits.
        proxies: the trusted proxies.
        access: the valid keys over TCP; the Unix socket needs none, only its owner can open it.
        now: a monotonic clock, in seconds.
        capacity: the file descriptors that connections may use.

    Attributes:
        sources: the addresses of clients.
        proxies: the trusted proxies.
        metrics: counts refusals.
        now: the clock.
    """

    def __init__(
        self,
        services: Services,
        *,
        sources: Sources,
        access: Authenticator,
        now: Callable[[], float],
        capacity: Capacity,
        proxies: Proxies | None = None,
    ) -> None:
        self.sources = sources
        self.proxies = proxies or Proxies()
        self.metrics = services.metrics
        self.now = now
        self._capacity = capacity
        self._context: ssl.SSLContext | None = None
        clients = Clients(sources, self.proxies)
        self._connections = clients.connections = Connections(clients, capacity, services.metrics, now)
        self._service = ChatService(services, clients)
        self._bounds = HealthAndReflection(services, clients, NAME)
        logging.getLogger(CORE).addFilter(_CLIENTS_THAT_ARE_GONE)
        self._progress = CallsInProgress(services, clients, needs_key=not access.is_open)
        self._guards = () if access.is_open else (self._key_interceptor(services, clients, access),)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # the stubs know only the other one

    @contextlib.asynccontextmanager
    async def open(self, settings: Settings) -> AsyncIterator[None]:
        """Serve on a TCP port, a Unix socket, both, or neither.

        Raises:
            AddressUnusable, SocketUnusable: if an address cannot be used.
        """
        path = settings.grpc_unix
        listener = None if settings.grpc_port is None else listen(settings.host, settings.grpc_port)
        servers = []
        if listener:
            servers.append(self._server(self._guards))
            servers[-1].add_insecure_port(self._connections.address)
        if path:
            servers.append(self._server(()))
            _listen_privately(servers[-1], path)
        for server in servers:
            await server.start()
        if path:
            _keep_private(path)
        for name in ("", NAME):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        serve_tls = self._serve_tls(settings.certificate) if settings.certificate else None
        async with self._connections.open(listener, serve_tls):
            try:
                yield
            finally:
                await asyncio.gather(*(server.stop(STOP_SECONDS) for server in servers))

    def has_room(self) -> bool:
        """Whether there are file descriptors for one more connection."""
        return self._capacity.has_room(DESCRIPTORS)

    def look_after(self, now: float) -> None:
        """Check the deadlines of all connections and streams."""
        self._service.look_after(now)
        self._connections.look_after(now)

    def use(self, certificate: Certificate) -> None:
        """Use what is in the files of a certificate now, for connections from now on; it was checked."""
        if self._context:
            self._context.load_cert_chain(certificate.certificate, certificate.key)

    def _serve_tls(self, certificate: Certificate) -> ServeTls:
        context = self._context = _tls_context(certificate)

        def serve(
            listener: socket.socket, make: Callable[[Callable[[], None]], asyncio.BaseProtocol]
        ) -> TlsServer:
            server = TlsServer(self, listener, context, make)
            self._capacity.add(lambda: len(server))
            return server

        return serve

    @staticmethod
    def _key_interceptor(services: Services, clients: Clients, access: Authenticator) -> KeyInterceptor:
        return KeyInterceptor(access, services.metrics, clients, services.clock.now, services.language)

    def _server(self, guards: Sequence[KeyInterceptor]) -> grpc.aio.Server:
        server = grpc.aio.server(interceptors=(*guards, self._progress, self._bounds), options=OPTIONS)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(NAME, self._service.handlers()),)
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection((NAME, *OTHER_SERVICES), server)
        return server

    async def stop_accepting(self) -> None:
        """Report to health checks that the server stops."""
        await self._health.enter_graceful_shutdown()

    async def close(self) -> None:
        """End all streams, with their cursors."""
        await self._service.end_streams(STREAM_END_SECONDS)


def _tls_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.set_alpn_protocols(["h2"])  # RFC 9113, section 3.2
    return context


def _listen_privately(server: grpc.aio.Server, path: Path) -> None:
    try:
        remove_if_dead(path)
        with nobody_else():
            server.add_insecure_port(f"unix:{path.absolute()}")
    except OSError as error:
        raise SocketUnusable(path, reason(error)) from error
    except RuntimeError as error:
        raise SocketUnusable(path, "cannot make the socket") from error


def _keep_private(path: Path) -> None:
    try:
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    except OSError as error:
        raise SocketUnusable(path, reason(error)) from error
