"""People in a cluster: names, private rooms, invitations, blocks and moderation are the same on all nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clustering import NatsServers, files
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServers]:
    """The servers of all tests here."""
    with NatsServers(tmp_path_factory.mktemp("nats")) as servers:
        yield servers


@pytest.fixture
def nats(servers: NatsServers) -> Iterator[NatsServers]:
    """The servers, without streams."""
    yield servers
    servers.delete_stream()


@pytest.fixture
def nodes(nats: NatsServers, make_server: ServerMaker, tmp_path: Path) -> list[RunningServer]:
    """Two nodes, started."""
    made = []
    for number in range(2):
        directory = tmp_path / f"node-{number}"
        directory.mkdir()
        made.append(make_server("--lang", "en", "--utc", *nats.options, directory=directory).start())
    return made


def rows(node: RunningServer, name: str) -> set[str]:
    """The rows of a file about people, as they hold."""
    found: dict[str, None] = {}
    path = node.directory / name
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("*removed\t"):
            found.pop(line.removeprefix("*removed\t"), None)
        elif not line.startswith("#"):
            found[line] = None
    return set(found)


def test_a_name_is_claimed_on_all_nodes(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as mallory:
        anna.join("Anna", secret="hers")
        mallory.send_frame("join", user="Anna", secret="his")
        assert mallory.receive("error")["code"] == "name_claimed"
        mallory.join("Anna", secret="hers")
    wait_until(lambda: rows(nodes[0], "known_names.txt") == rows(nodes[1], "known_names.txt") != set())
