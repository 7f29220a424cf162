"""The list of rooms comes in pages of bounded size, at every door."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from besedka import connect
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.wire.frames import ROOMS_LISTED, ROOMS_LISTED_BYTES
from tests import looping
from tests.calling import TIMEOUT_SECONDS, Caller
from tests.clocks import BENT, Clocks
from tests.commanding import wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import Frame, WireClient

ROOMS = 1_200
MANY_LISTS = 10
ANNA = "Anna's secret"


def names(count: int) -> list[str]:
    """Names in their order, the longest that a room may have; so the bytes of a page run out before its number does."""
    return [f"{'가' * 28}{number:04}" for number in range(count)]


def write_rooms(folder: Path, wanted: list[str]) -> None:
    for name in wanted:
        (folder / f"chat_history.{name}.txt").write_text("[2026-01-01 00:00:00] Old: one\n")


@pytest.fixture
def many(make_server: ServerMaker, tmp_path: Path) -> RunningServer:
    """A server with more rooms than a page holds."""
    write_rooms(tmp_path, names(ROOMS))
    return make_server("--lang", "en", grpc=True).start()


def all_pages(client: WireClient, **fields: object) -> list[Frame]:
    pages = [client.ask("rooms", **fields)]
    while pages[-1].get("next"):
        pages.append(client.ask("rooms", **fields, after=pages[-1]["next"]))
    return pages


def test_a_page_of_the_list_is_bounded_and_the_pages_are_the_whole_list(many: RunningServer) -> None:
    with WireClient(many) as client:
        for limit in (ROOMS_LISTED, 10**6, 70):
            pages = all_pages(client, limit=limit)
            assert all(len(page["rooms"]) <= min(limit, ROOMS_LISTED) for page in pages)
            sizes = [len(json.dumps(page, ensure_ascii=False).encode()) for page in pages]
            assert max(sizes) < ROOMS_LISTED_BYTES * 1.2  # `json` writes spaces
            listed = [room["name"] for page in pages for room in page["rooms"]]
            assert listed == ["main", *names(ROOMS)]


def test_the_list_over_grpc_has_the_same_pages(many: RunningServer) -> None:
    with Caller(many) as caller:
        found, token = list[str](), ""
        while True:
            request = pb.ListRoomsRequest(page_size=300, page_token=token)
            page = caller.stub.ListRooms(request, timeout=TIMEOUT_SECONDS)
            assert len(page.rooms) <= 300
            assert page.ByteSize() <= ROOMS_LISTED_BYTES
            found += [room.name for room in page.rooms]
            token = page.next_page_token
            if not token:
                break
        assert found == ["main", *names(ROOMS)]
        assert len(caller.stub.ListRooms(pb.ListRoomsRequest(), timeout=TIMEOUT_SECONDS).rooms) < ROOMS


@pytest.mark.parametrize("door", [0, 1], ids=["websocket", "grpc"])
def test_the_library_reads_all_pages(many: RunningServer, door: int) -> None:
    async def listed() -> list[str]:
        async with connect(many.urls[door], "Anna") as room:
            return [entry.name for entry in await room.rooms()]

    assert looping.run(listed()) == ["main", *names(ROOMS)]


def test_ones_own_rooms_are_on_the_first_page(many: RunningServer) -> None:
    with WireClient(many) as anna, WireClient(many) as eve:
        anna.join("Anna", secret=ANNA)
        anna.ask("private", room="힣secret")
        first = anna.ask("rooms")
        assert first["rooms"][0] == {"name": "힣secret", "clients_count": 0, "kind": "private"}
        listed = [room["name"] for page in all_pages(anna, limit=400) for room in page["rooms"]]
        assert listed == ["힣secret", "main", *names(ROOMS)]
        listed = [room["name"] for page in all_pages(eve) for room in page["rooms"]]
        assert listed == ["main", *names(ROOMS)]


def test_a_page_is_charged_by_the_rooms_that_were_looked_at_for_it(
    make_server: ServerMaker, tmp_path: Path, clock: Clocks
) -> None:
    """The direct rooms of others are in nobody else's list, and looking at a thousand of them takes as long as fifty frames."""
    write_rooms(tmp_path, [f"direct-{number:05}" for number in range(2_000)])
    clock.stand_still()
    server = make_server("--rate", "1", module=BENT, **clock.environment).start()
    lister = WireClient(server)
    with WireClient(server) as other:
        # Each waits for what all before it have cost: the last one for two minutes.
        for _ in range(MANY_LISTS):
            lister.send_frame("rooms", after="direct-", limit=1)
        assert lister.receive("rooms")["rooms"] == []
        other.join("Other")
        answered = 1
        while not lister.receives_nothing():
            answered += 1
        assert answered < MANY_LISTS
        lister.abort()


def test_a_server_without_a_free_descriptor_refuses_the_list_and_goes_on(server: RunningServer) -> None:
    with WireClient(server) as anna:
        anna.join("Anna")
        number, limits = resource.RLIMIT_NOFILE, resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, number, (3, limits[1]))
        refused = [anna.ask("rooms") for _ in range(3)]
        resource.prlimit(server.pid, number, limits)
        assert [answer.get("code") for answer in refused] == ["room_unavailable"] * 3
        wait_until(lambda: anna.ask("rooms").get("rooms"))
    assert server.errors.count("could not be read") < len(refused)


@pytest.mark.parametrize("user", ["Anna", None])
def test_a_join_that_must_not_create_a_room_creates_none(
    server: RunningServer, make_client: ClientMaker, user: str | None
) -> None:
    (server.directory / "chat_history.old.txt").write_text("[2025-01-01 10:00:00] Boris: hello\n")
    visitor = make_client()
    visitor.send_frame("join", room="new", must_exist=True, **({"user": user} if user else {}))
    refusal = visitor.receive("error")
    assert (refusal["code"], refusal["room"]) == ("no_such_room", "new")
    for room in ("old", "main"):
        visitor.send_frame("join", room=room, must_exist=True, **({"user": user} if user else {}))
        assert visitor.receive("welcome")["room"] == room
    # One that is open, with nothing said in it, is there.
    make_client().join("Boris", "new")
    visitor.send_frame("join", room="new", must_exist=True, **({"user": user} if user else {}))
    assert visitor.receive("welcome")["room"] == "new"


def test_those_who_watch_are_sent_each_new_open_room_at_every_door(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    with (
        WireClient(server) as anna,
        WireClient(server) as idle,
        WireClient(server) as boris,
        Caller(server) as caller,
        caller.converse() as stream,
    ):
        anna.join("Anna")
        idle.join("Idle")
        boris.join("Boris", secret="b" * 64)
        assert [room["name"] for room in anna.ask("rooms", watch=True)["rooms"]] == ["main"]
        stream.send_frame(list_rooms=pb.ListRooms(watch=True))
        stream.receive("rooms")
        boris.ask("private", room="secret")
        boris.join("Boris", room="secret", secret="b" * 64)
        boris.join("Boris", room="garden", secret="b" * 64)
        boris.send_frame("chat", room="garden", text="one")
        boris.receive("chat")
        boris.join("Boris", room="kitchen", secret="b" * 64)
        sent = [anna.receive("place") for _ in range(2)]
        assert sent == [{"type": "place", "room": name, "kind": "open"} for name in ("garden", "kitchen")]
        assert [stream.receive("place").place.room for _ in range(2)] == ["garden", "kitchen"]
        # A log that another program adds is found when somebody lists.
        write_rooms(server.directory, ["attic"])
        while "attic" not in {room["name"] for room in boris.ask("rooms")["rooms"]}:
            pass
        assert anna.receive("place")["room"] == "attic"
        idle.send_frame("typing")
        idle.send_frame("chat", text="last")
        frames = idle.receive_until(lambda frame: frame["type"] == "chat")
        assert "place" not in {frame["type"] for frame in frames}
