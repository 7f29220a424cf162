"""`Follow` and `Converse`, as a client sees them."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import grpc
import psutil
import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.wire.log_line import read_line
from tests.blackbox.test_how_the_server_is import figures
from tests.calling import Caller, Conversing, many, refusal, speaker
from tests.clocks import BENT, Clocks
from tests.commanding import wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server that also speaks gRPC, with English sentences and an empty history, started."""
    return make_server("--lang", "en", grpc=True).start()


def ids(messages: list[pb.Message]) -> list[int]:
    return [message.id for message in messages]


def no_stream_is_open(server: RunningServer) -> bool:
    seen = figures(server)
    return seen["besedka_streams_open"] == seen["besedka_members_live"] + seen["besedka_members_behind"] == 0


# Follow.


def test_who_follows_hears_the_past_then_that_he_has_caught_up_then_what_is_said(
    caller: Caller, make_client: ClientMaker
) -> None:
    epoch = caller.import_([speaker("Anna"), *many(f"{number}" for number in range(1, 31))]).epoch
    with caller.follow(since=12, epoch=epoch) as reader, caller.follow() as newcomer:
        assert reader.started() == pb.Started(room="main", head=30, epoch=epoch)
        past = reader.past()
        assert ids(past) == list(range(13, 31))
        assert [(past[0].user, past[0].text)] == [("Anna", "13")]
        newcomer.started()
        assert ids(newcomer.past()) == list(range(21, 31))
        boris = make_client()
        boris.join("Boris")
        boris.send_frame("chat", text="live", key="k")
        for one in (reader, newcomer):
            (message,) = one.receive_to(31)
            assert (message.id, message.user, message.text, message.key) == (31, "Boris", "live", "k")


@pytest.mark.parametrize(
    ("since", "expected"), [(None, range(21, 31)), (0, range(1, 31)), (29, range(30, 31)), (30, range(0))]
)
def test_a_cursor_says_where_the_past_begins(caller: Caller, since: int | None, expected: range) -> None:
    caller.import_([speaker("Anna"), *many(f"{number}" for number in range(1, 31))])
    with caller.follow(since=since) as reader:
        assert not reader.started().reset
        assert ids(reader.past()) == list(expected)


@pytest.mark.parametrize(("since", "epoch"), [(31, ""), (31, None), (5, "another")])
def test_an_unusable_cursor_is_reported_and_reading_begins_again(
    caller: Caller, since: int, epoch: str | None
) -> None:
    real = caller.import_([speaker("Anna"), *many(f"{number}" for number in range(1, 31))]).epoch
    with caller.follow(since=since, epoch=real if epoch is None else epoch) as reader:
        assert reader.started() == pb.Started(room="main", head=30, epoch=real, reset=True)
        assert ids(reader.past()) == list(range(21, 31))


def test_an_empty_room_is_caught_up_with_at_once(caller: Caller) -> None:
    with caller.follow(since=0) as reader:
        assert reader.started().head == 0
        assert reader.past() == []
        caller.send("Anna", "the first")
        assert ids(reader.receive_to(1)) == [1]


def test_a_room_that_is_not_there_cannot_be_followed(server: RunningServer, caller: Caller) -> None:
    refused = caller.follow(room="nowhere").ending()
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "no_such_room")
    refused = caller.follow(room="../etc").ending()
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_room")
    assert caller.rooms() == {"main": 0}
    assert no_stream_is_open(server)


def test_a_message_crosses_from_door_to_door_with_its_id_and_key(
    caller: Caller, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    with caller.follow(since=0) as reader, caller.converse() as clara:
        clara.join("Clara")
        caller.send("Anna", "by a call", key="one")
        assert boris.receive("chat")["key"] == "one"
        boris.send_frame("chat", text="by a socket", key="two")
        heard_by_clara = clara.receive_to(2)
        clara.say("by a stream", key="three")
        expected = [(1, "Anna", "one"), (2, "Boris", "two"), (3, "Clara", "three")]
        for heard in (reader.receive_to(3), heard_by_clara + clara.receive_to(3)):
            assert [(message.id, message.user, message.key) for message in heard] == expected
        frames = [boris.receive("chat") for _ in range(2)]
        assert [(frame["id"], frame["user"], frame["key"]) for frame in frames] == expected[1:]


def test_nobody_misses_or_doubles_anything_while_many_talk(  # noqa: C901 - three small roles
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0", grpc=True).start()
    total, each, speakers = 3_000, 750, 3

    def talk(number: int) -> None:
        with WireClient(server) as one:
            one.join(f"Talker {number}", room="main")
            for text in range(each):
                one.send_frame("chat", text=f"{number} {text}", key=f"{text}")
            one.receive_to(total)

    def call(caller: Caller) -> None:
        for part in range(3):
            texts = (f"3 {text}" for text in range(part * 250, part * 250 + 250))
            caller.import_([speaker("Caller"), *many(texts, each=50)])

    def follow(caller: Caller, since: int) -> list[pb.Message]:
        with caller.follow(since=since) as reader:
            reader.started()
            return reader.receive_to(total)

    with ExitStack() as stack, ThreadPoolExecutor(12) as pool:
        caller, reading = stack.enter_context(Caller(server)), stack.enter_context(Caller(server))
        jobs = [pool.submit(talk, number) for number in range(speakers)]
        jobs.append(pool.submit(call, caller))
        readers: dict[int, Any] = {0: pool.submit(follow, reading, 0)}
        for wanted in (500, 1_200, 1_900, 2_600):
            while (head := reading.messages(limit=1).head) < wanted:
                pass
            readers[head - 300] = pool.submit(follow, reading, head - 300)
        whole = readers[0].result(60)
        assert ids(whole) == list(range(1, total + 1))
        for since, reader in readers.items():
            assert [(m.id, m.user, m.text) for m in reader.result(60)] == [
                (m.id, m.user, m.text) for m in whole[since:]
            ]
        for job in jobs:
            job.result(60)
    assert [read_line(line).text for line in server.lines] == [message.text for message in whole]
    for number in range(4):
        own = [m.text for m in whole if m.text.startswith(f"{number} ")]
        assert own == [f"{number} {text}" for text in range(each)]


def test_who_only_follows_is_not_seen(
    server: RunningServer, caller: Caller, make_client: ClientMaker
) -> None:
    anna = make_client()
    with caller.follow() as reader:
        reader.started()
        reader.past()
        welcome = anna.join("Anna")
        assert (welcome["clients_count"], welcome["users"]) == (1, ["Anna"])
        assert caller.rooms() == {"main": 1}
        assert figures(server)["besedka_streams_open"] == 1
    wait_until(lambda: no_stream_is_open_but(server, 1))
    with WireClient(server) as boris:
        boris.join("Boris")
        assert (anna.receive("system")["joined"], anna.receive("system")["joined"]) == (["Anna"], ["Boris"])


def no_stream_is_open_but(server: RunningServer, members: int) -> bool:
    seen = figures(server)
    return seen["besedka_streams_open"] == 0 and seen["besedka_members_live"] == members


def test_presence_and_typing_are_not_sent_to_followers(caller: Caller, make_client: ClientMaker) -> None:
    with caller.follow() as reader:
        reader.started()
        reader.past()
        anna = make_client()
        anna.join("Anna")
        anna.send_frame("typing")
        anna.send_frame("chat", text="x")
        assert reader.receive().WhichOneof("event") == "messages"


def test_one_who_reads_again_after_a_while_hears_everything_once_and_in_order(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0", grpc=True).start()
    messages = 20_000
    with Caller(server) as caller, Caller(server) as deaf, deaf.follow(since=0) as reader:
        reader.started()
        reader.past()
        with deaf.converse() as clara:
            clara.join("Clara")
            caller.import_([speaker("Anna"), *many(f"{number:500}" for number in range(2_000))])
            before = psutil.Process(server.pid).memory_info().rss
            caller.import_([speaker("Anna"), *many(f"{number:500}" for number in range(2_000, messages))])
            assert psutil.Process(server.pid).memory_info().rss - before < 16 << 20
            for heard in (reader.receive_to(messages), clara.receive_to(messages)):
                assert ids(heard) == list(range(1, messages + 1))
                assert [int(message.text) for message in heard] == list(range(messages))
            caller.send("Anna", "live")
            assert (
                ids(reader.receive_to(messages + 1)) == ids(clara.receive_to(messages + 1)) == [messages + 1]
            )


def test_long_messages_for_streams_that_are_behind_take_bounded_memory_in_all_rooms_together(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0", grpc=True).start()
    rooms, long = [f"room-{number}" for number in range(4)], ["\N{GRINNING FACE}" * 5_000] * 400
    with ExitStack() as stack:
        caller = stack.enter_context(Caller(server))
        caller.import_([speaker("Anna", room="main"), *many(long, 40)])  # as much for the rest of the server
        before = psutil.Process(server.pid).memory_info().rss
        for room in rooms:
            caller.send("Anna", "first", room=room)
            reader = stack.enter_context(stack.enter_context(Caller(server)).follow(room=room, since=0))
            reader.started()
            reader.past()
            caller.import_([speaker("Anna", room=room), *many(long, 40)])
        assert psutil.Process(server.pid).memory_info().rss - before < 48 << 20


def test_a_call_that_is_cancelled_leaves_no_trace(
    server: RunningServer, caller: Caller, make_client: ClientMaker
) -> None:
    anna = make_client()
    anna.join("Anna")
    with ExitStack() as stack:
        for number in range(5):
            stack.enter_context(caller.follow()).started()
            stack.enter_context(caller.converse()).join(f"Visitor {number}")
        assert caller.rooms() == {"main": 6}
        assert figures(server)["besedka_streams_open"] == 10
    wait_until(lambda: caller.rooms() == {"main": 1})
    wait_until(lambda: no_stream_is_open_but(server, 1))
    with caller.converse() as again:
        assert again.join("Visitor 1").users == ["Anna", "Visitor 1"]


def test_a_connection_that_is_gone_leaves_no_trace(server: RunningServer) -> None:
    with Caller(server) as caller:
        follower, visitor = caller.follow(), caller.converse()
        follower.started()
        visitor.join("Visitor")
    wait_until(lambda: no_stream_is_open(server))
    visitor.say_no_more()


def test_a_deadline_ends_a_stream_and_leaves_no_trace(server: RunningServer, caller: Caller) -> None:
    # The deadline is the client's, by the true clock.
    begun = time.monotonic()
    assert caller.follow(seconds=0.2).ending().code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - begun > 0.1
    wait_until(lambda: no_stream_is_open(server))


def test_a_follower_is_notified_when_the_log_is_another(server: RunningServer, caller: Caller) -> None:
    caller.import_([speaker("Anna"), *many(f"old {number}" for number in range(20))])
    with caller.follow() as reader:
        old = reader.started().epoch
        reader.past()
        server.history.write_text("[2025-01-01 00:00:00] Other: hands\n")
        caller.send("Anna", "new")
        started = reader.started()
        assert started.reset
        assert started.epoch not in {"", old}
        assert [message.text for message in reader.past()] == ["hands", "new"]


def test_after_a_crash_the_cursor_gives_exactly_the_rest(server: RunningServer, caller: Caller) -> None:
    caller.import_([speaker("Anna"), *many(f"{number}" for number in range(50))])
    with caller.follow(since=0) as reader:
        epoch = reader.started().epoch
        assert len(reader.past()) == 50
        server.kill()
        assert reader.ending().code is grpc.StatusCode.UNAVAILABLE
    server.start()
    with Caller(server) as again:
        again.import_([speaker("Anna"), *many(f"{number}" for number in range(50, 80))])
        with again.follow(since=50, epoch=epoch) as reader:
            assert reader.started() == pb.Started(room="main", head=80, epoch=epoch)
            assert [message.text for message in reader.past()] == [f"{number}" for number in range(50, 80)]


# Converse.


def test_a_welcome_says_the_same_as_over_the_socket(caller: Caller, make_client: ClientMaker) -> None:
    caller.import_([speaker("Old"), *many(f"{number}" for number in range(30))])
    anna = make_client()
    frame = anna.join("Anna")
    with caller.converse() as boris:
        welcome = boris.join("Boris")
        assert (welcome.room, welcome.user, welcome.head) == ("main", "Boris", 30)
        assert (welcome.epoch, welcome.utc_offset) == (frame["epoch"], frame["utc_offset"])
        assert (welcome.clients_count, list(welcome.users)) == (2, ["Anna", "Boris"])
        limits = welcome.limits
        assert {name: getattr(limits, name) for name in frame["limits"]} == frame["limits"]
        assert ids(boris.receive_to(30)) == list(range(21, 31))
        assert presence(boris, 2).text


def presence(conversing: Conversing, clients_count: int) -> pb.Presence:
    """The presence with this number of people."""
    while (received := conversing.receive("presence").presence).clients_count != clients_count:
        pass
    return received


def test_both_doors_receive_each_others_messages_typing_and_presence(
    server: RunningServer, caller: Caller, make_client: ClientMaker
) -> None:
    anna = make_client()
    anna.join("Anna")
    anna.receive("system")
    with caller.converse() as boris:
        boris.join("Boris")
        notice = anna.receive("system")
        assert (notice["joined"], notice["clients_count"]) == (["Boris"], 2)
        boris.send_frame(typing=pb.BeginTyping())
        assert anna.receive("typing")["user"] == "Boris"
        boris.say("hello\nAnna", key="b")
        frame = anna.receive("chat")
        (message,) = boris.receive("messages").messages.messages
        assert (message.id, message.user, message.text, message.key) == (1, "Boris", "hello\nAnna", "b")
        assert (frame["id"], frame["text"], frame["key"]) == (1, "hello\nAnna", "b")
        assert frame["at"] == message.time.seconds
        wait_until(lambda: figures(server)["besedka_members_live"] == 2)
        anna.send_frame("typing")
        assert boris.receive("typing").typing == pb.Typing(room="main", user="Anna")
        anna.send_frame("chat", text="hello Boris", key="a")
        assert [(m.id, m.key) for m in boris.receive_to(2)] == [(2, "a")]
        wait_until(lambda: figures(server)["besedka_members_live"] == 2)
        anna.send_frame("leave")
        received = presence(boris, 1)
        assert (list(received.left), received.text) == (["Anna"], "Anna left the chat")
        wait_until(lambda: figures(server)["besedka_members_live"] == 1)
        anna.join("Anna")
        assert list(presence(boris, 2).joined) == ["Anna"]
        boris.send_frame(leave=pb.Leave())
        assert "Boris" in receive_rest(anna)


def receive_rest(client: WireClient) -> list[str]:
    while not (notice := client.receive("system"))["left"]:
        pass
    left: list[str] = notice["left"]
    return left


def test_older_pages_are_those_of_the_socket(caller: Caller, make_client: ClientMaker) -> None:
    caller.import_([speaker("Old"), *many(f"line\n{number}" for number in range(700))])
    anna = make_client()
    anna.join("Anna", since=700)
    with caller.converse() as boris:
        boris.join("Boris", since=700)
        for before, limit, expected in ((600, 3, 3), (600, 0, 50), (3, 50, 2), (1, 50, 0), (701, 9_999, 500)):
            boris.send_frame(history=pb.ListHistory(before=before, limit=limit))
            anna.send_frame("history", before=before, **({"limit": limit} if limit else {}))
            page, frame = boris.receive("history").history, anna.receive("history")
            assert (page.key, frame.get("key", "")) == ("", "")
            assert (page.room, page.before, len(page.messages)) == ("main", before, expected)
            lines = map(read_line, frame["messages"])
            assert [(m.user, m.text) for m in page.messages] == [(line.user, line.text) for line in lines]
            assert [m.id for m in page.messages] == list(range(before - expected, before))


def test_the_rooms_are_listed_before_and_after_a_join(caller: Caller, make_client: ClientMaker) -> None:
    caller.send("Anna", "x", room="bar")
    anna = make_client()
    anna.join("Anna")
    with caller.converse() as boris:
        boris.send_frame(list_rooms=pb.ListRooms(key="k1"))
        expected = [pb.Room(name="bar"), pb.Room(name="main", clients_count=1)]
        assert boris.receive().rooms == pb.Rooms(rooms=expected, key="k1")
        boris.say("not yet")
        assert boris.refused().code == pb.CODE_NOT_JOINED
        boris.join("Boris")
        boris.send_frame(list_rooms=pb.ListRooms())
        assert [room.clients_count for room in boris.receive("rooms").rooms.rooms] == [0, 2]


def test_what_a_search_finds_is_what_it_finds_over_the_socket(
    caller: Caller, make_client: ClientMaker
) -> None:
    caller.import_([speaker("Old"), *many(f"Line\n{number}" for number in range(300))])
    anna = make_client()
    anna.join("Anna", since=300)
    with caller.converse() as boris:
        boris.join("Boris", since=300)
        for text, before, limit in (("LINE\n2", 0, 0), ("line\n2", 212, 7), ("nothing", 0, 5), ("E", 0, 999)):
            boris.send_frame(search=pb.Search(text=text, before=before, limit=limit, key="k"))
            found = boris.receive("found").found
            frame = anna.search(text, before=before, **({"limit": limit} if limit else {}))
            assert (found.room, found.text, found.key) == ("main", text, "k")
            assert ([m.id for m in found.messages], found.before) == (frame["ids"], frame["before"])
            lines = map(read_line, frame["messages"])
            assert [(m.user, m.text) for m in found.messages] == [(line.user, line.text) for line in lines]
        boris.send_frame(search=pb.Search(text=" ", key="k"))
        refused = boris.refused()
        assert (refused.code, refused.key, refused.room) == (pb.CODE_BAD_SEARCH, "k", "main")
        boris.send_frame(search=pb.Search(text="x", room="elsewhere"))
        assert boris.refused().code == pb.CODE_NOT_JOINED


def test_who_comes_quietly_or_without_a_name_is_not_seen(caller: Caller, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    with caller.converse() as script, caller.converse() as reader:
        assert list(script.join("Script", quiet=True).users) == ["Anna"]
        welcome = reader.join(None)
        assert (welcome.user, welcome.clients_count) == ("", 1)
        script.say("done", key="k")
        assert [(m.id, m.user) for m in reader.receive_to(1)] == [(1, "Script")]
        reader.say("I?", key="r")
        refused = reader.refused()
        assert (refused.code, refused.key) == (pb.CODE_NO_NAME, "r")
        reader.send_frame(typing=pb.BeginTyping())
        assert reader.refused().code == pb.CODE_NO_NAME
        reader.send_frame(join=pb.Join(user="", room="other"))
        assert reader.refused().code == pb.CODE_BAD_NAME
        assert caller.rooms() == {"main": 1}
        reader.send_frame(leave=pb.Leave())
        assert list(reader.join("Reader").users) == ["Anna", "Reader"]
        assert caller.rooms() == {"main": 2}
    wait_until(lambda: caller.rooms() == {"main": 1})
    boris = make_client()
    boris.join("Boris")
    while "Boris" not in (notice := anna.receive("system"))["joined"]:
        assert "Script" not in notice["joined"] + notice["left"]


def test_one_stream_is_in_several_rooms(caller: Caller, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna", "one")
    anna.join("Anna", "two")
    with caller.converse() as boris:
        boris.join("Boris", "One")
        boris.join("Boris", "two")
        while "Boris" not in (notice := anna.receive("system"))["joined"] or notice["room"] != "one":
            pass
        anna.send_frame("chat", room="one", text="in one")
        received = boris.receive("messages").messages
        assert (received.room, received.messages[0].text) == ("one", "in one")
        anna.send_frame("chat", room="two", text="in two")
        received = boris.receive("messages").messages
        assert (received.room, received.messages[0].text, received.messages[0].id) == ("two", "in two", 1)
        boris.send_frame(leave=pb.Leave(room="one"))
        assert receive_rest(anna) == ["Boris"]
        anna.send_frame("chat", room="one", text="not for Boris")
        boris.say("to two", room="two")
        received = boris.receive("messages").messages
        assert (received.room, received.messages[0].text) == ("two", "to two")


def test_a_refusal_is_sent_and_the_stream_goes_on(
    server: RunningServer, caller: Caller, make_client: ClientMaker
) -> None:
    anna = make_client()
    anna.join("Anna")
    with caller.converse() as boris:
        boris.send_frame(join=pb.Join(user="Аnna"))  # the first letter is Cyrillic
        assert boris.refused().code == pb.CODE_NAME_TAKEN
        boris.send_frame(join=pb.Join(user="Boris", room="a/b"))
        assert boris.refused().code == pb.CODE_BAD_ROOM
        boris.say("not yet", key="k0")
        assert boris.refused().code == pb.CODE_NOT_JOINED
        boris.join("Boris")
        boris.send_frame(join=pb.Join(user="Boris"))
        assert boris.refused().code == pb.CODE_ALREADY_JOINED
        boris.say(" ", key="k1")
        refused = boris.refused()
        assert (refused.code, refused.key, refused.room) == (pb.CODE_EMPTY_TEXT, "k1", "main")
        assert len(refused.text) > 10
        boris.say("x" * 5_001, key="k2")
        refused = boris.refused()
        assert (refused.code, refused.key) == (pb.CODE_TEXT_TOO_LONG, "k2")
        boris.say("x", key="Ж")
        assert boris.refused().code == pb.CODE_BAD_KEY
        boris.send_frame(history=pb.ListHistory(room="elsewhere", before=1))
        assert boris.refused().code == pb.CODE_NOT_JOINED
        boris.say("good", key="k3")
        assert ids(boris.receive_to(1)) == [1]
    assert figures(server)["besedka_refusals_total:not_joined"] == 2


def test_a_client_that_is_too_fast_is_refused_with_a_time_to_wait_and_its_messages_keep_their_order(
    make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    server = make_server("--rate", "2", "--lang", "en", module=BENT, grpc=True, **clock.environment).start()
    with Caller(server) as caller, caller.converse() as boris:
        boris.join("Boris")
        for number in range(22):
            boris.say(f"{number}", key=f"k{number}")
        refusals = [boris.refused() for _ in range(2)]
        assert [(one.code, one.key) for one in refusals] == [
            (pb.CODE_TOO_FAST, "k20"),
            (pb.CODE_TOO_FAST, "k21"),
        ]
        assert all(1 <= one.retry_after < 2 for one in refusals)
        clock.jump(refusals[0].retry_after)
        for number in (20, 21):
            boris.say(f"{number}", key=f"k{number}")
        assert [message.text for message in boris.receive_to(22)][-2:] == ["20", "21"]


def test_what_is_said_again_is_stored_once_also_after_a_crash(server: RunningServer, caller: Caller) -> None:
    with caller.converse() as boris:
        epoch = boris.join("Boris").epoch
        for _ in range(2):
            boris.say("once", key="k", after=0)
            (message,) = boris.receive("messages").messages.messages
            assert (message.id, message.key) == (1, "k")
        server.kill()
    server.start()
    with Caller(server) as caller_, caller_.converse() as boris:
        welcome = boris.join("Boris", since=0)
        assert welcome.epoch == epoch != ""
        boris.say("once", key="k", after=0)
        boris.say("something new", key="l")
        heard = boris.receive_to(2)
        assert {message.id: message.key for message in heard if message.key} == {1: "k", 2: "l"}
    assert [read_line(line).text for line in server.lines] == ["once", "something new"]


def test_a_cursor_is_used_or_refused_as_over_the_socket(caller: Caller) -> None:
    epoch = caller.import_([speaker("Old"), *many(f"{number}" for number in range(30))]).epoch
    with caller.converse() as boris:
        assert not boris.join("Boris", since=3, epoch=epoch).reset
        assert ids(boris.receive_to(30)) == list(range(4, 31))
    with caller.converse() as clara:
        assert clara.join("Clara", since=3, epoch="another").reset
        assert ids(clara.receive_to(30)) == list(range(21, 31))


def test_a_name_may_be_used_by_several_streams_of_one_person(caller: Caller) -> None:
    with caller.converse() as one, caller.converse() as other, caller.converse() as stranger:
        one.join("Boris", secret="s")
        assert other.join("Boris", secret="s").clients_count == 1
        stranger.send_frame(join=pb.Join(user="Boris"))
        assert stranger.refused().code == pb.CODE_NAME_CLAIMED
        one.say("I say", key="k")
        assert ids(other.receive_to(1)) == [1]


def test_a_client_that_ends_its_requests_goes_on_receiving(caller: Caller, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    with caller.converse() as boris:
        boris.join("Boris")
        boris.say_no_more()
        anna.send_frame("chat", text="still there?")
        assert boris.receive_to(1)[0].text == "still there?"
        assert caller.rooms() == {"main": 2}
    wait_until(lambda: caller.rooms() == {"main": 1})


def test_a_stream_in_no_room_ends_with_the_requests_after_all_answers(
    server: RunningServer, caller: Caller
) -> None:
    requests = [
        pb.ConverseRequest(list_rooms=pb.ListRooms(key="r")),
        pb.ConverseRequest(join=pb.Join(user="Boris")),
        pb.ConverseRequest(say=pb.Say(text="and goodbye", key="k")),
        pb.ConverseRequest(leave=pb.Leave()),
    ]
    for asked, kinds in ((requests[:1], {"rooms"}), (requests, {"rooms", "welcome"})):
        answers = list(caller.stub.Converse(iter(asked), timeout=60))
        assert kinds <= {answer.WhichOneof("event") for answer in answers}
    # Left before their own message was delivered to them: it is stored all the same.
    wait_until(lambda: server.lines[-1:] and server.lines[-1].endswith("Boris: and goodbye"))
    wait_until(lambda: no_stream_is_open(server))


def test_the_limit_of_a_frame_in_the_welcome_is_that_of_a_request(caller: Caller) -> None:
    def of_size(size: int) -> pb.ConverseRequest:
        request = pb.ConverseRequest(say=pb.Say(key="k", text="x" * (size - 20)))
        request.say.text += "x" * (size - request.ByteSize())
        assert request.ByteSize() == size
        return request

    with caller.converse() as anna:
        limit = anna.join("Anna").limits.frame
        anna.send(of_size(limit))
        refused = anna.refused()
        assert (refused.code, refused.key) == (pb.CODE_TEXT_TOO_LONG, "k")
        # Waiting helps against none of these.
        assert refused.retry_after == 0
        anna.send(of_size(limit + 1))
        ending = anna.ending()
        assert (ending.reason, ending.retry_seconds) == ("frame_too_long", 0)
        assert str(limit) in ending.sentence


def test_a_subscriber_is_notified_when_the_log_is_another(server: RunningServer, caller: Caller) -> None:
    caller.import_([speaker("Anna"), *many(f"old {number}" for number in range(20))])
    with caller.converse() as boris:
        old = boris.join("Boris").epoch
        boris.receive_to(20)
        server.history.write_text("[2025-01-01 00:00:00] Other: hands\n")
        boris.say("new", key="k")
        welcome = boris.receive("welcome").welcome
        assert welcome.reset
        assert welcome.epoch not in {"", old}
        assert [(m.text, m.key) for m in boris.receive_to(2)] == [("hands", ""), ("new", "k")]


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([], "bad_frame"),
        ([pb.ConverseRequest(say=pb.Say(text="x"))], "bad_frame"),
        ([pb.ConverseRequest(leave=pb.Leave())], "bad_frame"),
        ([pb.ConverseRequest()], "unknown_type"),
        ([pb.ConverseRequest(join=pb.Join(user="Visitor")), pb.ConverseRequest()], "unknown_type"),
    ],
    ids=["nothing", "a message", "a leave", "an empty request", "an empty request after the join"],
)
def test_a_stream_that_breaks_the_protocol_is_ended_with_a_reason(
    server: RunningServer,
    caller: Caller,
    make_client: ClientMaker,
    requests: list[pb.ConverseRequest],
    reason: str,
) -> None:
    bystander = make_client()
    bystander.join("Bystander")
    call = caller.stub.Converse(iter(requests), timeout=60)
    refused = refusal(lambda: list(call))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert len(refused.sentence) > 10
    wait_until(lambda: caller.rooms() == {"main": 1})
    bystander.send_frame("chat", text="all is well")
    assert bystander.receive("chat")["text"] == "all is well"
    assert no_stream_is_open_but(server, 1)


def test_a_request_that_is_too_long_ends_only_its_own_stream(
    caller: Caller, make_client: ClientMaker
) -> None:
    bystander = make_client()
    bystander.join("Bystander")
    with caller.converse() as visitor, caller.converse() as neighbour:
        visitor.join("Visitor")
        neighbour.join("Neighbour")
        visitor.say("x" * 1_100_000)
        assert visitor.ending().code is grpc.StatusCode.RESOURCE_EXHAUSTED
        neighbour.say("all is well")
        assert bystander.receive("chat")["text"] == "all is well"


def test_bytes_that_are_no_message_end_only_their_own_stream(
    caller: Caller, make_client: ClientMaker
) -> None:
    bystander = make_client()
    bystander.join("Bystander")
    method = caller.channel.stream_stream(
        "/besedka.v1.Chat/Converse",
        lambda given: given if isinstance(given, bytes) else given.SerializeToString(),
        pb.ConverseResponse.FromString,
    )
    with Conversing(method) as visitor:
        visitor.join("Visitor")
        visitor.send(b"\x12\x04\x12\x02\xff\xfe")
        refused = visitor.ending()
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_frame")
    bystander.send_frame("chat", text="all is well")
    assert bystander.receive("chat")["text"] == "all is well"


def test_a_flood_of_requests_is_read_later_and_nobody_else_notices(
    make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    server = make_server("--rate", "10", module=BENT, grpc=True, **clock.environment).start()
    with Caller(server) as caller, WireClient(server) as bystander, caller.converse() as visitor:
        bystander.join("Bystander")
        visitor.join("Visitor")
        for _ in range(500):
            visitor.send_frame(join=pb.Join(user="Visitor"))
        visitor.refused()
        for number in range(20):
            bystander.send_frame("chat", text=f"all is well {number}")
            assert bystander.receive("chat")["text"] == f"all is well {number}"
        assert figures(server)["besedka_refusals_total:already_joined"] < 100


def test_a_message_that_the_disk_does_not_take_is_refused_with_its_key(make_server: ServerMaker) -> None:
    plan = {"call": "write", "at": 1, "times": 1, "errno": "ENOSPC"}
    server = make_server(module="tests.torture.faulty_server", FAULTS=json.dumps(plan), grpc=True).start()
    with Caller(server) as caller, caller.converse() as boris:
        boris.join("Boris")
        boris.say("no room", key="k")
        refused = boris.refused()
        assert (refused.code, refused.key) == (pb.CODE_STORAGE_FULL, "k")
        boris.say("no room", key="k")
        assert ids(boris.receive_to(1)) == [1]
