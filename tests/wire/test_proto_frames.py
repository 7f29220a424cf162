"""Words as protobuf messages and back, and that the tables beside the proto are whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from subprocess import run

import grpc
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from besedka.proto import frames as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.grpc.service import ChatService
from besedka.serve.doors.grpc.status import FIELDS, STATUS
from besedka.serve.metrics import Metrics
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import (
    Act,
    AddDevice,
    BeginTyping,
    Block,
    Chat,
    ClientFrame,
    Device,
    DeviceLink,
    Done,
    Error,
    Found,
    History,
    Invitation,
    Invite,
    Join,
    Kind,
    Leave,
    Limits,
    ListHistory,
    ListRooms,
    MarkRead,
    Moderate,
    OpenDirect,
    OpenPrivate,
    ReadUpTo,
    Redacted,
    Rights,
    RoomEntry,
    RoomOpened,
    Rooms,
    Say,
    Search,
    ServerFrame,
    System,
    TakeDevice,
    Typing,
    Unblock,
    Uninvite,
    Welcome,
)
from besedka.wire.log_line import write_line
from besedka.wire.message import Message
from besedka.wire.validation import DEFAULT_ROOM

ROOT = Path(__file__).parents[2]

STRINGS = st.text(max_size=20)
ROOMS = st.text(min_size=1, max_size=20)
IDS = st.integers(1, 2**64 - 1)
CURSORS = st.none() | st.integers(0, 2**64 - 1)
COUNTS = st.integers(0, 2**32 - 1)
NAMES = st.sampled_from(["Anna", "Пётр", "[2025-01-01 00", "李 小龍"])
TEXTS = st.lists(
    st.sampled_from(["a", "\n", "\t", ": ", "ё", "[2025-01-01 00:00:00] Boris: "]), min_size=1
).map("".join)
OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: quarters * 900)
MOMENTS = st.integers(1, 2**33)
KINDS = st.sampled_from(Kind)

CLIENT_WORDS: st.SearchStrategy[ClientFrame] = st.one_of(
    st.builds(Join, st.none() | STRINGS, ROOMS, CURSORS, STRINGS, STRINGS, st.booleans(), STRINGS),
    st.builds(Say, STRINGS, ROOMS, STRINGS, CURSORS),
    st.builds(ListHistory, IDS, ROOMS, st.integers(1, 2**32 - 1)),
    st.builds(BeginTyping, ROOMS),
    st.builds(Leave, ROOMS),
    st.builds(MarkRead, IDS, ROOMS),
    st.builds(ListRooms, STRINGS, STRINGS, st.integers(1, 2**32 - 1)),
    st.builds(Search, STRINGS, ROOMS, st.integers(0, 2**64 - 1), st.integers(1, 2**32 - 1), STRINGS),
    st.builds(OpenPrivate, STRINGS, STRINGS),
    st.builds(OpenDirect, STRINGS, STRINGS),
    st.builds(Invite, STRINGS, st.integers(1, 2**32 - 1), IDS, STRINGS),
    st.builds(Uninvite, STRINGS, STRINGS, STRINGS),
    st.builds(Block, STRINGS, STRINGS),
    st.builds(Unblock, STRINGS, STRINGS),
    st.builds(AddDevice, STRINGS, STRINGS, STRINGS),
    st.builds(TakeDevice, STRINGS, STRINGS),
    st.builds(
        Moderate,
        st.sampled_from(Act),
        STRINGS,
        ROOMS,
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**64 - 1),
        STRINGS,
        STRINGS,
    ),
)
OTHER_SERVER_WORDS: st.SearchStrategy[ServerFrame] = st.one_of(
    st.builds(
        Welcome,
        STRINGS,
        STRINGS,
        IDS,
        STRINGS,
        COUNTS,
        st.lists(STRINGS, max_size=4),
        st.builds(Limits, COUNTS, COUNTS, COUNTS, COUNTS),
        OFFSETS,
        st.booleans(),
        KINDS,
        STRINGS,
        st.lists(STRINGS, max_size=4),
        CURSORS,
        COUNTS,
    ),
    st.builds(
        System,
        STRINGS,
        STRINGS,
        st.just(""),
        COUNTS,
        st.lists(STRINGS, max_size=4),
        st.lists(STRINGS, max_size=4),
    ),
    st.builds(
        System,
        STRINGS,
        STRINGS,
        st.just(""),
        COUNTS,
        st.just([]),
        st.just([]),
        users=st.lists(STRINGS, max_size=4),
        renamed=st.dictionaries(STRINGS, STRINGS, min_size=1, max_size=4),
        slow=COUNTS,
        archived=st.booleans(),
    ),
    st.builds(Typing, STRINGS, STRINGS),
    st.builds(
        Rooms,
        st.lists(st.builds(RoomEntry, STRINGS, COUNTS, KINDS, STRINGS), max_size=4),
        STRINGS,
        st.lists(STRINGS, max_size=3),
        STRINGS,
    ),
    st.builds(RoomOpened, STRINGS, KINDS, STRINGS, STRINGS),
    st.builds(Invitation, STRINGS, STRINGS, COUNTS, IDS, STRINGS),
    st.builds(DeviceLink, STRINGS, STRINGS, COUNTS, STRINGS),
    st.builds(Device, STRINGS, STRINGS, STRINGS),
    st.builds(Done, STRINGS, STRINGS),
    st.builds(Redacted, STRINGS, IDS, STRINGS),
    st.builds(Rights, STRINGS, st.lists(STRINGS, max_size=4)),
    st.builds(ReadUpTo, STRINGS, IDS),
    st.builds(
        Error,
        st.sampled_from([code.value for code in ErrorCode]),
        STRINGS,
        st.just(""),
        STRINGS,
        STRINGS,
        st.floats(0, 1e6),
    ),
)


def stamp(at: int, offset: int) -> str:
    return (datetime.fromtimestamp(at, UTC) + timedelta(seconds=offset)).strftime("%Y-%m-%d %H:%M:%S")


def zone(offset: int) -> timezone:
    return timezone(timedelta(seconds=offset))


def chat(  # noqa: PLR0917 - the fields of a message
    number: int, at: int, offset: int, user: str, text: str, key: str
) -> Chat:
    return Chat("main", number, user, text, stamp(at, offset)[11:], at, key)


def sent(frame: ServerFrame, offset: int) -> list[ServerFrame]:
    """The frame after a round trip."""
    data = proto.response(frame, zone(offset)).SerializeToString()
    return proto.server_frames(pb.ConverseResponse.FromString(data), offset)


# Round trips.


@given(CLIENT_WORDS)
def test_what_a_client_says_arrives_as_it_was_said(frame: ClientFrame) -> None:
    data = proto.request(frame).SerializeToString()
    assert proto.client_frame(pb.ConverseRequest.FromString(data)) == frame


@given(OTHER_SERVER_WORDS, OFFSETS)
def test_what_a_server_sends_arrives_as_it_was_sent(frame: ServerFrame, offset: int) -> None:
    assert sent(frame, offset) == [frame]


@given(IDS, MOMENTS, OFFSETS, NAMES, TEXTS, STRINGS)
def test_a_message_arrives_with_the_clock_time_of_its_server(  # noqa: PLR0917 - the same
    number: int, at: int, offset: int, user: str, text: str, key: str
) -> None:
    frame = chat(number, at, offset, user, text, key)
    assert sent(frame, offset) == [frame]


@given(st.integers(1, 2**40), st.lists(st.tuples(MOMENTS, NAMES, TEXTS), min_size=1, max_size=4), OFFSETS)
def test_a_page_that_answers_arrives_with_the_lines_of_the_log(
    first: int, said: list[tuple[int, str, str]], offset: int
) -> None:
    lines = [write_line(Message(stamp(at, offset), user, text)) for at, user, text in said]
    frame = History("main", first, lines, before=first + len(lines))
    assert sent(frame, offset) == [frame]


@given(st.integers(1, 2**40), st.lists(st.tuples(MOMENTS, NAMES, TEXTS), min_size=1, max_size=4), OFFSETS)
def test_a_page_for_one_who_reads_on_arrives_as_messages_with_his_keys(
    first: int, said: list[tuple[int, str, str]], offset: int
) -> None:
    chats = [chat(first + i, *one[:1], offset, *one[1:], "k" * (i % 2)) for i, one in enumerate(said)]
    lines = [write_line(Message(stamp(frame.at, offset), frame.user, frame.text)) for frame in chats]
    keys = {frame.id: frame.key for frame in chats if frame.key}
    assert sent(History("main", first, lines, keys=keys), offset) == chats


@given(
    st.lists(st.tuples(IDS, MOMENTS, NAMES, TEXTS), max_size=4), OFFSETS, STRINGS, st.integers(0, 2**64 - 1)
)
def test_what_was_found_arrives_with_its_ids_and_lines(
    said: list[tuple[int, int, str, str]], offset: int, text: str, before: int
) -> None:
    lines = [write_line(Message(stamp(at, offset), user, one)) for _, at, user, one in said]
    frame = Found("main", text, lines, [number for number, *_ in said], before, "key")
    assert sent(frame, offset) == [frame]


@given(st.lists(st.booleans(), max_size=5))
def test_who_is_unverified_is_so_there_too(doubts: list[bool]) -> None:
    doubtful = [number for number, is_so in enumerate(doubts, 1) if is_so]
    lines = ["[2025-11-19 23:46:36] Anna: hi"] * len(doubts)
    page = History("main", 1, lines, before=len(doubts) + 1, unverified=doubtful)
    assert sent(page, 0) == [page]
    found = Found("main", "hi", lines, [*range(1, len(doubts) + 1)], 0, "key", doubtful)
    assert sent(found, 0) == [found]


def test_an_act_that_is_none_is_refused() -> None:
    for act in (0, 99):
        with pytest.raises(Refused) as refused:
            proto.client_frame(pb.ConverseRequest(moderate=pb.Moderate(act=act)))  # type: ignore[arg-type]
        assert refused.value.code is ErrorCode.BAD_FRAME


def test_a_mark_before_all_messages_is_refused() -> None:
    with pytest.raises(Refused, match="`id` is 1 or more") as refused:
        proto.client_frame(pb.ConverseRequest(read=pb.MarkRead()))
    assert refused.value.code is ErrorCode.BAD_FRAME


def test_an_empty_page_arrives_empty() -> None:
    assert sent(History("main", 7, [], before=7), 0) == [History("main", 7, [], before=7)]


def test_a_line_without_a_time_arrives_without_one_and_can_be_read_again() -> None:
    line = "[2025-13-77 99:99:99] Anna: by other hands"
    page = proto.response(History("main", 1, [line], before=2), UTC)
    assert not page.history.messages[0].HasField("time")
    assert proto.server_frames(page, 0) == [
        History("main", 1, ["[0000-00-00 00:00:00] Anna: by other hands"], before=2)
    ]


def test_every_word_makes_a_round_trip_here() -> None:
    expected = {Welcome, History, Chat, System, Typing, Rooms, Found, Redacted, Rights, ReadUpTo, Error}
    assert {*ServerFrame.__args__} == expected | {RoomOpened, Invitation, DeviceLink, Device, Done}
    said = {Join, Say, ListHistory, BeginTyping, Leave, MarkRead, ListRooms, Search, Moderate}
    assert {*ClientFrame.__args__} == said | {
        OpenPrivate,
        OpenDirect,
        Invite,
        Block,
        Unblock,
        Uninvite,
        AddDevice,
        TakeDevice,
    }


def test_what_is_left_out_has_its_default() -> None:
    assert proto.client_frame(pb.ConverseRequest(join=pb.Join(user="Anna"))) == Join("Anna")
    assert proto.client_frame(pb.ConverseRequest(say=pb.Say(text="hi"))) == Say("hi")
    assert proto.client_frame(pb.ConverseRequest(history=pb.ListHistory(before=9))) == ListHistory(9)
    assert proto.client_frame(pb.ConverseRequest(typing=pb.BeginTyping())) == BeginTyping(DEFAULT_ROOM)
    assert proto.client_frame(pb.ConverseRequest(leave=pb.Leave())) == Leave(DEFAULT_ROOM)
    assert proto.client_frame(pb.ConverseRequest(join=pb.Join())) == Join(None)
    assert proto.client_frame(pb.ConverseRequest(list_rooms=pb.ListRooms())) == ListRooms()
    assert proto.client_frame(pb.ConverseRequest(search=pb.Search(text="x"))) == Search("x")


def test_an_empty_name_is_not_the_same_as_none() -> None:
    assert proto.client_frame(pb.ConverseRequest(join=pb.Join(user=""))) == Join("")


def test_a_cursor_of_zero_is_not_the_same_as_none() -> None:
    assert proto.client_frame(pb.ConverseRequest(join=pb.Join(user="Anna", since=0))) == Join("Anna", since=0)
    assert proto.client_frame(pb.ConverseRequest(say=pb.Say(text="x", after=0))) == Say("x", after=0)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (pb.ConverseRequest(), ErrorCode.UNKNOWN_TYPE),
        (pb.ConverseRequest(history=pb.ListHistory()), ErrorCode.BAD_FRAME),
    ],
)
def test_a_request_that_asks_for_nothing_is_refused(request_: pb.ConverseRequest, code: ErrorCode) -> None:
    with pytest.raises(Refused) as refused:
        proto.client_frame(request_)
    assert refused.value.code is code
    assert str(refused.value)


@given(st.binary(max_size=60))
def test_any_bytes_are_words_or_no_message(data: bytes) -> None:
    try:
        request, response = pb.ConverseRequest.FromString(data), pb.ConverseResponse.FromString(data)
    except DecodeError:
        return
    with suppress(Refused):
        proto.client_frame(request)
    proto.server_frames(response, 0)


def test_an_unknown_close_code_of_a_newer_server_is_reported() -> None:
    (frame,) = proto.server_frames(pb.ConverseResponse(refused=pb.Refused(code=99, text="new")), 0)  # type: ignore[arg-type]
    assert isinstance(frame, Error)
    assert frame.text == "new"


# What is shared by bytes.

CHATS = st.lists(st.builds(chat, IDS, MOMENTS, st.just(0), NAMES, TEXTS, STRINGS), min_size=1, max_size=5)


@given(CHATS)
def test_messages_have_the_same_bytes_in_both_streams(frames: Sequence[Chat]) -> None:
    messages = proto.messages(frames)
    followed = pb.FollowResponse(messages=messages).SerializeToString()
    assert followed == pb.ConverseResponse(messages=messages).SerializeToString()


@given(CHATS, CHATS)
def test_two_responses_joined_as_bytes_hold_all_messages_in_order(
    first: Sequence[Chat], second: Sequence[Chat]
) -> None:
    for response in (pb.FollowResponse, pb.ConverseResponse):
        parts = [response(messages=proto.messages(frames)) for frames in (first, second)]
        joined = response.FromString(b"".join(part.SerializeToString() for part in parts))
        assert joined == response(messages=proto.messages([*first, *second]))


# Tables that must be whole.


def test_every_refusal_has_a_status() -> None:
    assert set(STATUS) == set(ErrorCode)
    assert grpc.StatusCode.OK not in STATUS.values()
    assert set(FIELDS) <= set(ErrorCode)


def test_every_refusal_is_in_the_proto_and_no_other() -> None:
    names = {f"CODE_{code.upper()}" for code in ErrorCode}
    assert set(pb.Code.keys()) == {"CODE_UNSPECIFIED", *names}


def test_every_method_of_the_service_is_handled_as_what_it_is() -> None:
    service = pb.DESCRIPTOR.services_by_name["Chat"]
    handlers = ChatService(FakeServices(), None).handlers()  # type: ignore[arg-type]
    assert {
        name: (handler.request_streaming, handler.response_streaming) for name, handler in handlers.items()
    } == {method.name: (method.client_streaming, method.server_streaming) for method in service.methods}
    for method in service.methods:
        request = getattr(pb, method.input_type.name)()
        read = handlers[method.name].request_deserializer
        assert read is not None
        assert type(read(request.SerializeToString()).take()) is type(request)


class FakeServices:
    def __init__(self) -> None:
        self.metrics = Metrics()


def test_the_generated_code_is_fresh(tmp_path: Path) -> None:
    run([sys.executable, ROOT / "tools" / "make_proto.py", tmp_path], check=True)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.py*"))
    assert [path.name for path in made] == ["chat_pb2.py", "chat_pb2.pyi", "chat_pb2_grpc.py"]
    for path in made:
        committed = ROOT / "besedka" / "proto" / path
        assert (tmp_path / path).read_text() == committed.read_text(), "run tools/make_proto.py"
