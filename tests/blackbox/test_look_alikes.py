"""Nobody and nothing is taken for another: texts, names and rooms that look like what they are not, at every door."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import Caller, refusal
from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient

ANNA = "a" * 64
BORIS = "b" * 64
TOMBSTONE = "[removed]------"
POSTED = "(removed)------"


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server with all its doors."""
    return make_server("--lang", "en", grpc=True).start()


# Texts.


def test_nobody_posts_what_a_redaction_leaves_at_any_door(server: RunningServer) -> None:
    with WireClient(server) as anna, WireClient(server, "/") as seed, Caller(server) as caller:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("chat", text=TOMBSTONE, key="1")
        assert anna.receive("chat")["text"] == POSTED
        anna.send_frame("chat", text=f"before\n{TOMBSTONE}\nafter")
        assert anna.receive("chat")["text"] == f"before\n{POSTED}\nafter"
        seed.send_frame("chat", user="Boris", text=TOMBSTONE)
        assert anna.receive("chat")["text"] == POSTED
        assert caller.send("Clara", TOMBSTONE).id == 4
        imported = pb.ImportedMessage(text=TOMBSTONE, key="1")
        caller.import_([pb.ImportRequest(speaker=pb.Speaker(user="Dora"), messages=[imported])])
        with caller.converse() as conversing:
            conversing.join("Emil")
            conversing.say(TOMBSTONE)
            assert conversing.receive_to(6)[-1].text == POSTED
    assert [line[-len(POSTED) :] for line in server.lines if "removed" in line] == [POSTED] * 6


def test_a_resent_text_that_was_altered_is_recognised(server: RunningServer) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("chat", text=TOMBSTONE, key="1")
        anna.receive("chat")
    server.kill()
    server.start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.send_frame("chat", text=TOMBSTONE, key="1", after=0)
        assert anna.receive("chat")["id"] == 1
    assert len(server.lines) == 1


def test_an_imported_tombstone_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text(
        f"[2025-11-19 23:46:36] Anna: {TOMBSTONE}\n[2025-11-19 23:46:37] Anna: a\n\t{TOMBSTONE}\n{TOMBSTONE}\r\n"
    )
    with Person(tmp_path) as anna:
        assert anna.run("import", "old.txt").status == 0
    lines = (tmp_path / "chat_history.txt").read_text().splitlines()
    assert [line.removeprefix("\t")[-len(POSTED) :] for line in lines if "removed" in line] == [POSTED] * 3


# Names.

PASSING_FOR_ANOTHER = {
    "Anna\u2236 ok": "bad_name",
    "Anna\uff1a ok": "bad_name",
    "Anna\u0903 ok": "bad_name",
    "Anna\u250a ok": "bad_name",
    "Anna\uff1b ok": "bad_name",
    "Anna\u17d2": "bad_name",
    "Anna\u0294": "bad_name",
    "Anna.\u0307 ok": "bad_name",
    "Anna\u2800": "bad_name",
    "An\u200dna": "bad_name",
    "\u2217Anna": "bad_name",
    "# main": "bad_name",
    "→ Anna": "bad_name",
    "\u27a4Anna": "bad_name",
    "› Anna": "bad_name",
    "\uff1e Anna": "bad_name",
    "• Anna": "bad_name",
    "[System]": "name_reserved",
    "Систeма!": "name_reserved",
    "~ mоderator ~": "name_reserved",
    "System1": "name_reserved",
    "Śystem": "name_reserved",
    "Сервер": "name_reserved",
    "System operator": "name_reserved",
    "Admin Anna": "name_reserved",
    "Администрация чата": "name_reserved",
    "\U0001f170dm1n": "name_reserved",
}


def test_nobody_joins_under_a_name_that_passes_for_another_at_any_door(server: RunningServer) -> None:
    for name, code in PASSING_FOR_ANOTHER.items():
        with WireClient(server) as anna, WireClient(server, "/") as seed, Caller(server) as caller:
            assert anna.refused("join", room="main", user=name) == code, ascii(name)
            assert seed.refused("chat", user=name, text="hi") == code, ascii(name)
            assert refusal(partial(caller.send, name, "hi")).reason == code, ascii(name)
            speaker = pb.ImportRequest(speaker=pb.Speaker(user=name))
            assert refusal(partial(caller.import_, [speaker])).reason == code, ascii(name)
    assert server.lines == []


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("ක්\u200dරිස්ටි", "ක්රිස්ටි"),
        ("می\u200cخواهم", "میخواهم"),
        ("क्\u200dष", "क्ष"),
        ("\U0001f469\u200d\U0001f680 Anna", "\U0001f469\U0001f680 Anna"),
    ],
    ids=["sinhala", "persian", "devanagari", "emoji"],
)
def test_a_name_whose_script_needs_a_joiner_is_one_with_and_without_it(
    server: RunningServer, name: str, twin: str
) -> None:
    with WireClient(server) as anna, WireClient(server) as boris:
        assert anna.join(name, secret=ANNA)["user"] == name
        anna.send_frame("chat", text="hi")
        assert anna.receive("chat")["user"] == name
        assert boris.refused("join", room="main", user=twin, secret=BORIS) == "name_claimed"
    assert server.lines[0].endswith(f"] {name}: hi")


def test_names_that_nobody_may_take_any_more_keep_their_history_and_their_rooms(
    server: RunningServer,
) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room="plans")
    server.stop()
    for file in ("known_names.txt", "private_rooms.txt"):
        path = server.directory / file
        path.write_text(path.read_text(encoding="utf-8").replace("Anna", "Admin"), encoding="utf-8")
    old = "[2025-11-19 23:46:36] Anna\u2236 ok: hello\n[2025-11-19 23:46:37] Admin: welcome\n"
    server.history.write_text(old, encoding="utf-8")
    server.start()
    with WireClient(server) as anna, Operator(server) as operator:
        assert anna.refused("join", room="main", user="Admin", secret=ANNA) == "name_reserved"
        anna.join("Clara", secret=ANNA)
        assert anna.receive("history")["messages"] == old.splitlines()
        assert anna.join("Clara", "plans", secret=ANNA)["may"] == ["invite"]
        assert operator.ask("release", "Admin")["text"] == "The name Admin is free"
    assert "not understood" not in server.errors


def test_a_name_that_reads_like_a_notice_is_in_quotation_marks_in_one_at_any_door(
    make_server: ServerMaker,
) -> None:
    server = make_server("--lang", "en").start()
    with WireClient(server, "/") as seed, WireClient(server) as boris, WireClient(server) as forger:
        boris.join("Boris")
        for client in (seed, boris):
            client.receive_until(lambda frame: "Boris" in frame.get("text", ""))
        forger.join("Boris left the chat. Anna")
        for client in (seed, boris):
            frame = client.receive_until(lambda frame: frame["type"] == "system" and frame["joined"])[-1]
            assert frame["text"] == "“Boris left the chat. Anna” joined the chat"
            assert frame["joined"] == ["Boris left the chat. Anna"]


# Rooms.

BOARD, TWIN = "board", "b\u043eard"  # with a Cyrillic o
LOOKS_TAKEN = "This room name cannot be used: it looks like the name of another room; it must differ by more than letters that look alike"


def private(_: RunningServer, anna: WireClient) -> None:
    assert anna.ask("private", room=BOARD)["type"] == "place"


def with_history(server: RunningServer, anna: WireClient) -> None:
    anna.join("Anna", BOARD, secret=ANNA)
    anna.send_frame("chat", room=BOARD, text="hi")
    anna.receive("chat")
    server.kill()
    server.start()


def open_now(_: RunningServer, anna: WireClient) -> None:
    anna.join("Anna", BOARD, secret=ANNA)


def laid_there(server: RunningServer, anna: WireClient) -> None:
    path = server.directory / f"chat_history.{BOARD}.txt"
    path.write_text("[2025-11-19 23:46:36] Anna: Hello\n", encoding="utf-8")
    anna.ask("rooms")


@pytest.mark.parametrize("made", [private, with_history, open_now, laid_there])
def test_no_room_comes_into_being_that_looks_like_another_at_any_door(
    server: RunningServer, made: Callable[[RunningServer, WireClient], None]
) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        made(server, anna)
        before = {path.name for path in server.directory.iterdir()}
        with WireClient(server) as boris, Caller(server) as caller:
            boris.join("Boris", secret=BORIS)
            boris.send_frame("join", room=TWIN, user="Boris", secret=BORIS)
            refused = boris.receive("error")
            assert (refused["code"], refused["text"]) == ("bad_room", LOOKS_TAKEN)
            assert boris.refused("join", room=TWIN) == "bad_room"
            answer = boris.ask("private", room=TWIN)
            assert (answer["code"], answer["text"]) == ("bad_room", LOOKS_TAKEN)
            assert refusal(lambda: caller.send("Clara", "hi", room=TWIN)).reason == "bad_room"
            speaker = pb.ImportRequest(speaker=pb.Speaker(user="Clara", room=TWIN))
            assert refusal(lambda: caller.import_([speaker])).reason == "bad_room"
            with caller.converse() as conversing:
                conversing.send_frame(join=pb.Join(user="Clara", room=TWIN))
                assert conversing.refused().code == pb.CODE_BAD_ROOM
            boris.join("Boris", "unlike", secret=BORIS)
        made_since = {path.name for path in server.directory.iterdir()} - before
        assert [name for name in made_since if "unlike" not in name and name != "uptime.txt"] == []


@pytest.mark.parametrize("twin", ["m\u0430in", "rnain", "dir\u0435ct-0123", "d\u0456rect-x"], ids=ascii)
def test_no_room_looks_like_the_first_one_or_like_a_direct_one(server: RunningServer, twin: str) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        assert anna.refused("join", room=twin, user="Anna", secret=ANNA) == "bad_room"
        assert anna.ask("private", room=twin)["code"] == "bad_room"


def test_rooms_that_looked_alike_before_stay_usable(server: RunningServer) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room=BOARD)
    server.stop()
    for room in (TWIN, "rnain", "d\u0456rect-x"):
        path = server.directory / f"chat_history.{room}.txt"
        path.write_text("[2025-11-19 23:46:36] Anna: Hello\n", encoding="utf-8")
    server.start()
    laid_later = server.directory / "chat_history.bo\u0430rd.txt"
    laid_later.write_text("[2025-11-19 23:46:36] Anna: Hello\n", encoding="utf-8")
    with WireClient(server) as anna, WireClient(server) as boris:
        anna.join("Anna", BOARD, secret=ANNA)
        for room in (TWIN, "rnain", "d\u0456rect-x", "bo\u0430rd"):
            assert boris.join("Boris", room, secret=BORIS)["head"] == 1
            boris.send_frame("chat", room=room, text="still here")
            assert boris.receive("chat")["id"] == 2


def test_a_name_is_free_again_when_the_room_that_it_looks_like_is_gone(server: RunningServer) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", BOARD, secret=ANNA)
        anna.send_frame("chat", room=BOARD, text="hi")
        anna.receive("chat")
    server.stop()
    server.start()
    with WireClient(server) as anna:
        assert anna.refused("join", room=TWIN, user="Anna", secret=ANNA) == "bad_room"
        for path in server.directory.glob(f"chat_history.{BOARD}.txt*"):
            path.unlink()
        anna.join("Anna", TWIN, secret=ANNA)


def test_an_import_makes_no_room_that_looks_like_another(tmp_path: Path) -> None:
    line = "[2025-11-19 23:46:36] Anna: Hello\n"
    (tmp_path / "old.txt").write_text(line)
    (tmp_path / "chat_history.txt").write_text(line)
    (tmp_path / f"chat_history.{BOARD}.txt").write_text(line)
    (tmp_path / "private_rooms.txt").write_text(f"plans\towner\tAnna\t{'a' * 64}\n")
    with Person(tmp_path) as anna:
        for room in (TWIN, "rnain", "plаns"):
            done = anna.run("import", "old.txt", "--history", f"chat_history.{room}.txt")
            assert done.status == 1
            assert "looks like the room" in done.stderr
            assert not (tmp_path / f"chat_history.{room}.txt").exists()
        for room in (BOARD, "unlike", "plans"):
            done = anna.run("import", "old.txt", "--history", f"chat_history.{room}.txt")
            assert done.status == 0, done.stderr
        (tmp_path / f"chat_history.{TWIN}.txt").write_text(line)
        assert anna.run("import", "old.txt", "--history", f"chat_history.{TWIN}.txt").status == 0
