"""Nodes and servers of a cluster die, stand still and are cut off, while people talk and move between the nodes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from itertools import chain, repeat
from pathlib import Path

import pytest

from besedka.serve.cluster.order.entry import Entry
from tests import looping
from tests.clustering import SERVERS, Link, NatsServers, files
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.networks import Network, Way
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.checker import Record, check
from tests.torture.crowd import are_heard, torment
from tests.torture.tracing import end_traced, start_traced

pytestmark = pytest.mark.xdist_group("cluster")

NODES = 3
MOVING, STAYING = (15, 6) if LONG else (4, 3)
FAULTS = (
    {"node": 100, "server": 50, "freeze": 20, "cut": 20, "part": 20}
    if LONG
    else {"node": 3, "cut": 2, "part": 1}
)
"""How often a node is killed, a server is killed, either of them stands still, a node is cut off, a server is cut off from the others."""

STILL_SECONDS = (0.5, 12.0) if LONG else (0.5, 1.0)
HEARD = 60 if LONG else 20

Act = Callable[[], Awaitable[None]]


class Cluster:
    """Three servers, three nodes, and what can be done to them; each on a machine of its own, if there is a network."""

    def __init__(
        self,
        nats: NatsServers,
        make_server: ServerMaker,
        folder: Path,
        until: ExitStack,
        network: Network | None = None,
    ) -> None:
        self.nats = nats
        self.nodes: list[RunningServer] = []
        self._links: list[Iterable[Link | Way]] = []
        for number in range(NODES):
            machine = SERVERS + number
            options, links = nats.links(machine)
            directory = folder / f"node-{number}"
            directory.mkdir()
            options = (
                "--lang",
                "en",
                "--utc",
                "--names",
                "open",
                "--rate",
                "0",
                "--rate-address",
                "0",
                *options,
            )
            if network:
                host, within = network.address(machine), network.within(machine)
                node = make_server(
                    "--host", host, "--open", *options, directory=directory, host=host, within=within
                )
            else:
                node = make_server(*options, directory=directory)
            self.nodes.append(node.start())
            self._links.append(links)
        self._balancer = Link([f"{node.host}:{node.port}" for node in self.nodes], "ws://")
        until.callback(self._balancer.close)
        self.urls = [*repeat(f"{self._balancer.url}/ws", MOVING), *(node.url() for node in self.nodes)]

    async def torment(self, record: Record) -> None:
        acts: dict[str, Act] = {
            "node": self._kill_node,
            "server": self._kill_server,
            "freeze": self._freeze,
            "cut": self._cut_off,
            "part": self._part,
        }
        faults = [*chain.from_iterable(repeat(fault, times) for fault, times in FAULTS.items())]
        random.shuffle(faults)
        for fault in faults:
            await are_heard(record, HEARD)
            await acts[fault]()
            # Everybody who moves comes back, perhaps elsewhere.
            self._balancer.cut()

    async def _kill_node(self) -> None:
        node = random.choice(self.nodes)
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(random.uniform(0, STILL_SECONDS[0]))
        await asyncio.to_thread(node.start)

    async def _kill_server(self) -> None:
        number = random.randrange(NODES)
        await asyncio.to_thread(self.nats.kill, number)
        await asyncio.sleep(random.uniform(*STILL_SECONDS))
        await asyncio.to_thread(self.nats.start, number)

    async def _freeze(self) -> None:
        number, is_node = random.randrange(NODES), random.random() < 0.5
        stop: Callable[[], None]
        go_on: Callable[[], None]
        if is_node:
            pid = self.nodes[number].pid
            stop, go_on = lambda: os.kill(pid, signal.SIGSTOP), lambda: os.kill(pid, signal.SIGCONT)
        else:
            stop, go_on = lambda: self.nats.freeze(number), lambda: self.nats.thaw(number)
        stop()
        await asyncio.sleep(random.uniform(*STILL_SECONDS))
        go_on()

    async def _cut_off(self) -> None:
        links = random.choice(self._links)
        for link in links:
            link.hold()
        await asyncio.sleep(random.uniform(*STILL_SECONDS))
        for link in links:
            link.heal()
            link.cut()

    async def _part(self) -> None:
        number = random.randrange(NODES)
        self.nats.part(number)
        await asyncio.sleep(random.uniform(*STILL_SECONDS))
        self.nats.join(number)


def check_order(entries: list[Entry]) -> None:
    """Each entry was accepted behind the one before it, and none twice: what compare-and-set promises."""
    count = 0
    for entry in entries:
        assert entry.head.first == count + 1, entry.head
        count = entry.last
    assert len({entry.head.by for entry in entries}) == len(entries)


def test_faults_of_nodes_and_servers_lose_nothing_and_double_nothing(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    with ExitStack() as until:
        # The long form alone makes networks on the machine that it runs on.
        network = until.enter_context(Network(SERVERS + NODES)) if LONG and Network.can_be() else None
        nats = until.enter_context(NatsServers(tmp_path, can_part=True, network=network))
        cluster = Cluster(nats, make_server, tmp_path, until, network)
        record = looping.run(torment(cluster.urls, MOVING + STAYING, 0.1, cluster.torment, have_secrets=True))
        logs = nats.entries()
        for node in cluster.nodes:
            assert node.stop() == 0
        check_order(logs["besedka.log.main"])
        counts = {check(record, node.history) for node in cluster.nodes}
    assert counts == {len(record.attempted)}
    assert len(record.acknowledged) == len(record.attempted)
    assert record.resets == 0
    assert len(files(cluster.nodes, "chat_history.txt")) == 1
    assert len({text.split(b"\n")[0] for text in files(cluster.nodes, "chat_history.txt.epoch")}) == 1
    assert not [*tmp_path.glob("*/*.aside-*")]
    faults = ", ".join(f"{times} × {fault}" for fault, times in FAULTS.items())
    print(f"{faults}: {len(record.attempted)} messages, 0 lost, 0 doubled, 0 resets")  # noqa: T201
    print("cut off by", "namespaces of the kernel" if network else "proxies in between")  # noqa: T201


def test_no_node_delivers_before_its_own_sync(make_server: ServerMaker, tmp_path: Path) -> None:
    """Under strace: what others have posted, too, is on the disk of a node before it shows that to anybody."""
    senders, each = 12, 278 if LONG else 20
    with NatsServers(tmp_path) as nats:
        nodes, traces = [], []
        for number in range(NODES):
            directory = tmp_path / f"node-{number}"
            directory.mkdir()
            options = ("--rate", "0", "--utc", "--names", "open", *nats.options)
            node = make_server(*options, directory=directory)
            traces.append(start_traced(node, directory))
            nodes.append(node)

        # Whoever joins reads the latest messages only: all must be in before the first one is posted.
        everybody = threading.Barrier(senders)

        def talk(number: int) -> None:
            with WireClient(nodes[number % NODES]) as client:
                client.join(f"s{number}")
                everybody.wait()
                for count in range(each):
                    client.send_frame("chat", text=f"<{number}.{count}>", key=f"k{count}")
                client.receive_to(senders * each)

        threads = [threading.Thread(target=talk, args=(number,)) for number in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for node, trace in zip(nodes, traces, strict=True):
            order = end_traced(node, trace)
            assert order.early == []
            assert len(order.delivered) == senders * each
