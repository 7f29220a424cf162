"""People in a cluster: names, private rooms, invitations, blocks and moderation are the same on all nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from besedka.wire.close_codes import CloseCode
from tests.clustering import NatsServers
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.ordering import Operator
from tests.running import RunningServer, running
from tests.talking import Frame, WireClient

pytestmark = pytest.mark.xdist_group("cluster people")

CLAIMS = 1000 if LONG else 10
ROOMS = 5
LONGEST_SECONDS = 1 if LONG else 5
"""A ban is to hold within a second; a busy machine may need more."""


@pytest.fixture(scope="module")
def nodes(servers: NatsServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningServer]]:
    """Two nodes that all tests here share, each with people of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(node(servers, tmp_path_factory.mktemp("node"))) for _ in range(2)]


@contextmanager
def node(servers: NatsServers, directory: Path, *options: str) -> Iterator[RunningServer]:
    """A node, started."""
    yield from running(RunningServer(directory, "--lang", "en", "--utc", *servers.options, *options))


def is_kicked(operator: Operator, name: str) -> bool:
    """Have somebody disconnected. Returns whether they were there."""
    answer = operator.ask("kick", name)
    assert answer["type"] == "done" or "is not here now" in answer["text"], answer
    return str(answer["type"]) == "done"


def agree(nodes: Sequence[RunningServer], name: str) -> None:
    """Wait until a file about people says the same on all nodes."""
    wait_until(lambda: len({frozenset(rows(each, name)) for each in nodes}) == 1)


def codes(answers: Iterable[Frame]) -> list[str]:
    """The outcomes of requests."""
    return sorted(str(answer.get("code", answer["type"])) for answer in answers)


def at_once(asks: Sequence[Callable[[], Frame]]) -> list[Frame]:
    """Ask several things at the same time."""
    with ThreadPoolExecutor(len(asks)) as pool:
        return [future.result() for future in [pool.submit(ask) for ask in asks]]


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
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as other:
        anna.join("Anna", secret="hers")
        other.send_frame("join", user="Anna", secret="his")
        assert other.receive("error")["code"] == "name_claimed"
        other.join("Anna", secret="hers")
    agree(nodes, "known_names.txt")


def test_of_two_who_claim_a_name_at_two_nodes_at_once_one_gets_it(nodes: list[RunningServer]) -> None:
    # Also where it only looks the same: the o of the second one is Cyrillic.
    names = [
        [f"Otto {number}" for number in range(CLAIMS)],
        [f"Ott\u043e {number}" for number in range(CLAIMS)],
    ]
    for number in range(CLAIMS):
        with WireClient(nodes[0]) as one, WireClient(nodes[1]) as other:
            answers = at_once(
                [
                    partial(claim, client, names[which][number], f"{which} {number}")
                    for which, client in enumerate((one, other))
                ]
            )
        # Who is a moment later may also find the name in use.
        assert codes(answers) in (["name_claimed", "welcome"], ["name_taken", "welcome"]), number
    agree(nodes, "known_names.txt")
    assert len([row for row in rows(nodes[0], "known_names.txt") if row.startswith("Ott")]) == CLAIMS


def claim(client: WireClient, name: str, secret: str) -> Frame:
    """Ask for a name; the answer."""
    client.send_frame("join", user=name, secret=secret.ljust(32, "."))
    return client.receive_until(lambda frame: frame["type"] in {"welcome", "error"})[-1]


def test_a_private_room_is_private_on_all_nodes(servers: NatsServers, nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as boris:
        anna.join("Vera", secret="hers")
        boris.join("Boris", secret="his")
        assert anna.ask("private", room="plans")["type"] == "place"
        assert boris.ask("private", room="plans")["code"] == "room_taken"
        boris.send_frame("join", user="Boris", room="plans", secret="his")
        assert boris.receive("error")["code"] == "not_invited"
        # An invitation for one is used by one, at whatever node.
        token = anna.ask("invite", room="plans", uses=1)["token"]
        welcome = boris.join("Boris", "plans", secret="his", invite=token)
        assert welcome["kind"] == "private"
        with WireClient(nodes[0]) as clara:
            clara.send_frame("join", user="Clara", room="plans", secret="hers too", invite=token)
            assert clara.receive("error")["code"] == "bad_link"
        anna.join("Vera", "plans", secret="hers")
        boris.send_frame("chat", room="plans", text="thank you", key="k")
        assert anna.receive("chat")["text"] == "thank you"
        # No node takes it for an open one, however late it receives that it is private.
        entries = servers.numbered().values()
        assert all(entry.head.people for subject, entry in entries if subject.endswith(".plans"))
        assert any(subject.endswith(".plans") for subject, _ in entries)
        # Whoever is put out is put out at once, wherever they are.
        assert anna.ask("uninvite", room="plans", user="Boris")["type"] == "done"
        assert boris.receive("error")["code"] == "not_invited"
    for name in ("private_rooms.txt", "invitations.txt", "audit.txt"):
        agree(nodes, name)


def test_of_two_who_use_the_last_of_an_invitation_at_once_one_comes_in(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as anna, WireClient(nodes[0]) as one, WireClient(nodes[1]) as other:
        anna.join("Host", secret="hosts")
        anna.ask("private", room="small")
        one.join("First", secret="first")
        other.join("Second", secret="second")
        token = anna.ask("invite", room="small", uses=1)["token"]

        def enter(client: WireClient, user: str, secret: str) -> Frame:
            client.send_frame("join", user=user, room="small", secret=secret, invite=token)
            return client.receive_until(lambda frame: frame["type"] in {"welcome", "error"})[-1]

        answers = at_once([partial(enter, one, "First", "first"), partial(enter, other, "Second", "second")])
        assert codes(answers) == ["bad_link", "welcome"]
    agree(nodes, "private_rooms.txt")
    assert len([row for row in rows(nodes[1], "private_rooms.txt") if row.startswith("small\t")]) == 2


def test_of_two_who_make_a_private_room_at_once_one_has_it(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as one, WireClient(nodes[1]) as other:
        one.join("Maker", secret="one")
        other.join("Other maker", secret="two")
        for number in range(ROOMS):
            asks = [partial(client.ask, "private", room=f"room-{number}") for client in (one, other)]
            assert codes(at_once(asks)) == ["place", "room_taken"], number
    agree(nodes, "private_rooms.txt")


def test_a_direct_room_is_announced_at_other_nodes_and_a_block_holds_there(
    nodes: list[RunningServer],
) -> None:
    with WireClient(nodes[0]) as anna, WireClient(nodes[1]) as ivan:
        anna.join("Zoya", secret="zoyas")
        ivan.join("Ivan", secret="ivans")
        wait_until(lambda: ivan.ask("direct", user="Zoya")["type"] == "place")
        place = anna.receive("place")
        assert (place["peer"], place["asked"]) == ("Ivan", True)
        assert anna.ask("block", user="Ivan")["type"] == "done"
        wait_until(lambda: rows(nodes[1], "blocks.txt") != set())
        ivan.join("Ivan", place["room"], secret="ivans")
        ivan.send_frame("chat", room=place["room"], text="hello?", key="k")
        assert ivan.receive_until(lambda frame: frame.get("key") == "k")[-1]["code"] == "not_accepted"


def test_a_ban_holds_on_all_nodes_within_a_second(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[1]) as eve, Operator(nodes[0]) as operator:
        eve.join("Eve", secret="evil")
        wait_until(lambda: any(row.startswith("Eve\t") for row in rows(nodes[0], "known_names.txt")))
        begun = time.monotonic()
        operator.do("ban", "Eve", reason="spam")
        assert eve.end_code() == CloseCode.BANNED.value.code
        assert time.monotonic() - begun < LONGEST_SECONDS
        with WireClient(nodes[1]) as again:
            again.send_frame("join", user="Eve", secret="evil")
            assert again.receive("error")["code"] == "banned"
        operator.do("unban", "Eve")
    agree(nodes, "audit.txt")
    with WireClient(nodes[1]) as again:
        again.join("Eve", secret="evil")


def test_a_guest_who_is_muted_at_another_node_is_muted_where_they_are(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[1]) as guest, Operator(nodes[0]) as operator:
        guest.join("Passer-by")
        operator.do("mute", "Passer-by")
        # A message that is stored before the mute arrives would be found again under its key.
        keys = (f"k{number}" for number in count())

        def is_refused() -> bool:
            key = next(keys)
            guest.send_frame("chat", text="hello", key=key)
            return guest.receive_until(lambda frame: frame.get("key") == key)[-1].get("code") == "muted"

        wait_until(is_refused)


def test_a_kick_reaches_whoever_is_at_another_node(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[1]) as loud, Operator(nodes[0]) as operator:
        loud.join("Loud", secret="loud")
        wait_until(lambda: any(row.startswith("Loud\t") for row in rows(nodes[0], "known_names.txt")))
        wait_until(lambda: is_kicked(operator, "loud"))
        assert loud.end_code() == CloseCode.KICKED.value.code


def test_a_kick_of_somebody_who_is_at_no_node_is_refused(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[1]) as quiet:
        quiet.join("Quiet", secret="quiet")
    wait_until(lambda: any(row.startswith("Quiet\t") for row in rows(nodes[0], "known_names.txt")))
    with Operator(nodes[0]) as operator:
        assert not is_kicked(operator, "Nobody")
        # Their node tells a moment later that they are gone.
        wait_until(lambda: not is_kicked(operator, "Quiet"))


def test_rights_and_the_state_of_rooms_are_reported_at_other_nodes(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[1]) as mod, Operator(nodes[0]) as operator:
        mod.join("Mod", secret="mod")
        wait_until(lambda: any(row.startswith("Mod\t") for row in rows(nodes[0], "known_names.txt")))
        operator.do("appoint", "Mod")
        assert "moderate" in mod.receive("rights")["may"]
        operator.do("slow", room="main", seconds=30)
        assert mod.receive_until(lambda frame: frame.get("slow") is not None)[-1]["slow"] == 30
        # Somebody may do there what was granted here.
        assert mod.ask("moderate", act="slow", room="main", seconds=0)["type"] == "done"
        with WireClient(nodes[0]) as there:
            assert "slow" not in there.join("There")


def test_a_hand_edit_at_one_node_is_made_at_all(nodes: list[RunningServer]) -> None:
    with WireClient(nodes[0]) as client:
        client.join("Edited", secret="edited")
    agree(nodes, "known_names.txt")
    path = nodes[0].directory / "known_names.txt"
    row = next(row for row in rows(nodes[1], "known_names.txt") if row.startswith("Edited\t"))
    with path.open("a") as file:
        file.write(f"*removed\t{row}\nAwaited\t-\t\t\n")
    wait_until(lambda: any(line.startswith("Awaited\t") for line in rows(nodes[1], "known_names.txt")))
    agree(nodes, "known_names.txt")
    assert row not in rows(nodes[1], "known_names.txt")


def test_what_was_changed_while_a_node_was_away_is_known_when_it_is_back(
    nodes: list[RunningServer], servers: NatsServers, tmp_path: Path
) -> None:
    with node(servers, tmp_path) as third, WireClient(third) as client:
        client.join("Before", secret="before")
    # By hand, and by others.
    with (tmp_path / "invitations.txt").open("a") as file:
        file.write("\t".join(("a" * 64, "room", "elsewhere", "3", "9999999999", "Anna", "-")) + "\n")
    with WireClient(nodes[0]) as client, Operator(nodes[1]) as operator:
        client.join("Meanwhile", secret="meanwhile")
        operator.do("ban", "Nobody")
    with node(servers, tmp_path) as third:
        with WireClient(third) as client:
            client.send_frame("join", user="Meanwhile", secret="another")
            assert client.receive("error")["code"] == "name_claimed"
            client.join("Before", secret="before")
        for name in ("known_names.txt", "invitations.txt", "audit.txt"):
            agree([*nodes, third], name)
        assert any(row.startswith("a" * 64) for row in rows(nodes[0], "invitations.txt"))
    # A new one has all of it, too.
    empty = tmp_path / "empty"
    empty.mkdir()
    with node(servers, empty) as fourth:
        for name in ("known_names.txt", "private_rooms.txt", "invitations.txt", "audit.txt"):
            agree([*nodes, fourth], name)


def test_a_new_node_with_people_of_its_own_is_refused(
    nodes: list[RunningServer], servers: NatsServers, make_server: ServerMaker, tmp_path: Path
) -> None:
    with WireClient(nodes[0]) as client:
        client.join("Somebody", secret="here")
    (tmp_path / "known_names.txt").write_text(f"Somebody\t{'0' * 64}\t\t\n")
    with pytest.raises(
        AssertionError,
        match=r"known_names\.txt of this node, which is new in it, holds what the others do not have",
    ):
        make_server("--utc", *servers.options).start()


def test_all_nodes_hold_names_or_none(
    servers: NatsServers, nodes: list[RunningServer], make_server: ServerMaker
) -> None:
    assert nodes
    with pytest.raises(AssertionError, match="start all nodes with the same --names"):
        make_server("--utc", "--names", "open", *servers.options).start()


def test_a_link_that_adds_a_device_is_valid_once_at_all_nodes(nodes: list[RunningServer]) -> None:
    secret = "l" * 32
    with WireClient(nodes[0]) as laptop, WireClient(nodes[1]) as phone:
        laptop.join("Linda", secret=secret)
        token = laptop.ask("add_device", user="Linda", secret=secret)["token"]
        assert phone.ask("take_device", token="x" * 32)["code"] == "bad_link"
        device = phone.ask("take_device", token=token)
        assert (device["user"], device["secret"]) == ("Linda", secret)
        for client in (phone, laptop):
            assert client.ask("take_device", token=token)["code"] == "bad_link"
        # A link that is used where it was made is used everywhere.
        token = laptop.ask("add_device", user="Linda", secret=secret)["token"]
        assert laptop.ask("take_device", token=token)["user"] == "Linda"
        assert phone.ask("take_device", token=token)["code"] == "bad_link"


def test_a_read_mark_that_moves_at_one_node_is_reported_at_the_others(
    nodes: list[RunningServer], servers: NatsServers, tmp_path: Path
) -> None:
    secret = "m" * 32
    with WireClient(nodes[0]) as laptop, WireClient(nodes[1]) as phone:
        laptop.join("Mark", "reading", secret=secret)
        phone.join("Mark", "reading", secret=secret)
        for number in range(1, 6):
            laptop.send_frame("chat", room="reading", text=f"message {number}", key=f"{number}")
        for client in (laptop, phone):
            assert client.receive_to(5)[-1] == 5
        laptop.send_frame("read", room="reading", id=4)
        assert phone.receive("read") == {"type": "read", "room": "reading", "id": 4}
        phone.send_frame("read", room="reading", id=5)
        assert laptop.receive("read")["id"] == 5
    # Also at a node that comes later.
    with node(servers, tmp_path) as late:

        def mark() -> int:
            with WireClient(late) as tablet:
                return int(tablet.join("Mark", "reading", secret=secret)["read_up_to"])

        wait_until(lambda: mark() == 5)
