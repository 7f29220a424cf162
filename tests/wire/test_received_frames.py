"""The frames of a server that a client accepts."""

from __future__ import annotations

import math
from typing import get_args, get_type_hints

import msgspec
import pytest

from besedka.wire.frames import (
    Chat,
    Device,
    DeviceLink,
    Done,
    Error,
    Found,
    History,
    Invitation,
    Kind,
    Limits,
    ReadUpTo,
    Redacted,
    Rights,
    RoomEntry,
    RoomOpened,
    Rooms,
    ServerFrame,
    System,
    Typing,
    Welcome,
)
from besedka.wire.received_frames import check_received

LINE = "[2026-01-01 12:00:00] Anna: hi"
LIMITS = Limits(32, 32, 5000, 65536)

GOOD: list[ServerFrame] = [
    Welcome("main", "Anna", 7, "epoch", 2, ["Anna", "Бо рис"], LIMITS, -3600, may=["moderate"]),
    History("main", 1, [LINE, LINE], keys={1: "key"}, unverified=[2]),
    History("main", 0, []),
    # A log may be written by hand, and hold anything.
    Chat("main", 1, "B\x1bris", "a\x1bb\u2028\n", "12:00:00", 0, "key"),
    System("main", "Anna joined", "12:00:00", 2, ["Anna"], [], users=["Anna"]),
    System("main", "Slow mode is off", "12:00:00", 1, [], [], slow=0),
    System("main", "The room main is archived now", "12:00:00", 1, [], [], archived=True),
    System("main", "Anna is now Bella", "12:00:00", 1, ["Bella"], ["Anna"], renamed={"Anna": "Bella"}),
    Typing("main", "Anna"),
    Rooms([RoomEntry("main", 2), RoomEntry("direct-1", 0, Kind.DIRECT, "Anna")], "key", next="main"),
    Found("main", "hi", [LINE], [1], 0, "key"),
    RoomOpened("direct-1", Kind.DIRECT, "Anna"),
    Invitation("", "token", 1, 2_000_000_000, "key"),
    DeviceLink("token", "Anna", 300, "key"),
    Device("Anna", "a secret of one's own: пароль", "key"),
    Done("done", "key"),
    Redacted("main", 1, "[removed]"),
    Rights("main", ["moderate"]),
    ReadUpTo("main", 7),
    # The room is what was asked for.
    Error("bad_room", "bad", "12:00:00", room="a\nb/c", retry_after=0.5),
    Error("a_code_of_a_newer_server", "?", ""),
]

BROKEN = [
    "a\nb",
    "a\tb",
    "a\rb",
    "a\x0bb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "\x1b[2J",
    "\x07",
    "\x7f",
    "\x9b",
]
ONE_LINE = {
    Welcome: ["room", "user", "peer", "epoch"],
    History: ["room", "key"],
    Chat: ["room", "key"],
    System: ["room"],
    Typing: ["room", "user"],
    Rooms: ["key", "next"],
    Found: ["room", "key"],
    RoomOpened: ["room", "peer", "key"],
    Invitation: ["room", "token", "key"],
    DeviceLink: ["token", "user", "key"],
    Device: ["user", "secret", "key"],
    Done: ["key"],
    Redacted: ["room"],
    Rights: ["room"],
    ReadUpTo: ["room"],
    Error: ["key", "code"],
}
LISTS = {Welcome: ["users", "may"], System: ["joined", "left", "users"], Rights: ["may"]}
NUMBERS = {
    Welcome: ["head", "clients_count", "read_up_to", "slow"],
    History: ["first"],
    Chat: ["id"],
    System: ["clients_count", "slow"],
    Found: ["before"],
    Invitation: ["uses", "expires"],
    DeviceLink: ["seconds"],
    Redacted: ["id"],
    ReadUpTo: ["id"],
}


def test_there_is_an_example_of_each_frame_and_each_text_and_number_of_it_is_checked() -> None:
    # A room of an error, and what a text says, are whatever they are.
    free = {"text", "timestamp", "code", "messages", "user", "room", "type"}
    assert {type(frame) for frame in GOOD} == {*get_args(ServerFrame)}
    for frame in get_args(ServerFrame):
        kinds = get_type_hints(frame)
        texts = {name for name, kind in kinds.items() if kind is str} - free
        assert texts <= {*ONE_LINE.get(frame, [])}, frame
        numbers = {name for name, kind in kinds.items() if kind is int} - {"utc_offset", "at"}
        assert numbers <= {*NUMBERS.get(frame, [])}, frame


@pytest.mark.parametrize("frame", GOOD, ids=lambda frame: type(frame).__name__)
def test_what_a_server_sends_is_accepted(frame: ServerFrame) -> None:
    check_received(frame)


@pytest.mark.parametrize("frame", GOOD, ids=lambda frame: type(frame).__name__)
def test_a_name_a_room_a_token_and_a_secret_are_one_line(frame: ServerFrame) -> None:
    for field in ONE_LINE.get(type(frame), []):
        for text in (*BROKEN, "x" * 300):
            with pytest.raises(ValueError, match=field):
                check_received(msgspec.structs.replace(frame, **{field: text}))
    for field in LISTS.get(type(frame), []):
        for texts in ([*BROKEN], ["Anna"] * 1_001):
            with pytest.raises(ValueError, match=field):
                check_received(msgspec.structs.replace(frame, **{field: texts}))


@pytest.mark.parametrize("frame", GOOD, ids=lambda frame: type(frame).__name__)
def test_a_number_is_in_range(frame: ServerFrame) -> None:
    for field in NUMBERS.get(type(frame), []):
        for number in (-1, 2**53):
            with pytest.raises(ValueError, match=field):
                check_received(msgspec.structs.replace(frame, **{field: number}))


@pytest.mark.parametrize(
    "frame",
    [
        *(Welcome("main", "Anna", 0, "", 1, [], LIMITS, offset) for offset in (86_400, -86_400)),
        *(Error("too_fast", "", "", retry_after=seconds) for seconds in (-1.0, math.nan, math.inf)),
        Device("Anna", ""),
        Device("", "secret"),
        Found("main", "", [LINE], [], 0),
        Found("main", "", [LINE], [-1], 0),
        History("main", 1, [LINE] * 501),
        History("main", 1, ["x" * 65_537]),
        History("main", 1, [LINE], keys={1: "a\tb"}),
        Chat("main", 1, "Anna", "x" * 65_537, "", 0),
        Chat("main", 1, "x" * 5_000, "", "", 0),
        Chat("main", 1, "Boris\n[2026-01-01 12:00:00] Boss", "x", "", 0),
        Chat("main", 1, "Boris\n", "x", "", 0),
        Chat("main", 1, "Boss: hi", "x", "", 0),
        Chat("main", 1, "<Boss> hi", "x", "", 0),
        Found("main", "x" * 70_000, [], [], 0),
        History("main", 1, [], keys=dict.fromkeys(range(501), "key")),
        History("main", 1, [], unverified=[1] * 501),
        Found("main", "", [LINE] * 101, [*range(1, 102)], 0),
        Found("main", "", [], [*range(1, 102)], 0),
        Found("main", "", [], [], 0, unverified=[1] * 101),
        *(Chat("main", 1, "Anna", "x", "", at) for at in (10**17, -(10**17), 253_402_300_800)),
        Rooms([RoomEntry("main", 0)] * 501),
        Rooms([], blocked=["Anna"] * 1_001),
        Rooms([RoomEntry("a\nb", 0)]),
        Rooms([RoomEntry("main", 0, Kind.DIRECT, "a\tb")]),
        Rooms([RoomEntry("main", -1)]),
        Rooms([RoomEntry("direct-1", 0, Kind.DIRECT, "Anna", -1)]),
        Rooms([], blocked=["a\nb"]),
        Rooms([], next="a\nb"),
        Done("x" * 200_000),
    ],
    ids=str,
)
def test_what_no_server_sends_is_refused(frame: ServerFrame) -> None:
    with pytest.raises(ValueError, match="`"):
        check_received(frame)
