"""A node that cannot keep what it promises with the cluster that it is given: it does not start, and says why in a sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import nats
import pytest
from nats.errors import NoRespondersError, TimeoutError  # noqa: A004 - theirs
from nats.js.api import StreamConfig
from nats.js.errors import ServiceUnavailableError

from tests import looping
from tests.clocks import BENT
from tests.clustering import NatsServers
from tests.commanding import Done, Person
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import free_port
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")

TRIES = 60
REFUSED_SECONDS = 5

Start = Callable[..., Done]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a node that does not start."""
    home = tmp_path / "home"
    home.mkdir()
    with Person(home) as person:
        options = ("--port", "0", "--grpc-port", "0", "--names", "open", "--utc")
        yield lambda servers, *more, **environment: person.run(
            "serve", *options, *servers.options, *more, **environment
        )


@pytest.mark.parametrize(
    ("count", "settings", "why"),
    [
        (3, {"sync": "2m"}, "does not sync what it acknowledges: set sync_interval: always"),
        (3, {"sync": ""}, "has no JetStream"),
        (3, {"says": False}, "its servers do not say how they sync"),
        (2, {}, "it has 2 servers, and 3 are needed"),
    ],
)
def test_servers_that_may_lose_what_they_acknowledge_are_refused(
    start: Start, tmp_path: Path, count: int, settings: dict[str, str], why: str
) -> None:
    with NatsServers(tmp_path, count, **settings) as servers:  # type: ignore[arg-type]  # of the table above
        begun = time.monotonic()
        start(servers).assert_one_clear_line(1, "cannot use the cluster: ", why)
        assert not LONG or time.monotonic() - begun <= REFUSED_SECONDS


def test_a_cluster_that_is_not_there_is_said(start: Start, tmp_path: Path) -> None:
    servers = NatsServers(tmp_path)
    hosts = ", ".join(url.replace("besedka:change-me-too@", "") for url in servers.urls)
    start(servers).assert_one_clear_line(1, f"none of {hosts} can be reached")
    shown = start(servers, "--check").assert_well()
    assert "nats://…@127.0.0.1" in shown
    assert "change-me-too" not in shown


async def _make_stream(url: str) -> None:
    client = await nats.connect(url)
    settings = StreamConfig(name="BESEDKA", subjects=["besedka.log.*"], num_replicas=1, max_age=3600)
    try:
        # Until a leader is there nobody answers.
        for _ in range(TRIES):
            with suppress(TimeoutError, NoRespondersError, ServiceUnavailableError):
                await client.jetstream(timeout=1).add_stream(settings)
                return
        pytest.fail("there is no leader")
    finally:
        await client.close()


def test_a_stream_of_others_is_refused(start: Start, tmp_path: Path) -> None:
    with NatsServers(tmp_path) as servers:
        looping.run(_make_stream(servers.urls[0]))
        begun = time.monotonic()
        why = "the stream BESEDKA is not as Besedka makes it: max_age, max_msg_size, discard, deny_purge, allow_direct, num_replicas"
        start(servers).assert_one_clear_line(1, why)
        assert not LONG or time.monotonic() - begun <= REFUSED_SECONDS


def test_a_node_must_fit_to_the_others(start: Start, make_server: ServerMaker, tmp_path: Path) -> None:
    with NatsServers(tmp_path) as servers:
        make_server("--utc", "--names", "open", *servers.options).start().stop()
        start(servers, "--names", "claimed").assert_one_clear_line(1, "start all nodes with the same --names")
        (tmp_path / "home" / "cluster.txt").write_text("cluster 0123456789abcdef\nsequence 7\n")
        start(servers).assert_one_clear_line(1, "its stream is not the one whose messages this node has")
        (tmp_path / "home" / "cluster.txt").write_text("nonsense\n")
        start(servers).assert_one_clear_line(1, "cluster.txt is not what Besedka has written")


def test_a_node_in_another_zone_is_refused(tmp_path: Path, make_server: ServerMaker) -> None:
    with NatsServers(tmp_path) as servers, Person(tmp_path) as person:
        make_server("--utc", "--names", "open", *servers.options).start().stop()
        done = person.run("serve", "--port", str(free_port()), "--names", "open", *servers.options)
        done.assert_one_clear_line(1, "the cluster writes times in the zone UTC, and this node in local")


@pytest.mark.parametrize(
    "broken",
    ["besedka.serve.cluster.node.CHECKPOINT_SECONDS", "besedka.serve.cluster.order.reach.IDLE_SECONDS"],
)
def test_a_node_does_not_go_on_without_a_part_of_it(start: Start, tmp_path: Path, broken: str) -> None:
    with NatsServers(tmp_path) as servers:
        done = start(servers, module=BENT, CONSTANTS=json.dumps({broken: "no number"}))
        assert done.status == 1
        assert "a part of this node has failed" in done.stderr
        assert "besedka: the cluster cannot be used any more: TypeError" in done.stderr


def test_a_node_that_starts_at_a_server_cut_off_from_the_others_goes_to_another_one(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    with NatsServers(tmp_path, can_part=True) as servers:
        node = make_server("--utc", "--names", "open", *servers.options).start()
        node.stop()
        # The one that a node tries first.
        first = min(range(3), key=lambda number: servers.urls[number].rpartition("@")[2])
        servers.part(first)
        with WireClient(node.start()) as anna:
            anna.join("Anna")
            anna.say_many(["by way of another one"])
