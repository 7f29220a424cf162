"""The clients of connections and calls, with their rate limits.

gRPC does not report the requested name (``:authority``). It need not: the check against DNS rebinding protects browsers, and
no browser can call gRPC.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol
from urllib.parse import unquote

from besedka.serve.doors.client_name import client_name
from besedka.serve.doors.forwarded import Client, Proxies
from besedka.serve.doors.grpc.connections import DESCRIPTORS, Connection, Connections
from besedka.serve.limits.networks import UNIX_SOCKET, Network, network_of
from besedka.serve.limits.rate_limits import REFUSED_FRAMES, RateLimiter, Source, check_wait
from besedka.serve.limits.sources import Sources
from besedka.wire.errors import Refused

PEERS_REMEMBERED: Final = 10_000
"""Connections whose rate limits are kept; those that called last."""


class Call(Protocol):
    """A call's address and metadata, as `grpc.aio.ServicerContext` has them."""

    def peer(self) -> str:
        """The address of the connection, such as ``ipv4:127.0.0.1:5000``."""

    def invocation_metadata(self) -> Iterable[Any] | None:
        """Pairs of a name, in lower case, and a value."""


class Clients:
    """All connections, and the clients that have called recently.

    Args:
        sources: the addresses of clients, with their limits.
        proxies: the trusted proxies.

    Attributes:
        connections: the connections over TCP, if there are any.
    """

    def __init__(self, sources: Sources, proxies: Proxies | None = None) -> None:
        self.connections: Connections | None = None
        self._sources = sources
        self._proxies = proxies or Proxies()
        self._limiters: OrderedDict[tuple[str, Client], RateLimiter] = OrderedDict()

    # Connections.

    def admit_connection(self, host: str) -> RateLimiter | None:
        """Count a connection from an address, and return its rate limits; None if it is a trusted proxy's, which is not counted.

        Raises:
            Refused: `too_many_connections`.
        """
        if self._proxies.trust(host):
            return None
        return self._sources.limiter(self._sources.admit(host, descriptors=DESCRIPTORS))

    def forget_connection(self, peer: str, host: str, source: Source | None) -> None:
        """Count a connection that has ended."""
        if source:
            self._sources.leave(source, DESCRIPTORS)
        # The clients of a trusted proxy are forgotten in their turn.
        for client in (Client(host), Client(host, is_forwarded=True)):
            self._limiters.pop((peer, client), None)

    # Calls.

    def limiter(self, call: Call) -> RateLimiter:
        """The rate limits of a call: those of its connection, or of the client behind the proxy.

        Raises:
            Refused: `no_access` if its connection has ended.
        """
        client = self._client(call)
        limiter = self._limiters.get((call.peer(), client))
        if limiter is None:
            limiter = self._limiters[call.peer(), client] = self._new_limiter(call, client)
            if len(self._limiters) > PEERS_REMEMBERED:
                self._limiters.popitem(last=False)
        self._limiters.move_to_end((call.peer(), client))
        return limiter

    def _new_limiter(self, call: Call, client: Client) -> RateLimiter:
        connection = self._connection(call)
        limiters = connection.limiters if connection and connection.source else {}
        if client.is_forwarded not in limiters:
            source = self._sources.admit(client.host, counts=False, is_limited=client.is_via_trusted_proxy)
            limiters[client.is_forwarded] = self._sources.limiter(source)
            limiters[client.is_forwarded].is_forwarded = client.is_forwarded
            metadata = call.invocation_metadata() or ()
            agents = (value for name, value in metadata if name == "user-agent" and isinstance(value, str))
            limiters[client.is_forwarded].client = client_name(agents)
        return limiters[client.is_forwarded]

    def network(self, call: Call) -> Network | None:
        """The client's network, for the log; None if its connection has ended."""
        try:
            return network_of(self._client(call).host)
        except Refused:
            return None

    def charge_call(self, call: Call, limiter: RateLimiter, now: float, longest: float) -> float:
        """Charge a call, unless the port has done so when it began, and return the seconds that it must wait.

        Args:
            call: the call, as gRPC hands it over.
            limiter: its rate limits.
            now: the time.
            longest: the longest wait, in seconds.

        Raises:
            Refused: `too_fast` if it would have to wait longer; `no_access` if its connection has ended.
        """
        turn = self._turn(call, limiter, now)
        if turn is None:
            return limiter.charge_call(now, 1, longest)
        wait = max(0.0, turn - now)
        check_wait(wait, longest)
        return wait

    def charge_refusal(self, call: Call, now: float) -> None:
        """Charge a call that is refused before it is handled, unless its connection has ended: it costs as much as any other refusal."""
        with suppress(Refused):
            limiter = self.limiter(call)
            is_charged = self._turn(call, limiter, now) is not None
            limiter.charge_frames(now, REFUSED_FRAMES - is_charged)

    def refuse_early(self, call: Call, refusal: Refused | None, now: float) -> None:
        """Refuse a call at once whose only request cannot be handled, if there is a refusal, and charge it.

        Raises:
            Refused: the refusal.
        """
        if refusal:
            self.charge_refusal(call, now)
            raise refusal

    def _turn(self, call: Call, limiter: RateLimiter, now: float) -> float | None:
        """When a call may go on that the port has charged when it began; None if it has not."""
        connection = self._connection(call)
        return connection.take_turn(limiter, now) if connection else None

    def call_began(self, call: Call, seconds: float | None) -> Callable[[], None]:
        """Note an admitted call of its connection, and count it, if it does not stream: an address may have as many as connections.

        Args:
            call: the call.
            seconds: the time by which it must have ended, or its connection is; None if it streams.

        Returns:
            To be called when it has ended.

        Raises:
            Refused: `too_many_connections`; `no_access` if its connection has ended.
        """
        connection = self._connection(call)
        source = None if seconds is None else self.limiter(call).source
        if source:
            self._sources.enter_call(source)
        if connection:
            connection.call_began(call, seconds)

        def ended() -> None:
            if source:
                self._sources.leave_call(source)
            if connection:
                connection.call_ended(call)

        return ended

    def call_answered(self, call: Call) -> None:
        """Note that a call that streams has its whole answer, or will write no more of it: the rest must be read in time."""
        with suppress(Refused):
            if connection := self._connection(call):
                connection.call_answered(call)

    def cut_off(self, call: Call) -> None:
        """End the connection of a call at once; not one over the Unix socket, which is the operator's own."""
        with suppress(Refused):
            if connection := self._connection(call):
                connection.abort()

    @contextmanager
    def stream(self, limiter: RateLimiter) -> Iterator[None]:
        """Count an open stream of its address: each may have as many as connections.

        Raises:
            Refused: `too_many_connections`.
        """
        self._sources.enter_stream(limiter.source)
        try:
            yield
        finally:
            self._sources.leave_stream(limiter.source)

    def _client(self, call: Call) -> Client:
        metadata = call.invocation_metadata() or ()
        headers = [(name, value) for name, value in metadata if isinstance(value, str)]
        return self._proxies.client(self._host(call), headers)

    def _host(self, call: Call) -> str:
        connection = self._connection(call)
        return connection.host if connection else host_of(call.peer())

    def _connection(self, call: Call) -> Connection | None:
        # One that has ended is an error, also if it was the last.
        return None if self.connections is None else self.connections.connection(call.peer())


def host_of(peer: str) -> str:
    """The address in a peer's name of gRPC, or `UNIX_SOCKET`.

    Raises:
        ValueError: if it is of another kind: an unknown client must not count as this machine.
    """
    scheme, _, rest = unquote(peer).partition(":")
    if scheme in {"ipv4", "ipv6"}:
        return rest.rpartition(":")[0].strip("[]")
    if scheme in {"unix", "unix-abstract"}:
        return UNIX_SOCKET
    raise ValueError(f"gRPC calls a peer {peer!r}")
