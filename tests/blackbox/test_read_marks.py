"""How far a person has read follows them to every device, over restarts, and is nobody else's business."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import Caller
from tests.clocks import BENT
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import Frame, WireClient

ANNA, BORIS = "a" * 64, "b" * 64
MARKS = "read_marks.txt"

OFTEN = json.dumps(
    {
        "besedka.serve.directory.directory.POLL_SECONDS": 0.05,
        "besedka.serve.people.read_marks.WRITE_SECONDS": 0.1,
    }
)


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    return make_server("--lang", "en", module=BENT, grpc=True, CONSTANTS=OFTEN).start()


def say(server: RunningServer, count: int, room: str = "main") -> None:
    """Somebody says so much."""
    with WireClient(server) as boris:
        boris.join("Boris", room, secret=BORIS)
        for number in range(count):
            boris.ask("chat", text=f"message {number}", room=room)


def mark_of(server: RunningServer, room: str = "main") -> int:
    """Anna's mark, as a device sees it that joins now."""
    with WireClient(server) as anna:
        return int(anna.join("Anna", room, secret=ANNA)["read_up_to"])


def stored(server: RunningServer) -> dict[str, tuple[str, int]]:
    """The marks in the file: the epoch and the id, by claim and room."""
    path = server.directory / MARKS
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [line.split("\t") for line in lines if not line.startswith(("#", "*"))]
    return {f"{claim} {room}": (epoch, int(number)) for claim, room, epoch, number in rows}


def anna_in(room: str = "main") -> str:
    return f"{sha256(ANNA.encode()).hexdigest()} {room}"


def everything_until(client: WireClient, text: str) -> list[Frame]:
    """All frames until a message with this text."""
    return client.receive_until(lambda frame: frame["type"] == "chat" and frame["text"] == text)


def test_a_mark_set_on_one_device_reaches_the_persons_others_and_nobody_else(server: RunningServer) -> None:
    say(server, 8)
    with WireClient(server) as phone, WireClient(server) as laptop, WireClient(server) as boris:
        assert phone.join("Anna", secret=ANNA)["read_up_to"] == 0
        laptop.join("Anna", secret=ANNA)
        laptop.join("Anna", "dev", secret=ANNA)
        assert boris.join("Boris", secret=BORIS)["read_up_to"] == 0
        phone.send_frame("read", id=5)
        assert laptop.receive("read") == {"type": "read", "room": "main", "id": 5}
        # A lower one, from a device that was late, changes nothing.
        laptop.send_frame("read", id=3)
        laptop.send_frame("chat", text="done", key="k")
        for client in (phone, laptop, boris):
            assert not [frame for frame in everything_until(client, "done") if frame["type"] == "read"]
        assert mark_of(server) == 5
        with WireClient(server) as another:
            assert another.join("Boris", secret=BORIS)["read_up_to"] == 0


def test_a_mark_outlives_a_restart_and_a_kill_costs_the_last_seconds_only(server: RunningServer) -> None:
    say(server, 9)
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("read", id=4)
        anna.ask("rooms")
        server.stop()  # an orderly end writes what it knows
    assert stored(server)[anna_in()][1] == 4
    server.start()
    with WireClient(server) as anna:
        assert anna.join("Anna", secret=ANNA)["read_up_to"] == 4
        anna.send_frame("read", id=6)
        wait_until(lambda: stored(server)[anna_in()][1] == 6)
        anna.send_frame("read", id=9)
        anna.ask("rooms")
        server.kill()
    server.start()
    assert mark_of(server) in {6, 9}
    assert (server.directory / MARKS).stat().st_mode & 0o777 == 0o600


def test_a_mark_of_a_log_that_was_replaced_is_void(server: RunningServer) -> None:
    say(server, 9)
    with WireClient(server) as anna:
        epoch = anna.join("Anna", secret=ANNA)["epoch"]
        anna.send_frame("read", id=9)
        anna.ask("rooms")
        server.history.write_text("[2026-01-01 12:00:00] Cora: another log\n" * 12, encoding="utf-8")
        anna.send_frame("chat", text="in the other log", key="k")
        again = anna.receive("welcome")
        assert again["reset"]
        assert again["epoch"] != epoch
        assert again["read_up_to"] == 0
        anna.receive_to(13)
        anna.send_frame("read", id=2)
        anna.ask("rooms")
    assert mark_of(server) == 2
    wait_until(lambda: stored(server).get(anna_in()) == (again["epoch"], 2))


def test_guests_and_strangers_have_no_marks_and_wrong_ones_are_refused(server: RunningServer) -> None:
    say(server, 3)
    with WireClient(server) as guest, WireClient(server) as reader, WireClient(server) as anna:
        assert "read_up_to" not in guest.join("Guest")
        assert guest.refused("read", id=1) == "no_secret"
        assert "read_up_to" not in reader.join(None, secret=ANNA)
        anna.join("Anna", secret=ANNA)
        for number, code in ((4, "bad_cursor"), (10**15, "bad_cursor"), (0, "bad_frame"), (-1, "bad_frame")):
            anna.send_frame("read", id=number)
            refusal = anna.receive("error")
            assert (refusal["code"], refusal.get("room", "main")) == (code, "main")
        assert anna.refused("read", id=1, room="dev") == "not_joined"
    assert mark_of(server) == 0
    assert not stored(server)


def test_a_reader_without_a_name_who_shows_the_secret_of_one_receives_the_marks(
    server: RunningServer,
) -> None:
    say(server, 3)
    with WireClient(server) as anna, WireClient(server) as reader:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("read", id=1)
        anna.ask("rooms")
        assert reader.join(None, secret=ANNA)["read_up_to"] == 1
        assert reader.refused("read", id=2) == "no_name"
        anna.send_frame("read", id=3)
        assert reader.receive("read")["id"] == 3


def test_where_no_names_are_held_there_are_no_marks(make_server: ServerMaker) -> None:
    server = make_server("--names", "open").start()
    say(server, 3)
    with WireClient(server) as anna:
        assert "read_up_to" not in anna.join("Anna", secret=ANNA)
        assert anna.refused("read", id=1) == "not_allowed"


def test_over_grpc_marks_are_the_same(server: RunningServer) -> None:
    say(server, 7)
    with WireClient(server) as anna, Caller(server) as caller, caller.converse() as phone:
        anna.join("Anna", secret=ANNA)
        welcome = phone.join("Anna", secret=ANNA)
        assert welcome.HasField("read_up_to")
        assert welcome.read_up_to == 0
        phone.send(pb.ConverseRequest(read=pb.MarkRead(id=3)))
        assert anna.receive("read")["id"] == 3
        anna.send_frame("read", id=6)
        assert phone.receive("read").read == pb.ReadUpTo(room="main", id=6)
        with caller.converse() as guest:
            assert not guest.join("Guest").HasField("read_up_to")
            guest.send(pb.ConverseRequest(read=pb.MarkRead(id=3)))
            assert guest.receive("refused").refused.code == pb.CODE_NO_SECRET


def test_the_marks_of_a_released_name_go(server: RunningServer) -> None:
    say(server, 3)
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("read", id=3)
        wait_until(lambda: anna_in() in stored(server))
    with Operator(server) as operator:
        operator.do("release", "Anna")
    removed = f"*removed\t{anna_in().split(maxsplit=1)[0]}\tmain\t"
    wait_until(lambda: removed in (server.directory / MARKS).read_text())
    with WireClient(server) as other:
        assert other.join("Anna", secret="o" * 64)["read_up_to"] == 0
    assert mark_of_claim_again(server) == 0


def mark_of_claim_again(server: RunningServer) -> int:
    """The mark of the former holder, under another name."""
    with WireClient(server) as former:
        return int(former.join("Anna the first", secret=ANNA)["read_up_to"])


def test_a_damaged_file_costs_the_lines_that_hold_the_damage_and_no_start(server: RunningServer) -> None:
    say(server, 5)
    for room in ("main", "dev"):
        say(server, 5, room)
        with WireClient(server) as anna:
            anna.join("Anna", room, secret=ANNA)
            anna.send_frame("read", id=5, room=room)
            anna.ask("rooms")
    server.stop()
    path = server.directory / MARKS
    path.write_text(path.read_text().replace("\tdev\t", "\tde/v\t", 1), encoding="utf-8")
    server.start()
    assert (mark_of(server), mark_of(server, "dev")) == (5, 0)
    server.stop()
    path.write_bytes(b"\xff\xfe\x00")
    server.start()
    assert mark_of(server) == 0
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("read", id=2)
        anna.ask("rooms")
        assert mark_of(server) == 2
    server.stop()
    assert path.read_bytes() == b"\xff\xfe\x00"
    assert f"{MARKS}: it is not text in UTF-8" in server.errors
    path.unlink()
    server.start()
    assert mark_of(server) == 0
