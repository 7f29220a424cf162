"""All nodes and all servers are killed at the same moment, while people talk.

What the system has not written yet is not lost in that, as it would be in a power cut. That a node delivers nothing before its own sync is proved under strace (`tests/torture/test_cluster.py`), and what
a server of NATS syncs is what it says of itself.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from besedka.wire.log_line import read_line
from tests import looping
from tests.clustering import NatsServers, files
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.torture.checker import Record, check
from tests.torture.crowd import are_heard, torment
from tests.torture.test_cluster import STAYING, Cluster, check_order

pytestmark = pytest.mark.xdist_group("cluster")

ROUNDS = 50
HEARD = 30
RECOVERY_SECONDS = 30.0


def texts(node: RunningServer) -> set[str]:
    """The texts in a node's file, as far as its lines are whole."""
    raw = node.history.read_text("utf-8") if node.history.exists() else ""
    return {
        read_line(message).text for message in raw.rpartition("\n")[0].replace("\n[", "\n\0[").split("\n\0")
    }


def test_everything_is_killed_at_once(make_server: ServerMaker, tmp_path: Path) -> None:
    with ExitStack() as until, NatsServers(tmp_path) as nats:
        cluster = Cluster(nats, make_server, tmp_path, until)
        recoveries: list[float] = []

        async def kill_all(record: Record) -> None:
            for _ in range(ROUNDS):
                await are_heard(record, HEARD)
                await asyncio.gather(
                    *(asyncio.to_thread(node.kill) for node in cluster.nodes),
                    *(asyncio.to_thread(nats.kill, number) for number in range(len(nats.urls))),
                )
                acknowledged = set(record.acknowledged)
                assert acknowledged <= set().union(*map(texts, cluster.nodes))
                begun = time.monotonic()
                for number in range(len(nats.urls)):
                    nats.start(number)
                await asyncio.gather(*(asyncio.to_thread(node.start) for node in cluster.nodes))
                assert all(acknowledged <= texts(node) for node in cluster.nodes)
                recoveries.append(time.monotonic() - begun)

        record = looping.run(torment([node.url() for node in cluster.nodes], STAYING, 0.1, kill_all))
        logs = nats.entries()
        for node in cluster.nodes:
            assert node.stop() == 0
    check_order(logs["besedka.log.main"])
    assert {check(record, node.history) for node in cluster.nodes} == {len(record.attempted)}
    assert record.resets == 0
    assert len(files(cluster.nodes, "chat_history.txt")) == 1
    longest = max(recoveries)
    print(f"{ROUNDS} ends: {len(record.attempted)} messages, in all files within {longest:.1f} s")  # noqa: T201
    assert longest <= RECOVERY_SECONDS
