"""``besedka doctor --cluster``: how servers, stream and nodes are, and what to do about each trouble."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.clustering import NatsServers
from tests.commanding import Done, Person, wait_until
from tests.conftest import ServerMaker
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")


def doctor(servers: NatsServers, folder: Path) -> Done:
    """Ask in the folder of a node, whose config file names the servers."""
    urls = ", ".join(f'"{url}"' for url in servers.urls)
    config = folder / "besedka.toml"
    config.write_text(f'cluster = [{urls}]\nutc = true\nnames = "open"\n', encoding="utf-8")
    config.chmod(0o600)
    with Person(folder) as person:
        return person.run("doctor", "--cluster")


def assert_troubles(done: Done, *parts: str) -> None:
    """It has ended with status 1, and each of these is a trouble, with advice below it."""
    assert (done.status, done.stderr) == (1, ""), done.stdout + done.stderr
    for part in parts:
        assert any(part in line for line in done.stdout.splitlines() if line.startswith("✗ ")), done.stdout


def test_each_trouble_of_a_cluster_is_named(make_server: ServerMaker, tmp_path: Path) -> None:
    with NatsServers(tmp_path) as servers:
        node = make_server("--lang", "en", "--utc", "--names", "open", *servers.options).start()
        with WireClient(node) as anna:
            anna.join("Anna")
            anna.say_many(["one"])
            anna.say_many(["two"])
        wait_until(lambda: "sequence 2\n" in (node.directory / "cluster.txt").read_text("utf-8"))
        shown = doctor(servers, node.directory).assert_well()
        assert "✗" not in shown
        assert "change-me" not in shown
        for number in (1, 2, 3):
            assert (
                f"✓ the server nats-{number} is nats-server 2.15.1, and syncs what it acknowledges" in shown
            )
            assert f"✓ nats-{number} has a copy up to entry 2" in shown
        assert "✓ the stream is as Besedka makes it, with times in the zone UTC" in shown
        assert "✓ the stream has 2 entries, the last one is 2; nats-" in shown
        assert f":{node.port} (besedka 0.1.0) was given entries up to 2: all of them" in shown
        assert "✓ the logs of the node here are at entry 2 of 2" in shown

        servers.kill(1)
        down = doctor(servers, node.directory)
        assert_troubles(down, f"127.0.0.1:{servers.urls[1].rpartition(':')[2]} cannot be used: ")
        assert_troubles(down, "the server nats-2 does not answer")
        # With an empty disk it gets its copy from the others.
        shutil.rmtree(tmp_path / "nats-1" / "store")
        servers.start(1)
        wait_until(lambda: doctor(servers, node.directory).status == 0)

        servers.delete_stream()
        assert node.wait() == 1
        gone = doctor(servers, node.directory)
        assert_troubles(gone, "cluster.txt was deleted")
        assert "besedka cluster restore" in gone.stdout
    assert doctor(servers, node.directory).status == 3


def test_servers_that_do_not_sync_are_named(tmp_path: Path) -> None:
    with NatsServers(tmp_path, sync="2m") as servers:
        shown = doctor(servers, tmp_path)
        for number in (1, 2, 3):
            assert_troubles(shown, f"the server nats-{number} does not sync what it acknowledges")
        with Person(tmp_path / "nats-0") as person:
            person.run("doctor", "--cluster").assert_one_clear_line(2, "no server of the cluster is named")
            person.run("doctor", "--cluster", "http://x").assert_one_clear_line(2, "no server of NATS")
