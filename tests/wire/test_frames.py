"""The frames of clients and servers."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import (
    FOUND_MESSAGES,
    LAST_SECOND,
    PAGE_MESSAGES,
    Act,
    AddDevice,
    AnyFrame,
    BeginTyping,
    Block,
    Chat,
    ClientFrame,
    Device,
    DeviceLink,
    Done,
    Error,
    Found,
    Frame,
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
    SeedSay,
    ServerFrame,
    System,
    TakeDevice,
    Typing,
    Unblock,
    Uninvite,
    Welcome,
    decode_client,
    decode_seed,
    decode_server,
    encode,
)
from besedka.wire.validation import DEFAULT_ROOM, SYSTEM_NAME
from tests.lengths import often

# One value of each JSON type, and of the numbers that are hard to hold.
VALUES = {
    "null": "null",
    "true": "true",
    "integer": "7",
    "fraction": "1.5",
    "whole fraction": "7.0",
    "beyond a float": "1e400",
    "string": '"x"',
    "number in a string": '"7"',
    "array": '["x"]',
    "object": '{"a":"x"}',
}
STRING = {"string", "number in a string"}
STRING_OR_NULL = {*STRING, "null"}
INTEGER = {"integer"}
INTEGER_OR_NULL = {"integer", "null"}
FIELDS: dict[type[Frame], dict[str, set[str]]] = {
    Join: {
        "user": STRING_OR_NULL,
        "room": STRING,
        "since": INTEGER_OR_NULL,
        "epoch": STRING,
        "secret": STRING,
        "quiet": {"true"},
        "invite": STRING,
        "must_exist": {"true"},
        "rename": {"true"},
    },
    Say: {"text": STRING, "room": STRING, "key": STRING, "after": INTEGER_OR_NULL},
    ListHistory: {
        "before": INTEGER_OR_NULL,
        "room": STRING,
        "limit": INTEGER,
        "from_time": INTEGER_OR_NULL,
        "key": STRING,
    },
    BeginTyping: {"room": STRING},
    Leave: {"room": STRING},
    MarkRead: {"id": INTEGER, "room": STRING},
    ListRooms: {"key": STRING, "after": STRING, "limit": INTEGER, "watch": {"true"}},
    Search: {
        "text": STRING,
        "room": STRING,
        "before": INTEGER,
        "limit": INTEGER,
        "key": STRING,
        "user": STRING,
        "from_time": INTEGER_OR_NULL,
        "to_time": INTEGER_OR_NULL,
    },
    OpenPrivate: {"room": STRING, "key": STRING},
    OpenDirect: {"user": STRING, "key": STRING},
    Invite: {"room": STRING, "uses": INTEGER, "seconds": INTEGER, "key": STRING},
    Uninvite: {"room": STRING, "user": STRING, "key": STRING},
    Block: {"user": STRING, "key": STRING},
    Unblock: {"user": STRING, "key": STRING},
    AddDevice: {"user": STRING, "secret": STRING, "key": STRING},
    TakeDevice: {"token": STRING, "key": STRING},
    Moderate: {
        "act": set(),
        "user": STRING,
        "room": STRING,
        "id": INTEGER,
        "seconds": INTEGER,
        "reason": STRING,
        "key": STRING,
        "to": STRING,
    },
}
SEED_FIELDS = {"user": STRING, "text": STRING}
WHOLE: dict[type[Frame], dict[str, str]] = {
    Join: {},
    Say: {"text": '"hi"'},
    ListHistory: {},
    BeginTyping: {},
    Leave: {},
    MarkRead: {"id": "7"},
    ListRooms: {},
    Search: {},
    OpenPrivate: {"room": '"hi"'},
    OpenDirect: {"user": '"hi"'},
    Invite: {"room": '"hi"'},
    Uninvite: {"room": '"hi"'},
    Block: {"user": '"hi"'},
    Unblock: {"user": '"hi"'},
    AddDevice: {"user": '"hi"', "secret": '"hi"'},
    TakeDevice: {"token": '"hi"'},
    Moderate: {"act": '"kick"'},
}
"""The fields that a frame must have."""

DEEP = 64_000
"""Brackets enough to break a recursive reader, few enough for a frame."""


def json_frame(kind: str, fields: dict[str, str]) -> str:
    members = [f'"type":"{kind}"', *(f'"{name}":{value}' for name, value in fields.items())]
    return "{" + ",".join(members) + "}"


def tag(frame: type[Frame]) -> str:
    return str(frame.__struct_config__.tag)


def answer(decode: Callable[[bytes], AnyFrame], data: bytes) -> AnyFrame | Refused:
    try:
        return decode(data)
    except Refused as refused:
        answered = refused
    assert all(answered.sentence(language) for language in Language)
    return answered


def refusal(data: bytes | str) -> Refused:
    with pytest.raises(Refused) as refused:
        decode_client(data)
    return refused.value


# Every field and every type.


def test_every_field_of_every_client_frame_is_in_the_table_of_this_test() -> None:
    assert set(FIELDS) == {*ClientFrame.__args__}
    for frame, fields in FIELDS.items():
        assert {field.name for field in msgspec.structs.fields(frame)} == set(fields)
    assert {field.name for field in msgspec.structs.fields(SeedSay)} == set(SEED_FIELDS)


@pytest.mark.parametrize(
    ("frame", "field", "value"),
    [
        (frame, field, value)
        for frame, fields in FIELDS.items()
        for field, right in fields.items()
        for value in VALUES
        if value not in right
    ],
)
def test_a_field_of_a_wrong_type_is_refused_and_named(frame: type[Frame], field: str, value: str) -> None:
    refused = refusal(json_frame(tag(frame), WHOLE[frame] | {field: VALUES[value]}))
    assert refused.code is ErrorCode.BAD_FRAME
    for language in Language:
        assert f"`$.{field}`" in refused.sentence(language)


@pytest.mark.parametrize(
    ("frame", "field", "value"),
    [
        (frame, field, value)
        for frame, fields in FIELDS.items()
        for field, right in fields.items()
        for value in sorted(right)
    ],
)
def test_a_field_of_the_right_type_is_taken(frame: type[Frame], field: str, value: str) -> None:
    decoded = decode_client(json_frame(tag(frame), WHOLE[frame] | {field: VALUES[value]}))
    assert type(decoded) is frame
    assert getattr(decoded, field) == json.loads(VALUES[value])


@pytest.mark.parametrize("field", SEED_FIELDS)
@pytest.mark.parametrize("value", sorted(VALUES.keys() - STRING))
def test_a_field_of_a_wrong_type_is_refused_at_the_seeds_door(field: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        decode_seed(json_frame("chat", {"user": '"Anna"', "text": '"hi"', field: VALUES[value]}))
    assert refused.value.code is ErrorCode.BAD_FRAME
    assert f"`$.{field}`" in str(refused.value)


@pytest.mark.parametrize("value", sorted(VALUES.keys() - STRING))
def test_a_type_that_is_no_string_is_refused(value: str) -> None:
    refused = refusal(f'{{"type":{VALUES[value]},"room":"main"}}')
    assert refused.code is ErrorCode.BAD_FRAME
    assert "`$.type`" in str(refused)


@pytest.mark.parametrize(
    ("frame", "field"), [(frame, field) for frame, fields in WHOLE.items() for field in fields]
)
def test_a_field_that_is_missing_is_refused_and_named(frame: type[Frame], field: str) -> None:
    there = {name: value for name, value in WHOLE[frame].items() if name != field}
    refused = refusal(json_frame(tag(frame), there))
    assert refused.code is ErrorCode.BAD_FRAME
    assert f"`{field}`" in str(refused)


def test_fields_that_are_left_out_have_their_defaults() -> None:
    assert decode_client('{"type":"join","user":"Anna"}') == Join("Anna", DEFAULT_ROOM, None, "", "")
    assert decode_client('{"type":"join"}') == Join(None, quiet=False)
    assert decode_client('{"type":"chat","text":"hi"}') == Say("hi", DEFAULT_ROOM, "", None)
    assert decode_client('{"type":"history","before":9}') == ListHistory(9, DEFAULT_ROOM, PAGE_MESSAGES)
    assert decode_client('{"type":"typing"}') == BeginTyping(DEFAULT_ROOM)
    assert decode_client('{"type":"leave"}') == Leave(DEFAULT_ROOM)
    assert decode_client('{"type":"rooms"}') == ListRooms("")
    assert decode_client('{"type":"search","text":"hi"}') == Search("hi", DEFAULT_ROOM, 0, FOUND_MESSAGES)
    assert decode_seed('{"type":"chat","user":"Anna","text":"hi"}') == SeedSay("Anna", "hi")


@pytest.mark.parametrize("frame", FIELDS, ids=tag)
@pytest.mark.parametrize("extra", ["null", "1", '"x"', "[[]]", '{"type":"leave"}', "1e400"])
def test_an_unknown_field_is_let_be(frame: type[Frame], extra: str) -> None:
    plain = decode_client(json_frame(tag(frame), WHOLE[frame]))
    assert decode_client(json_frame(tag(frame), WHOLE[frame] | {"later": extra})) == plain


def test_the_order_of_the_fields_does_not_matter() -> None:
    assert decode_client('{"text":"hi","key":"1","type":"chat"}') == Say("hi", key="1")


# What is no frame.


@pytest.mark.parametrize(
    "data",
    [
        "",
        " ",
        "{",
        "hello",
        '{"type":"leave"',
        '{"type":"leave"} {}',
        "{'type':'leave'}",
        '{"type":"leave",}',
        '{"type":"chat","text":NaN}',
        '{"type":"history","before":Infinity}',
        '{"type":"history","before":-Infinity}',
        '{"type":"history","before":007}',
        '{"type":"chat","text":"a\nb"}',
        '{"type":"chat","text":"\\x41"}',
        '{"type":"chat","text":"\\ud800"}',
        '{"type":"chat","text":"\\ude00\\ud83d"}',
        '{"type":"chat","text":"\\ud83dx"}',
        '\ufeff{"type":"leave"}',
    ],
    ids=ascii,
)
def test_what_is_no_json_is_refused_as_bad_json(data: str) -> None:
    for raw in (data, data.encode()):
        refused = refusal(raw)
        assert refused.code is ErrorCode.BAD_JSON
        assert refused.sentence(Language.RU) == "Ошибка формата сообщения"
        assert refused.sentence(Language.EN) != "The frame is not JSON: "


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"\xfe\xff\x00{",
        b'{"type":"chat","text":"\xff"}',
        b'{"type":"chat","text":"\xc0\xaf"}',
        b'{"type":"chat","text":"\xed\xa0\x80"}',
        b'{"type":"chat","text":"\xf0\x9f"}',
    ],
    ids=ascii,
)
def test_bytes_that_are_no_utf_8_are_refused_as_bad_json(data: bytes) -> None:
    assert refusal(data).code is ErrorCode.BAD_JSON


@pytest.mark.parametrize("decode", [decode_client, decode_seed, decode_server])
def test_a_string_that_no_utf_8_can_hold_is_refused_as_bad_json(decode: Callable[[str], AnyFrame]) -> None:
    with pytest.raises(Refused) as refused:
        decode('{"type":"chat","text":"\ud800"}')
    assert refused.value.code is ErrorCode.BAD_JSON


@pytest.mark.parametrize(
    "data", ["null", "true", "1", "1.5", '"leave"', "[]", '["leave"]', '[{"type":"leave"}]']
)
def test_json_that_is_no_object_is_refused_and_an_object_asked_for(data: str) -> None:
    refused = refusal(data)
    assert refused.code is ErrorCode.BAD_FRAME
    assert "`object`" in str(refused)


def test_an_object_without_a_type_is_refused_and_the_type_asked_for() -> None:
    for data in ("{}", '{"text":"hi"}', '{"Type":"leave"}'):
        refused = refusal(data)
        assert refused.code is ErrorCode.BAD_FRAME
        assert "`type`" in str(refused)


@pytest.mark.parametrize("raw", ["say", "", "Leave", "leave ", "welcome", "system", "привет"])
def test_an_unknown_type_is_refused_and_the_allowed_ones_named(raw: str) -> None:
    refused = refusal(json.dumps({"type": raw, "text": "hi"}))
    assert refused.code is ErrorCode.UNKNOWN_TYPE
    for language in Language:
        sentence = refused.sentence(language)
        assert repr(raw) in sentence
        assert all(tag(frame) in sentence for frame in FIELDS)


def test_the_sentence_for_an_unknown_type_does_not_repeat_all_of_it() -> None:
    refused = refusal(json.dumps({"type": "x" * 60_000}))
    assert refused.code is ErrorCode.UNKNOWN_TYPE
    assert len(str(refused)) < 250


def test_the_seeds_door_knows_only_chat() -> None:
    with pytest.raises(Refused) as refused:
        decode_seed('{"type":"join","user":"Anna"}')
    assert refused.value.code is ErrorCode.UNKNOWN_TYPE
    assert "Allowed: chat" in str(refused.value)


def test_a_client_that_meets_another_server_reports_what_it_expected() -> None:
    with pytest.raises(Refused) as refused:
        decode_server('{"type":"hello"}')
    assert refused.value.code is ErrorCode.UNKNOWN_TYPE
    assert all(tag(frame) in str(refused.value) for frame in ServerFrame.__args__)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("[" * DEEP, ErrorCode.BAD_FRAME),
        ('{"a":' * (DEEP // 3), ErrorCode.BAD_JSON),
        ('{"type":"chat","text":' + "[" * DEEP, ErrorCode.BAD_FRAME),
        ('{"type":"chat","text":"a","later":' + "[" * DEEP, ErrorCode.BAD_JSON),
        ('{"type":"chat","text":"a","later":' + "[" * DEEP + "]" * DEEP + "}", ErrorCode.BAD_JSON),
        (
            '{"later":' + '{"a":' * (DEEP // 6) + "1" + "}" * (DEEP // 6) + ',"type":"leave"}',
            ErrorCode.BAD_JSON,
        ),
    ],
    ids=["array", "object", "field", "open", "closed", "before the type"],
)
def test_deep_nesting_is_refused(data: str, code: ErrorCode) -> None:
    refused = refusal(data)
    assert refused.code is code
    assert all(refused.sentence(language) for language in Language)


def test_some_nesting_in_an_unknown_field_is_let_be() -> None:
    assert decode_client('{"type":"leave","later":' + "[" * 100 + "]" * 100 + "}") == Leave()


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1e400", "-1e400", "1e10", "0.1"])
def test_a_number_that_is_no_integer_or_beyond_reason_is_refused(number: str) -> None:
    refused = refusal(f'{{"type":"history","before":{number}}}')
    assert refused.code is ErrorCode.BAD_FRAME
    assert "`$.before`" in str(refused)


@pytest.mark.parametrize(
    "json_frame",
    ['"join","user":"Anna","since":', '"chat","text":"x","after":', '"search","text":"x","before":'],
)
def test_a_cursor_is_zero_or_more(json_frame: str) -> None:
    assert decode_client(f'{{"type":{json_frame}0}}') is not None
    assert refusal(f'{{"type":{json_frame}-1}}').code is ErrorCode.BAD_FRAME


@pytest.mark.parametrize("field", ["before", "limit"])
@pytest.mark.parametrize("number", [0, -1, -(10**29)])
def test_a_page_begins_and_counts_from_one(field: str, number: int) -> None:
    json_frame = {"type": "history", "before": 1, field: number}
    assert refusal(json.dumps(json_frame)).code is ErrorCode.BAD_FRAME


@pytest.mark.parametrize("number", [1, 2**53 + 1, 2**63 - 1, 2**64, 10**29])
def test_an_integer_of_any_usual_size_is_taken_exactly(number: int) -> None:
    assert decode_client(f'{{"type":"history","before":{number}}}') == ListHistory(number)
    assert decode_server(encode(History("main", 1, [], before=number))) == History(
        "main", 1, [], before=number
    )


# Anything at all.

STRINGS = st.text(max_size=20)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
CURSORS = st.integers(0, 2**64 - 1)
ORDINALS = st.integers(1, 2**64 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=True) | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=5,
)
NAMES_OF_FIELDS = st.sampled_from(
    ["type", "room", "user", "text", "key", "since", "after", "before", "limit", "epoch"]
)
KINDS = st.sampled_from(["join", "chat", "history", "typing", "leave", "rooms", "search", "found", "welcome"])
NEARLY_FRAMES = st.builds(
    lambda kind, rest: json.dumps({"type": kind, **rest}),
    KINDS | JSON,
    st.dictionaries(NAMES_OF_FIELDS, JSON | STRINGS | INTEGERS, max_size=4),
).map(str.encode)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    whole = draw(NEARLY_FRAMES)
    start = draw(st.integers(0, len(whole)))
    stop = draw(st.integers(start, min(len(whole), start + 3)))
    return whole[:start] + draw(st.binary(max_size=3)) + whole[stop:]


@often(150)
@given(st.binary() | NEARLY_FRAMES | damaged())
@example(b"\x00" * 100)
@example(b'{"type":"chat","text":"\\ud800\\u0041"}')
@example(b'{"type":"Invalid value - at `$.type`"}')
@example(b'{"type":"chat","type":"leave"}')
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    decoders: list[Callable[[bytes], AnyFrame]] = [decode_client, decode_seed, decode_server]
    for decode, frames in zip(decoders, (ClientFrame.__args__, [SeedSay], ServerFrame.__args__), strict=True):
        frame = answer(decode, data)
        if isinstance(frame, Refused):
            assert frame.code in {ErrorCode.BAD_JSON, ErrorCode.BAD_FRAME, ErrorCode.UNKNOWN_TYPE}
        else:
            assert type(frame) in frames
            assert encode(frame)


# Round trips.

MOMENTS = st.integers(0, LAST_SECOND)
LISTS = st.lists(STRINGS, max_size=4)
NUMBERS = st.lists(INTEGERS, max_size=4)
KINDS = st.sampled_from(Kind)
LIMITS = st.builds(Limits, INTEGERS, INTEGERS, INTEGERS, INTEGERS)
SERVER_WORDS: st.SearchStrategy[ServerFrame] = st.one_of(
    st.builds(
        Welcome,
        STRINGS,
        STRINGS,
        INTEGERS,
        STRINGS,
        INTEGERS,
        LISTS,
        LIMITS,
        INTEGERS,
        st.booleans(),
        KINDS,
        STRINGS,
        LISTS,
        st.none() | INTEGERS,
    ),
    st.builds(
        History,
        STRINGS,
        INTEGERS,
        LISTS,
        st.none() | INTEGERS,
        unverified=NUMBERS,
        from_time=st.none() | INTEGERS,
    ),
    st.builds(Chat, STRINGS, INTEGERS, STRINGS, STRINGS, STRINGS, INTEGERS, STRINGS, st.booleans()),
    st.builds(System, STRINGS, STRINGS, STRINGS, INTEGERS, LISTS, LISTS, STRINGS),
    st.builds(Typing, STRINGS, STRINGS),
    st.builds(
        Rooms,
        st.lists(st.builds(RoomEntry, STRINGS, INTEGERS, KINDS, STRINGS), max_size=4),
        STRINGS,
        st.lists(STRINGS, max_size=3),
        STRINGS,
    ),
    st.builds(Found, STRINGS, STRINGS, LISTS, NUMBERS, INTEGERS, STRINGS, NUMBERS),
    st.builds(RoomOpened, STRINGS, KINDS, STRINGS, STRINGS),
    st.builds(Invitation, STRINGS, STRINGS, INTEGERS, INTEGERS, STRINGS),
    st.builds(DeviceLink, STRINGS, STRINGS, INTEGERS, STRINGS),
    st.builds(Device, STRINGS, STRINGS, STRINGS),
    st.builds(Done, STRINGS, STRINGS),
    st.builds(Redacted, STRINGS, INTEGERS, STRINGS),
    st.builds(Rights, STRINGS, LISTS),
    st.builds(ReadUpTo, STRINGS, INTEGERS),
    st.builds(Error, STRINGS, STRINGS, STRINGS, STRINGS, STRINGS),
)
CLIENT_WORDS: st.SearchStrategy[ClientFrame] = st.one_of(
    st.builds(
        Join, st.none() | STRINGS, STRINGS, st.none() | CURSORS, STRINGS, STRINGS, st.booleans(), STRINGS
    ),
    st.builds(Say, STRINGS, STRINGS, STRINGS, st.none() | CURSORS),
    st.builds(ListHistory, st.none() | ORDINALS, STRINGS, ORDINALS, st.none() | MOMENTS),
    st.builds(BeginTyping, STRINGS),
    st.builds(Leave, STRINGS),
    st.builds(MarkRead, ORDINALS, STRINGS),
    st.builds(ListRooms, STRINGS, STRINGS, ORDINALS, st.booleans()),
    st.builds(
        Search,
        STRINGS,
        STRINGS,
        CURSORS,
        ORDINALS,
        STRINGS,
        STRINGS,
        st.none() | MOMENTS,
        st.none() | MOMENTS,
    ),
    st.builds(OpenPrivate, STRINGS, STRINGS),
    st.builds(OpenDirect, STRINGS, STRINGS),
    st.builds(Invite, STRINGS, ORDINALS, ORDINALS, STRINGS),
    st.builds(Uninvite, STRINGS, STRINGS, STRINGS),
    st.builds(Block, STRINGS, STRINGS),
    st.builds(Unblock, STRINGS, STRINGS),
    st.builds(AddDevice, STRINGS, STRINGS, STRINGS),
    st.builds(TakeDevice, STRINGS, STRINGS),
    st.builds(Moderate, st.sampled_from(Act), STRINGS, STRINGS, CURSORS, CURSORS, STRINGS, STRINGS, STRINGS),
)


def check_frame(data: bytes, frame: AnyFrame) -> None:
    json_frame = json.loads(data)
    assert json_frame["type"] == tag(type(frame))
    assert b"\n" not in data
    for name, value in json_frame.items():
        if name not in {"type", "limits", "rooms"}:
            assert getattr(frame, name) == value


@given(SERVER_WORDS)
def test_a_word_of_the_server_is_decoded_as_it_was_encoded(frame: ServerFrame) -> None:
    data = encode(frame)
    check_frame(data, frame)
    assert decode_server(data) == frame
    assert decode_server(data.decode()) == frame


@given(CLIENT_WORDS)
def test_a_word_of_a_client_is_decoded_as_it_was_encoded(frame: ClientFrame) -> None:
    data = encode(frame)
    check_frame(data, frame)
    assert decode_client(data) == frame
    assert decode_client(data.decode()) == frame


@given(st.builds(SeedSay, STRINGS, STRINGS))
def test_a_word_of_a_seed_client_is_decoded_as_it_was_encoded(frame: SeedSay) -> None:
    assert decode_seed(encode(frame)) == frame


def test_every_server_word_makes_a_round_trip_here() -> None:
    expected = {Welcome, History, Chat, System, Typing, Rooms, Found, Redacted, Rights, ReadUpTo, Error}
    assert {*ServerFrame.__args__} == expected | {RoomOpened, Invitation, DeviceLink, Device, Done}


def test_a_message_as_it_stands_on_the_wire() -> None:
    frame = Chat("main", 7, "Anna", "Привет", "23:46:36", 1763595996)
    assert json.loads(encode(frame)) == {
        "type": "chat",
        "room": "main",
        "id": 7,
        "user": "Anna",
        "text": "Привет",
        "timestamp": "23:46:36",
        "at": 1763595996,
    }


def test_a_notice_always_says_that_the_system_speaks() -> None:
    json_frame = json.loads(encode(System("main", "A new user joined the chat", "23:46:36", 1, [], [])))
    assert json_frame["user"] == SYSTEM_NAME
    assert json_frame["joined"] == json_frame["left"] == []
