"""Several nodes with one order: everybody may talk to any of them, and each has the whole history in the same file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from besedka.wire.log_line import read_line
from tests.blackbox.test_how_the_server_is import figures
from tests.calling import Caller
from tests.clocks import BENT
from tests.clustering import Link, NatsServers, files
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.networks import Way
from tests.ordering import Operator
from tests.running import RunningServer, fetch
from tests.talking import WireClient, ids_in
from tests.torture.holding import FAULTY

pytestmark = pytest.mark.xdist_group("cluster")

LOG = "chat_history.txt"

KEYS, TOGETHER = (1000 if LONG else 20), 20
"""Messages that are posted at several nodes at once, and how many of them before they are waited for."""


@pytest.fixture
def nodes(nats: NatsServers, make_server: ServerMaker, tmp_path: Path) -> list[RunningServer]:
    """Three nodes, started."""
    made = []
    for number in range(3):
        directory = tmp_path / f"node-{number}"
        directory.mkdir()
        made.append(
            make_server(
                *("--lang", "en", "--utc", "--names", "open", "--rate", "0"),
                *nats.options,
                directory=directory,
            ).start()
        )
    return made


def are_the_same(nodes: list[RunningServer], lines: int, name: str = LOG) -> None:
    """Wait until all have so many lines, and the same ones."""

    def are_so() -> bool:
        found = files(nodes, name)
        return len(found) == 1 and all(text.count(b"\n") == lines for text in found)

    wait_until(are_so)
    assert len({text.split(b"\n")[0] for text in files(nodes, f"{name}.epoch")}) == 1


def test_all_nodes_have_the_same_messages_in_the_same_order(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as boris, WireClient(nodes[2]) as clara:
        epochs = {
            anna.join("Anna", secret="a")["epoch"],
            boris.join("Boris")["epoch"],
            clara.join("Clara")["epoch"],
        }
        for number in range(30):
            for client in (anna, boris, clara):
                client.send_frame("chat", text=f"message {number}\nof two lines", key=f"k{number}")
        for client in (anna, boris, clara):
            assert client.receive_to(90) == list(range(1, 91))
        assert len(epochs) == 1
        are_the_same(nodes, 180)
        # Who goes on at another node reads on from the same id.
        moved = WireClient(nodes[1])
        with moved:
            welcome = moved.join("Anna", secret="a", since=80, epoch=epochs.pop())
            assert "reset" not in welcome
            assert moved.receive_to(90) == list(range(81, 91))


def test_a_room_in_which_nobody_is_on_a_node_is_written_there_all_the_same(
    nodes: list[RunningServer],
) -> None:
    with WireClient(nodes[0]) as anna:
        anna.join("Anna", "dev")
        anna.send_frame("chat", room="dev", text="hello", key="a")
        assert anna.receive("chat")["id"] == 1
    are_the_same(nodes, 1, "chat_history.dev.txt")


def test_rooms_that_look_alike_and_came_into_being_at_two_nodes_at_once_exist_both(
    nodes: list[RunningServer],
) -> None:
    latin, cyrillic = "cafe", "с\u0430fe"
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as boris:
        anna.join("Anna", latin)
        boris.join("Boris", cyrillic)
        anna.send_frame("chat", room=latin, text="hello", key="a")
        boris.send_frame("chat", room=cyrillic, text="hello", key="b")
        assert [client.receive("chat")["id"] for client in (anna, boris)] == [1, 1]
    for name in (latin, cyrillic):
        are_the_same(nodes, 1, f"chat_history.{name}.txt")
    assert "looks like one that is here" in nodes[2].errors
    assert fetch(nodes[2], "/readyz")[0] == 200
    nodes[2].stop()
    nodes[2].start()
    # A third one does not come into being beside them.
    with WireClient(nodes[2]) as clara:
        clara.send_frame("join", room="caf\u0435", user="Clara")
        assert clara.receive("error")["code"] == "bad_room"


def test_the_same_key_at_two_nodes_at_once_is_one_message(nodes: list[RunningServer]) -> None:
    clients = [WireClient(node) for node in nodes]
    try:
        for client in clients:
            client.join("Anna", secret="s")
        for number in range(1, KEYS + 1):
            for client in clients:
                client.send_frame("chat", text=f"message {number}", key=f"k{number}")
            if number % TOGETHER == 0:
                for client in clients:
                    client.receive_to(number)
    finally:
        for client in clients:
            client.close()
    are_the_same(nodes, KEYS)


def test_a_node_that_was_killed_reads_on_from_where_it_was(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna:
        anna.join("Anna")
        anna.say_many([f"before {number}" for number in range(50)])
        nodes[1].kill()
        anna.say_many([f"meanwhile {number}" for number in range(50)])
        nodes[1].start()
        with WireClient(nodes[1]) as boris:
            assert boris.join("Boris", since=0)["head"] == 100
            boris.say_many(["here again"])
        are_the_same(nodes, 101)


def test_a_node_starts_while_a_server_is_down(nats: NatsServers, nodes: list[RunningServer]) -> None:
    nodes[0].stop()
    nats.kill(2)
    try:
        nodes[0].start()
        with WireClient(nodes[0]) as anna:
            anna.join("Anna")
            anna.say_many(["with two of three"])
    finally:
        nats.start(2)
    are_the_same(nodes, 1)


def post(client: WireClient, text: str, answers: list[str] | None = None) -> None:
    """Post a message as clients do: once more with its key while the cluster is out of reach, as an election may take longer than a node waits."""
    code = "out_of_reach"
    while code:
        client.send_frame("chat", text=text, key=text)
        answer = client.receive_until(lambda frame: frame.get("key") == text)[-1]
        code = answer.get("code", "")
        assert code in {"", "out_of_reach"}, answer
        if answers is not None:
            answers.append(code)
        time.sleep(answer.get("retry_after", 0))


def test_one_server_less_stops_nobody(nats: NatsServers, nodes: list[RunningServer]) -> None:
    clients = [WireClient(node) for node in nodes]
    try:
        for number, client in enumerate(clients):
            client.join(f"Client {number}")
        for number in range(3):
            nats.kill(number)
            # Everybody sees keys; by the same ones they would take another's message for theirs.
            for at, client in enumerate(clients):
                post(client, f"without-{number}-{at}")
            nats.start(number)
            post(clients[0], f"with-{number}-again")
    finally:
        for client in clients:
            client.close()
    are_the_same(nodes, 12)


def test_a_node_whose_server_is_cut_off_from_the_others_goes_to_another_one(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    with NatsServers(tmp_path, can_part=True) as nats:
        node = make_server("--utc", "--names", "open", "--rate", "0", *nats.options).start()
        with WireClient(node) as anna:
            anna.join("Anna")
            # One of them is the one that the node is at, and one leads.
            for number in range(3):
                nats.part(number)
                post(anna, f"without-{number}")
                nats.join(number)
                post(anna, f"with-{number}")
        assert [read_line(line).text for line in node.lines] == [
            f"{way}-{number}" for number in range(3) for way in ("without", "with")
        ]


def add_line(text: str) -> str:
    return f"{text}[2026-12-02 10:00:00] Mallory: by hand\n"


def change_line(text: str) -> str:
    return text.replace("message 4", "by hand 4")


def cut_line(text: str) -> str:
    return text[: text.index("message 9")] + "by hand\n"


@pytest.mark.parametrize("edit", [add_line, change_line, cut_line])
@pytest.mark.parametrize("is_running", [True, False])
def test_a_log_that_was_edited_by_hand_is_kept_and_made_anew(
    nodes: list[RunningServer], edit: Callable[[str], str], is_running: bool
) -> None:
    with WireClient(nodes[0]) as anna:
        anna.join("Anna")
        anna.say_many([f"message {number}" for number in range(10)])
        are_the_same(nodes, 10)
        if not is_running:
            nodes[1].stop()
        nodes[1].history.write_text(edit(nodes[1].history.read_text("utf-8")), "utf-8")
        if not is_running:
            nodes[1].start()
        are_the_same(nodes, 10)
        anna.say_many(["behind it"])
        are_the_same(nodes, 11)
    [kept] = nodes[1].directory.glob(f"{LOG}.aside-*")
    assert "by hand" in kept.read_text("utf-8")
    assert "kept as" in nodes[1].errors


@pytest.fixture
def far(
    nats: NatsServers, make_server: ServerMaker, tmp_path: Path
) -> tuple[RunningServer, Sequence[Link | Way]]:
    """A node whose network can be cut, and its ways to the servers."""
    options, links = nats.links()
    directory = tmp_path / "far"
    directory.mkdir()
    return make_server(
        "--lang", "en", "--utc", "--names", "open", *options, directory=directory, grpc=True
    ).start(), links


def test_a_log_that_cannot_be_opened_hides_no_edit_of_another_one(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna:
        for room in ("aft", "bow"):
            anna.join("Anna", room)
            anna.send_frame("chat", room=room, text="hello", key=room)
            assert anna.receive("chat")["id"] == 1
            are_the_same(nodes, 1, f"chat_history.{room}.txt")
    node = nodes[1]
    node.stop()
    log = node.directory / "chat_history.aft.txt"
    log.rename(node.directory / "elsewhere.txt")
    log.symlink_to("elsewhere.txt")  # which is not followed
    edited = node.directory / "chat_history.bow.txt"
    edited.write_text(edited.read_text("utf-8").replace("hello", "by hand"), "utf-8")
    node.start()
    are_the_same(nodes, 1, "chat_history.bow.txt")


@pytest.mark.parametrize("is_half_made", [False, True])
def test_a_log_is_kept_once_however_long_it_cannot_be_made_anew(
    nodes: list[RunningServer],
    nats: NatsServers,
    make_server: ServerMaker,
    tmp_path: Path,
    is_half_made: bool,
) -> None:
    options, links = nats.links()
    (directory := tmp_path / "impatient").mkdir()
    node = make_server(
        *("--lang", "en", "--utc", "--names", "open", "--rate", "0", *options),
        directory=directory,
        module=BENT,
        CONSTANTS=json.dumps({"besedka.serve.cluster.order.reach.OUT_OF_REACH_SECONDS": 0.5}),
    ).start()
    messages = 300 if is_half_made else 10
    with WireClient(nodes[0]) as anna, WireClient(node) as boris:
        anna.join("Anna")
        boris.join("Boris")
        for number in range(messages):  # each in an entry of its own
            post(anna, f"message-{number}")
        are_the_same([*nodes, node], messages)
        if not is_half_made:
            for link in links:
                link.hold()
        node.history.write_text(node.history.read_text("utf-8").replace("message-4", "by hand 4"), "utf-8")
        wait_until(lambda: "changed by another program" in node.errors)
        if is_half_made:
            wait_until(lambda: [*directory.glob(f"{LOG}.aside-*")], pause=0.001)
            for link in links:
                link.hold()
        for _ in range(3):
            boris.send_frame("chat", text="meanwhile", key="k")
            refused = boris.receive_until(lambda frame: frame["type"] == "error")[-1]
            assert refused["code"] == "out_of_reach", refused
        assert len([*directory.glob(f"{LOG}.aside-*")]) == is_half_made
        for link in links:
            link.heal()
        are_the_same([*nodes, node], messages)
        anna.say_many(["behind it"])
        are_the_same([*nodes, node], messages + 1)
    [kept] = directory.glob(f"{LOG}.aside-*")
    assert kept.read_text("utf-8").count("\n") == messages
    assert "by hand" in kept.read_text("utf-8")


def test_what_the_others_have_and_a_full_disk_does_not_take_is_there_once_when_it_has_room(
    nodes: list[RunningServer], nats: NatsServers, make_server: ServerMaker, tmp_path: Path
) -> None:
    (directory := tmp_path / "full").mkdir()
    plan = {"call": "write", "at": 2, "times": 2, "errno": "ENOSPC"}
    node = make_server(
        *("--lang", "en", "--utc", "--names", "open", *nats.options),
        directory=directory,
        module=FAULTY,
        FAULTS=json.dumps(plan),
    ).start()
    with WireClient(node) as anna:
        anna.join("Anna")
        answers: list[str] = []
        for key in ("one", "two", "three"):
            post(anna, key, answers)
    assert answers[0] == answers[-1] == ""
    assert {*answers[1:-2]} == {"out_of_reach"}
    are_the_same([*nodes, node], 3)
    assert [read_line(line).text for line in node.lines] == ["one", "two", "three"]


def test_who_has_read_further_than_a_node_waits_there(
    nodes: list[RunningServer], far: tuple[RunningServer, Sequence[Link | Way]]
) -> None:
    behind, links = far
    with WireClient(nodes[0]) as anna, WireClient(behind) as boris:
        epoch = anna.join("Anna")["epoch"]
        anna.say_many(["one", "two"])
        are_the_same([*nodes, behind], 2)
        for link in links:
            link.hold()
        anna.say_many(["three", "four"])
        are_the_same(nodes, 4)
        assert behind.history.read_bytes().count(b"\n") == 2
        boris.send_frame("join", room="main", user="Boris", since=4, epoch=epoch)
        with Caller(behind) as caller, caller.follow(since=4, epoch=epoch) as reader:
            for link in links:
                link.heal()
            welcome, started = boris.receive("welcome"), reader.started()
            assert (welcome["head"], welcome.get("reset")) == (4, None)
            assert (started.head, started.reset) == (4, False)


def test_a_node_that_is_cut_off_says_so_and_goes_on_where_it_was(
    nodes: list[RunningServer], far: tuple[RunningServer, Sequence[Link | Way]]
) -> None:
    cut_off, links = far
    with WireClient(nodes[0]) as anna, WireClient(cut_off) as boris:
        epoch = anna.join("Anna")["epoch"]
        boris.join("Boris")
        anna.say_many(["one", "two"])
        assert boris.receive_to(2) == [1, 2]
        for link in links:
            link.hold()
        assert fetch(cut_off, "/readyz") == (200, "ready\n")
        for key in ("held", "gathered"):
            boris.send_frame("chat", text=key, key=key)
        refused = [boris.receive("error") for _ in range(2)]
        assert [(frame["code"], frame["key"]) for frame in refused] == [
            ("out_of_reach", "held"),
            ("out_of_reach", "gathered"),
        ]
        assert fetch(cut_off, "/readyz") == (503, "cluster out of reach\n")
        assert figures(cut_off)["besedka_cluster_silence_seconds"] > 8
        # Who has read further elsewhere is sent on, and never reset.
        with WireClient(cut_off) as moved:
            moved.send_frame("join", room="main", user="Clara", since=9, epoch=epoch)
            assert moved.receive("error")["code"] == "out_of_reach"
            assert moved.ending()[0] == 1013
        boris.send_frame("history", room="main", before=3)
        assert ids_in(boris.receive("history")) == [1, 2]
        for link in links:
            link.heal()
        # What was posted behind them must not come before them.
        boris.send_frame("chat", text="behind", key="behind")
        assert boris.receive("error")["key"] == "behind"
        # What was refused may have been on its way: it is stored once.
        keys = ["held", "gathered", "behind"]
        for key in keys:
            boris.send_frame("chat", text=key, key=key)
        assert boris.receive_to(5) == [3, 4, 5]
        assert [read_line(line).text for line in cut_off.lines[2:]] == keys
        boris.say_many(["here again"])
        are_the_same([*nodes, cut_off], 6)
        assert fetch(cut_off, "/readyz")[0] == 200
        assert figures(cut_off)["besedka_cluster_lag"] == 0


def test_acts_that_would_make_the_logs_differ_are_refused(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna, Operator(nodes[0]) as operator:
        anna.join("Anna", "dev")
        anna.send_frame("chat", room="dev", text="hello", key="a")
        assert anna.receive("chat")["id"] == 1
        for act, fields in (
            ("delete", {}),
            ("rename", {"to": "other"}),
        ):
            answer = operator.ask(act, room="dev", **fields)
            assert answer["code"] == "not_allowed"
            assert "this cannot be done in a cluster yet" in answer["text"]
        # Private rooms would be open on the other nodes.
        assert anna.ask("private", room="cellar")["code"] == "not_allowed"


def test_a_server_that_leaves_the_cluster_goes_on_alone(
    nodes: list[RunningServer], make_server: ServerMaker
) -> None:
    with WireClient(nodes[0]) as anna:
        epoch = anna.join("Anna")["epoch"]
        anna.say_many(["one", "two"])
    are_the_same(nodes, 2)
    nodes[2].stop()
    alone = make_server("--lang", "en", "--utc", "--names", "open", directory=nodes[2].directory).start()
    with WireClient(alone) as anna:
        welcome = anna.join("Anna", since=1, epoch=epoch)
        assert (welcome["head"], welcome["epoch"], welcome.get("reset")) == (2, epoch, None)
        assert anna.receive_to(2) == [2]
    alone.stop()
    # And in again.
    nodes[2].start()
    with WireClient(nodes[2]) as anna:
        assert anna.join("Anna", since=2, epoch=epoch)["head"] == 2
        anna.say_many(["three"])
    are_the_same(nodes, 3)


def test_nodes_whose_stream_is_deleted_stop_and_say_so(nats: NatsServers, nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna:
        anna.join("Anna")
        anna.say_many(["one"])
        are_the_same(nodes, 1)
        nats.delete_stream()
        anna.send_frame("chat", text="nobody orders this", key="k")
        for node in nodes:
            assert node.wait() == 1
            assert "the cluster cannot be used any more: its stream was deleted" in node.errors
        # It was told to nobody, and is in no log.
        assert anna.receive_to_the_end() == []
    are_the_same(nodes, 1)
