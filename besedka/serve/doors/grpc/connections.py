"""The TCP port of gRPC: accepts connections, counts them by address, and passes their bytes on to the gRPC server.

gRPC's Python API tells nothing of connections, nor of requests that are not whole, and its own limits have no share for each address. So
the port is the event loop's, with TLS, and the gRPC server listens at an address inside the machine (decision 34).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import sys
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from besedka.serve.act_on_each import act_on_each
from besedka.serve.doors.buffers import StuckDeadline
from besedka.serve.doors.grpc.half_open import HalfOpenRequests
from besedka.serve.doors.listener import BACKLOG, UNSENT_BYTES, host_of
from besedka.serve.doors.timeouts import REQUEST_SECONDS, STUCK_SECONDS
from besedka.serve.doors.tls import TlsServer
from besedka.serve.doors.unix_sockets import disown_if_closed
from besedka.serve.files.descriptor import reason
from besedka.serve.limits.descriptors import Capacity
from besedka.serve.limits.networks import share_of_site
from besedka.serve.limits.rate_limits import HANDSHAKE_FRAMES, RateLimiter, Source
from besedka.serve.metrics import GRPC, Metrics
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)

DESCRIPTORS: Final = 3
"""File descriptors of one connection: the client's socket, and both ends of the one inside."""

CALLLESS_SECONDS: Final = 60.0
"""A connection without an admitted call for this long has only half-open calls, or checks the health of the server without a key, or it
ignores that gRPC has closed it in good order."""

HALF_OPEN_SECONDS: Final = 60.0
"""A request must be whole by then: the longest one takes that over 17 KB a second."""

HALF_OPEN_OF_CONNECTION: Final = 2 * 1024 * 1024
"""Bytes of half-open requests on one connection: a request of `Import`, and a hundred small ones, may be on their way."""

HALF_OPEN_OF_ADDRESS: Final = 16 * 1024 * 1024
"""Those on all connections of an address, this machine's own among them: eight longest requests at once, or a thousand small ones."""

HALF_OPEN_AT_MOST: Final = 64 * 1024 * 1024
"""Those on all connections. Above that the one with the most is cut off."""

HALF_OPEN_OF_SITE: Final = share_of_site(HALF_OPEN_OF_ADDRESS, HALF_OPEN_AT_MOST)
"""Those on all connections of an IPv6 site."""

HOLD_SECONDS: Final = 0.01
"""The shortest pause in reading from a client that owes for its calls."""

FRAME_BYTES: Final = 4 * 1024
"""Received bytes that cost a frame, beside the calls that begin with them: pings and requests of streams come without end, too."""

READ_BYTES: Final = 64 * 1024
"""Bytes that are read of a client at once: the smallest frames of HTTP/2 in them take twenty milliseconds."""

HTTP2_FRAME_BYTES: Final = 100
"""A frame of HTTP/2 costs as many received bytes as this, beside its own: forty of nine bytes each take as long as a frame."""

CALLS_AT_ONCE: Final = 200
"""Calls that may begin in bytes that are read at once: twice the concurrent ones. A client that begins more has cancelled them at once, and
is ended: it would leave a debt to everybody at its address."""

STREAMS_AT_MOST: Final = 100
"""Concurrent calls on one connection; the client holds back more."""

END_SECONDS: Final = 0.3
"""The time that clients have to read the rest when the server stops, after gRPC has ended their calls."""

NAME_BYTES: Final = 16
"""Random bytes in the name of a socket inside: no other program can take it before."""

_FOREVER: Final = float("inf")

ServeTls = Callable[[socket.socket, Callable[[Callable[[], None]], asyncio.BaseProtocol]], TlsServer]
"""Performs the handshakes at a socket, given what makes the protocol of a connection."""


class Gate(Protocol):
    """Decides which connections may come in."""

    def admit_connection(self, host: str) -> RateLimiter | None:
        """Count a connection from an address, and return its rate limits; None if it is a trusted proxy's, which is not counted.

        Raises:
            Refused: `too_many_connections`.
        """

    def forget_connection(self, peer: str, host: str, source: Source | None) -> None:
        """Count a connection that has ended."""


class Connections:
    """All connections at the TCP port.

    Args:
        gate: admits them.
        capacity: the file descriptors that connections may use.
        metrics: counts refusals.
        now: a monotonic clock, in seconds.

    Attributes:
        address: the gRPC server's address, as gRPC writes it.
        now: a monotonic clock, in seconds.
    """

    def __init__(self, gate: Gate, capacity: Capacity, metrics: Metrics, now: Callable[[], float]) -> None:
        self._gate = gate
        self._capacity = capacity
        capacity.add(lambda: DESCRIPTORS * self.count)
        self._metrics = metrics
        self.now = now
        self._inside = _Inside()
        self.address = self._inside.name
        self._connections: dict[str, Connection] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._half_open = 0
        self._half_open_of: Counter[Source | str] = Counter()
        self._is_empty = asyncio.Event()
        metrics.show("grpc_connections", GRPC["grpc_connections"], lambda: self.count)

    @property
    def count(self) -> int:
        """How many there are. (Not `__len__`: where there may be no connections at all, none at present must not look the same.)"""
        return len(self._connections)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._connections.values()))

    def connection(self, peer: str) -> Connection | None:
        """The connection of a call, by gRPC's name for its peer; None if the call came over another socket.

        Raises:
            Refused: `no_access` if it has ended, or is another program's that has found the address inside.
        """
        found = self._connections.get(peer)
        if found is None and peer.startswith(self._inside.prefix):
            raise Refused(ErrorCode.NO_ACCESS)
        return found

    @contextlib.asynccontextmanager
    async def open(
        self, listener: socket.socket | None, serve_tls: ServeTls | None = None
    ) -> AsyncIterator[None]:
        """Accept connections, if there is a listener; the gRPC server must listen already, and must have stopped at the end.

        Args:
            listener: the port's socket.
            serve_tls: serves it with TLS, if there is a certificate.
        """
        if listener is None:
            yield
            return
        if serve_tls:
            server: asyncio.Server | TlsServer = serve_tls(listener, self._accept)
        else:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(self._accept, sock=listener, backlog=BACKLOG)
        try:
            yield
        finally:
            server.close()
            await self._end()
            self._inside.remove()

    def look_after(self, now: float) -> None:
        """Check the deadlines of all connections."""
        act_on_each(
            self,
            lambda connection: connection.check_deadlines(now),
            "a gRPC connection could not be looked after",
        )

    def admit(self, connection: Connection, host: str) -> None:
        """Connect an accepted connection with the gRPC server, or abort it: its client understands no answer yet."""
        try:
            if not self._capacity.has_room(DESCRIPTORS):
                raise Refused(ErrorCode.TOO_MANY_CONNECTIONS, limit=self.count)  # noqa: TRY301 - counted below
            limiter = self._gate.admit_connection(host)
        except Refused as refusal:
            self._metrics.refused(refusal.code, host)
            connection.abort()
            return
        peer = self._inside.new_peer()
        connection.enter(peer, host, limiter)
        self._connections[peer] = connection
        connecting = asyncio.get_running_loop().create_task(self._connect(connection))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connecting.discard)

    def lose(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        if self._connections.pop(connection.peer, None):
            self._gate.forget_connection(connection.peer, connection.host, connection.source)
            self.count_half_open(connection, -connection.half_open.size)
        if not self._connections:
            self._is_empty.set()

    def count_half_open(self, connection: Connection, count: int) -> None:
        """Count so many bytes of half-open requests more, or fewer; cut off a connection that makes them too many."""
        self._half_open += count
        of_owners = [self._count_of(owner, count) for owner in _owners(connection)]
        if count <= 0:
            return
        address, *site = of_owners
        if (
            connection.half_open.size > HALF_OPEN_OF_CONNECTION
            or address > HALF_OPEN_OF_ADDRESS
            or any(size > HALF_OPEN_OF_SITE for size in site)
        ):
            connection.abort()
        elif self._half_open > HALF_OPEN_AT_MOST:
            max(self, key=lambda one: one.half_open.size).abort()

    def _count_of(self, owner: Source | str, count: int) -> int:
        """Count bytes of an owner; how many it has now."""
        self._half_open_of[owner] += count
        found = self._half_open_of[owner]
        if not found:
            del self._half_open_of[owner]
        return found

    def _accept(self, counted: Callable[[], None] | None = None) -> asyncio.BaseProtocol:
        return Connection(self, self.now(), counted).outer

    async def _connect(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(connection.charge_handshake(self.now()))
        try:
            inner = self._inside.connect(connection.peer)
            transport, _ = await loop.create_unix_connection(lambda: connection.inner, sock=inner)
            disown_if_closed(inner, transport)
            connection.inner.open(transport)
        except OSError as error:
            log.error("a gRPC connection could not be passed on: %s", reason(error))  # noqa: TRY400 - the sentence is enough
            connection.abort()

    async def _end(self) -> None:
        """End all connections, after a moment in which they are flushed."""
        self._is_empty.clear()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_empty.wait(), END_SECONDS)
        for connection in self:
            connection.abort()


class Connection:
    """A client's connection, and the one to the gRPC server that stands for it.

    Args:
        connections: all connections.
        now: the time.
        handshake: ends the count of its handshake of TLS.

    Attributes:
        outer: the client's side.
        inner: the gRPC server's side.
        peer: gRPC's name for the peer of its calls; empty before it is admitted.
        host: the client's address.
        source: where it is counted; None if it is a trusted proxy's.
        half_open: its requests that are not whole.
        limiters: the rate limits of its calls, by whether they are forwarded, and of its bytes and of calls that begin as if they were
            not; none if it is a trusted proxy's, which has many clients.
    """

    __slots__ = (
        "_called_by",
        "_calls",
        "_connections",
        "_handshake",
        "_stuck",
        "_turns",
        "_uncharged",
        "half_open",
        "host",
        "inner",
        "limiters",
        "outer",
        "peer",
        "source",
    )

    def __init__(
        self, connections: Connections, now: float, handshake: Callable[[], None] | None = None
    ) -> None:
        self.outer = _Outer(self)
        self.inner = _Inner(self)
        self.outer.other, self.inner.other = self.inner, self.outer
        self.peer = self.host = ""
        self.source: Source | None = None
        self.half_open = HalfOpenRequests()
        self._connections = connections
        self._handshake = handshake
        self._called_by = now + REQUEST_SECONDS
        self._calls: dict[object, float] = {}
        self.limiters: dict[bool, RateLimiter] = {}
        self._uncharged = 0
        # When each call that has begun may go on, until gRPC hands it over. Those that it never hands over leave theirs to the next ones.
        self._turns: deque[float] = deque(maxlen=STREAMS_AT_MOST)
        self._stuck = StuckDeadline()

    def enter(self, peer: str, host: str, limiter: RateLimiter | None) -> None:
        """Note that it has been admitted."""
        self.peer, self.host = peer, host
        if limiter:
            self.source = limiter.source
            self.limiters[False] = limiter

    def take_turn(self, limiter: RateLimiter, now: float) -> float | None:
        """When a call may go on that has been charged to these rate limits when it began; None if it has not been.

        One that turns out to be forwarded has been charged to the connection until now, and is not any more.
        """
        charged = self.limiters.get(False)
        if charged is None:
            return None
        turn = self._turns.popleft() if self._turns else now
        if limiter is charged:
            return turn
        charged.charge_frames(now, -1)
        return None

    def call_began(self, call: object, seconds: float | None) -> None:
        """Note a call that was admitted: it is no longer a mere handshake.

        Args:
            call: the call.
            seconds: the time by which it must have ended; None if it may last.
        """
        self._called_by = _FOREVER
        self._calls[call] = _FOREVER if seconds is None else self._connections.now() + seconds

    def call_answered(self, call: object) -> None:
        """Note that such a call has its whole answer, which must be read in time."""
        if call in self._calls:
            self._calls[call] = min(self._calls[call], self._connections.now() + STUCK_SECONDS)

    def call_ended(self, call: object) -> None:
        """Note that such a call has ended, and its answer has been read: the next one must come in time."""
        del self._calls[call]
        if not self._calls:
            self._called_by = self._connections.now() + CALLLESS_SECONDS

    def accepted(self, host: str) -> None:
        """The client's side is open."""
        if self._handshake:
            self._handshake()
        self._connections.admit(self, host)

    def check_deadlines(self, now: float) -> None:
        """Abort a connection without a call, or with one that does not end, and a client that does not read or send on."""
        stuck_at = self._stuck.look(self.outer.unsent, now)
        whole_by = self.half_open.oldest() + HALF_OPEN_SECONDS
        if now >= min(self._called_by, stuck_at, whole_by, *self._calls.values()):
            self.abort()

    def read_along(self, data: bytes, *, is_request: bool) -> None:
        """Count what this piece adds to the half-open requests, or takes from them; charge for each call that begins with it.

        gRPC hands a call over some milliseconds later, and not at all if the client has cancelled it by then.

        Args:
            data: the piece, before it is passed on.
            is_request: whether the client has sent it.
        """
        before = self.half_open.size
        if is_request:
            now, begun, frames = self._connections.now(), self.half_open.begun, self.half_open.frames
            self.half_open.receive(data, now)
            self._uncharged += HTTP2_FRAME_BYTES * (self.half_open.frames - frames)
            self._charge_calls(self.half_open.begun - begun, now)
        else:
            self.half_open.send(data)
        if self.half_open.size != before and not self.outer.is_lost:
            self._connections.count_half_open(self, self.half_open.size - before)

    def received(self, count: int = 0) -> None:
        """Charge for so many bytes. Read nothing more from a client that owes for them or for its calls, until it does not.

        Bytes are charged beside the calls that begin with them: they also pay for what is no call.
        """
        now = self._connections.now()
        self._charge_bytes(count, now)
        wait = max((limiter.delay(now) for limiter in self.limiters.values()), default=0.0)
        if wait:
            self.outer.hold()
            asyncio.get_running_loop().call_later(max(wait, HOLD_SECONDS), self.received)
        elif self.outer.is_held:
            self.outer.release()

    def charge_handshake(self, now: float) -> float:
        """Charge for the connection itself, and return the seconds that it must wait because its address owes for others."""
        limiter = self.limiters.get(False)
        if limiter is None or self._handshake:  # that of TLS has been charged
            return 0.0
        limiter.charge_frames(now, HANDSHAKE_FRAMES)
        return limiter.delay(now)

    def _charge_calls(self, count: int, now: float) -> None:
        if limiter := self.limiters.get(False):
            self._turns.extend(now + limiter.charge_begun(now) for _ in range(min(count, CALLS_AT_ONCE)))
        if count > CALLS_AT_ONCE:
            self.abort()

    def _charge_bytes(self, count: int, now: float) -> None:
        limiter = self.limiters.get(False)
        if limiter and not limiter.is_own_program:
            frames, self._uncharged = divmod(self._uncharged + count, FRAME_BYTES)
            limiter.charge_frames(now, frames)

    def abort(self) -> None:
        """End it at once."""
        self.outer.abort()
        self.inner.abort()

    def lost(self, side: _Side) -> None:
        """One side has ended: so does the other, after it has been flushed. What a client that is gone has sent last still counts."""
        side.other.close()
        if self.outer.is_lost:
            self._connections.lose(self)


def _owners(connection: Connection) -> tuple[Source | str, ...]:
    """The owners of its half-open requests: its address, and the IPv6 site of that."""
    return connection.source.levels if connection.source else (connection.host,)


class _Side(asyncio.BaseProtocol):
    """One side of a connection: what it receives, the other one sends."""

    __slots__ = ("_connection", "_early", "_transport", "is_lost", "other")

    other: _Side

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transport: asyncio.Transport | None = None
        # What the other side has received before this one was connected: one piece, then it is paused.
        self._early: list[bytes] = []
        self.is_lost = False

    @property
    def unsent(self) -> int:
        """The bytes that the system has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    def open(self, transport: asyncio.Transport) -> None:
        """Begin to send; not before the loop has made the transport the owner of its socket."""
        self._transport = transport
        if self.is_lost or self.other.is_lost:
            transport.abort()  # the client did not wait
            return
        transport.writelines(self._early)
        self._early.clear()
        self.other.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Pass on what has come."""
        self._connection.read_along(data, is_request=self is self._connection.outer)
        self.other.send(data)

    def pause_writing(self) -> None:
        self.other.pause_reading()

    def resume_writing(self) -> None:
        self.other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the other side ends, whatever it was
        self.is_lost = True
        self._connection.lost(self)

    def send(self, data: bytes) -> None:
        """Send what the other side has received; nothing after the end."""
        if self._transport:
            if not self._transport.is_closing():
                self._transport.write(data)
        elif not self.is_lost:
            self._early.append(data)
            self.other.pause_reading()

    def pause_reading(self) -> None:
        """Read no more for now."""
        if self._transport and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self._transport and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """End it, after the rest has been sent."""
        if self._transport:
            self._transport.close()
        self.is_lost = self.is_lost or self._transport is None

    def abort(self) -> None:
        """End it at once."""
        if self._transport:
            self._transport.abort()
        self.is_lost = self.is_lost or self._transport is None


class _Inner(_Side, asyncio.Protocol):
    """The gRPC server's side."""

    __slots__ = ()


_READ_BUFFER: Final = memoryview(bytearray(READ_BYTES))
"""Shared by all connections: each piece is copied out of it as soon as it has been read."""


class _Outer(_Side, asyncio.BufferedProtocol):
    """The client's side."""

    __slots__ = ("_is_full", "is_held")

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._is_full = False
        self.is_held = False

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the same for all
        return _READ_BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_READ_BUFFER[:nbytes]))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.is_held:
            self._connection.received(len(data))

    def pause_reading(self) -> None:
        self._is_full = True
        super().pause_reading()

    def resume_reading(self) -> None:
        self._is_full = False
        if not self.is_held:
            super().resume_reading()

    def hold(self) -> None:
        """Read nothing, even if there is space."""
        self.is_held = True
        super().pause_reading()

    def release(self) -> None:
        """Read on, if there is space."""
        self.is_held = False
        if not self._is_full:
            super().resume_reading()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of streams
        self._transport = transport
        transport.set_write_buffer_limits(high=UNSENT_BYTES)  # uvloop's limit over TLS is 512 KiB
        host = host_of(transport)
        if host is None:
            transport.abort()
        else:
            self._connection.accepted(host)


class _Inside:
    """The address of the gRPC server inside the machine, and those of its clients.

    On Linux they are names without files, which nothing can leave behind; elsewhere files in a folder that only this user can read.
    """

    def __init__(self) -> None:
        self._folder = None if sys.platform == "linux" else Path(tempfile.mkdtemp(prefix="besedka-"))
        self.prefix = "unix-abstract:besedka-" if self._folder is None else f"unix:{self._folder}/"
        self.name = self.new_peer()

    def new_peer(self) -> str:
        """A new name, as gRPC writes it."""
        return self.prefix + secrets.token_hex(NAME_BYTES)

    def connect(self, peer: str) -> socket.socket:
        """A connection to the gRPC server under a name.

        Raises:
            OSError: from the system.
        """
        client = socket.socket(socket.AF_UNIX)
        try:
            client.setblocking(False)
            client.bind(self._path(peer))
            client.connect(self._path(self.name))  # at once or not at all (unix(7))
        except OSError:
            client.close()
            raise
        if self._folder:
            Path(self._path(peer)).unlink()
        return client

    def remove(self) -> None:
        """Remove what it has made."""
        if self._folder:
            Path(self._path(self.name)).unlink(missing_ok=True)
            self._folder.rmdir()

    def _path(self, peer: str) -> str:
        _, _, path = peer.partition(":")
        return path if self._folder else f"\0{path}"
