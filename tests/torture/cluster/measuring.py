"""How long nothing is stored in a cluster: a client posts one message after the other, and notes when each came back."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import pairwise
from typing import Final, Self

from besedka.serve.cluster import health
from besedka.serve.cluster.health import Health
from tests import looping
from tests.blackbox.test_cluster import post
from tests.clustering import NatsServers
from tests.commanding import wait_until
from tests.running import RunningServer
from tests.talking import WireClient

SETTLED: Final = 20
"""So many messages before and after: then all is as ever."""


class Poster:
    """A client that posts at a node without a pause.

    Args:
        node: the node.
        name: of its user.

    Attributes:
        times: when each message came back, by the monotonic clock.
    """

    def __init__(self, node: RunningServer, name: str) -> None:
        self._node = node
        self._name = name
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._post, daemon=True)
        self.times: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until some more messages came back."""
        enough = len(self.times) + SETTLED
        wait_until(lambda: len(self.times) >= enough)

    def longest_pause(self, begin: float) -> float:
        """The longest time without a message since a moment, by the monotonic clock, in seconds."""
        times = [begin, *(at for at in self.times if at >= begin)]
        return max(after - before for before, after in pairwise(times))

    def _post(self) -> None:
        with WireClient(self._node) as client:
            client.join(self._name)
            while not self._ends.is_set():
                post(client, f"{self._name}-{len(self.times)}")
                self.times.append(time.monotonic())


def pause_of(poster: Poster, act: object) -> float:
    """The longest time without a message while something is done, in seconds."""
    assert callable(act)
    poster.wait()
    begin = time.monotonic()
    act()
    poster.wait()
    return poster.longest_pause(begin)


async def is_whole(urls: list[str]) -> bool:
    """Whether all servers are there, and each has a copy of the stream that follows."""
    found: Health = await health.examine(urls)
    stream = found.stream
    if stream is None or not stream.leader or found.away or len(found.servers) < len(urls):
        return False
    copies = [server for server in found.servers if server.has_copy and server.last >= stream.last]
    return len(copies) == len(urls) and all(copy.is_current for copy in stream.copies)


def leader(nats: NatsServers) -> int:
    """The number of the server that leads the stream, from 0, once all are well."""
    found: list[Health] = []

    def is_there() -> bool:
        found[:] = [looping.run(health.examine(nats.urls))]
        return bool(looping.run(is_whole(nats.urls)) and found[0].stream)

    wait_until(is_there)
    assert found[0].stream
    return int(found[0].stream.leader.removeprefix("nats-")) - 1


async def until_whole(urls: list[str]) -> None:
    """Wait until all servers are well, as `besedka doctor --cluster` sees them."""
    async with asyncio.timeout(60):
        while not await is_whole(urls):
            pass
