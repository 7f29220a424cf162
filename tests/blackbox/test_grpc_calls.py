"""The unary calls over gRPC, and `Import`, as a client sees them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.wire.log_line import read_line
from besedka.wire.validation import FRAME_BYTES_AT_MOST
from tests.calling import Caller, many, refusal, speaker
from tests.commanding import ASK_SECONDS, wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.holding import FAULTY, Hold, until_it_waits


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server that also speaks gRPC, with English sentences and an empty history, started."""
    return make_server("--lang", "en", grpc=True).start()


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server for many tests, each of which must leave it unharmed."""
    server = RunningServer(tmp_path_factory.mktemp("victim"), "--lang", "en", grpc=True).start()
    try:
        yield server
    finally:
        server.close()
    assert "Traceback" not in server.errors, server.errors


@pytest.fixture
def attacker(victim: RunningServer) -> Iterator[Caller]:
    """Somebody who sends to the victim what no client should; afterwards a bystander talks on, and nothing was stored."""
    with WireClient(victim) as bystander, Caller(victim) as caller:
        bystander.join("Bystander", "quiet")
        yield caller
        assert caller.send("Anna", "and yet I am here", room=f"room-{time.time_ns()}").id == 1
        bystander.send_frame("chat", room="quiet", text="all is well")
        assert bystander.receive("chat")["text"] == "all is well"
    assert victim.lines == []
    assert "Traceback" not in victim.errors, victim.errors


def texts(server: RunningServer) -> list[str]:
    """The messages in the default room's log, without their times."""
    return [read_line(line).text for line in server.lines]


# Send.


def test_send_answers_with_the_place_of_the_message_in_the_log(server: RunningServer, caller: Caller) -> None:
    before, response = int(time.time()), pb.SendResponse()
    for number in range(1, 4):
        response = caller.send("Anna", f"message {number}")
        assert response.id == number
        assert server.lines[number - 1 :][0].endswith(f"] Anna: message {number}")
    assert before <= response.time.seconds <= time.time()
    with WireClient(server) as boris:
        assert boris.join("Boris")["epoch"] == response.epoch != ""


@pytest.fixture
def on_hold(make_server: ServerMaker, hold: Hold) -> RunningServer:
    """A server on a disk that is held when a test says so."""
    return make_server(module=FAULTY, FAULTS=json.dumps(hold.faults), grpc=True).start()


def test_send_answers_when_the_message_is_on_disk_and_not_before(on_hold: RunningServer, hold: Hold) -> None:
    with Caller(on_hold) as caller:
        hold.hold()
        sending = caller.send_later("Anna", "slow disk")
        until_it_waits(on_hold)
        caller.rooms()  # what was answered before this has arrived
        assert not sending.done()
        hold.let_go()
        assert sending.result().id == 1


def test_a_message_that_the_disk_does_not_take_is_refused(make_server: ServerMaker) -> None:
    plan = {"call": "write", "at": 1, "times": 1, "errno": "ENOSPC"}
    server = make_server(module="tests.torture.faulty_server", FAULTS=json.dumps(plan), grpc=True).start()
    with Caller(server) as caller:
        refused = refusal(lambda: caller.send("Anna", "no room", key="k"))
        assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "storage_full")
        assert caller.send("Anna", "no room", key="k").id == 1
        assert texts(server) == ["no room"]


def test_the_same_key_is_stored_once_and_answered_with_the_same_id(
    server: RunningServer, caller: Caller
) -> None:
    caller.send("Boris", "something before")
    first = caller.send("Anna", "once", key="k")
    assert caller.send("Anna", "once", key="k") == first
    assert caller.send("Boris", "another one's key", key="k").id == 3
    assert texts(server) == ["something before", "once", "another one's key"]


def test_the_same_key_at_the_same_time_is_stored_once(on_hold: RunningServer, hold: Hold) -> None:
    with Caller(on_hold) as one, Caller(on_hold) as other:
        hold.hold()
        calls = [
            caller.send_later("Anna", "once", key="k", secret="s")
            for caller in (one, other)
            for _ in range(10)
        ]
        until_it_waits(on_hold)
        for caller in (one, other):
            caller.rooms()  # what was sent before it has arrived
        hold.let_go()
        assert {call.result().id for call in calls} == {1}
        assert texts(on_hold) == ["once"]


def test_strangers_do_not_share_a_name_at_the_same_time(on_hold: RunningServer, hold: Hold) -> None:
    with Caller(on_hold) as caller, WireClient(on_hold) as pavel:
        pavel.join("Павел")
        refused = refusal(lambda: caller.send("Пaвел", "with a Latin a"))
        assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "name_taken")
        hold.hold()
        first = caller.send_later("Anna", "first")
        until_it_waits(on_hold)
        assert caller.send_later("Anna", "second").code() is grpc.StatusCode.ALREADY_EXISTS
        hold.let_go()
        assert first.code() is grpc.StatusCode.OK
        assert caller.send("Anna", "the name is free again").id == 2


def test_a_secret_shows_that_it_is_the_one_who_is_present(server: RunningServer, caller: Caller) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", secret="mine")
        assert caller.send("Anna", "by another way", secret="mine").id == 1
        refused = refusal(lambda: caller.send("Anna", "forged", secret="not mine"))
        assert refused.reason == "name_claimed"
        assert anna.receive("chat")["text"] == "by another way"


def test_what_was_said_before_a_crash_is_known_again_by_after(server: RunningServer, caller: Caller) -> None:
    seen = caller.send("Boris", "before").id
    ids = [caller.send("Anna", "twice the same", key=key).id for key in ("a", "b")]
    server.kill()
    server.start()
    with Caller(server) as again:
        answers = [again.send("Anna", "twice the same", key=key, after=seen).id for key in ("a", "b", "a")]
        assert answers == [*ids, ids[0]]
        assert again.send("Anna", "twice the same", key="c", after=seen).id == 4
        assert len(server.lines) == 4


def test_a_text_is_stored_as_the_other_doors_would(server: RunningServer, caller: Caller) -> None:
    with WireClient(server) as boris:
        boris.join("Boris")
        caller.send("Anna", "one\r\ntwo \x1b[31m\x00\n\n")
        assert boris.receive("chat")["text"] == "one\ntwo ␛[31m␀"
    assert caller.messages().messages[0].text == "one\ntwo ␛[31m␀"


def test_a_room_is_made_by_the_first_message(server: RunningServer, caller: Caller) -> None:
    assert caller.send("Anna", "in a room", room="Garden").id == 1
    assert caller.send("Anna", "in the default one").id == 1
    assert texts(server) == ["in the default one"]
    assert caller.rooms() == {"garden": 0, "main": 0}


def test_a_client_that_is_too_fast_is_refused_with_a_time_to_wait(make_server: ServerMaker) -> None:
    server = make_server("--rate", "1", "--lang", "en", grpc=True).start()
    with Caller(server) as caller, Caller(server) as other:
        for number in range(10):
            caller.send("Anna", f"{number}")
        refused = refusal(lambda: caller.send("Anna", "one too many"))
        assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "too_fast")
        assert 1 <= refused.retry_seconds <= 2
        assert other.send("Boris", "is not bothered").id == 11
        assert len(server.lines) == 11


# ListMessages and ListRooms.


def ids(page: pb.ListMessagesResponse) -> list[int]:
    return [message.id for message in page.messages]


def test_messages_are_listed_forwards_and_backwards(caller: Caller) -> None:
    before = int(time.time())
    sent = caller.import_([speaker("Anna"), *many(f"number\n{number}" for number in range(1, 121))])
    assert ids(caller.messages()) == ids(caller.messages(before=0)) == list(range(71, 121))
    assert ids(caller.messages(before=11)) == list(range(1, 11))
    assert ids(caller.messages(before=11, limit=3)) == [8, 9, 10]
    assert ids(caller.messages(before=1)) == []
    assert ids(caller.messages(before=10**18, limit=2)) == [119, 120]
    assert ids(caller.messages(after=0)) == list(range(1, 51))
    assert ids(caller.messages(after=100, limit=500)) == list(range(101, 121))
    assert ids(caller.messages(after=120)) == []
    page = caller.messages(after=6, limit=1)
    message = page.messages[0]
    assert (message.id, message.user, message.text, message.key) == (7, "Anna", "number\n7", "")
    assert before <= message.time.seconds <= time.time()
    assert (page.head, page.epoch) == (120, sent.epoch)


def test_a_page_has_500_messages_at_most_and_all_are_found_page_by_page(caller: Caller) -> None:
    caller.import_([speaker("Anna"), *many("x" for _ in range(1200))])
    assert ids(caller.messages(after=0, limit=4_000_000_000)) == list(range(1, 501))
    seen: list[int] = []
    while page := ids(caller.messages(after=seen[-1] if seen else 0, limit=500)):
        seen += page
    assert seen == list(range(1, 1201))
    back: list[int] = []
    while page := ids(
        caller.messages(before=back[0] if back else 0, limit=500)
        if not back or back[0] > 1
        else pb.ListMessagesResponse()
    ):
        back = page + back
    assert back == seen


def test_long_messages_come_in_shorter_pages_without_a_hole(caller: Caller) -> None:
    caller.import_([speaker("Anna"), *many(("Ж" * 5_000 for _ in range(400)), each=50)])
    seen: list[int] = []
    while page := ids(caller.messages(after=seen[-1] if seen else 0, limit=500)):
        seen += page
    assert seen == list(range(1, 401))
    assert ids(caller.messages(limit=500))[-1] == 400


def test_a_room_in_which_nothing_was_said_has_no_messages(server: RunningServer, caller: Caller) -> None:
    page = caller.messages()
    assert (ids(page), page.head) == ([], 0)
    with WireClient(server) as anna:
        anna.join("Anna", "empty")
        assert ids(caller.messages(room="Empty")) == []


def test_a_room_that_is_not_there_is_not_found_and_not_made(server: RunningServer, caller: Caller) -> None:
    refused = refusal(lambda: caller.messages(room="nowhere"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "no_such_room")
    assert refused.fields == ["room"]
    assert "nowhere" in refused.sentence
    assert caller.rooms() == {"main": 0}
    assert not [path for path in server.directory.iterdir() if "nowhere" in path.name]


def test_a_cursor_beyond_the_last_message_is_out_of_range(caller: Caller) -> None:
    caller.send("Anna", "the only one")
    refused = refusal(lambda: caller.messages(after=2))
    assert (refused.code, refused.reason) == (grpc.StatusCode.OUT_OF_RANGE, "bad_cursor")
    assert refused.fields == ["after"]
    assert "2" in refused.sentence


def test_rooms_are_listed_by_name_with_the_people_in_them(server: RunningServer, caller: Caller) -> None:
    caller.send("Anna", "x", room="zoo")
    caller.send("Anna", "x", room="bar")
    with WireClient(server) as anna, WireClient(server) as boris:
        anna.join("Anna", "zoo")
        boris.join("Boris", "zoo")
        boris.join("Boris", "new")
        assert list(caller.rooms().items()) == [("bar", 0), ("main", 0), ("new", 1), ("zoo", 2)]
    server.kill()
    server.start()
    with Caller(server) as again:
        assert list(again.rooms()) == ["bar", "main", "zoo"]


# Search.


def test_messages_are_found_by_what_they_say_and_the_older_ones_by_asking_on(caller: Caller) -> None:
    before = int(time.time())
    sent = caller.import_([speaker("Anna"), *many(f"Слово\n{number}" for number in range(1, 61))])
    found = caller.search("СЛОВО")
    assert [message.id for message in found.messages] == list(range(41, 61))
    assert (found.before, found.head, found.epoch) == (41, 60, sent.epoch)
    message = found.messages[0]
    assert (message.id, message.user, message.text) == (41, "Anna", "Слово\n41")
    assert before <= message.time.seconds <= time.time()
    found = caller.search("слово\n1", before=found.before, limit=3)
    assert ([message.id for message in found.messages], found.before) == ([17, 18, 19], 17)
    found = caller.search("слово\n1", before=found.before, limit=4_000_000_000)
    assert ([message.id for message in found.messages], found.before) == ([1, *range(10, 17)], 0)
    assert caller.search("anna") == pb.SearchResponse(head=60, epoch=sent.epoch)


def test_only_a_room_that_is_there_can_be_searched(server: RunningServer, caller: Caller) -> None:
    caller.send("Anna", "Here", room="garden")
    assert [message.id for message in caller.search("here", room="Garden").messages] == [1]
    refused = refusal(lambda: caller.search("x", room="nowhere"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "no_such_room")
    for text in ("", " ", "x" * 5_001):
        refused = refusal(lambda: caller.search(text))  # noqa: B023 - it is called at once
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_search")
        assert refused.fields == ["text"]
    assert not [path for path in server.directory.iterdir() if "nowhere" in path.name]


def test_who_asks_for_many_searches_at_once_does_not_stand_in_the_way_of_others(
    server: RunningServer, caller: Caller
) -> None:
    caller.send("Anna", "word")
    with Caller(server) as greedy:
        request = pb.SearchRequest(text="word")
        # Until it is connected, a client does not know how many calls the server takes at once.
        greedy.stub.Search(request)
        calls = [greedy.stub.Search.future(request) for _ in range(200)]
        # Which of them come first is up to the connection.
        wait_until(lambda: sum(call.done() for call in calls) >= 10)
        # Until a client has the server's settings it may open too many streams, which are refused (RFC 9113, section 8.7).
        ended = [call for call in calls if call.done()]
        taken = [call for call in ended if "error code 7" not in (call.details() or "")]
        assert taken
        assert all(call.result().messages for call in taken)
        begun = time.monotonic()
        assert caller.search("word").messages
        assert time.monotonic() - begun < 1
        assert not all(call.done() for call in calls)
        for call in calls:
            call.cancel()


# Import.


def test_thousands_of_messages_are_imported_in_order(server: RunningServer, caller: Caller) -> None:
    said = [f"number {number}" for number in range(5_000)]
    response = caller.import_([speaker("Anna"), *many(said, each=200)])
    assert (response.count, list(response.ids)) == (5_000, [pb.IdRange(first=1, last=5_000)])
    assert texts(server) == said
    assert response.epoch == caller.messages(limit=1).epoch


def test_the_ids_of_an_import_are_returned_though_others_post_between(
    server: RunningServer, caller: Caller
) -> None:
    said = [f"number {number}" for number in range(600)]

    def with_interruptions() -> Iterator[pb.ImportRequest]:
        yield speaker("Anna")
        for number, request in enumerate(many(said, each=200)):
            yield request
            assert other.send("Boris", f"interruption {number}").id

    with Caller(server) as other:
        response = caller.import_(with_interruptions())
    assert response.count == 600
    assert len(response.ids) > 1
    stored = texts(server)
    found = [stored[i - 1] for one in response.ids for i in range(one.first, one.last + 1)]
    assert found == said
    assert len(stored) == 603


def test_an_import_that_is_repeated_with_its_keys_stores_nothing_twice(
    server: RunningServer, caller: Caller
) -> None:
    requests = [speaker("Anna"), *many((f"{n}" for n in range(50)), 20, (f"k{n}" for n in range(50)))]
    first = caller.import_(requests[:2])
    assert first.count == 20
    assert list(caller.import_(requests).ids) == [pb.IdRange(first=1, last=50)]
    assert caller.import_(requests) == caller.import_(requests)
    assert texts(server) == [f"{number}" for number in range(50)]


@pytest.mark.parametrize(
    ("bad", "reason", "each"), [(" \n", "empty_text", 500), ("x" * 5001, "text_too_long", 3)]
)
def test_a_bad_message_names_its_place_and_all_before_it_are_stored(
    server: RunningServer, caller: Caller, bad: str, reason: str, each: int
) -> None:
    said = [f"{number}" for number in range(30)]
    said[7] = bad
    refused = refusal(lambda: caller.import_([speaker("Anna"), *many(said, each)]))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert refused.fields == ["messages[7]"]
    assert refused.sentence.startswith("messages[7]: ")
    assert texts(server) == said[:7]
    assert caller.send("Anna", "next").id == 8


def test_a_bad_key_names_its_place(server: RunningServer, caller: Caller) -> None:
    keys = ["a", "b", "Ж"]
    refused = refusal(lambda: caller.import_([speaker("Anna"), *many("xyz", keys=keys)]))
    assert (refused.reason, refused.fields) == ("bad_key", ["messages[2]"])
    assert texts(server) == ["x", "y"]


def test_nothing_after_a_message_that_the_disk_refused_is_stored(make_server: ServerMaker) -> None:
    plan = {"call": "write", "at": 3, "times": 1, "errno": "ENOSPC", "delay": 0.05}
    server = make_server(
        "--rate", "0", module="tests.torture.faulty_server", FAULTS=json.dumps(plan), grpc=True
    ).start()
    said = [f"{number}" for number in range(5_000)]
    with Caller(server) as caller:
        refused = refusal(lambda: caller.import_([speaker("Anna"), *many(said, each=20)]))
    assert (refused.code, refused.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "storage_full")
    stored = texts(server)
    assert stored == said[: len(stored)]
    assert refused.fields == [f"messages[{len(stored)}]"]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [pb.ImportRequest()],
        list(many(["no speaker"])),
        [speaker("Anna"), speaker("Boris")],
    ],
    ids=["nothing", "an empty request", "no speaker", "two speakers"],
)
def test_an_import_that_breaks_the_protocol_is_refused(
    attacker: Caller, requests: list[pb.ImportRequest]
) -> None:
    refused = refusal(lambda: attacker.import_(requests))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_frame")
    assert "speaker" in refused.sentence


def test_an_import_of_no_messages_is_no_error(server: RunningServer, caller: Caller) -> None:
    response = caller.import_([speaker("Anna")])
    assert (response.count, list(response.ids)) == (0, [])
    assert server.lines == []


def test_whoever_breaks_an_import_off_leaves_what_he_said_and_no_trace(
    server: RunningServer, caller: Caller, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")

    def unfinished() -> Iterator[pb.ImportRequest]:
        yield speaker("Anna")
        yield from many(["said"])
        boris.receive("chat")
        call.cancel()

    call: Any = caller.stub.Import.future(unfinished())
    with pytest.raises(grpc.FutureCancelledError):
        call.result(60)
    wait_until(
        lambda: caller.send_later("Anna", "the name is free").code() is grpc.StatusCode.OK, ASK_SECONDS
    )
    assert texts(server) == ["said", "the name is free"]


# What no client should send.

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("fields", "code", "reason", "field"),
    [
        ({"text": ""}, INVALID, "empty_text", ["text"]),
        ({"text": " \n\u200b"}, INVALID, "empty_text", ["text"]),
        ({"text": "x" * 5_001}, INVALID, "text_too_long", ["text"]),
        ({"text": "x" * 65_000}, INVALID, "text_too_long", ["text"]),
        ({"user": ""}, INVALID, "bad_name", ["user"]),
        ({"user": "x" * 33}, INVALID, "bad_name", ["user"]),
        ({"user": "a" + "\u0301\u0316" * 15_000}, INVALID, "bad_name", ["user"]),
        ({"user": "x\x00y"}, INVALID, "bad_name", ["user"]),
        ({"user": "x\u202ey"}, INVALID, "bad_name", ["user"]),
        ({"user": "x\ny"}, INVALID, "bad_name", ["user"]),
        ({"user": "System"}, INVALID, "name_reserved", ["user"]),
        ({"room": "../etc"}, INVALID, "bad_room", ["room"]),
        ({"room": "a\x00b"}, INVALID, "bad_room", ["room"]),
        ({"room": "x" * 33}, INVALID, "bad_room", ["room"]),
        ({"key": "x" * 65}, INVALID, "bad_key", ["key"]),
        ({"key": "a b"}, INVALID, "bad_key", ["key"]),
        ({"secret": "x" * 257}, INVALID, "bad_frame", []),
        ({"text": "x" * FRAME_BYTES_AT_MOST}, grpc.StatusCode.RESOURCE_EXHAUSTED, "frame_too_long", []),
        ({"text": "x" * 1_048_576}, grpc.StatusCode.RESOURCE_EXHAUSTED, "", []),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_bad_message_is_refused_with_what_was_wrong(
    attacker: Caller,
    fields: dict[str, str],
    code: grpc.StatusCode,
    reason: str,
    field: list[str],
) -> None:
    refused = refusal(lambda: attacker.send(**{"user": "Anna", "text": "x", **fields}))
    assert (refused.code, refused.reason, refused.fields) == (code, reason, field)
    assert 10 < len(refused.sentence) < 200


@pytest.mark.parametrize(
    "method", ["Send", "ListMessages", "ListRooms", "Search", "Follow", "Import", "Converse"]
)
@pytest.mark.parametrize(
    "data",
    [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0b" * 200, b"\x0a\x01"],
    ids=["half a number", "a length beyond the end", "groups", "cut off"],
)
def test_bytes_that_are_no_message_are_refused(attacker: Caller, method: str, data: bytes) -> None:
    refused = refusal(lambda: attacker.raw(method, data))
    assert (refused.code, refused.reason) == (INVALID, "bad_frame")
    assert len(refused.sentence) > 10


@pytest.mark.parametrize(
    ("method", "field"),
    [
        *(("Send", field) for field in range(1, 6)),
        ("ListMessages", 1),
        ("Search", 1),
        ("Search", 2),
        ("Follow", 1),
    ],
)
@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80"], ids=ascii)
def test_a_string_that_is_no_utf_8_is_refused(attacker: Caller, method: str, field: int, text: bytes) -> None:
    refused = refusal(lambda: attacker.raw(method, bytes([field << 3 | 2, len(text)]) + text))
    assert (refused.code, refused.reason) == (INVALID, "bad_frame")


def test_fields_that_are_not_known_are_let_be(attacker: Caller) -> None:
    assert pb.ListRoomsResponse.FromString(attacker.raw("ListRooms", b"\x7a\x02hi")).rooms


def test_a_method_that_is_not_there_is_unimplemented(attacker: Caller) -> None:
    assert refusal(lambda: attacker.raw("Shout", b"")).code is grpc.StatusCode.UNIMPLEMENTED


def test_headers_that_are_too_big_are_refused(attacker: Caller) -> None:
    request, big = pb.ListRoomsRequest(), [(f"x-{number}", "x" * 4_000) for number in range(10)]
    refused = refusal(lambda: attacker.stub.ListRooms(request, metadata=big, timeout=10))
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert attacker.rooms()


def test_a_deadline_that_has_passed_ends_a_call(on_hold: RunningServer, hold: Hold) -> None:
    with Caller(on_hold) as caller:
        caller.rooms()
        hold.hold()
        request = pb.SendRequest(user="Anna", text="late", key="k")
        sending = caller.stub.Send.future(request, timeout=0.3)  # by the true clock, which is the client's
        until_it_waits(on_hold)
        assert refusal(sending.result).code is grpc.StatusCode.DEADLINE_EXCEEDED
        hold.let_go()
        # It may be stored all the same; the key tells.
        assert caller.send("Anna", "late", key="k").id == 1
        assert texts(on_hold) == ["late"]
