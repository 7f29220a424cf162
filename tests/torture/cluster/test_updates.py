"""A rolling update: each server and each node ends and starts again, one after the other, while people talk and move. Nobody is refused."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import looping
from tests.blackbox.test_how_the_server_is import figures
from tests.clustering import NatsServers, files
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer, fetch
from tests.torture.checker import Record, check
from tests.torture.cluster.measuring import until_whole
from tests.torture.crowd import are_heard, torment
from tests.torture.test_cluster import MOVING, STAYING, Cluster, check_order

pytestmark = pytest.mark.xdist_group("cluster")

ROUNDS = 3
HEARD = 40


def refusals(node: RunningServer) -> float:
    """How often a node has refused what was posted because the cluster was out of reach."""
    return figures(node).get("besedka_refusals_total:out_of_reach", 0)


def test_a_rolling_update_refuses_nobody(make_server: ServerMaker, tmp_path: Path) -> None:
    with ExitStack() as until, NatsServers(tmp_path) as nats:
        cluster = Cluster(nats, make_server, tmp_path, until)
        refused: list[float] = []

        def restart(node: RunningServer) -> None:
            refused.append(refusals(node))
            assert node.stop() == 0
            node.start()
            wait_until(lambda: fetch(node, "/readyz")[0] == 200)

        async def update(record: Record) -> None:
            for _ in range(ROUNDS):
                for number in range(len(nats.urls)):
                    await are_heard(record, HEARD)
                    await asyncio.to_thread(nats.stop, number)
                    await asyncio.to_thread(nats.start, number)
                    await until_whole(nats.urls)
                for node in cluster.nodes:
                    await are_heard(record, HEARD)
                    await asyncio.to_thread(restart, node)

        record = looping.run(torment(cluster.urls, MOVING + STAYING, 0.1, update))
        refused += map(refusals, cluster.nodes)
        logs = nats.entries()
        for node in cluster.nodes:
            assert node.stop() == 0
    check_order(logs["besedka.log.main"])
    assert sum(refused) == 0
    assert {check(record, node.history) for node in cluster.nodes} == {len(record.attempted)}
    assert record.acknowledged == record.attempted
    assert record.resets == 0
    assert len(files(cluster.nodes, "chat_history.txt")) == 1
    print(f"{ROUNDS} updates, {len(record.attempted)} messages, 0 refused, 0 lost, 0 doubled, 0 resets")  # noqa: T201
