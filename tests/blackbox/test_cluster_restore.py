"""A stream that was deleted, or has lost entries, is made anew from the files of the nodes: with the same ids and epochs, nothing doubled, and nothing left out that any of them has."""

from __future__ import annotations

from pathlib import Path

import nats as nats_py
import pytest

from tests import looping
from tests.blackbox.test_cluster import are_the_same
from tests.clustering import NatsServers, files
from tests.commanding import Done, Person
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")

OPTIONS = ("--lang", "en", "--utc", "--names", "open")


@pytest.fixture
def nodes(nats: NatsServers, make_server: ServerMaker, tmp_path: Path) -> list[RunningServer]:
    """Two nodes, started."""
    return [node(nats, make_server, tmp_path / f"node-{number}").start() for number in range(2)]


def node(nats: NatsServers, make_server: ServerMaker, directory: Path) -> RunningServer:
    """A node in a folder of its own, not started."""
    directory.mkdir()
    return make_server(*OPTIONS, *nats.options, directory=directory)


def restore(nats: NatsServers, at: RunningServer, *more: str) -> Done:
    """Use the command at a node."""
    with Person(at.directory) as person:
        return person.run("cluster", "restore", "--utc", *nats.options, *more)


def refusal(at: RunningServer) -> str:
    """The last line of a node that does not start."""
    with pytest.raises(AssertionError, match="it did not start"):
        at.start()
    assert at.wait() == 1
    return at.errors.splitlines()[-1]


def test_a_deleted_stream_is_made_anew_with_the_same_ids_and_epochs(
    nats: NatsServers, nodes: list[RunningServer], make_server: ServerMaker, tmp_path: Path
) -> None:
    first, second = nodes
    with WireClient(first) as anna, WireClient(second) as boris:
        epoch = anna.join("Anna")["epoch"]
        boris.join("Boris", "dev")
        anna.say_many([f"message {number}\nof two lines" for number in range(40)])
        boris.send_frame("chat", room="dev", text="in another room", key="d")
        are_the_same(nodes, 80)
        are_the_same(nodes, 1, "chat_history.dev.txt")
        restore(nats, first).assert_one_clear_line(1, "cannot use the cluster: its stream is well")
        nats.delete_stream()
        for each in nodes:
            assert each.wait() == 1
    before = files(nodes, "chat_history.txt")
    assert "its stream was deleted; end all nodes, and use besedka cluster restore" in refusal(second)

    asked = restore(nats, first)
    assert (asked.status, asked.stderr.splitlines()[-1]) == (
        1,
        "besedka: nothing was changed: nobody answered; --yes does it without asking",
    )
    shown = restore(nats, first, "--yes").assert_well()
    assert "the stream is not there any more" in shown
    assert "main: messages 1 to 40 of" in shown
    assert "dev: messages 1 to 1 of" in shown
    assert "41 messages published" in shown
    again = restore(nats, second).assert_well()
    assert "the stream has all messages of this node" in again

    new = node(nats, make_server, tmp_path / "new")
    for each in (*nodes, new):
        each.start()
    with WireClient(second) as boris, WireClient(new) as clara:
        welcome = boris.join("Boris", since=38, epoch=epoch)
        assert (welcome["head"], welcome.get("reset")) == (40, None)
        assert boris.receive_to(40) == [39, 40]
        assert clara.join("Clara", since=40, epoch=epoch)["head"] == 40
        assert files([*nodes, new], "chat_history.txt") == before
        clara.say_many(["behind it"])
        assert boris.receive_to(41) == [41]
    are_the_same([*nodes, new], 81)
    are_the_same([*nodes, new], 1, "chat_history.dev.txt")
    assert not [*tmp_path.glob("*/*.aside-*")]
    assert second.stop() == 0
    restore(nats, second).assert_one_clear_line(1, "its stream is well")


def test_each_node_adds_what_only_it_has(
    nats: NatsServers, nodes: list[RunningServer], tmp_path: Path
) -> None:
    longest, short = nodes
    with WireClient(longest) as anna:
        anna.join("Anna")
        anna.say_many(["one", "two"])
        are_the_same(nodes, 2)
        short.stop()
        anna.say_many(["three", "four"])
        anna.join("Anna", "dev")
        anna.send_frame("chat", room="dev", text="only here", key="d")
        are_the_same([longest], 1, "chat_history.dev.txt")
    longest.stop()
    nats.delete_stream()

    assert "2 messages published" in restore(nats, short, "--yes").assert_well()
    short.start().stop()
    assert "lacks 2 messages of" in (why := refusal(longest))
    assert "use besedka cluster restore here, too" in why
    shown = restore(nats, longest, "--yes").assert_well()
    assert "main: messages 3 to 4 of" in shown
    assert "dev: messages 1 to 1 of" in shown
    for each in nodes:
        each.start()
    are_the_same(nodes, 4)
    are_the_same(nodes, 1, "chat_history.dev.txt")
    assert not [*tmp_path.glob("*/*.aside-*")]


async def _interrupt(url: str) -> None:
    """Have a stream as one whose restoration was interrupted at its very end."""
    client = await nats_py.connect(url)
    stream = client.jetstream()
    config = (await stream.stream_info("BESEDKA")).config
    await stream.update_stream(config.evolve(metadata={**(config.metadata or {}), "besedka_restoring": "1"}))
    await client.close()


def test_no_node_starts_before_an_interrupted_restoration_is_finished(
    nats: NatsServers, nodes: list[RunningServer]
) -> None:
    with WireClient(nodes[0]) as anna:
        anna.join("Anna")
        anna.say_many(["one"])
    nodes[0].stop()
    looping.run(_interrupt(nats.urls[0]))
    assert "if that was interrupted, use besedka cluster restore again" in refusal(nodes[0])
    assert "the stream is being restored" in restore(nats, nodes[0], "--yes").assert_well()
    nodes[0].start()
    are_the_same(nodes, 1)


async def _lose_entries(url: str, count: int) -> None:
    """Have a stream as one that has lost its last entries: with the same settings and the first ones."""
    client = await nats_py.connect(url)
    stream = client.jetstream()
    info = await stream.stream_info("BESEDKA")
    entries = [await stream.get_msg("BESEDKA", number) for number in range(1, info.state.last_seq + 1)]
    await stream.delete_stream("BESEDKA")
    await stream.add_stream(info.config)
    for entry in entries[:-count]:
        await stream.publish(str(entry.subject), entry.data or b"")
    await client.close()


def test_lost_entries_are_published_again_behind_what_is_left(
    nats: NatsServers, nodes: list[RunningServer], tmp_path: Path
) -> None:
    with WireClient(nodes[0]) as anna:
        anna.join("Anna")
        for number in range(6):
            anna.say_many([f"message {number}"])
        are_the_same(nodes, 6)
    for each in nodes:
        each.stop()
    looping.run(_lose_entries(nats.urls[0], 4))
    assert "the stream has lost entries; end all nodes, and use besedka cluster restore" in refusal(nodes[0])
    shown = restore(nats, nodes[0], "--yes").assert_well()
    assert "the stream ends at entry 2, and this node has had all up to 6" in shown
    assert "main: messages 3 to 6 of" in shown
    for each in nodes:
        each.start()
    with WireClient(nodes[1]) as boris:
        assert boris.join("Boris", since=0)["head"] == 6
        boris.say_many(["behind it"])
    are_the_same(nodes, 7)
    assert not [*tmp_path.glob("*/*.aside-*")]


def test_a_stream_with_other_messages_is_left_as_it_is(
    nats: NatsServers, nodes: list[RunningServer], make_server: ServerMaker, tmp_path: Path
) -> None:
    with WireClient(nodes[0]) as anna:
        anna.join("Anna")
        anna.say_many(["one"])
        are_the_same(nodes, 1)
        nats.delete_stream()
        for each in nodes:
            assert each.wait() == 1
    # Without an entry it is replaced; with one it is not.
    node(nats, make_server, tmp_path / "other").start().stop()
    assert "without an entry; it is replaced" in restore(nats, nodes[0], "--yes").assert_well()
    nats.delete_stream()
    with WireClient(node(nats, make_server, tmp_path / "another").start()) as boris:
        boris.join("Boris")
        boris.say_many(["elsewhere"])
    restore(nats, nodes[0], "--yes").assert_one_clear_line(1, "its stream is another one", "delete it")
    with Person(tmp_path) as person:
        done = person.run("cluster", "restore", "--utc", *nats.options)
        done.assert_one_clear_line(1, "this is not the history of a node")
        person.run("cluster", "restore").assert_one_clear_line(2, "no server of the cluster is named")
