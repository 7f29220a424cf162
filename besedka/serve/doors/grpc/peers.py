"""The clients of calls: gRPC reports no beginning or end of a connection, only its address with each call.

Nor does it report the requested name (``:authority``). It need not: the check against DNS rebinding protects browsers, and
no browser can call gRPC.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol
from urllib.parse import unquote

from besedka.serve.doors.forwarded import Client, Proxies
from besedka.serve.rate_limits import RateLimiter, Sources

PEERS_REMEMBERED: Final = 10_000
"""Connections whose rate limits are kept; those that called last."""


class Call(Protocol):
    """A call's address and metadata, as `grpc.aio.ServicerContext` has them."""

    def peer(self) -> str:
        """The address of the connection, such as ``ipv4:127.0.0.1:5000``."""

    def invocation_metadata(self) -> Iterable[Any] | None:
        """Pairs of a name, in lower case, and a value."""


class Peers:
    """All connections that have called recently.

    Args:
        sources: the addresses of clients, with their limits.
        proxies: the trusted proxies.
    """

    def __init__(self, sources: Sources, proxies: Proxies | None = None) -> None:
        self._sources = sources
        self._proxies = proxies or Proxies()
        self._limiters: OrderedDict[tuple[str, Client], RateLimiter] = OrderedDict()

    def limiter(self, call: Call) -> RateLimiter:
        """The rate limits of a call: those of its connection, or of the client behind the proxy."""
        client = self._client(call)
        limiter = self._limiters.get((call.peer(), client))
        if limiter is None:
            source = self._sources.admit(client.host, counts=False, is_limited=client.is_via_trusted_proxy)
            limiter = self._limiters[call.peer(), client] = self._sources.limiter(source)
            limiter.is_forwarded = client.is_forwarded
            if len(self._limiters) > PEERS_REMEMBERED:
                self._limiters.popitem(last=False)
        self._limiters.move_to_end((call.peer(), client))
        return limiter

    @contextmanager
    def stream(self, limiter: RateLimiter) -> Iterator[None]:
        """Count an open stream as a connection of its address.

        Raises:
            Refused: `too_many_connections`.
        """
        self._sources.enter(limiter.source)
        try:
            yield
        finally:
            self._sources.leave(limiter.source)

    def _client(self, call: Call) -> Client:
        metadata = call.invocation_metadata() or ()
        headers = [(name, value) for name, value in metadata if isinstance(value, str)]
        return self._proxies.client(host_of(call.peer()), headers)


def host_of(peer: str) -> str:
    """The address in a peer's name of gRPC; empty for a Unix socket."""
    scheme, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if scheme in {"ipv4", "ipv6"} else ""
