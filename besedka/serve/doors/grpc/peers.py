"""Where calls come from: gRPC tells no beginning and no end of a connection, only its address with each call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote

from besedka.serve.fairness import Pace, Sources

PEERS_REMEMBERED: Final = 10_000
"""How many connections' buckets are kept; those that called last."""


class Peers:
    """All connections that have called of late.

    Args:
        sources: where connections come from.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    def pace(self, peer: str) -> Pace:
        """What the connection with this name may do; ``peer`` is what gRPC calls it, such as ``ipv4:127.0.0.1:5000``."""
        pace = self._paces.get(peer)
        if pace is None:
            pace = self._paces[peer] = self._sources.pace(self._sources.admit(host_of(peer), counts=False))
            if len(self._paces) > PEERS_REMEMBERED:
                self._paces.popitem(last=False)
        self._paces.move_to_end(peer)
        return pace

    @contextmanager
    def stream(self, peer: str) -> Iterator[None]:
        """A stream is open; it counts as a connection of its address.

        Raises:
            Refused: `too_many_connections`.
        """
        source = self._sources.admit(host_of(peer))
        try:
            yield
        finally:
            self._sources.leave(source)


def host_of(peer: str) -> str:
    """The address in what gRPC calls a connection; empty for a Unix socket."""
    scheme, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if scheme in {"ipv4", "ipv6"} else ""
