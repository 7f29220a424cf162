"""Rooms that the operator deletes or renames: everybody learns why, nothing is destroyed, and a crash at any step is made good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from besedka import connect
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote.errors import JoinRefused
from tests.calling import Caller
from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.looping import run
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import Frame, WireClient
from tests.torture.holding import FAULTY, until_it_waits


@pytest.fixture
def operator(server: RunningServer, tmp_path: Path) -> Iterator[Person]:
    """The operator, working in another folder."""
    home = tmp_path / "home"
    home.mkdir()
    with Person(home, BESEDKA_HISTORY=str(server.history)) as person:
        yield person


def post(client: WireClient, text: str, key: str, room: str = "dev") -> Frame:
    client.send_frame("chat", room=room, text=text, key=key)
    return client.receive_until(lambda frame: frame.get("key") == key)[-1]


def log(server: RunningServer, room: str) -> Path:
    return server.directory / f"chat_history.{room}.txt"


def kept(server: RunningServer, room: str = "dev") -> list[Path]:
    """The logs of deleted rooms of this name."""
    return [
        path
        for path in server.directory.glob(f"chat_history.{room}.txt.deleted-*")
        if path.suffix == path.suffix.split(".index")[0] and not path.name.endswith((".index", ".epoch"))
    ]


def audit(server: RunningServer) -> list[str]:
    return (server.directory / "audit.txt").read_text("utf-8").splitlines()


def test_a_deleted_room_is_left_by_everybody_and_its_files_are_kept(
    server: RunningServer, operator: Person
) -> None:
    with WireClient(server) as anna, WireClient(server) as boris:
        welcome = anna.join("Anna", "dev", secret="a")
        assert post(anna, "the old days", "a1")["id"] == 1
        anna.join("Anna", secret="a")
        epoch = boris.join("Boris", "dev")["epoch"]
        before = log(server, "dev").read_bytes()
        shown = operator.run("admin", "delete", "dev", "--yes", "--reason", "over").assert_well()
        assert shown == "dev: the room is deleted, its files are kept aside\n"
        gone = anna.receive("error")
        assert (gone["code"], gone["room"]) == ("room_gone", "dev")
        assert gone["text"] == "The room dev is gone: the operator of the chat has deleted it"
        assert not log(server, "dev").exists()
        [kept_log] = kept(server)
        assert kept_log.read_bytes() == before
        # Whoever comes back with a cursor makes no new room; whoever comes without one does.
        anna.send_frame("join", room="dev", user="Anna", secret="a", since=1, epoch=epoch)
        assert anna.receive("error")["code"] == "room_gone"
        assert [room["name"] for room in anna.ask("rooms")["rooms"]] == ["main"]
        assert anna.join("Anna", "dev", secret="a")["head"] == 0
        assert post(anna, "a new beginning", "a2")["id"] == 1
        assert welcome["room"] == "dev"
        operator.run("admin", "delete", "main", "--yes").assert_one_clear_line(
            4, "main can be neither deleted"
        )
        operator.run("admin", "delete", "none", "--yes").assert_one_clear_line(4, "There is no room none")
    assert [line.partition("] ")[2].partition(" epoch")[0] for line in audit(server)] == [
        "operator: delete room=dev",
        "operator: ended room=dev",
    ]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("act", ["delete", "rename"])
def test_a_server_that_is_killed_while_it_moves_the_files_goes_on_at_its_next_start(
    make_server: ServerMaker, act: str, number: int
) -> None:
    faults = {"hang": ["rename", "chat_history.dev.txt", number]}
    server = make_server("--lang", "en", module=FAULTY, FAULTS=json.dumps(faults)).start()
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", "dev", secret="a")
        post(anna, "hello", "a1")
        epoch = again_in(anna, "dev")
        before = log(server, "dev").read_bytes()
        operator.begin(act, room="dev", to="development" if act == "rename" else "")
        until_it_waits(server)
        server.kill()
    assert "ended" not in audit(server)[-1]
    again = make_server("--lang", "en").start()
    assert f"the room dev was being {act}d" in again.errors
    assert "operator: ended room=dev" in audit(again)[-1]
    assert not log(again, "dev").exists()
    [moved] = kept(again) if act == "delete" else [log(again, "development")]
    assert moved.read_bytes() == before
    assert {moved.with_name(f"{moved.name}{end}").exists() for end in (".index", ".epoch")} == {True}
    with WireClient(again) as anna:
        anna.join("Anna", secret="a")
        if act == "rename":
            assert anna.join("Anna", "development", secret="a")["head"] == 1
        assert anna.refused("join", room="dev", user="Anna", secret="a", since=1, epoch=epoch) == "room_gone"


def again_in(client: WireClient, room: str) -> str:
    """Leave a room and join it again, for the epoch of its log, which has one since its first message."""
    client.send_frame("leave", room=room)
    return str(client.join("Anna", room, secret="a")["epoch"])


def test_deleting_asks_first(server: RunningServer, operator: Person) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", "dev")
        post(anna, "hello", "a1")
        assert operator.run("admin", "delete", "dev", stdin=b"n\n").status == 1
        unanswered = operator.run("admin", "delete", "dev", stdin=b"")
        assert unanswered.status == 1
        assert unanswered.stderr.splitlines()[-1].startswith("besedka: nothing was deleted: nobody answered")
        assert log(server, "dev").exists()
        assert operator.run("admin", "delete", "dev", stdin=b"y\n").status == 0
        assert not log(server, "dev").exists()


def test_a_deleted_private_room_never_becomes_public(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna, WireClient(server) as boris, Operator(server) as operator:
        anna.join("Anna", secret="a")
        anna.ask("private", room="plans")
        anna.join("Anna", "plans", secret="a")
        post(anna, "for us alone", "a1", "plans")
        token = anna.ask("invite", room="plans")["token"]
        operator.do("delete", room="plans")
        assert anna.receive("error")["code"] == "room_gone"
        boris.join("Boris", secret="b")
        assert boris.refused("join", room="plans", user="Boris", secret="b") == "not_invited"
        assert boris.refused("join", room="plans", user="Boris", secret="b", invite=token) == "bad_link"
    server.kill()
    server.start()
    with WireClient(server) as boris:
        boris.join("Boris", secret="b")
        assert boris.refused("join", room="plans", user="Boris", secret="b") == "not_invited"
        # It is free for another private room, with nothing of the old one in it.
        assert boris.ask("private", room="plans")["type"] == "place"
        assert boris.join("Boris", "plans", secret="b")["head"] == 0


def put_back(server: RunningServer, room: str) -> None:
    """Give the three files of a deleted room their old names, as docs/operating.md says."""
    [moved] = kept(server, room)
    for end in ("", ".index", ".epoch"):
        moved.with_name(f"{moved.name}{end}").rename(
            log(server, room).with_name(f"{log(server, room).name}{end}")
        )


def test_a_room_whose_files_get_their_old_names_is_back_also_for_those_who_come_back_to_it(
    make_server: ServerMaker,
) -> None:
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", "dev", secret="a")
        post(anna, "the old days", "a1")
        epoch = again_in(anna, "dev")
        anna.ask("private", room="plans")
        anna.join("Anna", "plans", secret="a")
        post(anna, "for us alone", "a2", "plans")
        operator.do("delete", room="dev")
        operator.do("delete", room="plans")
    assert server.stop() == 0
    put_back(server, "dev")
    put_back(server, "plans")
    server.start()
    assert "the room dev is back: its log has its old name again" in server.errors
    with WireClient(server) as anna, Operator(server) as operator:
        welcome = anna.join("Anna", "dev", secret="a", since=1, epoch=epoch)
        assert (welcome["head"], welcome["epoch"]) == (1, epoch)
        assert anna.refused("join", room="plans", user="Anna", secret="a") == "not_invited"
        operator.do("entrust", user="Anna", room="plans")
        assert anna.join("Anna", "plans", secret="a")["head"] == 1
        # It can be deleted once more, and then it is gone again.
        operator.do("delete", room="dev")
    assert server.stop() == 0
    server.start()
    with WireClient(server) as anna:
        assert anna.refused("join", room="dev", user="Anna", secret="a", since=1, epoch=epoch) == "room_gone"


def test_a_renamed_room_keeps_all_that_belongs_to_it(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna, WireClient(server) as boris, Operator(server) as operator:
        anna.join("Anna", secret="a")
        anna.ask("private", room="plans")
        epoch = anna.join("Anna", "plans", secret="a")["epoch"]
        for number in (1, 2):
            post(anna, f"message {number}", f"a{number}", "plans")
        epoch = anna.join("Anna", "x", secret="a") and epoch
        token = anna.ask("invite", room="plans")["token"]
        anna.send_frame("read", room="plans", id=2)
        operator.do("slow", room="plans", seconds=3600)
        operator.do("archive", room="plans")
        before = log(server, "plans").read_bytes()
        assert operator.do("rename", room="plans", to="ideas") == "plans: the room is called ideas now"
        assert anna.receive("error")["text"] == "The room plans is gone: it is called ideas now"
        assert log(server, "ideas").read_bytes() == before
        boris.join("Boris", secret="b")
        assert boris.refused("join", room="ideas", user="Boris", secret="b") == "not_invited"
        assert boris.refused("join", room="plans", user="Boris", secret="b") == "not_invited"
        assert boris.join("Boris", "ideas", secret="b", invite=token)["head"] == 2
        welcome = anna.join("Anna", "ideas", secret="a", since=1)
        assert (welcome["kind"], welcome["archived"], welcome["read_up_to"]) == ("private", True, 2)
        operator.do("unarchive", room="ideas")
        assert post(boris, "one", "b1", "ideas")["type"] == "chat"
        assert post(boris, "two", "b2", "ideas")["code"] == "too_fast"
        assert operator.ask("rename", room="ideas", to="main")["code"] == "room_taken"
        assert operator.ask("rename", room="x", to="plans")["code"] in {"room_taken", "no_such_room"}
        assert operator.ask("rename", room="main", to="other")["code"] == "not_allowed"
        # And back again: nobody else had the name meanwhile.
        operator.do("rename", room="ideas", to="plans")
    server.kill()
    server.start()
    with WireClient(server) as anna:
        anna.join("Anna", secret="a")
        assert anna.join("Anna", "plans", secret="a")["head"] == 3


def test_an_open_room_is_renamed_and_found_in_the_list(server: RunningServer) -> None:
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", "dev")
        post(anna, "hello", "a1")
        operator.do("rename", room="dev", to="development")
        assert anna.receive("error")["code"] == "room_gone"
        assert [room["name"] for room in anna.ask("rooms")["rooms"]] == ["development", "main"]
        assert anna.join("Anna", "development")["head"] == 1
        assert operator.ask("rename", room="development", to="developmеnt")["code"] == "bad_room"


async def _in_the_room(server: RunningServer, operator: Operator) -> None:
    async with connect(server.page, room="dev", name="Clara") as room:
        await room.say("hello")
        operator.do("delete", room="dev")
        with pytest.raises(JoinRefused, match="deleted"):
            async for _ in room.follow():
                pass


def test_a_program_in_a_deleted_room_ends_and_does_not_come_back(server: RunningServer) -> None:
    with Operator(server) as operator:
        run(_in_the_room(server, operator))
        assert not log(server, "dev").exists()


@pytest.mark.parametrize("act", ["delete", "rename"])
def test_streams_of_an_ended_room_end_with_the_reason(make_server: ServerMaker, act: str) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    why = "it is called ideas now" if act == "rename" else "the operator of the chat has deleted it"
    with Caller(server) as caller, Operator(server) as operator:
        caller.send("Anna", "hello", room="dev")
        with caller.follow(room="dev", since=0) as reader, caller.converse() as boris:
            reader.receive_to(1)
            boris.join("Boris", room="dev")
            boris.join("Boris")
            operator.do(act, room="dev", **({"to": "ideas"} if act == "rename" else {}))
            refused = reader.ending()
            assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "room_gone")
            assert why in refused.sentence
            refusal = boris.receive("refused").refused
            assert (refusal.code, refusal.room) == (pb.CODE_ROOM_GONE, "dev")
            assert why in refusal.text
            # The stream of several rooms goes on in the others.
            boris.say("still here")


STEPS = ("the entry", "the rows", "the index", "the log")


@pytest.mark.parametrize("act", ["delete", "rename"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_behind_any_step_is_finished_by_the_next_start(
    make_server: ServerMaker, act: str, step: str
) -> None:
    """The state behind a crash is made from a whole act: the later steps are undone in the files."""
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", secret="a")
        anna.ask("private", room="plans")
        anna.join("Anna", "plans", secret="a")
        post(anna, "hello", "a1", "plans")
        members = (server.directory / "private_rooms.txt").read_bytes()
        operator.do(act, room="plans", **({"to": "ideas"} if act == "rename" else {}))
    server.kill()
    done = STEPS.index(step)
    lines = audit(server)
    assert "ended room=plans" in lines[-1]
    (server.directory / "audit.txt").write_text("".join(f"{line}\n" for line in lines[:-1]), "utf-8")
    if done < 3:
        for path in [*server.directory.iterdir()]:
            old = {"delete": path.name.partition(".deleted-")[0], "rename": "chat_history.plans.txt"}[act]
            is_moved = (
                ".deleted-" in path.name
                if act == "delete"
                else path.name.startswith("chat_history.ideas.txt")
            )
            end = next((end for end in (".index", ".epoch") if path.name.endswith(end)), "")
            if is_moved and not (done == 2 and end == ".index"):
                path.rename(path.with_name(f"{old}{end}"))
    if done < 1:
        (server.directory / "private_rooms.txt").write_bytes(members)
    server.start()
    assert "ended room=plans" in audit(server)[-1]
    assert not log(server, "plans").exists()
    with WireClient(server) as anna:
        anna.join("Anna", secret="a")
        assert anna.refused("join", room="plans", user="Anna", secret="a") == "not_invited"
        if act == "rename":
            assert anna.join("Anna", "ideas", secret="a")["head"] == 1
        else:
            [kept_log] = kept(server, "plans")
            assert b"hello" in kept_log.read_bytes()
    assert server.stop() == 0
