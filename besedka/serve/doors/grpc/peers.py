"""Where calls come from: gRPC tells no beginning and no end of a connection, only its address with each call.

Nor does it tell by which name it was asked for (``:authority``), and need not: what guards the other door against DNS
rebinding guards browsers, and none of them can call gRPC.
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
"""How many connections' buckets are kept; those that called last."""


class Call(Protocol):
    """What gRPC tells of a call."""

    def peer(self) -> str:
        """What it calls the connection, such as ``ipv4:127.0.0.1:5000``."""

    def invocation_metadata(self) -> Iterable[Any] | None:
        """Pairs of a name in small letters and a value."""


class Peers:
    """All connections that have called of late.

    Args:
        sources: where connections come from.
        proxies: who is believed for whom he speaks.
    """

    def __init__(self, sources: Sources, proxies: Proxies | None = None) -> None:
        self._sources = sources
        self._proxies = proxies or Proxies()
        self._limiters: OrderedDict[tuple[str, Client], RateLimiter] = OrderedDict()

    def limiter(self, call: Call) -> RateLimiter:
        """What the connection of this call, or whoever a proxy speaks for on it, may do."""
        client = self._client(call)
        limiter = self._limiters.get((call.peer(), client))
        if limiter is None:
            source = self._sources.admit(client.host, counts=False, is_limited=client.is_told)
            limiter = self._limiters[call.peer(), client] = self._sources.limiter(source)
            limiter.is_forwarded = client.is_forwarded
            if len(self._limiters) > PEERS_REMEMBERED:
                self._limiters.popitem(last=False)
        self._limiters.move_to_end((call.peer(), client))
        return limiter

    @contextmanager
    def stream(self, limiter: RateLimiter) -> Iterator[None]:
        """A stream is open by a connection; it counts as a connection of its address.

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
    """The address in what gRPC calls a connection; empty for a Unix socket."""
    scheme, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if scheme in {"ipv4", "ipv6"} else ""
