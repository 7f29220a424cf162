"""The source addresses of connections: how many connections, descriptors, streams and calls each has. Pure; time is an argument.

The doors admit connections here; what a connection may do then, `besedka.serve.limits.rate_limits` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple
from weakref import WeakValueDictionary

from besedka.serve.limits.held_bytes import HELD_BYTES
from besedka.serve.limits.networks import THIS_MACHINE, Network, network_of, site_of
from besedka.serve.limits.rate_limits import NAMES_OF_SOURCE_AT_MOST, RateLimiter, RateLimits, Source
from besedka.wire.errors import ErrorCode, Refused


class AddressCount(NamedTuple):
    """How much an address has of something.

    Attributes:
        name: of what.
        limit: how much it may have; 0 is no limit.
        used: how much it has.
        network: the address.
    """

    name: str
    limit: int
    used: int
    network: Network


class Sources:
    """All source addresses. Loopback, and connections without an address, are not limited.

    Args:
        limits: the limits.
        descriptors: file descriptors that all connections may use; those of one address, or one site, half of what the others leave. So however
            many addresses take all that they can, there are some for the next one. 0 is no limit.
    """

    def __init__(self, limits: RateLimits, descriptors: int = 0) -> None:
        self._limits = limits
        self._descriptors = descriptors
        self._used = 0
        # An address has one source, and so one bucket, as long as that source is referenced; sources that are not as new are
        # remembered.
        self._known: WeakValueDictionary[object, Source] = WeakValueDictionary()
        self._remembered: set[Source] = set()
        self._exempt = Source(None)

    def admit(
        self, host: str, *, counts: bool = True, is_limited: bool = False, descriptors: int = 1
    ) -> Source:
        """Admit a connection from this address; call `leave` when it has ended, if it counts.

        Args:
            host: the address.
            counts: whether it counts as one of the connections of its address.
            is_limited: whether to limit it even if it is from this machine, because it is a proxy's.
            descriptors: the file descriptors that it uses.

        Raises:
            Refused: `too_many_connections`.
        """
        network = network_of(host) or (THIS_MACHINE if is_limited else None)
        source = self._exempt if network is None else self._source(network)
        if counts:
            self.enter(source, descriptors)
        return source

    def enter(self, source: Source, descriptors: int = 1) -> None:
        """Count one more connection that uses so many file descriptors, until it leaves.

        Raises:
            Refused: `too_many_connections`.
        """
        for level in source.levels:
            self._check_number(level, level.connections)
            left_by_others = self._descriptors - (self._used - level.descriptors)
            is_too_much = 2 * (level.descriptors + descriptors) > left_by_others
            if self._descriptors and not level.is_exempt and is_too_much:
                raise Refused(ErrorCode.TOO_MANY_CONNECTIONS, limit=level.connections)
        self._used += descriptors
        for level in source.levels:
            level.connections += 1
            level.descriptors += descriptors

    def leave(self, source: Source, descriptors: int = 1) -> None:
        """Count a connection that has ended."""
        self._used -= descriptors
        for level in source.levels:
            level.connections -= 1
            level.descriptors -= descriptors

    def enter_stream(self, source: Source) -> None:
        """Count one more gRPC call that streams, until it leaves; an address may have as many as connections.

        Raises:
            Refused: `too_many_connections`.
        """
        for level in source.levels:
            self._check_number(level, level.streams)
        for level in source.levels:
            level.streams += 1

    def leave_stream(self, source: Source) -> None:
        """Count such a call that has ended."""
        for level in source.levels:
            level.streams -= 1

    def enter_call(self, source: Source) -> None:
        """Count one more gRPC call that does not stream, until it leaves; an address may have as many as connections.

        Raises:
            Refused: `too_many_connections`.
        """
        for level in source.levels:
            self._check_number(level, level.calls)
        for level in source.levels:
            level.calls += 1

    def leave_call(self, source: Source) -> None:
        """Count such a call that has ended."""
        for level in source.levels:
            level.calls -= 1

    def forget(self, now: float) -> None:
        """Forget the sources that are as new."""
        self._remembered = {source for source in self._known.values() if not source.is_as_new(now)}

    def fullest(self) -> Iterator[AddressCount]:
        """Of each limit of an address, the address that has the most; none of those that nobody has anything of. A site is no address."""
        addresses = [source for source in self._known.values() if source.times == 1]
        connections = self._limits.connections_per_address
        kinds: tuple[tuple[str, int, Callable[[Source], int]], ...] = (
            ("connections of an address", connections, lambda source: source.connections),
            ("streams of an address", connections, lambda source: source.streams),
            ("calls of an address", connections, lambda source: source.calls),
            ("bytes held for an address", HELD_BYTES, lambda source: source.held.total),
            ("names claimed from an address", NAMES_OF_SOURCE_AT_MOST, lambda source: source.claims),
        )
        for name, limit, count in kinds:
            most = max(addresses, key=count, default=None)
            if most and most.network and count(most):
                yield AddressCount(name, limit, count(most), most.network)

    def limiter(self, source: Source) -> RateLimiter:
        """The rate limits of a connection from a source."""
        return RateLimiter(self._limits.rate, source)

    def _source(self, network: Network) -> Source:
        """The source of an address; remembered, with its site, until both are as new."""
        source = self._known.get(network)
        if source is None:
            site = site_of(network)
            wider = None if site is None or site == network else self._site(site)
            source = self._known[network] = Source(network, self._limits.rate_address, site=wider)
        self._remembered.update(source.levels)
        return source

    def _site(self, network: Network) -> Source:
        site = self._known.get(network)
        if site is None:
            site = self._known[network] = Source.of_site(network, self._limits.rate_address)
        return site

    def _check_number(self, source: Source, number: int) -> None:
        limit = source.times * self._limits.connections_per_address
        if limit and not source.is_exempt and number >= limit:
            raise Refused(ErrorCode.TOO_MANY_CONNECTIONS, limit=limit)
