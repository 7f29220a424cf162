"""The people of a cluster: at all nodes the same ones are present, wherever each of them is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.clustering import NatsServers
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer
from tests.talking import Frame, WireClient

pytestmark = pytest.mark.xdist_group("cluster")

NAMES = 1000 if LONG else 30
OPTIONS = ("--lang", "en", "--utc", "--names", "open")


@pytest.fixture
def nodes(nats: NatsServers, make_server: ServerMaker, tmp_path: Path) -> list[RunningServer]:
    """Two nodes, started."""
    made = []
    for number in range(2):
        directory = tmp_path / f"node-{number}"
        directory.mkdir()
        made.append(make_server(*OPTIONS, *nats.options, directory=directory).start())
    return made


def present(client: WireClient, room: str, users: Sequence[str]) -> list[Frame]:
    """Wait until a client in a room was told that these people are in it; returns the notices."""
    known: set[str] | None = None
    frames = []
    while True:
        frame = client.receive("system")
        frames.append(frame)
        if "users" in frame:
            known = {*frame["users"]}
        elif known is not None:
            known = (known | {*frame["joined"]}) - {*frame["left"]}
        assert frame["room"] == room
        if frame["clients_count"] == len(users) and known in (None, {*users}):
            return frames


def test_people_at_other_nodes_are_counted_listed_and_announced(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as boris:
        anna.join("Anna", "dev")
        boris.join("Boris", "dev")
        notices = present(anna, "dev", ["Anna", "Boris"])
        assert ["Boris"] in [frame["joined"] for frame in notices] or "users" in notices[-1]
        present(boris, "dev", ["Anna", "Boris"])
        # At both nodes one list of rooms has the same counts.
        anna.send_frame("chat", room="dev", text="hello", key="a")
        assert boris.receive("chat")["text"] == "hello"
        for client in (anna, boris):
            rooms = {room["name"]: room["clients_count"] for room in client.ask("rooms")["rooms"]}
            assert rooms["dev"] == 2
        # A person at both nodes counts once, and is not announced.
        anna.send_frame("typing", room="dev")
        assert boris.receive("typing") == {"type": "typing", "room": "dev", "user": "Anna"}
        with WireClient(nodes[1]) as clara:
            welcome = clara.join("Clara", "dev")
            assert welcome["clients_count"] == 3
            assert {*welcome["users"]} == {"Anna", "Boris", "Clara"}
            assert anna.receive("system")["joined"] == ["Clara"]
        assert anna.receive("system")["left"] == ["Clara"]
        boris.send_frame("join", room="dev", user="Bob", rename=True)
        renamed = anna.receive("system")
        assert (renamed["joined"], renamed["left"]) == (["Bob"], ["Boris"])
        assert renamed["renamed"] == {"Boris": "Bob"}
        assert renamed["clients_count"] == 2


def test_a_person_at_two_nodes_counts_once_and_who_moves_was_never_away(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as watcher, WireClient(nodes[1]) as far:
        watcher.join("Watcher")
        far.join("Far")
        present(watcher, "main", ["Watcher", "Far"])
        first = WireClient(nodes[0])
        first.join("Anna", secret="s")
        assert watcher.receive("system")["joined"] == ["Anna"]
        assert far.receive_until(lambda frame: frame.get("joined") == ["Anna"])
        with WireClient(nodes[1]) as second:
            assert second.join("Anna", secret="s")["clients_count"] == 3
            first.close()
            with WireClient(nodes[1]) as marker:
                marker.join("Marker")
                for client in (watcher, far):
                    notice = client.receive("system")
                    assert (notice["joined"], notice["left"]) == (["Marker"], [])
                    assert notice["clients_count"] == 4


@pytest.mark.parametrize("ends", ["kill", "stop"])
def test_the_people_of_a_node_that_ends_have_left_after_ten_seconds_but_for_those_who_came_back(
    nodes: list[RunningServer], ends: str
) -> None:
    with WireClient(nodes[0]) as watcher, WireClient(nodes[1]) as boris, WireClient(nodes[1]) as clara:
        watcher.join("Watcher")
        boris.join("Boris", secret="b")
        clara.join("Clara", secret="c")
        present(watcher, "main", ["Watcher", "Boris", "Clara"])
        begun = time.monotonic()
        getattr(nodes[1], ends)()
        with WireClient(nodes[0]) as back:
            welcome = back.join("Boris", secret="b")
            assert welcome["clients_count"] == 3
            notice = watcher.receive("system")
            assert (notice["joined"], notice["left"]) == ([], ["Clara"])
            assert 10 <= time.monotonic() - begun <= 15
            assert notice["clients_count"] == 2


def take(client: WireClient, name: str, **fields: object) -> str:
    """Ask for a name. Returns the kind of the answer, or the code of its refusal."""
    client.send_frame("join", **{"room": "main", "user": name, **fields})
    answer = client.receive_until(lambda frame: frame["type"] in {"welcome", "error"})[-1]
    return str(answer.get("code", answer["type"]))


def test_a_name_belongs_to_one_person_at_all_nodes_while_they_are_present(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as other:
        anna.join("Anna", secret="a")
        # A look-alike in Cyrillic letters is the same name.
        for name in ("Anna", "\u0410nna"):
            assert take(other, name) == "name_taken"
        assert take(other, "Boris") == "welcome"
        with WireClient(nodes[1]) as tablet:
            assert take(tablet, "Anna", secret="a") == "welcome"
            # Of two devices one is left.
            anna.close()
            with WireClient(nodes[0]) as third:
                assert take(third, "Anna") == "name_taken"
        with WireClient(nodes[0]) as third:
            wait_until(lambda: take(third, "Anna") == "welcome")


def test_of_those_who_take_a_name_at_two_nodes_at_once_one_gets_it(nodes: list[RunningServer]) -> None:
    for number in range(NAMES):
        clients = [WireClient(node) for node in nodes]
        try:
            for client in clients:
                client.send_frame("join", room="main", user=f"Name {number}")
            answers = [
                client.receive_until(lambda frame: frame["type"] in {"welcome", "error"})[-1]
                for client in clients
            ]
            assert sorted(answer.get("code", "") for answer in answers) == ["", "name_taken"], answers
        finally:
            for client in clients:
                client.close()


def test_the_names_of_a_node_that_dies_are_free_after_six_seconds(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[1]) as boris, WireClient(nodes[0]) as other:
        boris.join("Boris")
        assert take(other, "Boris") == "name_taken"
        begun = time.monotonic()
        nodes[1].kill()
        assert take(other, "Boris") == "name_taken"
        wait_until(lambda: take(other, "Boris") == "welcome")
        assert time.monotonic() - begun <= 6.5


def test_a_node_that_is_cut_off_lets_people_in_and_gives_way_when_it_is_back(
    nats: NatsServers, nodes: list[RunningServer], make_server: ServerMaker, tmp_path: Path
) -> None:
    options, links = nats.links()
    (tmp_path / "far").mkdir()
    far = make_server(*OPTIONS, *options, directory=tmp_path / "far").start()
    with WireClient(nodes[0]) as anna, WireClient(far) as other, WireClient(far) as clara:
        anna.join("Anna", secret="a")
        assert take(clara, "Anna") == "name_taken"
        for link in links:
            link.hold()
        # Nobody answers the node, so it decides alone.
        assert take(other, "Boris") == "welcome"
        assert take(clara, "Clara") == "welcome"
        assert take(anna, "Boris", room="dev") == "welcome"
        for link in links:
            link.heal()
        assert other.ending()[0] == 1013
        assert take(clara, "Clara", room="dev") == "welcome"
        with WireClient(far) as again:
            assert take(again, "Boris") == "name_taken"
