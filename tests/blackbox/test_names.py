"""A name belongs to whoever claimed it, seen from outside."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import Caller, refusal
from tests.clocks import BENT, OFTEN, Clocks
from tests.commanding import ASK_SECONDS, wait_until
from tests.conftest import ClientMaker
from tests.ordering import Operator
from tests.running import RunningServer, edit, fetch
from tests.talking import WireClient

ANNA, BORIS, EVE = "a" * 64, "b" * 64, "e" * 64
LIKE_ANNA = ["anna", "ANNA", "Аnna", "Ａnna", "An na"]


@pytest.fixture
def server(make_server: Callable[..., RunningServer], clock: Clocks) -> RunningServer:
    """A server that goes by them, and looks at its files often."""
    return make_server("--lang", "en", module=BENT, CONSTANTS=OFTEN, **clock.environment).start()


def known_names(server: RunningServer) -> dict[str, list[str]]:
    lines = (server.directory / "known_names.txt").read_text(encoding="utf-8").split("\n")
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {name: rest for name, *rest in rows}


def claim(server: RunningServer, user: str, secret: str) -> None:
    """Be there once, until it is written down whose the name is."""
    with WireClient(server) as client:
        client.join(user, secret=secret)
        wait_until(lambda: (server.directory / "known_names.txt").exists() and user in known_names(server))


def test_a_name_is_kept_for_its_holder_over_a_restart(server: RunningServer) -> None:
    claim(server, "Anna", ANNA)
    server.kill()
    server.start()
    with WireClient(server) as eve:
        for name in ("Anna", *LIKE_ANNA):
            assert eve.refused("join", user=name, secret=EVE) == "name_claimed"
            assert eve.refused("join", user=name) == "name_claimed"
    with WireClient(server) as anna:
        assert anna.join("ANNA", secret=ANNA)["user"] == "Anna"


def test_the_server_keeps_the_hash_of_a_secret_only(server: RunningServer) -> None:
    claim(server, "Anna", ANNA)
    hashed, first, last = known_names(server)["Anna"]
    assert hashed == hashlib.sha256(ANNA.encode()).hexdigest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first)
    assert first == last
    kept = server.directory / "known_names.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    server.stop()
    for path in server.directory.iterdir():
        assert ANNA.encode() not in path.read_bytes(), path


def test_several_devices_of_one_person_count_as_one(server: RunningServer) -> None:
    with WireClient(server) as tab, WireClient(server) as phone, WireClient(server) as boris:
        assert tab.join("Anna", secret=ANNA)["clients_count"] == 1
        assert phone.join("Anna", secret=ANNA)["clients_count"] == 1
        assert boris.join("Boris", secret=EVE)["users"] == ["Anna", "Boris"]


def test_who_shows_no_secret_may_use_what_is_free_and_is_unverified(server: RunningServer) -> None:
    with WireClient(server) as anna, WireClient(server, "/") as seed, WireClient(server) as program:
        anna.join("Anna", secret=ANNA)
        seed.send_frame("chat", user="Аnna", text="imitated")
        assert seed.receive("error")["code"] == "name_claimed"
        seed.send_frame("chat", user="Boris", text="by the seed's protocol")
        assert anna.receive("chat")["unverified"] is True
        program.join("Cron")
        program.send_frame("chat", text="without a secret")
        assert anna.receive("chat")["unverified"] is True
        anna.send_frame("chat", text="mine")
        assert "unverified" not in anna.receive("chat")
    with WireClient(server) as later:
        later.join("Dora", secret=EVE)
        assert later.receive("history")["unverified"] == [1, 2]
        assert later.search("secret")["unverified"] == [2]
        later.send_frame("history", before=4)
        assert later.receive("history")["unverified"] == [1, 2]


def test_what_another_said_before_a_name_was_claimed_stays_unverified(
    server: RunningServer, clock: Clocks
) -> None:
    with WireClient(server, "/") as seed:
        seed.send_frame("chat", user="Anna", text="I am not she")
        seed.receive("chat")
    with WireClient(server) as anna:
        # The log knows whole seconds: in the same one nobody could tell who has said it.
        wait_until(lambda: anna.ask("rooms")["rooms"][0]["clients_count"] == 0, ASK_SECONDS)
        clock.set_ahead(1)
        anna.join("Anna", secret=ANNA)
        assert anna.receive("history")["unverified"] == [1]
        anna.send_frame("chat", text="I am")
        anna.receive("chat")
        anna.send_frame("history", before=3)
        assert anna.receive("history")["unverified"] == [1]


def test_what_anybody_could_say_while_names_were_open_is_not_the_holders_afterwards(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server("--lang", "en").start()
    claim(server, "Anna", ANNA)
    server.stop()
    server = make_server("--lang", "en", "--names", "open").start()
    with WireClient(server) as anybody:
        anybody.join("Anna")
        anybody.send_frame("chat", text="I am not she")
        assert "unverified" not in anybody.receive("chat")
    server.stop()
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        assert anna.receive("history")["unverified"] == [1]


def test_what_the_first_holder_of_a_name_said_is_not_the_next_ones(
    server: RunningServer, clock: Clocks
) -> None:
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("chat", text="mine")
        anna.receive("chat")
        operator.do("release", "Anna")
    server.stop()
    server.start()
    with WireClient(server) as reader, WireClient(server) as eve:
        reader.join(None)
        assert "unverified" not in reader.receive("history")
        clock.set_ahead(1)
        eve.join("Anna", secret=EVE)
        assert eve.receive("history")["unverified"] == [1]
        eve.send_frame("chat", text="mine now")
        eve.receive("chat")
        eve.send_frame("history", before=3)
        assert eve.receive("history")["unverified"] == [1]


def test_what_was_said_before_names_were_held_is_not_called_unverified(server: RunningServer) -> None:
    server.stop()
    server.history.write_text("[2020-01-01 00:00:00] Old: hello\n", encoding="utf-8")
    server.start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        assert "unverified" not in anna.receive("history")


def test_the_other_doors_hold_names_too(make_server: Callable[..., RunningServer]) -> None:
    server = make_server(grpc=True).start()
    claim(server, "Anna", ANNA)
    with Caller(server) as caller:
        assert refusal(lambda: caller.send("Anna", "forged", secret=EVE)).reason == "name_claimed"
        assert refusal(lambda: caller.send("Anna", "forged")).reason == "name_claimed"
        caller.send("anna", "mine", secret=ANNA)
        caller.send("Cron", "nobody's")
        listed = caller.stub.ListMessages(pb.ListMessagesRequest(after=0)).messages
    assert [(one.user, one.unverified) for one in listed] == [("Anna", False), ("Cron", True)]
    assert [line.split("] ")[1] for line in server.lines] == ["Anna: mine", "Cron: nobody's"]


def test_open_names_are_free_again_and_nothing_is_written_of_them(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server("--names", "open").start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("chat", text="hello")
        assert "unverified" not in anna.receive("chat")
        with WireClient(server) as eve:
            assert eve.refused("join", user="Anna", secret=EVE) == "name_taken"
    with WireClient(server) as eve:
        eve.join("Anna", secret=EVE)
        assert eve.refused("private", room="plans") == "not_allowed"
    assert not (server.directory / "known_names.txt").exists()


def test_only_people_who_are_known_come_in_where_they_are_invited(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server("--names", "invited", grpc=True)
    (server.directory / "known_names.txt").write_text("Anna\n", encoding="utf-8")
    server.start()
    with WireClient(server) as eve:
        for fields in ({"user": "Eve", "secret": EVE}, {"user": "Eve"}, {"secret": EVE}, {}):
            assert eve.refused("join", **fields) == "not_known"
        assert eve.ask("rooms")["code"] == "not_known"
    with WireClient(server) as anna:
        assert anna.join("Anna", secret=ANNA)["user"] == "Anna"
        anna.send_frame("chat", text="among ourselves")
        anna.receive("chat")
        with WireClient(server, "/") as seed:
            assert seed.ending() == (4006, "only known people may join")
        with Caller(server) as caller:
            for ask in (
                lambda: caller.stub.ListMessages(pb.ListMessagesRequest(after=0, secret=EVE)),
                lambda: caller.stub.Search(pb.SearchRequest(text="a")),
                lambda: caller.stub.ListRooms(pb.ListRoomsRequest()),
                lambda: next(caller.stub.Follow(pb.FollowRequest())),
                lambda: caller.send("Eve", "hi", secret=EVE),
            ):
                assert refusal(ask).reason == "not_known"
            assert caller.stub.ListMessages(pb.ListMessagesRequest(after=0, secret=ANNA)).messages[0].id == 1
        assert fetch(server, "/history.txt")[0] == 403
        assert "among ourselves" in fetch(server, "/history.txt", {"Besedka-Secret": ANNA})[1]


def test_who_is_not_known_any_more_leaves_where_people_are_invited(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server("--names", "invited", grpc=True)
    known = server.directory / "known_names.txt"
    known.write_text("Anna\nBoris\n", encoding="utf-8")
    server.start()
    with (
        WireClient(server) as anna,
        WireClient(server) as boris,
        WireClient(server) as nameless,
        Caller(server) as caller,
        Operator(server) as operator,
    ):
        anna.join("Anna", secret=ANNA)
        boris.join("Boris", secret=BORIS)
        nameless.join(None, secret=BORIS)
        with caller.follow(secret=BORIS) as following:
            following.started()
            operator.do("release", "Boris")
            gone = (4006, "only known people may join")
            assert boris.ending() == nameless.ending() == gone
            assert following.ending().reason == "not_known"
        anna.ask("rooms")
        edit(known, "Vera\n")
        assert anna.ending() == gone


@pytest.mark.parametrize(("days", "is_free"), [(6, False), (8, True)])
def test_a_name_that_was_not_used_for_long_is_free_when_the_server_was_up_for_a_week_since(
    server: RunningServer, days: int, *, is_free: bool
) -> None:
    server.stop()
    hashed = hashlib.sha256(ANNA.encode()).hexdigest()
    row = f"Anna\t{hashed}\t2020-01-01 00:00:00\t2020-02-01 00:00:00\n"
    (server.directory / "known_names.txt").write_text(row, encoding="utf-8")
    for day in range(days):
        with (server.directory / "uptime.txt").open("a", encoding="utf-8") as uptime:
            uptime.write(f"2025-11-{10 + day}T00:00:00Z\t2025-11-{11 + day}T00:00:00Z\t86400\n")
    server.start()
    with WireClient(server) as eve:
        if is_free:
            assert eve.join("Anna", secret=EVE)["user"] == "Anna"
        else:
            assert eve.refused("join", user="Anna", secret=EVE) == "name_claimed"
    assert ("'Anna'" in server.errors) is is_free


def test_names_changed_by_hand_count_within_a_second_and_remarks_stay(server: RunningServer) -> None:
    claim(server, "Anna", ANNA)
    kept = server.directory / "known_names.txt"
    text = kept.read_text(encoding="utf-8")
    edit(kept, "# my own remark\nwhat is\tthis\tline\n")
    with WireClient(server) as eve:
        wait_until(lambda: "not understood" in server.errors)
        assert eve.join("Anna", secret=EVE)["user"] == "Anna"
        wait_until(lambda: "Anna" in known_names(server))
    assert kept.read_text(encoding="utf-8").startswith("# my own remark\nwhat is\tthis\tline\n")
    edit(kept, text)
    with WireClient(server) as anna:
        wait_until(
            lambda: anna.ask("add_device", user="Anna", secret=ANNA)["type"] == "device_link", ASK_SECONDS
        )


def test_one_person_may_claim_only_so_many_names(server: RunningServer) -> None:
    with WireClient(server) as eve:
        for number in range(20):
            eve.join(f"Eve{number}", room=f"room{number}", secret=EVE)
        assert eve.refused("join", user="Eve20", room="another", secret=EVE) == "too_many_names"
        eve.join("Eve7", room="another", secret=EVE)


def test_a_link_makes_another_device_the_same_person_once(server: RunningServer) -> None:
    claim(server, "Anna", ANNA)
    with WireClient(server) as laptop, WireClient(server) as phone:
        assert laptop.ask("add_device", user="Anna", secret=EVE)["code"] == "no_secret"
        link = laptop.ask("add_device", user="anna", secret=ANNA)
        assert (link["user"], link["seconds"]) == ("Anna", 300)
        assert phone.ask("take_device", token="x" * 32)["code"] == "bad_link"
        device = phone.ask("take_device", token=link["token"])
        assert (device["user"], device["secret"]) == ("Anna", ANNA)
        assert phone.ask("take_device", token=link["token"])["code"] == "bad_link"
        assert phone.join(device["user"], secret=device["secret"])["clients_count"] == 1


def test_a_folder_for_people_can_be_chosen(make_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    server = make_server("--people", str(folder)).start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        wait_until((folder / "known_names.txt").exists)


@pytest.mark.parametrize("name", ["known_names.txt", "private_rooms.txt", "invitations.txt"])
def test_what_is_known_of_people_and_cannot_be_read_keeps_the_server_from_starting(
    server: RunningServer, name: str
) -> None:
    server.stop()
    (server.directory / name).write_bytes(b"\xff\xfe")
    with pytest.raises(AssertionError):
        server.start()
    assert server.wait() == 1
    assert f"cannot use {server.directory / name}: it is not text in UTF-8" in server.errors


def test_a_name_is_changed_in_place_and_a_refused_one_changes_nothing(make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    boris.join("Boris", secret="the secret of Boris")
    anna.join("Anna", secret="the secret of Anna")
    boris.receive_until(lambda frame: "Anna" in frame.get("joined", ()))
    welcome = anna.join("Bella", secret="the secret of Anna", rename=True)
    assert (welcome["user"], welcome["clients_count"]) == ("Bella", 2)
    *_, change = boris.receive_until(lambda frame: "renamed" in frame)
    assert change["text"] == "Anna is now Bella"
    assert change["renamed"] == {"Anna": "Bella"}
    assert (change["joined"], change["left"], change["clients_count"]) == (["Bella"], ["Anna"], 2)
    anna.send_frame("join", user="Boris", secret="the secret of Anna", rename=True)
    assert anna.receive("error")["code"] == "name_claimed"
    anna.send_frame("join", user="Clara", secret="the secret of Anna")
    assert anna.receive("error")["code"] == "already_joined"
    anna.send_frame("chat", text="still here", key="one")
    frames = boris.receive_until(lambda frame: frame["type"] == "chat")
    assert [frame["type"] for frame in frames] == ["chat"]
    assert frames[0]["user"] == "Bella"


def test_a_name_is_changed_in_a_room_that_is_not_joined_by_joining_it(make_client: ClientMaker) -> None:
    anna = make_client()
    welcome = anna.join("Anna", secret="the secret of Anna", rename=True)
    assert (welcome["user"], welcome["clients_count"]) == ("Anna", 1)
