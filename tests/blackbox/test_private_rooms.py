"""Private rooms, invitations and direct messages, seen from outside."""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import Caller, many, refusal, speaker
from tests.clocks import BENT, OFTEN
from tests.commanding import wait_until
from tests.ordering import Operator
from tests.running import RunningServer, edit, fetch
from tests.talking import WireClient

ANNA, BORIS, EVE = "a" * 64, "b" * 64, "e" * 64


@pytest.fixture
def server(make_server: Callable[..., RunningServer]) -> RunningServer:
    """A server that looks at its files often."""
    return make_server("--lang", "en", module=BENT, CONSTANTS=OFTEN).start()


def let_it_look(server: RunningServer) -> None:
    """Wait until the server has looked at all its files about people: at each look it reads them in order, and complains of the last."""
    last = server.directory / "invitations.txt"
    for _ in range(2):
        received = server.errors.count("not understood")
        with last.open("a", encoding="utf-8") as file:
            file.write("no invitation\n")
        wait_until(lambda: server.errors.count("not understood") > received)  # noqa: B023 - waited for at once


@pytest.fixture
def people(server: RunningServer) -> Iterator[tuple[WireClient, WireClient, WireClient]]:
    """Anna, Boris and Eve, all in the first room."""
    with ExitStack() as stack:
        clients = [stack.enter_context(WireClient(server)) for _ in range(3)]
        for client, name, secret in zip(clients, ("Anna", "Boris", "Eve"), (ANNA, BORIS, EVE), strict=True):
            client.join(name, secret=secret)
        yield clients[0], clients[1], clients[2]


def rooms(client: WireClient) -> list[dict[str, Any]]:
    return list(client.ask("rooms")["rooms"])


def test_a_private_room_is_its_members_alone(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, boris, eve = people
    assert anna.ask("private", room="Plans") == {
        "type": "place",
        "room": "plans",
        "kind": "private",
        "key": "question-1",
    }
    welcome = anna.join("Anna", "plans", secret=ANNA)
    assert (welcome["kind"], welcome["may"]) == ("private", ["invite"])
    anna.send_frame("chat", room="plans", text="a cake for Boris")
    anna.receive("chat")
    for fields in ({"user": "Eve", "secret": EVE}, {"user": "Eve"}, {"quiet": True}, {}):
        assert eve.refused("join", room="plans", **fields) == "not_invited"
    assert eve.refused("join", room="plans", user="Eve", secret=EVE, invite="x" * 32) == "bad_link"
    assert eve.refused("chat", room="plans", text="hi") == "not_joined"
    assert eve.refused("search", room="plans", text="cake") == "not_joined"
    assert eve.ask("invite", room="plans")["code"] == "not_allowed"
    assert [room["name"] for room in rooms(eve)] == ["main"]
    assert {"name": "plans", "clients_count": 1, "kind": "private"} in rooms(anna)
    assert boris.ask("private", room="plans")["code"] == "room_taken"
    log = server.directory / "chat_history.plans.txt"
    assert "a cake for Boris" in log.read_text(encoding="utf-8")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize("reader", [{}, {"user": "Guest"}], ids=["without a name", "without a secret"])
def test_the_person_who_shows_a_secret_asks_whatever_room_was_joined_first(
    server: RunningServer, reader: dict[str, str]
) -> None:
    with WireClient(server) as boris, WireClient(server) as anna:
        boris.join("Boris", secret=BORIS)
        anna.join(room="lobby", **{"user": None, **reader})
        assert anna.ask("private", room="early")["code"] == "no_secret"
        anna.join("Anna", "main", secret=ANNA)
        assert anna.ask("private", room="plans")["type"] == "place"
        assert anna.ask("direct", user="Boris")["peer"] == "Boris"
        assert anna.ask("invite", room="plans")["type"] == "invitation"
        assert "plans" in [room["name"] for room in rooms(anna)]


def test_a_connection_with_two_names_asks_in_each_room_by_the_name_it_has_there(
    server: RunningServer,
) -> None:
    with WireClient(server) as both:
        both.join("Boris", secret=BORIS)
        both.join("Anna", "lobby", secret=ANNA)
        assert both.ask("private", room="plans")["type"] == "place"  # of Boris, who came first
        assert both.ask("invite", room="plans")["type"] == "invitation"
        with WireClient(server) as anna:
            anna.join("Anna", secret=ANNA)
            anna.ask("private", room="hers")
        both.join("Anna", "hers", secret=ANNA)
        assert both.ask("invite", room="hers")["type"] == "invitation"


def test_a_private_room_stays_so_over_a_restart(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    people[0].ask("private", room="plans")
    server.kill()
    server.start()
    with WireClient(server) as eve, WireClient(server) as anna:
        eve.join("Eve", secret=EVE)
        assert eve.refused("join", room="plans", user="Eve", secret=EVE) == "not_invited"
        anna.join("Anna", secret=ANNA)
        assert [room["name"] for room in rooms(anna)] == ["plans", "main"]
        assert anna.join("Anna", "plans", secret=ANNA)["may"] == ["invite"]


def test_while_the_list_of_members_is_gone_or_empty_no_room_is_open(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, _, eve = people
    anna.ask("private", room="plans")
    kept = server.directory / "private_rooms.txt"
    text = kept.read_text(encoding="utf-8")
    for leave in (kept.unlink, lambda: kept.write_text("", encoding="utf-8")):
        leave()
        assert eve.refused("join", room="plans", user="Eve", secret=EVE) == "not_invited"
        let_it_look(server)
        assert eve.refused("join", room="plans", user="Eve", secret=EVE) == "not_invited"
    # The next change writes it again.
    anna.ask("private", room="secrets")
    assert text.split("\n")[1] in kept.read_text(encoding="utf-8")


def test_what_cannot_be_read_is_not_written_over_and_nothing_is_called_done(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, _, _ = people
    anna.ask("private", room="plans")
    kept = server.directory / "private_rooms.txt"
    by_hand = kept.read_bytes() + b"team\tmember\tV\xe9ra\t" + b"a" * 64 + b"\n"
    edit(kept, by_hand)
    assert anna.ask("private", room="secrets")["code"] == "not_stored"
    let_it_look(server)
    assert kept.read_bytes() == by_hand
    assert server.errors.count("not text in UTF-8") == 1
    edit(kept, by_hand.decode("latin-1"))
    assert anna.ask("private", room="more")["type"] == "place"
    rooms = {line.split("\t")[0] for line in server.lines_of("private_rooms.txt") if line[0] != "#"}
    assert rooms == {"plans", "team", "secrets", "more"}


def test_rooms_that_were_private_stay_so_where_names_are_open(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server().start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room="plans")
        anna.join("Anna", "plans", secret=ANNA)
        anna.send_frame("chat", room="plans", text="a cake")
        anna.receive("chat")
    server.stop()
    server = make_server("--names", "open").start()
    with WireClient(server) as eve, WireClient(server) as anna:
        eve.join("Eve", secret=EVE)
        assert eve.refused("join", room="plans", user="Eve", secret=EVE) == "not_invited"
        assert [one["name"] for one in rooms(eve)] == ["main"]
        assert fetch(server, "/history.txt?room=plans")[0] == 403
        assert anna.join("Anna", "plans", secret=ANNA)["kind"] == "private"


def test_a_room_that_is_there_cannot_become_private(
    people: tuple[WireClient, WireClient, WireClient],
) -> None:
    anna, boris, _ = people
    boris.join("Boris", "tea", secret=BORIS)
    for room in ("tea", "main"):
        assert anna.ask("private", room=room)["code"] == "room_taken"
    assert anna.ask("private", room="direct-x")["code"] == "bad_room"
    assert anna.refused("join", room="direct-x", user="Anna", secret=ANNA) == "bad_room"


def test_an_invitation_lets_in_as_many_as_it_says(people: tuple[WireClient, WireClient, WireClient]) -> None:
    anna, boris, eve = people
    anna.ask("private", room="plans")
    token = anna.ask("invite", room="plans")["token"]
    assert "may" not in boris.join("Boris", "plans", secret=BORIS, invite=token)
    assert eve.refused("join", user="Eve", room="plans", secret=EVE, invite=token) == "bad_link"
    # Who is in needs it no more.
    boris.send_frame("leave", room="plans")
    assert boris.join("Boris", "plans", secret=BORIS, invite=token)["room"] == "plans"


def test_an_invitation_lasts_as_long_as_it_says_and_is_for_one_room(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, boris, _ = people
    for room in ("plans", "secrets"):
        anna.ask("private", room=room)
    offer = anna.ask("invite", room="plans", uses=10**9, seconds=10**15)
    assert offer["uses"] == 10_000
    assert (
        boris.refused("join", room="secrets", user="Boris", secret=BORIS, invite=offer["token"]) == "bad_link"
    )
    kept = server.directory / "invitations.txt"
    assert offer["token"] not in kept.read_text(encoding="utf-8")
    server.stop()
    edit(kept, kept.read_text(encoding="utf-8").replace(str(offer["expires"]), "1"))
    server.start()
    with WireClient(server) as late:
        assert late.refused("join", room="plans", user="Eve", secret=EVE, invite=offer["token"]) == "bad_link"


def test_an_empty_room_that_its_owner_gives_up_is_nobodys_and_is_not_open(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, boris, eve = people
    anna.ask("private", room="plans")
    token = anna.ask("invite", room="plans", uses=5)["token"]
    boris.join("Boris", "plans", secret=BORIS, invite=token)
    anna.join("Anna", "plans", secret=ANNA)
    assert boris.ask("uninvite", room="plans", user="Boris")["code"] == "not_allowed"
    assert anna.ask("uninvite", room="plans", user="Anna")["type"] == "done"
    removed = boris.receive("error")
    assert (removed["code"], removed["room"]) == ("not_invited", "plans")
    assert eve.refused("join", user="Eve", room="plans", secret=EVE, invite=token) == "bad_link"
    server.stop()
    server.start()
    with WireClient(server) as anna:
        assert anna.refused("join", user="Anna", room="plans", secret=ANNA) == "not_invited"
        anna.join("Anna", secret=ANNA)
        assert anna.ask("private", room="plans")["type"] == "place"


def test_invitations_are_revoked_and_members_removed(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, boris, eve = people
    anna.ask("private", room="plans")
    token = anna.ask("invite", room="plans", uses=5)["token"]
    boris.join("Boris", "plans", secret=BORIS, invite=token)
    assert anna.ask("uninvite", room="plans")["type"] == "done"
    assert eve.refused("join", user="Eve", room="plans", secret=EVE, invite=token) == "bad_link"
    anna.join("Anna", "plans", secret=ANNA)
    assert anna.ask("uninvite", room="plans", user="boris")["type"] == "done"
    removed = boris.receive("error")
    assert (removed["code"], removed["room"]) == ("not_invited", "plans")
    anna.send_frame("chat", room="plans", text="without him")
    anna.receive("chat")
    assert boris.refused("join", user="Boris", room="plans", secret=BORIS) == "not_invited"
    # Something was said in it.
    assert anna.ask("uninvite", room="plans", user="Anna")["code"] == "not_allowed"
    assert anna.ask("uninvite", room="plans", user="Nobody")["code"] == "no_such_name"
    about_boris = [line for line in server.lines_of("private_rooms.txt") if "Boris" in line]
    assert about_boris[-1].startswith("*removed\tplans\tmember\tBoris\t")


def test_who_takes_over_a_name_that_lapsed_takes_no_room_over(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    people[0].ask("private", room="plans")
    server.stop()
    (server.directory / "known_names.txt").unlink()
    server.start()
    with WireClient(server) as eve, WireClient(server) as anna:
        eve.join("Anna", secret=EVE)
        assert eve.refused("join", user="Anna", room="plans", secret=EVE) == "not_invited"
        anna.join("Anna the first", "plans", secret=ANNA)


def test_two_people_talk_alone(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, boris, eve = people
    place = anna.ask("direct", user="boris")
    assert (place["kind"], place["peer"]) == ("direct", "Boris")
    room = place["room"]
    received = boris.receive("place")
    assert (received["room"], received["kind"], received["peer"]) == (room, "direct", "Anna")
    assert anna.join("Anna", room, secret=ANNA)["peer"] == "Boris"
    assert boris.join("Boris", room, secret=BORIS)["peer"] == "Anna"
    anna.send_frame("chat", room=room, text="between us")
    assert boris.receive("chat")["text"] == "between us"
    assert eve.refused("join", user="Eve", room=room, secret=EVE) == "not_invited"
    assert boris.ask("direct", user="Anna")["room"] == room
    assert {"name": room, "clients_count": 2, "kind": "direct", "peer": "Anna"} in rooms(boris)
    assert [one["name"] for one in rooms(eve)] == ["main"]
    assert anna.ask("direct", user="Nobody")["code"] == "no_such_name"
    with WireClient(server) as other:
        other.join("Annushka", secret=ANNA)
    for name in ("Anna", "annushka"):
        refused = anna.ask("direct", user=name)
        assert (refused["code"], refused["text"].lower()) == (
            "not_allowed",
            f"this cannot be done: the name {name.lower()} is your own",
        )
    log = server.directory / f"chat_history.{room}.txt"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_who_shows_no_secret_has_no_rooms_of_his_own(server: RunningServer) -> None:
    with WireClient(server) as stranger:
        for question in ({"kind": "private", "room": "x"}, {"kind": "direct", "user": "Anna"}):
            assert stranger.ask(**question)["code"] == "no_secret"
        stranger.join("Stranger")
        assert stranger.ask("private", room="x")["code"] == "no_secret"


def test_the_other_doors_ask_who_comes_too(make_server: Callable[..., RunningServer]) -> None:
    server = make_server(grpc=True).start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room="plans")
    with Caller(server) as caller:
        caller.send("Anna", "a cake", room="plans", secret=ANNA)
        for secret in (EVE, ""):
            for ask in (
                lambda secret=secret: caller.send("Eve", "hi", room="plans", secret=secret),
                lambda secret=secret: caller.stub.ListMessages(
                    pb.ListMessagesRequest(room="plans", after=0, secret=secret)
                ),
                lambda secret=secret: caller.stub.Search(
                    pb.SearchRequest(room="plans", text="cake", secret=secret)
                ),
                lambda secret=secret: next(
                    caller.stub.Follow(pb.FollowRequest(room="plans", since=0, secret=secret))
                ),
                lambda secret=secret: caller.stub.Import(
                    iter([pb.ImportRequest(speaker=pb.Speaker(room="plans", user="Eve", secret=secret))])
                ),
            ):
                assert refusal(ask).reason == "not_invited"
        listed = caller.stub.ListMessages(pb.ListMessagesRequest(room="plans", after=0, secret=ANNA))
        assert [one.text for one in listed.messages] == ["a cake"]
        assert [one.name for one in caller.stub.ListRooms(pb.ListRoomsRequest(secret=EVE)).rooms] == ["main"]
        own = caller.stub.ListRooms(pb.ListRoomsRequest(secret=ANNA)).rooms
        assert [(one.name, one.kind) for one in own] == [("plans", pb.KIND_PRIVATE), ("main", pb.KIND_OPEN)]
    assert fetch(server, "/history.txt?room=plans")[0] == 403
    assert "a cake" in fetch(server, "/history.txt?room=plans", {"Besedka-Secret": ANNA})[1]


@pytest.fixture
def boris_inside(
    make_server: Callable[..., RunningServer],
) -> Iterator[tuple[RunningServer, WireClient, WireClient]]:
    """A room of Anna's with Boris in it, and much in its log."""
    server = make_server("--lang", "en", grpc=True)
    log = server.directory / "chat_history.plans.txt"
    log.write_text(f"[2026-01-01 00:00:00] Anna: {'x' * 4_000}\n" * 4_000)
    hashed = sha256(ANNA.encode()).hexdigest()
    (server.directory / "private_rooms.txt").write_text(f"plans\towner\tAnna\t{hashed}\n")
    server.start()
    with WireClient(server) as anna, WireClient(server) as boris:
        anna.join("Anna", "plans", secret=ANNA)
        token = anna.ask("invite", room="plans")["token"]
        boris.join("Boris", "plans", secret=BORIS, invite=token)
        yield server, anna, boris


def receives_nothing_more(anna: WireClient, boris: WireClient) -> None:
    boris.receive_until(lambda frame: frame.get("code") == "not_invited")
    anna.send_frame("chat", room="plans", text="he is gone")
    anna.receive("chat")
    assert boris.refused("chat", room="plans", text="still here") == "not_joined"


def test_a_removed_member_is_removed_at_every_door(
    boris_inside: tuple[RunningServer, WireClient, WireClient],
) -> None:
    server, anna, boris = boris_inside
    held = SimpleQueue[pb.ImportRequest | None]()
    held.put(speaker("Boris", room="plans", secret=BORIS))
    with (
        Caller(server) as caller,
        caller.follow(room="plans", secret=BORIS, since=4_000) as following,
        caller.converse() as conversing,
        socket.socket() as download,
    ):
        following.started()
        conversing.join("Boris", "plans", secret=BORIS)
        importing = caller.stub.Import.future(iter(held.get, None))
        held.put(next(iter(many(["a last word"]))))
        anna.receive_until(lambda frame: frame.get("text") == "a last word")
        download.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        download.settimeout(60)
        download.connect(("127.0.0.1", server.port))
        request = (
            f"GET /history.txt?room=plans HTTP/1.1\r\nHost: localhost\r\nBesedka-Secret: {BORIS}\r\n\r\n"
        )
        download.sendall(request.encode())
        assert download.recv(16).startswith(b"HTTP/1.1 200")
        assert anna.ask("uninvite", room="plans", user="Boris")["type"] == "done"
        receives_nothing_more(anna, boris)
        heard: list[str] = []
        ended = refusal(
            lambda: heard.extend(one.text for _ in range(9) for one in following.receive().messages.messages)
        )
        assert (ended.reason, heard) == ("not_invited", ["a last word"])
        assert refusal(importing.result).reason == "not_invited"
        assert conversing.refused().code == pb.CODE_NOT_INVITED
        held.put(None)
        size = 0
        with suppress(ConnectionResetError):
            while more := download.recv(1 << 20):
                size += len(more)
        assert size < 8_000_000


def test_a_removed_member_receives_nothing_more_even_if_the_removal_cannot_be_written(
    boris_inside: tuple[RunningServer, WireClient, WireClient],
) -> None:
    server, anna, boris = boris_inside
    edit(server.directory / "private_rooms.txt", b"\xff\xfe")
    assert anna.ask("uninvite", room="plans", user="Boris")["code"] == "not_stored"
    receives_nothing_more(anna, boris)


def test_a_member_deleted_from_the_file_is_removed(
    boris_inside: tuple[RunningServer, WireClient, WireClient],
) -> None:
    server, anna, boris = boris_inside
    path = server.directory / "private_rooms.txt"
    wait_until(lambda: "Boris" in path.read_text())
    lines = path.read_text().splitlines(keepends=True)
    edit(path, "".join(line for line in lines if "Boris" not in line))
    receives_nothing_more(anna, boris)


def rows(server: RunningServer, room: str) -> list[str]:
    """The lines of `audit.txt` that say that a room is private."""
    return [line for line in server.lines_of("audit.txt") if f": private room={room}" in line]


def without(path: Path, room: str) -> str:
    """The file without all lines about a room."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if room not in line)


def is_closed_to(server: RunningServer, secret: str, room: str, **fields: str) -> None:
    with WireClient(server) as stranger:
        stranger.join("Stranger", secret="s" * 32)
        refused = stranger.refused("join", user="Stranger", room=room, secret=secret, **fields)
        assert refused == ("bad_link" if fields else "not_invited")
        assert room not in [one["name"] for one in rooms(stranger)]
    assert fetch(server, f"/history.txt?room={room}", {"Besedka-Secret": secret})[0] == 403


def test_a_room_without_its_last_member_stays_private_whatever_becomes_of_the_files(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna = people[0]
    anna.ask("private", room="plans")
    assert len(rows(server, "plans")) == 1
    assert "] Anna: private" in rows(server, "plans")[0]
    anna.join("Anna", "plans", secret=ANNA)
    anna.send_frame("chat", room="plans", text="a cake for Boris")
    anna.receive("chat")
    link = anna.ask("invite", room="plans", uses=3)["token"]
    path = server.directory / "private_rooms.txt"
    edit(path, without(path, "plans"))
    assert anna.receive("error")["code"] == "not_invited"
    for is_there in (True, True, False):
        if not is_there:
            path.unlink()
        for secret in (ANNA, EVE):
            is_closed_to(server, secret, "plans")
            is_closed_to(server, secret, "plans", invite=link)
        server.kill() if is_there else server.stop()
        server.start()
    with WireClient(server) as again:
        again.join("Eve", secret=EVE)
        assert again.ask("private", room="plans")["code"] == "room_taken"
    assert len(rows(server, "plans")) == 1


def test_the_operator_entrusts_a_room_that_nobody_is_in_any_more_to_somebody(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, boris, eve = people
    anna.ask("private", room="plans")
    anna.join("Anna", "plans", secret=ANNA)
    anna.send_frame("chat", room="plans", text="a cake for Boris")
    anna.receive("chat")
    link = anna.ask("invite", room="plans", uses=3)["token"]
    path = server.directory / "private_rooms.txt"
    edit(path, without(path, "plans"))
    anna.receive("error")
    with Operator(server) as operator:
        assert operator.ask("entrust", "Boris", room="main")["code"] == "not_allowed"
        assert operator.ask("entrust", "Nobody", room="plans")["code"] == "no_such_name"
        assert operator.do("entrust", "boris", room="Plans") == "plans: Boris is now an owner of this room"
        room = boris.ask("direct", user="Eve")["room"]
        assert operator.ask("entrust", "Anna", room=room)["code"] == "not_allowed"
    assert boris.join("Boris", "plans", secret=BORIS)["may"] == ["invite"]
    assert boris.receive("history")["messages"][0].endswith("a cake for Boris")
    # A link of the former owner's leads nowhere, one of the new owner's does.
    assert eve.refused("join", user="Eve", room="plans", secret=EVE, invite=link) == "bad_link"
    assert anna.refused("join", user="Anna", room="plans", secret=ANNA) == "not_invited"
    assert boris.ask("moderate", act="entrust", user="Boris", room="plans")["code"] == "not_allowed"
    eve.join("Eve", "plans", secret=EVE, invite=boris.ask("invite", room="plans")["token"])
    server.kill()
    server.start()
    with WireClient(server) as boris:
        assert boris.join("Boris", "plans", secret=BORIS)["may"] == ["invite"]


def test_the_rooms_of_an_older_version_are_recorded_at_the_first_start(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server("--lang", "en")
    hashed = sha256(ANNA.encode()).hexdigest()
    path = server.directory / "private_rooms.txt"
    path.write_text(f"plans\towner\tAnna\t{hashed}\ntea\tmember\tAnna\t{hashed}\n")
    server.start().stop()
    assert [len(rows(server, room)) for room in ("plans", "tea")] == [1, 1]
    path.unlink()
    server.start()
    is_closed_to(server, ANNA, "plans")
    is_closed_to(server, EVE, "tea")
    assert [len(rows(server, room)) for room in ("plans", "tea")] == [1, 1]


def test_a_room_that_was_made_private_by_hand_stays_so_without_its_line(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    anna, _, eve = people
    eve.join("Eve", "plans", secret=EVE)
    anna.ask("private", room="tea")
    path = server.directory / "private_rooms.txt"
    with path.open("a") as file:
        file.write(f"plans\towner\tAnna\t{sha256(ANNA.encode()).hexdigest()}\n")
    assert eve.receive("error")["code"] == "not_invited"
    wait_until(lambda: bool(rows(server, "plans")))
    edit(path, without(path, "plans"))
    let_it_look(server)
    is_closed_to(server, EVE, "plans")


def test_a_room_that_was_made_private_by_hand_is_left_by_everybody_else_at_every_door(
    make_server: Callable[..., RunningServer],
) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    with (
        WireClient(server) as anna,
        WireClient(server) as eve,
        WireClient(server, "/") as seed,
        Caller(server) as caller,
        caller.follow(room="main") as following,
        caller.converse() as conversing,
    ):
        anna.join("Anna", secret=ANNA)
        eve.join("Eve")
        seed.send_frame("chat", user="Sid", text="from the first protocol")
        anna.receive_until(lambda frame: frame.get("text") == "from the first protocol")
        following.started()
        conversing.join("Conny")
        with (server.directory / "private_rooms.txt").open("a") as file:
            file.write(f"Main\towner\tAnna\t{sha256(ANNA.encode()).hexdigest()}\n")
        for client in (seed, eve):
            client.receive_until(lambda frame: frame.get("code") == "not_invited")
        assert conversing.refused().code == pb.CODE_NOT_INVITED
        assert following.ending().reason == "not_invited"
        anna.send_frame("chat", text="for members only")
        anna.receive_until(lambda frame: frame.get("text") == "for members only")
        for name in ("Sid", "Sidney"):
            seed.send_frame("chat", user=name, text="still here")
            assert seed.receive()["code"] == "not_joined"
        assert eve.refused("chat", text="still here") == "not_joined"
    with WireClient(server, "/") as seed:
        assert seed.receive()["code"] == "not_invited"
        seed.send_frame("chat", user="Sid", text="still here")
        assert seed.receive()["code"] == "not_joined"
    assert "still here" not in server.history.read_text("utf-8")


@pytest.mark.parametrize("room", ["Plans", "PLANS", "ＰＬＡＮＳ"])
def test_a_room_that_is_recorded_by_hand_in_capitals_is_private(
    make_server: Callable[..., RunningServer], room: str
) -> None:
    server = make_server("--lang", "en")
    (server.directory / "audit.txt").write_text(f"[2026-11-20 17:00:00] operator: private room={room}\n")
    server.start()
    is_closed_to(server, ANNA, "plans")


def test_a_direct_room_without_its_members_is_open_to_its_two_people_only(
    server: RunningServer, people: tuple[WireClient, WireClient, WireClient]
) -> None:
    room = people[0].ask("direct", user="Boris")["room"]
    assert len(rows(server, room)) == 1
    server.stop()
    (server.directory / "private_rooms.txt").unlink()
    server.start()
    is_closed_to(server, EVE, room)
    is_closed_to(server, ANNA, room)
    with WireClient(server) as anna, WireClient(server) as boris:
        boris.join("Boris", secret=BORIS)
        anna.join("Anna", secret=ANNA)
        assert anna.ask("direct", user="Boris")["room"] == room
        assert boris.join("Boris", room, secret=BORIS)["peer"] == "Anna"
    assert len(rows(server, room)) == 1
