"""Redactions in a cluster whose nodes and servers die while they are made."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from tests.blackbox.test_cluster import are_the_same
from tests.blackbox.test_cluster_redaction import TEXT, Nodes, is_gone, say
from tests.clustering import NatsServers
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.ordering import Operator
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")

ROUNDS = 40 if LONG else 3
LOOK_SECONDS = 1.0
JOURNALS_SECONDS = 300


def wait_for_journals(nats: NatsServers, nodes: Nodes, texts: list[str]) -> None:
    """Wait until texts are in no journal of a server either, which keeps what passes for some minutes; people talk meanwhile."""
    begun = monotonic()
    with WireClient(nodes.all[0]) as anna:
        anna.join("Anna")
        while any(nats.hold(text, "store") for text in texts):
            assert monotonic() - begun < JOURNALS_SECONDS
            with suppress(TimeoutError):
                anna.receive("chat", LOOK_SECONDS)
            say(anna, f"still there at {monotonic()}")
    print(f"in no journal after {monotonic() - begun:.0f} seconds")  # noqa: T201


def redact(nodes: Nodes, number: int) -> None:
    """Redact a message at some node, however often that takes: the nodes die meanwhile."""

    def is_done() -> bool:
        with suppress(OSError), Operator(random.choice(nodes.all)) as operator:
            return operator.ask("redact", room="main", id=number).get("type") == "done"
        return False

    wait_until(is_done)


def test_redactions_are_finished_whatever_dies(make_server: ServerMaker, tmp_path: Path) -> None:
    with NatsServers(tmp_path) as nats:
        nodes = Nodes(nats, make_server, tmp_path)
        for _ in range(3):
            nodes.start()
        texts: list[str] = []
        for turn in range(ROUNDS):
            said = [f"{TEXT} {turn}.{number}" for number in range(4)]
            with WireClient(nodes.all[0]) as anna:
                anna.join("Anna")
                say(anna, *said)
            first = 4 * turn + 1
            wanted = random.sample(range(4), 2)
            texts += [said[place] for place in wanted]
            threads = [threading.Thread(target=redact, args=(nodes, first + place)) for place in wanted]
            for thread in threads:
                thread.start()
            revive: list[Callable[[], object]] = []
            if turn % 4 == 3:
                server = random.randrange(3)
                nats.kill(server)
                revive.append(partial(nats.start, server))
            for node in random.sample(nodes.all, random.randrange(1, 4)):
                # At a chance moment of the redaction.
                threads[0].join(random.uniform(0, 0.08))
                node.kill()
                revive.append(node.start)
            for back in revive:
                back()
            for thread in threads:
                thread.join()
        nodes.start()
        are_the_same(nodes.all, 4 * ROUNDS)
        for text in texts:
            wait_until(partial(is_gone, nats, nodes, text))
        log = nodes.all[0].history.read_bytes()
        assert log.count(b"[removed]-") == len(texts)
        assert not [path for node in nodes.all for path in node.directory.glob("*.aside-*")]
        if LONG:
            wait_for_journals(nats, nodes, texts)
