"""Rooms that the operator archives: they are read and searched, and nobody posts in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from besedka import connect
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.proto.besedka.v1.chat_pb2_grpc import ChatStub
from besedka.remote.errors import SayRefused
from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.looping import run
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import Frame, WireClient

REFUSAL = "The room dev is archived: it can be read, but nobody can post in it"


@pytest.fixture
def operator(server: RunningServer, tmp_path: Path) -> Iterator[Person]:
    """The operator, working in another folder."""
    home = tmp_path / "home"
    home.mkdir()
    with Person(home, BESEDKA_HISTORY=str(server.history)) as person:
        yield person


def post(client: WireClient, text: str, key: str) -> Frame:
    client.send_frame("chat", room="dev", text=text, key=key)
    return client.receive_until(lambda frame: frame.get("key") == key)[-1]


def listed(client: WireClient) -> dict[str, bool]:
    rooms = client.ask("rooms")["rooms"]
    return {room["name"]: room.get("archived", False) for room in rooms}


def test_an_archived_room_is_read_and_searched_and_nobody_posts_in_it(
    server: RunningServer, operator: Person
) -> None:
    with WireClient(server) as anna, WireClient(server) as boris:
        anna.join("Anna", "dev", secret="a")
        assert post(anna, "the last word", "a1")["type"] == "chat"
        operator.run("admin", "appoint", "Anna").assert_well()
        shown = operator.run("admin", "archive", "dev", "--reason", "done").assert_well()
        assert shown == "dev: the room is archived, it can only be read\n"
        # Those who are there learn it at once, and stay.
        notice = anna.receive_until(lambda frame: "archived" in frame)[-1]
        assert (notice["type"], notice["room"], notice["archived"]) == ("system", "dev", True)
        assert notice["text"] == "The room dev is archived now: it can be read, but nobody can post in it"
        assert post(anna, "as a moderator", "a2")["code"] == "room_archived"
        # What was stored before is still recognised: its poster may have missed that.
        assert post(anna, "the last word", "a1")["id"] == 1
        welcome = boris.join("Boris", "dev")
        assert welcome["archived"] is True
        assert boris.receive("history")["messages"][0].endswith("Anna: the last word")
        assert boris.search("LAST", room="dev")["ids"] == [1]
        assert post(boris, "hello", "b1")["code"] == "room_archived"
        assert listed(boris) == {"dev": True, "main": False}
        sent = operator.run("send", "--url", server.page, "--room", "dev", "--name", "Clara", "x")
        sent.assert_one_clear_line(4, REFUSAL)
        operator.run("admin", "archive", "dev").assert_one_clear_line(4, "dev is archived already")
        operator.run("admin", "redact", "1", "--room", "dev").assert_well()
        shown = operator.run("admin", "unarchive", "dev").assert_well()
        assert shown == "dev: the room is no longer archived\n"
        notice = boris.receive_until(lambda frame: "archived" in frame)[-1]
        assert notice["archived"] is False
        assert notice["text"] == "The room dev is no longer archived: people can post in it again"
        assert post(boris, "hello again", "b2")["id"] == 2
        operator.run("admin", "unarchive", "dev").assert_one_clear_line(4, "dev is not archived")
        operator.run("admin", "archive", "none").assert_one_clear_line(4, "There is no room none")
    *_, archived, _, unarchived = (server.directory / "audit.txt").read_text("utf-8").splitlines()
    assert archived.endswith("operator: archive room=dev reason=done")
    assert unarchived.endswith("operator: unarchive room=dev")


def test_a_room_stays_archived_after_the_server_was_killed(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en").start()
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", "dev")
        post(anna, "hello", "a1")
        operator.do("archive", room="dev")
    server.kill()
    server.start()
    with WireClient(server) as anna:
        assert anna.join("Anna", "dev")["archived"] is True
        assert post(anna, "again", "a2")["code"] == "room_archived"


def test_only_the_operator_archives(server: RunningServer) -> None:
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", "dev", secret="a")
        operator.do("appoint", "Anna")
        refused = anna.ask("moderate", act="archive", room="dev")
        assert (refused["code"], "operator" in refused["text"]) == ("not_allowed", True)


def test_the_seeds_clients_read_that_their_room_is_archived(server: RunningServer) -> None:
    with WireClient(server, "/") as seed, Operator(server) as operator:
        seed.send_frame("chat", user="Анна", text="всем привет")
        seed.receive("chat")
        operator.do("archive", room="main")
        seed.receive_until(lambda frame: frame.get("text", "").startswith("The room main is archived now"))
        seed.send_frame("chat", user="Анна", text="ещё")
        assert seed.receive("error")["text"].startswith("The room main is archived")


async def _refused_by_the_library(server: RunningServer) -> None:
    async with connect(server.page, room="dev", name="Clara") as room:
        with pytest.raises(SayRefused, match="archived"):
            await room.say("hello")


async def _refused_over_grpc(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        chat = ChatStub(channel)  # type: ignore[no-untyped-call]  # generated
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await chat.Send(pb.SendRequest(user="Egor", room="dev", text="hello"))
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert caught.value.details() == REFUSAL
        found = await chat.ListRooms(pb.ListRoomsRequest())
        assert [room.archived for room in found.rooms if room.name == "dev"] == [True]


def test_programs_are_refused_in_an_archived_room(make_server: ServerMaker, tmp_path: Path) -> None:
    path = tmp_path / "grpc.socket"
    server = make_server("--lang", "en", "--grpc-unix", str(path)).start()
    with WireClient(server) as anna, Operator(server) as operator:
        anna.join("Anna", "dev")
        post(anna, "hello", "a1")
        operator.do("archive", room="dev")
    run(_refused_by_the_library(server))
    run(_refused_over_grpc(f"unix:{path}"))
