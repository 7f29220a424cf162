"""How long nobody's message is stored when a server or a node ends."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from tests.clustering import NatsServers
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.cluster.measuring import Poster, leader, pause_of

pytestmark = pytest.mark.xdist_group("cluster")

TIMES = 5


def shown(what: str, pauses: list[float]) -> None:
    print(f"{what}: {', '.join(f'{pause:.2f}' for pause in sorted(pauses))} seconds")  # noqa: T201


def started(nats: NatsServers, make_server: ServerMaker, folder: Path) -> RunningServer:
    folder.mkdir()
    options = ("--lang", "en", "--utc", "--names", "open", "--rate", "0", *nats.options)
    return make_server(*options, directory=folder).start()


@pytest.mark.parametrize(
    ("way", "at_most"),
    [("stop", 0.5), ("kill", 10.0)],
)
def test_the_end_of_the_leader(make_server: ServerMaker, tmp_path: Path, way: str, at_most: float) -> None:
    with NatsServers(tmp_path) as nats:
        pauses = []
        with Poster(started(nats, make_server, tmp_path / "node"), "Anna") as poster:
            for _ in range(TIMES):
                number = leader(nats)
                pauses.append(pause_of(poster, partial(getattr(nats, way), number)))
                nats.start(number)
        shown(f"{way} of the leader", pauses)
        assert max(pauses) <= at_most


def test_a_node_that_is_killed(make_server: ServerMaker, tmp_path: Path) -> None:
    """Its clients go to another node, and are stored there; the others do not notice."""
    with NatsServers(tmp_path) as nats:
        other, killed = (started(nats, make_server, tmp_path / name) for name in ("other", "killed"))
        moved, others = [], []
        with Poster(other, "Boris") as poster:
            for number in range(TIMES):
                with WireClient(killed) as anna:
                    epoch = anna.join("Anna")["epoch"]
                    [*_, last] = anna.say_many([f"before {number}"])
                    begin = time.monotonic()
                    killed.kill()
                with WireClient(other) as anna:
                    anna.join("Anna", since=last, epoch=epoch)
                    anna.say_many([f"after {number}"])
                moved.append(time.monotonic() - begin)
                poster.wait()
                others.append(poster.longest_pause(begin))
                killed.start()
        shown("clients of a killed node", moved)
        shown("clients of the others", others)
        assert max(*moved, *others) <= 1.0
