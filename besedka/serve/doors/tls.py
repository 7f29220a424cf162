"""TLS at a port: a handshake is counted, charged and bounded like a request, before there is a connection for the door."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final, Protocol

from besedka.serve.doors.forwarded import Proxies
from besedka.serve.doors.timeouts import REQUEST_SECONDS
from besedka.serve.files.descriptor import reason
from besedka.serve.limits.rate_limits import HANDSHAKE_FRAMES, Source
from besedka.serve.limits.sources import Sources
from besedka.serve.metrics import Metrics
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)

ACCEPT_SECONDS: Final = 1.0
"""The pause after a connection that could not be accepted, because all descriptors are in use."""

RECEIVED_BYTES: Final = 32 * 1024
"""Received bytes that the kernel may hold for a connection; Linux doubles it (tcp(7)). One read takes all of them, into memory that the loop
keeps as long as the connection."""


class Door(Protocol):
    """The door, as handshakes see it."""

    @property
    def proxies(self) -> Proxies:
        """The trusted proxies."""

    @property
    def sources(self) -> Sources:
        """The addresses of clients, with their limits."""

    @property
    def metrics(self) -> Metrics:
        """Counts refusals."""

    def now(self) -> float:
        """The time of a monotonic clock, in seconds."""

    def has_room(self) -> bool:
        """Whether there is a file descriptor for one more connection."""


class TlsServer:
    """Accepts connections, and performs their handshakes.

    Args:
        door: the door.
        listener: a socket that listens.
        context: the server's certificate.
        make: makes the protocol of a connection; it is given what ends the count of its handshake, to be called when that is complete.
    """

    def __init__(
        self,
        door: Door,
        listener: socket.socket,
        context: ssl.SSLContext,
        make: Callable[[Callable[[], None]], asyncio.BaseProtocol],
    ) -> None:
        self._door = door
        self._listener = listener
        self._context = context
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._count = 0
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES)  # connections inherit it
        self._accepting = self._loop.create_task(self._accept())

    def __len__(self) -> int:
        """The number of handshakes in progress."""
        return self._count

    def close(self) -> None:
        """Accept nothing more, and end all handshakes."""
        self._accepting.cancel()
        for handshake in self._handshakes:
            handshake.cancel()
        self._listener.close()

    async def wait_closed(self) -> None:
        """Wait until that is done."""
        await asyncio.wait([self._accepting, *self._handshakes])

    async def _accept(self) -> None:
        while True:
            try:
                connection, address = await self._loop.sock_accept(self._listener)
            except OSError as error:
                log.warning("a connection could not be accepted: %s", reason(error))
                await asyncio.sleep(ACCEPT_SECONDS)
            else:
                self._begin(connection, address[0])

    def _begin(self, connection: socket.socket, host: str) -> None:
        try:
            if not self._door.has_room():
                raise Refused(ErrorCode.TOO_MANY_CONNECTIONS, limit=len(self))  # noqa: TRY301 - counted below
            source = None if self._door.proxies.trust(host) else self._door.sources.admit(host)
        except Refused as refusal:
            # To be told why, a client would need a handshake.
            self._door.metrics.refused(refusal.code, host)
            connection.close()
            return
        handshake = self._loop.create_task(self._perform(connection, source))
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._handshakes.discard)

    async def _perform(self, connection: socket.socket, source: Source | None) -> None:
        with contextlib.ExitStack() as counted:
            self._count += 1
            counted.callback(self._forget, source)
            try:
                await self._pay(source)
                await self._loop.connect_accepted_socket(
                    lambda: self._make(counted.close),
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=REQUEST_SECONDS,
                )
            except (OSError, Refused):
                connection.close()  # it has gone, is too slow, or speaks no TLS: there is nobody to tell

    def _forget(self, source: Source | None) -> None:
        self._count -= 1
        if source:
            self._door.sources.leave(source)

    async def _pay(self, source: Source | None) -> None:
        """Charge an address for a handshake, and wait while it owes for others.

        Raises:
            Refused: `too_fast` if that would take as long as a request may.
        """
        if source is None:
            return
        limiter, now = self._door.sources.limiter(source), self._door.now()
        if limiter.delay(now) > REQUEST_SECONDS:
            raise Refused(ErrorCode.TOO_FAST, wait=limiter.delay(now))
        limiter.charge_frames(now, HANDSHAKE_FRAMES)
        await asyncio.sleep(limiter.delay(now))
