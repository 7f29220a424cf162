"""Taking over a history: the first node comes with logs, and all nodes have the same bytes, ids and epochs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from besedka.serve.cluster.order.batches import import_of
from besedka.serve.cluster.order.entry import Head
from besedka.serve.history import ChatHistory
from tests.blackbox.test_cluster_redaction import OPTIONS, TEXT, Nodes, is_gone, say
from tests.blackbox.test_cluster_restore import restore
from tests.clustering import NatsServers, files
from tests.commanding import Person, wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")

STAMP = "2026-12-01 10:00:00"
ODD = (
    "\ufeffa preamble, which no message is\r\nof two lines\r\n"
    f"[{STAMP}] Anna: with a CR\r\n"
    f"[{STAMP}] Boris: of several lines\r\nthe second as an editor left it\n\tand the third\n"
    "[12.10.2011, 10:00:11] Clara: in the format of another program\n"
    f"[{STAMP}] Anna: {TEXT}\r\n"
    f"\ufeff[{STAMP}] Boris: behind a byte order mark\n"
    "[12.10.2011, 10:00:11] Clara: and once more\n"
    f"[{STAMP}] Anna: without a line end"
).encode()
MESSAGES = 5
LONG_ROOM = "".join(f"[{STAMP}] Anna: message {number} {'x' * 500}\n" for number in range(2000)).encode()
"""Five pieces."""
LOGS = {"chat_history.txt": ODD, "chat_history.long.txt": LONG_ROOM}


@pytest.fixture
def nodes(nats: NatsServers, make_server: ServerMaker, tmp_path: Path) -> Nodes:
    """The nodes; none is started."""
    return Nodes(nats, make_server, tmp_path)


def lay(directory: Path) -> Path:
    """Lay a history into the folder of a node."""
    directory.mkdir()
    for name, content in LOGS.items():
        directory.joinpath(name).write_bytes(content)
    return directory


def have(nodes: Nodes, name: str, content: bytes) -> bool:
    """Whether all nodes have a file with this content."""
    return files(nodes.all, name) == {content}


def have_all(nodes: Nodes) -> bool:
    """Whether all nodes have the whole history."""
    return all(have(nodes, name, content) for name, content in LOGS.items())


def epochs(nodes: Nodes, name: str) -> set[bytes]:
    """The epochs of a log on the nodes."""
    return {text.split(b"\n")[0] for text in files(nodes.all, f"{name}.epoch")}


def test_a_history_is_taken_over_byte_for_byte(
    nats: NatsServers, nodes: Nodes, make_server: ServerMaker, tmp_path: Path
) -> None:
    alone = make_server(*OPTIONS, directory=lay(tmp_path / "node-0")).start()
    with WireClient(alone) as anna:
        welcome = anna.join("Anna")
        epoch, head = welcome["epoch"], welcome["head"]
    alone.stop()
    assert head == MESSAGES
    first, second = nodes.start(), nodes.start()
    wait_until(lambda: have_all(nodes))
    assert epochs(nodes, "chat_history.txt") == {f"epoch {epoch}".encode()}
    assert len(epochs(nodes, "chat_history.long.txt")) == 1
    with WireClient(second) as boris, WireClient(first) as anna, Operator(second) as operator:
        # Who has read at the server before reads on at any node.
        anna.join("Anna", since=MESSAGES, epoch=epoch)
        assert boris.join("Boris", since=2, epoch=epoch).get("reset") is None
        assert boris.receive_to(MESSAGES) == [3, 4, 5]
        say(boris, "here")
        assert anna.receive("chat")["id"] == MESSAGES + 1
        wait_until(lambda: have(nodes, "chat_history.txt", f"{ODD.decode()}\n{first.lines[-1]}\n".encode()))
        operator.do("redact", room="main", id=3)
        assert anna.receive("redacted")["id"] == 3
        boris.send_frame("join", room="long", user="Boris")
        assert boris.receive("welcome")["head"] == 2000
    wait_until(lambda: is_gone(nats, nodes))
    nodes.start()
    assert len(files(nodes.all, "chat_history.txt")) == 1
    assert TEXT.encode() not in first.history.read_bytes()
    assert len(first.history.read_bytes()) == len(ODD) + len("\n") + len(f"[{STAMP}] Boris: here\n")
    assert not [path for node in nodes.all for path in node.directory.glob("*.aside-*")]


def give_first_piece(nats: NatsServers, folder: Path) -> int:
    """Put the first piece of a log into the stream, as a node does that is killed then. Returns how many messages it has."""
    log = folder / "chat_history.long.txt"
    log.write_bytes(LONG_ROOM)
    history = ChatHistory.open(log)
    piece = history.piece(0, 1)
    nats.publish("besedka.log.long", import_of(Head("token", 1, 0, history.epoch), piece, more=True))
    history.close()
    return len(piece.flags)


def test_what_was_begun_is_finished_by_a_node_with_the_same_log_and_nothing_comes_between(
    nats: NatsServers, nodes: Nodes, tmp_path: Path
) -> None:
    other = nodes.start()
    with WireClient(other) as anna:
        anna.join("Anna", "long")
        begun = give_first_piece(nats, tmp_path)
        assert anna.receive_to(begun)[-1] == begun
        anna.send_frame("chat", room="long", text="between two pieces", key="k")
        assert anna.receive("error")["code"] == "out_of_reach"
        lay(tmp_path / "node-1")
        nodes.start()
        wait_until(lambda: have(nodes, "chat_history.long.txt", LONG_ROOM))
        assert anna.receive_to(2000)[-1] == 2000
        anna.send_frame("chat", room="long", text="behind the last one", key="k")
        stored = anna.receive_until(lambda frame: frame.get("key") == "k")[-1]
        assert (stored["type"], stored["id"]) == ("chat", 2001)
    assert len(epochs(nodes, "chat_history.long.txt")) == 1


def test_two_nodes_with_the_same_history_take_it_over_together(nodes: Nodes, tmp_path: Path) -> None:
    for number in range(2):
        lay(tmp_path / f"node-{number}")
    threads = [threading.Thread(target=node.start) for node in (nodes.make(), nodes.make())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: have_all(nodes))
    assert [len(epochs(nodes, name)) for name in LOGS] == [1, 1]
    assert not [path for node in nodes.all for path in node.directory.glob("*.aside-*")]


def test_another_log_than_the_one_that_was_begun_is_refused(
    nats: NatsServers, nodes: Nodes, tmp_path: Path
) -> None:
    nodes.start()
    give_first_piece(nats, tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    (home / "chat_history.long.txt").write_text(f"[{STAMP}] Clara: another log\n")
    with Person(home) as person:
        done = person.run("serve", "--port", "0", *OPTIONS[2:], *nats.options)
        done.assert_one_clear_line(1, "it has begun to take over another log of the room long")


def test_a_node_that_was_killed_while_it_wrote_a_piece_has_the_rest_written(
    nodes: Nodes, tmp_path: Path
) -> None:
    lay(tmp_path / "node-0")
    nodes.start()
    second = nodes.start()
    wait_until(lambda: have_all(nodes))
    second.kill()
    for name, size in (("chat_history.txt", 200), ("chat_history.long.txt", 300_000)):
        with (second.directory / name).open("r+b") as log:
            log.truncate(size)
    (second.directory / "cluster.txt").unlink(missing_ok=True)
    second.start()
    wait_until(lambda: have_all(nodes))
    assert not [*second.directory.glob("*.aside-*")]


def test_a_node_leaves_with_what_was_taken_over_and_redacted_and_comes_back(
    nats: NatsServers, nodes: Nodes, make_server: ServerMaker, tmp_path: Path
) -> None:
    lay(tmp_path / "node-0")
    first, second = nodes.start(), nodes.start()
    with WireClient(first) as anna, Operator(first) as operator:
        anna.join("Anna")
        say(anna, "one", "two")
        operator.do("redact", room="main", id=3)
        operator.do("redact", room="main", id=6)
        wait_until(lambda: is_gone(nats, nodes) and len(files(nodes.all, "chat_history.txt")) == 1)
        second.stop()
        alone = make_server(*OPTIONS, directory=second.directory).start()
        with WireClient(alone) as boris:
            welcome = boris.join("Boris")
            assert welcome["head"] == MESSAGES + 2
        alone.stop()
        say(anna, "meanwhile")
        second.start()
        with WireClient(second) as boris:
            assert boris.join("Boris", since=MESSAGES + 2, epoch=welcome["epoch"]).get("reset") is None
            assert boris.receive_to(MESSAGES + 3) == [MESSAGES + 3]
    assert len(files(nodes.all, "chat_history.txt")) == 1
    assert not [*second.directory.glob("*.aside-*")]


def test_what_was_taken_over_is_restored_byte_for_byte(
    nats: NatsServers, nodes: Nodes, tmp_path: Path
) -> None:
    lay(tmp_path / "node-0")
    first = nodes.start()
    with WireClient(first) as anna:
        epoch = anna.join("Anna")["epoch"]
        say(anna, "one", "two")
        nats.delete_stream()
        assert first.wait() == 1
    before = first.history.read_bytes()
    restore(nats, first, "--yes").assert_well()
    first.start()
    second = nodes.start()
    with Operator(first) as operator:
        # The last one before, whose line end came later.
        operator.do("redact", room="main", id=MESSAGES)
    before = first.history.read_bytes()
    wait_until(lambda: have(nodes, "chat_history.txt", before))
    wait_until(lambda: have(nodes, "chat_history.long.txt", LONG_ROOM))
    assert len(epochs(nodes, "chat_history.long.txt")) == 1
    with WireClient(second) as boris:
        welcome = boris.join("Boris", since=MESSAGES, epoch=epoch)
        assert (welcome["head"], welcome.get("reset")) == (MESSAGES + 2, None)
    assert not [path for node in nodes.all for path in node.directory.glob("*.aside-*")]
    # Where the stream has all of it, it holds what the log holds.
    first.stop()
    restore(nats, first).assert_one_clear_line(1, "its stream is well")
