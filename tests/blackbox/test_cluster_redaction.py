"""Redaction in a cluster: the text is gone from all files and from the stream, whatever dies meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from besedka.serve.cluster.order.batches import redaction_of, without_text
from besedka.serve.cluster.order.entry import Entry, Target
from tests.blackbox.test_cluster import LOG, are_the_same
from tests.clustering import NatsServers, files
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient

pytestmark = pytest.mark.xdist_group("cluster")

OPTIONS = ("--lang", "en", "--utc", "--names", "open")
TEXT = "the launch code is 0000"
TOMBSTONE = "[removed]--------------"


class Nodes:
    """Nodes of a cluster, each in a folder of its own."""

    def __init__(self, nats: NatsServers, make_server: ServerMaker, folder: Path) -> None:
        self._nats = nats
        self._make = make_server
        self._folder = folder
        self.all: list[RunningServer] = []

    def start(self) -> RunningServer:
        """Start one more."""
        return self.make().start()

    def make(self) -> RunningServer:
        """One more, not started yet."""
        directory = self._folder / f"node-{len(self.all)}"
        directory.mkdir(exist_ok=True)
        node = self._make(*OPTIONS, *self._nats.options, directory=directory)
        self.all.append(node)
        return node


@pytest.fixture
def nodes(nats: NatsServers, make_server: ServerMaker, tmp_path: Path) -> Nodes:
    """Two nodes, started; a third can be."""
    made = Nodes(nats, make_server, tmp_path)
    made.start()
    made.start()
    return made


def is_gone(nats: NatsServers, nodes: Nodes, text: str = TEXT) -> bool:
    """Whether a text is in no file of any node, and in no stream."""
    return not nats.hold(text) and not [
        path
        for node in nodes.all
        for path in node.directory.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


def say(client: WireClient, *texts: str) -> None:
    """Post messages at once, so that they are stored in one entry, or in two."""
    for text in texts:
        client.send_frame("chat", text=text)
    client.receive_until(lambda frame: frame.get("text") == texts[-1])


def test_a_redacted_text_is_in_no_file_and_in_no_stream(nats: NatsServers, nodes: Nodes) -> None:
    first, second = nodes.all
    with WireClient(first) as anna, WireClient(second) as boris, Operator(second) as operator:
        anna.join("Anna")
        boris.join("Boris")
        say(anna, "one", TEXT, "three")
        boris.receive_to(3)
        assert "was removed" in operator.do("redact", room="main", id=2)
        for client in (anna, boris):
            frame = client.receive("redacted")
            assert (frame["id"], frame["text"]) == (2, TOMBSTONE)
        say(anna, "four")
        assert boris.receive("chat")["id"] == 4
        are_the_same(nodes.all, 4)
        assert first.lines[1].endswith(TOMBSTONE)
        wait_until(lambda: is_gone(nats, nodes))
        # A second one in the same entry, by another node, and one more in another entry.
        say(anna, "five")
        with Operator(first) as other:
            other.do("redact", room="main", id=3)
        operator.do("redact", room="main", id=5)
        assert [boris.receive("redacted")["id"] for _ in range(2)] == [3, 5]
        wait_until(lambda: is_gone(nats, nodes, "three") and is_gone(nats, nodes, "five"))
    third = nodes.start()
    are_the_same(nodes.all, 5)
    assert third.lines[1].endswith(TOMBSTONE)
    assert not [*third.directory.glob("*.aside-*")]
    # Nobody was told twice.
    assert len(files(nodes.all, LOG)) == 1


class Step:
    """The remains of a redaction of the second message that was killed on its way, put there while no node runs."""

    def __init__(self, nats: NatsServers, nodes: Nodes) -> None:
        self._nats = nats
        self._nodes = nodes
        self._order = nats.numbered()
        [(self.sequence, self.entry)] = [
            (number, entry)
            for number, (_, entry) in self._order.items()
            if entry.head.first <= 2 <= entry.last
        ]
        self._size = len(self.entry.messages[2 - self.entry.head.first])

    def record(self) -> None:
        """The act is in the audit log of a node, and was not ordered."""
        act = f"redact user=Anna room=main id=2 said={self._stamp} epoch={self.entry.head.epoch} size={self._size}"
        with (self._nodes.all[0].directory / "audit.txt").open("a", encoding="utf-8") as audit:
            audit.write(f"[{self._stamp.strip(chr(34))}] operator: {act}\n")

    def order(self) -> None:
        """It was ordered, and no node has done it."""
        last = max(entry.last for _, entry in self._order.values())
        head = structs.replace(self.entry.head, by="token", first=last + 1, keys={}, unverified=[])
        target = Target(2, self._size, self.entry.head.first, self.sequence)
        self._nats.publish("besedka.log.main", redaction_of(head, [target]))

    def order_wrongly(self) -> None:
        """A node whose log was changed has ordered it, with a size that the message has nowhere else."""
        self._size += 7
        self.order()

    def begin(self) -> None:
        """A node has written a part of the tombstone, and not its checksum."""
        self.order()
        history = self._nodes.all[0].history
        before = history.read_bytes()
        begin = before.index(TEXT.encode())
        history.write_bytes(before[:begin] + TOMBSTONE[:12].encode() + before[begin + 12 :])

    def do(self) -> None:
        """A node has done it, and had not written down yet that it had."""
        self.order()
        history = self._nodes.all[0].history
        history.write_bytes(history.read_bytes().replace(TEXT.encode(), TOMBSTONE.encode()))

    def publish(self) -> None:
        """The entry was published without its text, and the entry is there still."""
        self.order()
        self._fix(without_text(self.entry, 2))

    def publish_again(self) -> None:
        """The entry was published after an earlier redaction in it, and again without this text, and the older one is there still."""
        self.order()
        self._fix(self.entry)
        self._fix(without_text(self.entry, 2))
        self._nats.erase("BESEDKA", self.sequence)

    def erase(self) -> None:
        """Nothing is left to be done in the stream, and no node has seen it."""
        self.publish()
        self._nats.erase("BESEDKA", self.sequence)

    def _fix(self, entry: Entry) -> None:
        self._nats.publish(f"besedka.fixed.main.{entry.head.first}", entry)

    @property
    def _stamp(self) -> str:
        return f'"{self.entry.messages[2 - self.entry.head.first][1:20].decode()}"'


@pytest.mark.parametrize(
    "step",
    [Step.record, Step.order, Step.begin, Step.do, Step.publish, Step.publish_again, Step.erase],
)
def test_a_redaction_that_was_killed_is_finished_by_whoever_comes_next(
    nats: NatsServers, nodes: Nodes, step: Callable[[Step], None]
) -> None:
    with WireClient(nodes.all[0]) as anna:
        anna.join("Anna")
        say(anna, "one", TEXT, "three")
        say(anna, "four")
    are_the_same(nodes.all, 4)
    for node in nodes.all:
        node.kill()
    step(Step(nats, nodes))
    for node in nodes.all:
        node.start()
    wait_until(lambda: is_gone(nats, nodes))
    if step is Step.record:
        # Others are not told what only one has recorded: its entry comes to them as any other.
        assert "was removed, as was recorded before" in nodes.all[0].errors
    nodes.start()
    with WireClient(nodes.all[1]) as boris:
        boris.join("Boris")
        say(boris, "five")
    are_the_same(nodes.all, 5)
    assert nodes.all[0].lines[1].endswith(TOMBSTONE)
    assert not [path for node in nodes.all for path in node.directory.glob("*.aside-*")]


def test_a_redaction_with_a_size_that_is_not_that_of_all_removes_the_text_all_the_same(
    nats: NatsServers, nodes: Nodes
) -> None:
    with WireClient(nodes.all[0]) as anna, WireClient(nodes.all[1]) as boris:
        anna.join("Anna")
        boris.join("Boris")
        say(anna, "one", TEXT, "three")
        are_the_same(nodes.all, 3)
        Step(nats, nodes).order_wrongly()
        wait_until(lambda: is_gone_from_logs(nodes))
        say(anna, "four")
        assert boris.receive_until(lambda frame: frame.get("text") == "four")[-1]["id"] == 4
    are_the_same(nodes.all, 4)
    for node in nodes.all:
        assert node.lines[1].endswith(TOMBSTONE)
        assert "other sizes than they have" in node.errors
    wait_until(lambda: not nats.hold(TEXT))


def is_gone_from_logs(nodes: Nodes) -> bool:
    """Whether the text is in no log, but for those that were set aside."""
    return not any(TEXT in node.history.read_text("utf-8") for node in nodes.all)
