"""How long nobody's message is stored when a server or a node ends."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from tests.blackbox.test_cluster import post
from tests.clustering import NatsServers, files
from tests.commanding import wait_until
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
    ("way", "back", "at_most"),
    [("stop", "start", 0.5), ("kill", "start", 10.0), ("part", "join", 15.0)],
)
def test_the_end_of_the_leader(
    make_server: ServerMaker, tmp_path: Path, way: str, back: str, at_most: float
) -> None:
    """It stops, is killed, or is cut off from the others: then it takes the node a while to notice, and the election comes beside it."""
    with NatsServers(tmp_path, can_part=True) as nats:
        pauses = []
        with Poster(started(nats, make_server, tmp_path / "node"), "Anna") as poster:
            for _ in range(TIMES):
                number = leader(nats)
                pauses.append(pause_of(poster, partial(getattr(nats, way), number)))
                getattr(nats, back)(number)
        shown(f"{way} of the leader", pauses)
        assert max(pauses) <= at_most


def test_a_node_that_is_cut_off(make_server: ServerMaker, tmp_path: Path) -> None:
    """It says so within ten seconds, and stores messages again within five after it was healed."""
    with NatsServers(tmp_path) as nats:
        options, links = nats.links()
        (tmp_path / "far").mkdir()
        node = make_server("--utc", "--names", "open", "--rate", "0", *options, directory=tmp_path / "far")
        silences, returns = [], []
        with WireClient(node.start()) as anna:
            anna.join("Anna")
            for number in range(TIMES):
                anna.say_many([f"before-{number}"])
                for link in links:
                    link.hold()
                begin = time.monotonic()
                text = f"cut-off-{number}"
                anna.send_frame("chat", text=text, key=text)
                assert anna.receive("error")["code"] == "out_of_reach"
                silences.append(time.monotonic() - begin)
                for link in links:
                    link.heal()
                begin = time.monotonic()
                post(anna, text)
                returns.append(time.monotonic() - begin)
        shown("said to be out of reach", silences)
        shown("stored again", returns)
        assert max(silences) <= 10
        assert max(returns) <= 5


def test_a_log_that_was_edited_by_hand(make_server: ServerMaker, tmp_path: Path) -> None:
    """It is as all others again within five seconds."""
    with NatsServers(tmp_path) as nats:
        nodes = [started(nats, make_server, tmp_path / name) for name in ("edited", "other")]
        times = []
        with WireClient(nodes[1]) as anna:
            anna.join("Anna")
            anna.say_many([f"message {number}" for number in range(1000)])
            for number in range(TIMES):
                wait_until(lambda: len(files(nodes, "chat_history.txt")) == 1)
                nodes[0].history.write_text(nodes[0].history.read_text().replace("message 5", "message x"))
                begin = time.monotonic()
                anna.say_many([f"behind it {number}"])
                wait_until(lambda: len(files(nodes, "chat_history.txt")) == 1)
                times.append(time.monotonic() - begin)
        shown("as all others again", times)
        assert max(times) <= 5


def test_a_node_that_is_killed(make_server: ServerMaker, tmp_path: Path) -> None:
    """Its clients go to another node, and are stored there; the others do not notice."""
    with NatsServers(tmp_path) as nats:
        other, killed = (started(nats, make_server, tmp_path / name) for name in ("other", "killed"))
        moved, others = [], []
        with Poster(other, "Boris") as poster:
            for number in range(TIMES):
                with WireClient(killed) as anna:
                    epoch = anna.join("Anna", secret="a")["epoch"]
                    [*_, last] = anna.say_many([f"before {number}"])
                    begin = time.monotonic()
                    killed.kill()
                with WireClient(other) as anna:
                    anna.join("Anna", secret="a", since=last, epoch=epoch)
                    anna.say_many([f"after {number}"])
                moved.append(time.monotonic() - begin)
                poster.wait()
                others.append(poster.longest_pause(begin))
                killed.start()
        shown("clients of a killed node", moved)
        shown("clients of the others", others)
        assert max(*moved, *others) <= 1.0
