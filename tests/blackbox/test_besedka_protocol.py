"""``/ws`` from outside: joining, talking, paging, rooms, names, coming back."""

from __future__ import annotations

import re
import time

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import Caller
from tests.commanding import ASK_SECONDS, wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient, ids_in


def test_a_message_reaches_everybody_and_the_file(server: RunningServer, make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    boris.join("Boris")
    before = int(time.time())
    anna.send_frame("chat", text="Hello", key="k1")
    heard = anna.receive("chat")
    assert heard == boris.receive("chat")
    assert (heard["id"], heard["user"], heard["text"], heard["key"]) == (1, "Anna", "Hello", "k1")
    assert before <= heard["at"] <= time.time()
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] Anna: Hello", server.lines[0])
    assert server.lines[0][12:20] == heard["timestamp"]


def test_a_message_is_on_disk_when_it_is_heard(server: RunningServer, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    for number in range(50):
        anna.send_frame("chat", text=f"message {number}")
        anna.receive("chat")
        assert server.lines[-1].endswith(f"Anna: message {number}")


def test_a_welcome_tells_what_a_client_must_know(make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    anna.send_frame("chat", text="first")
    anna.receive("chat")
    welcome = boris.join("  Boris  ")
    assert welcome["user"] == "Boris"
    assert welcome["room"] == "main"
    assert welcome["head"] == 1
    assert welcome["clients_count"] == 2
    assert welcome["users"] == ["Anna", "Boris"]
    assert welcome["limits"] == {"name": 32, "room": 32, "text": 5000, "frame": 65536}
    assert isinstance(welcome["utc_offset"], int)
    assert welcome["epoch"]


def test_a_newcomer_is_given_the_last_ten_messages_as_the_logs_own_lines(
    server: RunningServer, make_client: ClientMaker
) -> None:
    anna = make_client()
    anna.join("Anna")
    for number in range(1, 16):
        anna.send_frame("chat", text=f"message {number}\nsecond line")
        anna.receive("chat")
    boris = make_client()
    boris.join("Boris")
    history = boris.receive("history")
    assert history["first"] == 6
    assert len(history["messages"]) == 10
    assert "\n".join(history["messages"]) == "\n".join(server.lines[-20:])


@pytest.mark.parametrize("letter", ["x", "ж", "\N{GRINNING FACE}"])
def test_a_newcomer_is_given_the_last_ten_messages_however_long_they_are_then_what_is_live(
    make_server: ServerMaker, letter: str
) -> None:
    server = make_server("--lang", "en", "--rate", "0", grpc=True).start()
    with (
        WireClient(server) as anna,
        WireClient(server) as boris,
        Caller(server) as caller,
    ):
        anna.join("Anna")
        for number in range(1, 13):
            anna.send_frame("chat", text=f"{number} " + letter * 4_900)
            anna.receive("chat")
        boris.join("Boris")
        assert boris.receive_to(12) == [*range(3, 13)]
        with caller.follow() as reader, WireClient(server, "/") as old:
            reader.started()
            assert [message.id for message in reader.past()] == [*range(3, 13)]
            lines: list[str] = []
            while len(lines) < 10:
                lines += old.receive("history")["messages"]
            assert lines == server.lines[-10:]
            anna.send_frame("chat", text="live")
            assert boris.receive("chat")["id"] == 13
            assert old.receive("chat")["text"] == "live"
            assert [message.id for message in reader.receive_to(13)] == [13]


def test_since_gives_exactly_what_was_missed_then_what_is_live(make_client: ClientMaker) -> None:
    anna = make_client()
    epoch = anna.join("Anna")["epoch"]
    for number in range(1, 901):
        anna.send_frame("chat", text=f"message {number}")
    anna.receive_to(900)
    boris = make_client()
    welcome = boris.join("Boris", since=37, epoch=epoch)
    assert "reset" not in welcome
    anna.send_frame("chat", text="live")
    assert boris.receive_to(901) == list(range(38, 902))


def test_one_who_is_behind_hears_the_keys_of_his_own_messages_by_pages(make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna", secret="s" * 64)
    boris.join("Boris")
    anna.send_frame("chat", text="hers", key="k1")
    anna.receive_to(1)
    boris.send_frame("chat", text="his", key="k2")
    anna.receive_to(2)
    again = make_client()
    again.join("Anna", secret="s" * 64, since=0)
    assert again.receive("history")["keys"] == {"1": "k1"}


@pytest.mark.parametrize(("since", "epoch"), [(99, ""), (1, "another log")])
def test_a_cursor_that_does_not_fit_gets_a_reset(make_client: ClientMaker, since: int, epoch: str) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    for number in range(3):
        anna.send_frame("chat", text=f"message {number}")
    anna.receive_to(3)
    welcome = boris.join("Boris", since=since, epoch=epoch)
    assert welcome["reset"] is True
    assert boris.receive("history")["first"] == 1


def test_older_messages_come_by_the_page(make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    for number in range(1, 101):
        anna.send_frame("chat", text=f"message {number}")
    anna.receive_to(100)
    anna.send_frame("history", room="main", before=91, limit=20)
    page = anna.receive("history")
    assert (page["first"], page["before"], len(page["messages"])) == (71, 91, 20)
    assert page["messages"][0].endswith("message 71")
    anna.send_frame("history", room="main", before=3)
    page = anna.receive("history")
    assert (page["first"], len(page["messages"])) == (1, 2)
    anna.send_frame("history", room="main", before=1)
    assert anna.receive("history")["messages"] == []


def test_a_page_and_its_refusal_have_the_key_of_their_request(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    with WireClient(server) as anna, Caller(server) as caller, caller.converse() as boris:
        anna.join("Anna")
        boris.join("Boris")
        anna.send_frame("chat", text="hello")
        anna.receive_to(1)
        # Two pages with one beginning, and two requests that are refused.
        for key, limit in (("one", 1), ("two", 2)):
            anna.send_frame("history", before=2, limit=limit, key=key)
            boris.send_frame(history=pb.ListHistory(before=2, limit=limit, key=key))
        for key in ("one", "two"):
            assert anna.receive("history")["key"] == key
            assert boris.receive("history").history.key == key
        anna.send_frame("history", key="neither")
        anna.send_frame("history", room="elsewhere", before=2, key="outside")
        boris.send_frame(history=pb.ListHistory(room="elsewhere", before=2, key="outside"))
        for code, key in (("bad_frame", "neither"), ("not_joined", "outside")):
            refused = anna.receive("error")
            assert (refused["code"], refused["key"], "retry_after" in refused) == (code, key, False)
        over_grpc = boris.refused()
        assert (over_grpc.code, over_grpc.key) == (pb.CODE_NOT_JOINED, "outside")
        anna.send_frame("history", before=2, key="x" * 65)
        assert anna.receive("error")["code"] == "bad_key"


def test_each_room_has_its_own_file_and_its_own_ids(server: RunningServer, make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    assert anna.join("Anna", "Кухня")["room"] == "кухня"
    boris.join("Boris", "main")
    anna.send_frame("chat", room="кухня", text="only here")
    heard = anna.receive("chat")
    assert (heard["room"], heard["id"]) == ("кухня", 1)
    anna.send_frame("chat", room="main", text="for all")
    assert boris.receive("chat")["text"] == "for all"
    kitchen = server.directory / "chat_history.кухня.txt"
    assert kitchen.read_text(encoding="utf-8").endswith("Anna: only here\n")
    assert len(server.lines) == 1


def test_a_room_in_which_nothing_was_said_leaves_no_file(
    server: RunningServer, make_client: ClientMaker
) -> None:
    anna = make_client()
    anna.join("Anna", "silent")
    anna.close()
    assert server.stop() == 0
    assert not (server.directory / "chat_history.silent.txt").exists()


def test_a_name_belongs_to_one_person_at_a_time(make_client: ClientMaker) -> None:
    anna, imitator = make_client(), make_client()
    anna.join("Paul")
    for name in ("Paul", "PAUL", "Pаul"):  # the last one with a Cyrillic letter
        imitator.send_frame("join", user=name)
        refusal = imitator.receive("error")
        assert refusal["code"] == "name_taken"
        assert name in refusal["text"]
    anna.close()
    wait_until(lambda: not rooms(imitator)["main"], ASK_SECONDS)
    assert imitator.join("Paul")["user"] == "Paul"


def test_one_person_may_be_there_twice_and_counts_once(make_client: ClientMaker) -> None:
    first, second = make_client(), make_client()
    first.join("Anna", secret="s" * 64)
    assert second.join("Anna", secret="s" * 64)["clients_count"] == 1
    second.send_frame("chat", text="from the other device")
    assert first.receive("chat")["text"] == "from the other device"


def test_a_message_with_a_known_key_is_stored_once_and_acknowledged_again(
    server: RunningServer, make_client: ClientMaker
) -> None:
    anna = make_client()
    anna.join("Anna", secret="s" * 64)
    anna.send_frame("chat", text="once", key="k1")
    received = anna.receive("chat")
    again = make_client()
    again.join("Anna", secret="s" * 64, since=1)
    again.send_frame("chat", text="once", key="k1", after=0)
    assert again.receive("chat") == received
    assert len(server.lines) == 1


def test_the_same_words_twice_are_two_messages(server: RunningServer, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    for key in ("k1", "k2"):
        anna.send_frame("chat", text="+1", key=key)
    assert [anna.receive("chat")["id"] for _ in range(2)] == [1, 2]
    assert len(server.lines) == 2


def test_presence_is_broadcast_with_names_and_number(make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    assert anna.receive("system")["joined"] == ["Anna"]
    boris.join("Boris")
    came = anna.receive("system")
    assert (came["joined"], came["clients_count"], came["user"]) == (["Boris"], 2, "System")
    assert came["text"] == "Boris joined the chat"
    boris.send_frame("leave", room="main")
    went = anna.receive("system")
    assert (went["left"], went["clients_count"]) == (["Boris"], 1)


def test_many_who_enter_at_once_are_announced_in_few_frames(
    server: RunningServer, make_client: ClientMaker
) -> None:
    anna = make_client()
    anna.join("Anna")
    others = [WireClient(server) for _ in range(60)]
    for number, other in enumerate(others):
        other.send_frame("join", user=f"guest {number}")
    frames = [anna.receive("system")]
    while frames[-1]["clients_count"] < 61:
        frames.append(anna.receive("system"))
    assert len(frames) <= 8
    for other in others:
        other.close()


def test_typing_reaches_the_others_only(make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    boris.join("Boris")
    anna.send_frame("typing", room="main")
    assert boris.receive("typing")["user"] == "Anna"
    anna.send_frame("chat", text="done")
    heard = anna.receive_until(lambda frame: frame["type"] == "chat")
    assert "typing" not in {frame["type"] for frame in heard}


def test_who_has_left_hears_and_says_no_more_there(make_client: ClientMaker) -> None:
    anna, boris = make_client(), make_client()
    anna.join("Anna")
    boris.join("Boris")
    anna.send_frame("leave", room="main")
    anna.send_frame("chat", text="ghost")
    assert anna.receive("error")["code"] == "not_joined"
    boris.send_frame("chat", text="is she gone?")
    boris.receive("chat")
    anna.join("Anna", "other")
    anna.send_frame("chat", room="other", text="here")
    assert anna.receive("chat")["room"] == "other"


def test_frames_that_follow_a_join_at_once_are_dealt_with_in_order(make_client: ClientMaker) -> None:
    anna = make_client()
    anna.send_frame("join", user="Anna", room="new")
    for number in range(20):
        anna.send_frame("chat", room="new", text=f"{number}")
    anna.send_frame("leave", room="new")
    anna.send_frame("join", user="Anna", room="new")
    texts = [
        frame["text"]
        for frame in anna.receive_until(lambda f: f.get("text") == "19")
        if frame["type"] == "chat"
    ]
    assert texts in ([], [str(number) for number in range(20)])
    seen = anna.join("Anna", "newer")
    assert seen["head"] == 0


# Which rooms there are.


def test_the_rooms_are_listed_by_name_with_the_people_in_them_also_before_a_join(
    server: RunningServer, make_client: ClientMaker
) -> None:
    anna, visitor = make_client(), make_client()
    anna.join("Anna", "zoo")
    anna.send_frame("chat", room="zoo", text="x")
    anna.receive("chat")
    anna.join("Anna", "new")
    visitor.send_frame("rooms")
    assert visitor.receive() == {
        "type": "rooms",
        "rooms": [
            {"name": "main", "clients_count": 0},
            {"name": "new", "clients_count": 1},
            {"name": "zoo", "clients_count": 1},
        ],
    }
    server.stop()
    server.start()
    with WireClient(server) as again:
        again.send_frame("rooms", key="k1")
        answer = again.receive("rooms")
        assert [room["name"] for room in answer["rooms"]] == ["main", "zoo"]
        assert answer["key"] == "k1"


# Searching.


@pytest.fixture
def archive(server: RunningServer) -> RunningServer:
    """A server whose log has a hundred messages by others."""
    server.stop()
    lines = [f"[2025-01-01 00:00:00] Old: Message {number}\n\tof many" for number in range(1, 101)]
    server.history.write_text("\n".join(lines) + "\n")
    return server.start()


def test_the_newest_messages_that_hold_a_text_are_found_and_the_older_ones_by_asking_on(
    archive: RunningServer,
) -> None:
    with WireClient(archive) as anna:
        anna.join("Anna")
        anna.send_frame("chat", text="Ёлка и МЕССАГЕ message 4")
        anna.receive("chat")
        found = anna.search("MESSAGE 4", limit=5, key="k1")
        assert (found["room"], found["text"], found["key"]) == ("main", "MESSAGE 4", "k1")
        assert (found["ids"], found["before"]) == ([46, 47, 48, 49, 101], 46)
        assert found["messages"][0] == "[2025-01-01 00:00:00] Old: Message 46\n\tof many"
        assert found["messages"][-1].endswith("Anna: Ёлка и МЕССАГЕ message 4")
        found = anna.search("MESSAGE 4", limit=5, before=found["before"])
        assert (found["ids"], found["before"]) == ([41, 42, 43, 44, 45], 41)
        found = anna.search("MESSAGE 4", before=found["before"])
        assert (found["ids"], found["before"]) == ([4, 40], 0)
        assert anna.search("ёЛКА И месс")["ids"] == [101]
        assert anna.search("7\nOF")["ids"] == [7, 17, 27, 37, 47, 57, 67, 77, 87, 97]
        assert len(anna.search("many")["ids"]) == 20
        assert len(anna.search("many", limit=1_000_000)["ids"]) == 100
        assert anna.search("many", before=10**18, limit=1)["ids"] == [100]


def test_names_times_and_other_rooms_are_not_searched(archive: RunningServer) -> None:
    with WireClient(archive) as anna:
        anna.join("Anna")
        anna.join("Anna", "empty")
        for text in ("Old", "2025", "nowhere", "\ufffd"):
            found = anna.search(text)
            assert (found["messages"], found["ids"], found["before"]) == ([], [], 0)
        found = anna.search("message", room="Empty")
        assert (found["room"], found["ids"], found["before"]) == ("empty", [], 0)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": " "}, "bad_search"),
        ({"text": "x" * 5_001}, "bad_search"),
        ({}, "bad_search"),
        ({"text": " ", "user": "Anna"}, "bad_search"),
        ({"user": "A" * 5_000}, "bad_name"),
        ({"from_time": -1}, "bad_frame"),
        ({"to_time": 253_370_764_801}, "bad_frame"),
        ({"text": "x", "room": "elsewhere"}, "not_joined"),
        ({"text": "x", "room": "../etc"}, "bad_room"),
    ],
)
def test_a_search_that_is_refused_says_why_with_its_key(
    make_client: ClientMaker, fields: dict[str, str | int], code: str
) -> None:
    anna = make_client()
    anna.join("Anna")
    anna.send_frame("search", key="k1", **fields)
    refusal = anna.receive("error")
    assert (refusal["code"], refusal["key"]) == (code, "k1")
    assert len(refusal["text"]) > 10
    anna.send_frame("search", text="x", key="no key")
    assert anna.receive("error")["code"] == "bad_key"
    anna.send_frame("rooms", key="Ж")
    assert anna.receive("error")["code"] == "bad_key"


@pytest.mark.parametrize("fields", [{}, {"before": 1, "from_time": 1}, {"before": 0}, {"from_time": "today"}])
def test_a_page_is_asked_for_by_an_id_or_by_a_time(
    make_client: ClientMaker, fields: dict[str, object]
) -> None:
    anna = make_client()
    anna.join("Anna")
    anna.send_frame("history", room="main", **fields)
    refusal = anna.receive("error")
    assert (refusal["code"], refusal["room"]) == ("bad_frame", "main")
    assert "time" in refusal["text"] or "before" in refusal["text"]
    anna.send_frame("history", room="main", from_time=0)
    assert anna.receive("history") == {
        "type": "history",
        "room": "main",
        "first": 1,
        "messages": [],
        "from_time": 0,
    }


def test_what_was_just_said_is_found_and_frames_behind_a_search_wait_for_it(make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    for number in range(5):
        anna.send_frame("chat", text=f"word {number}")
    anna.receive_to(5)
    anna.send_frame("search", text="WORD", limit=2)
    anna.send_frame("rooms")
    anna.send_frame("search", text="word 0")
    frames = [
        frame for frame in anna.receive_until(lambda f: f.get("ids") == [1]) if frame["type"] != "system"
    ]
    assert [frame["type"] for frame in frames] == ["found", "rooms", "found"]
    assert frames[0]["ids"] == [4, 5]


# Unseen.


def rooms(one: WireClient) -> dict[str, int]:
    one.send_frame("rooms")
    return {room["name"]: room["clients_count"] for room in one.receive("rooms")["rooms"]}


def test_a_quiet_member_is_not_seen_and_may_post(make_client: ClientMaker) -> None:
    anna, script = make_client(), make_client()
    anna.join("Anna")
    anna.receive("system")
    welcome = script.join("Script", quiet=True)
    assert (welcome["user"], welcome["clients_count"], welcome["users"]) == ("Script", 1, ["Anna"])
    script.send_frame("chat", text="backup done", key="k1")
    heard = anna.receive()
    assert (heard["type"], heard["user"], heard["text"]) == ("chat", "Script", "backup done")
    assert rooms(anna) == {"main": 1}
    imitator = make_client()
    imitator.send_frame("join", user="Script")
    assert imitator.receive("error")["code"] == "name_taken"
    script.close()
    boris = make_client()
    boris.join("Boris")
    notice = anna.receive("system")
    assert (notice["joined"], notice["left"], notice["clients_count"]) == (["Boris"], [], 2)


def test_who_has_no_name_reads_and_may_not_talk(make_client: ClientMaker) -> None:
    anna, reader = make_client(), make_client()
    anna.join("Anna")
    anna.receive("system")
    anna.send_frame("chat", text="before")
    anna.receive("chat")
    welcome = reader.join(None)
    assert (welcome["user"], welcome["clients_count"], welcome["users"]) == ("", 1, ["Anna"])
    assert reader.receive("history")["first"] == 1
    anna.send_frame("chat", text="live")
    assert reader.receive("chat")["text"] == "live"
    for kind, fields in (("chat", {"text": "I?", "key": "k1"}), ("typing", {})):
        reader.send_frame(kind, **fields)
        refusal = reader.receive("error")
        assert (refusal["code"], refusal["key" if fields else "room"]) == (
            "no_name",
            fields.get("key", "main"),
        )
        assert "name" in refusal["text"]
    assert reader.search("BEFORE")["ids"] == [1]
    reader.send_frame("history", before=2)
    assert len(reader.receive("history")["messages"]) == 1
    reader.send_frame("join", user="", room="other")
    assert reader.receive("error")["code"] == "bad_name"
    anna.send_frame("chat", text="still alone")
    assert anna.receive_until(lambda frame: frame.get("text") == "still alone")[0]["type"] == "chat"


def test_who_is_seen_or_not_stays_right_whoever_leaves_and_comes_back(
    server: RunningServer, make_client: ClientMaker
) -> None:
    anna, other = make_client(), make_client()
    anna.join("Anna", secret="s" * 64)
    quiet = WireClient(server)
    quiet.join("Anna", secret="s" * 64, quiet=True)
    nameless = WireClient(server)
    nameless.join(None)
    other.join(None, "elsewhere")
    assert rooms(other) == {"elsewhere": 0, "main": 1}
    anna.send_frame("leave")
    assert rooms(anna) == {"elsewhere": 0, "main": 0}
    anna.join("Anna", secret="s" * 64, quiet=True)
    assert rooms(anna) == {"elsewhere": 0, "main": 0}
    quiet.send_frame("leave")
    assert quiet.join("Anna", secret="s" * 64)["clients_count"] == 1
    assert rooms(other) == {"elsewhere": 0, "main": 1}
    for one in (nameless, quiet):
        one.close()
    wait_until(lambda: not rooms(other)["main"], ASK_SECONDS)
    nameless = make_client()
    nameless.join(None)
    nameless.send_frame("leave")
    assert nameless.join("Clara")["users"] == ["Clara"]
    assert rooms(other) == {"elsewhere": 0, "main": 1}


@pytest.mark.parametrize("restarts", [False, True], ids=["known by its key", "found in the log"])
def test_what_is_posted_again_is_acknowledged_in_its_place_in_the_log(
    make_server: ServerMaker, *, restarts: bool
) -> None:
    server = make_server("--rate", "0")
    server.history.write_text("[2025-01-01 00:00:00] Old: x\n" * 3_000, encoding="utf-8")
    server.start()
    with WireClient(server) as anna:
        anna.join("Anna", secret="a" * 64)
        anna.send_frame("chat", text="mine", key="k")
        anna.receive_until(lambda frame: frame.get("key") == "k")
        anna.say_many(["later"] * 50)
    if restarts:
        server.stop()
        server.start()
    with WireClient(server) as anna:
        anna.join("Anna", secret="a" * 64, since=5)
        anna.send_frame("chat", text="mine", key="k", after=3_000)
        # An answer that overtakes what stands before it would be taken for the next message, and that for heard already.
        frames = [anna.receive()]
        while sum(len(ids_in(frame)) for frame in frames) < 3_046:
            frames.append(anna.receive())
        assert [number for frame in frames for number in ids_in(frame)] == list(range(6, 3_052))
        keys = {number: key for frame in frames for number, key in frame.get("keys", {}).items()}
        assert keys.get("3001") == "k" or anna.receive("chat")["key"] == "k"


def test_everything_is_still_there_after_a_restart(server: RunningServer) -> None:
    with WireClient(server) as anna:
        epoch = anna.join("Anna")["epoch"]
        for number in range(1, 13):
            anna.send_frame("chat", text=f"message {number}")
        anna.receive_to(12)
        assert server.stop() == 0
        assert anna.ending() == (1012, "the server restarts, come back")
    server.start()
    assert any("restored  12 messages" in line for line in server.greeting)
    with WireClient(server) as anna, WireClient(server) as boris:
        welcome = anna.join("Anna", since=9, epoch=epoch)
        assert (welcome["head"], "reset" in welcome) == (12, False)
        assert anna.receive("history")["first"] == 10
        boris.join("Boris")
        assert boris.receive("history")["first"] == 3


def test_times_are_utc_if_asked_for(make_server: ServerMaker) -> None:
    server = make_server("--utc", TZ="Asia/Tokyo").start()
    with WireClient(server) as anna:
        assert anna.join("Anna")["utc_offset"] == 0
        anna.send_frame("chat", text="now")
        heard = anna.receive("chat")
    assert server.lines[0][1:20] == time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(heard["at"]))


def test_times_are_of_the_servers_zone_otherwise(make_server: ServerMaker) -> None:
    server = make_server(TZ="Asia/Tokyo").start()
    with WireClient(server) as anna:
        assert anna.join("Anna")["utc_offset"] == 9 * 3600
        anna.send_frame("chat", text="now")
        heard = anna.receive("chat")
    local = time.gmtime(heard["at"] + 9 * 3600)
    assert server.lines[0][1:20] == time.strftime("%Y-%m-%d %H:%M:%S", local)
