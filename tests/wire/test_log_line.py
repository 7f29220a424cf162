"""A message and its lines in the log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import TypedDict, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from besedka.wire.errors import Refused
from besedka.wire.log_line import (
    ENTRY,
    FIRST_LINE,
    can_be_author,
    read_line,
    readable_line,
    show_line,
    stamp,
    stamp_by_clock,
    write_line,
)
from besedka.wire.message import Message
from besedka.wire.validation import clean_name, clean_text
from tests.lengths import often


class Vector(TypedDict):
    """One case that Python and JavaScript share."""

    raw: str
    user: str
    text: str
    day: str
    time: str


VECTORS = Path(__file__).parents[1] / "vectors" / "lines.json"
CASES = cast("list[Vector]", json.loads(VECTORS.read_text(encoding="utf-8")))


STAMP = "2025-11-19 23:46:36"
LINE_BREAKS = "\n\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"
"""The ten characters at which `str.splitlines` cuts."""

STAMPS = st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda at: at.strftime("%Y-%m-%d %H:%M:%S"))  # noqa: DTZ001


def cleaned(clean: Callable[[str], str], raw: str, instead: str) -> str:
    try:
        return clean(raw)
    except Refused:
        return instead


NAMES = (
    st.text(st.characters(categories=["L", "Mn", "N", "P", "S"], exclude_characters=":"), max_size=32)
    | st.sampled_from(["Anna", "Пётр", "[2025-01-01 00", "a]b", "李 小龍", "a; b"])
).map(lambda raw: cleaned(clean_name, raw, instead="Anna"))

PIECES = st.sampled_from(
    [
        *LINE_BREAKS,
        *("\t", " ", ":", ": ", "\n\t", "\r\n"),
        f"[{STAMP}] Boris: forged",
        f"\n[{STAMP}] Boris: forged",
    ]
)
TEXTS = (
    st.lists(PIECES | st.text(max_size=5), min_size=1, max_size=10)
    .map("".join)
    .map(lambda raw: cleaned(clean_text, raw, instead="+1"))
)

LINES = st.builds(Message, STAMPS, NAMES, TEXTS)

BYTES_LIKE_A_LINE = st.builds(
    lambda head, pieces: head + b"".join(pieces),
    st.sampled_from(
        [
            b"",
            b"[2025-11-19 23:46:36] ",
            b"[2025-11-19 23:46:36]",
            b"[2025-11-19 23:46:36] Anna:",
            b"\t[2025-11-19 23:46:36] Anna: ",
            "[٢٠٢٥-11-19 23:46:36] Anna: ".encode(),
            b"[2025-11-19 23:46:3",
        ]
    ),
    st.lists(
        st.sampled_from([b":", b" ", b"\r", b"a", b"\xff", b"\t", b"\xe2\x80\xa8", b"\x85"])
        | st.binary(max_size=3)
    ),
)


# Writing and reading.


def test_a_message_is_written_as_the_log_shows_it() -> None:
    assert write_line(Message(STAMP, "Anna", "Hello")) == "[2025-11-19 23:46:36] Anna: Hello"


def test_each_further_line_of_a_text_is_written_after_a_tab() -> None:
    assert (
        write_line(Message(STAMP, "Anna", "a\n\nb\n\tc")) == "[2025-11-19 23:46:36] Anna: a\n\t\n\tb\n\t\tc"
    )


@example("<>> ")
@given(st.lists(PIECES | st.text(max_size=3) | st.sampled_from(["<", "> ", "a"]), max_size=4).map("".join))
def test_a_name_that_can_be_an_author_is_read_as_it_was_written_and_no_other(name: str) -> None:
    written = write_line(Message(STAMP, name, "hi"))
    try:
        is_read_the_same = read_line(written) == Message(STAMP, name, "hi")
    except ValueError:
        is_read_the_same = False
    is_message = FIRST_LINE.match(written.encode("utf-8", "replace")) is not None
    assert can_be_author(name) == (is_read_the_same and is_message)


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case["raw"])[22:60])
def test_python_reads_the_cases_that_it_shares_with_javascript(case: Vector) -> None:
    line = read_line(case["raw"])
    assert line == Message(f"{case['day']} {case['time']}", case["user"], case["text"])


def test_the_shared_cases_are_all_different() -> None:
    assert len({case["raw"] for case in CASES}) == len(CASES) >= 15


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "Anna: Hello",
        "[2025-11-19 23:46:36] Anna",
        "[2025-11-19 23:46:36] Anna:Hello",
        "[2025-11-19 23:46:36] Anna\n\t: Hello",
        "[2025-11-19 23:46:36]Anna: Hello",
        "[2025-11-19T23:46:36] Anna: Hello",
        "[2025-11-19 23:46] Anna: Hello",
        " [2025-11-19 23:46:36] Anna: Hello",
        "\t[2025-11-19 23:46:36] Anna: Hello",
        "\n[2025-11-19 23:46:36] Anna: Hello",
    ],
    ids=ascii,
)
def test_a_line_that_starts_no_message_is_not_read_as_one(raw: str) -> None:
    assert not FIRST_LINE.match(raw.encode() + b"\n")
    with pytest.raises(ValueError, match="not a message of the log"):
        read_line(raw)


def test_the_error_for_a_line_that_is_no_message_does_not_repeat_all_of_it() -> None:
    with pytest.raises(ValueError, match="not a message of the log") as error:
        read_line("x" * 10_000)
    assert len(str(error.value)) < 200


@often(100)
@given(LINES)
@example(
    Message(STAMP, "Anna", LINE_BREAKS.replace("\r", "").replace("\x85", "").strip("\n") + "\n\t\n\t\tend")
)
def test_what_is_written_is_read_back(line: Message) -> None:
    assert read_line(write_line(line)) == line


@often(100)
@given(st.lists(LINES, max_size=6), st.sampled_from([b"\n", b"\r\n"]))
@example([Message(STAMP, "Anna", f"a\n[{STAMP}] Boris: forged\n\t[{STAMP}] Boris: forged")], b"\n")
@example([Message(STAMP, "Anna", "\u2028".join(["a", f"[{STAMP}] Boris: forged"]))], b"\n")
@example([Message(STAMP, "Anna", "[") for _ in range(3)], b"\r\n")
def test_a_log_holds_exactly_the_messages_that_were_written(lines: list[Message], end: bytes) -> None:
    written = [(write_line(line) + "\n").encode().replace(b"\n", end) for line in lines]
    log = b"".join(written)
    offsets = [sum(map(len, written[:number])) for number in range(len(written))]
    assert [match.start() for match in FIRST_LINE.finditer(log)] == offsets
    assert [read_line(show_line(log[start:stop])) for start, stop in pairwise([*offsets, len(log)])] == lines


@pytest.mark.parametrize("breaker", LINE_BREAKS, ids=ascii)
def test_no_line_break_in_a_text_forges_a_message(breaker: str) -> None:
    text = clean_text(f"hi{breaker}[{STAMP}] Boris: forged")
    line = Message(STAMP, "Anna", text)
    log = f"{write_line(line)}\n".encode()
    assert [match.start() for match in FIRST_LINE.finditer(log)] == [0]
    assert read_line(show_line(log)) == line


# Where messages start, and how they are read, must agree.


def is_read(line: bytes) -> bool:
    try:
        read_line(show_line(line))
    except ValueError:
        return False
    return True


@often(100)
@given((st.binary() | BYTES_LIKE_A_LINE).map(lambda line: line.replace(b"\n", b"")))
@example(b"[2025-11-19 23:46:36] Anna:")
@example(b"[2025-11-19 23:46:36] Anna:\r")
@example(b"[2025-11-19 23:46:36] :")
@example(b"[2025-11-19 23:46:36] \xff: \xff")
@example(b"[2025-11-19 23:46:36] <Boris> hi: all")
@example(b"\xef\xbb\xbf[2025-11-19 23:46:36] Anna: hi")
def test_a_line_starts_a_message_exactly_if_it_can_be_read_as_one_by_a_name(line: bytes) -> None:
    is_name = re.match(rb"(\xef\xbb\xbf)?\[[^]]*\] <[^>\n]*> ", line) is None
    assert (FIRST_LINE.match(line + b"\n") is not None) == (is_read(line + b"\n") and is_name)


@pytest.mark.parametrize(
    "line",
    [
        "[2011-10-12 11:12:00 | Edited 11:13:01] Boris: fixed",
        "[2025-11-19 23:46:36] <Boris> hi: all",
        "[2025-11-19 23:46:36] SERVER:Anna has entered the chat",
        "[2014-11-19T23:46:36+0100] <Anna> hi: there",
        "[19.11.2025 23:46:36] Anna: hi",
        "[19.11.25, 23:46:36] Anna: hi",
        "\u200e[19/11/2025, 23:46] Anna: hi",
        "[12 Oct 2011 11:12] Anna: hi",
        "[Oct 12, 2011 11:12 PM] Anna: hi",
        "[20251119T234636] Anna: hi",
        "\0\0\0 a hole",
    ],
    ids=ascii,
)
def test_a_message_in_another_format_is_not_understood(line: str) -> None:
    found = ENTRY.match(f"{line}\n".encode())
    assert found
    assert not found["message"]


@pytest.mark.parametrize(
    "line",
    [
        "[2025-11-19] a date alone",
        "[23:46:36] a time alone: yes",
        "[x] 2025-11-19 23:46:36",
        " [2011-10-12 11:12:00 | Edited] Boris: indented",
        "\t[2011-10-12 11:12:00 | Edited] Boris: ours",
        "[2025-11-19 23:46:36 and much more than forty bytes] Boris: hi",
        "--- Log opened Wed Nov 19 23:46:30 2014",
    ],
    ids=ascii,
)
def test_any_other_line_belongs_to_the_message_above(line: str) -> None:
    assert not ENTRY.match(f"{line}\n".encode())


def test_a_byte_order_mark_hides_no_message_wherever_it_stands() -> None:
    log = "\ufeff[2025-11-19 23:46:36] Anna: one\n\ufeff[2025-11-19 23:46:37] Boris: two\n".encode()
    starts = [match.start() for match in FIRST_LINE.finditer(log)]
    assert starts == [0, log.rindex(b"\xef")]
    assert read_line(show_line(log[starts[1] :])) == Message("2025-11-19 23:46:37", "Boris", "two")


def test_a_stamp_in_digits_of_another_script_starts_no_message() -> None:
    line = "[٢٠٢٥-11-19 23:46:36] Anna: Hello\n".encode()
    assert not FIRST_LINE.match(line)
    assert not is_read(line)


def test_two_carriage_returns_after_the_colon_are_judged_alike_by_both() -> None:
    line = b"[2025-11-19 23:46:36] Anna:\r\r\n"
    assert (FIRST_LINE.match(line) is not None) == is_read(line)


@often(100)
@given(st.lists(BYTES_LIKE_A_LINE | st.sampled_from([b"", b"\r"]), max_size=8).map(b"\n".join))
def test_whatever_a_log_holds_each_message_that_is_found_in_it_can_be_read(log: bytes) -> None:
    starts = [match.start() for match in FIRST_LINE.finditer(log + b"\n")]
    for start, stop in pairwise([*starts, len(log) + 1]):
        line = read_line(show_line((log + b"\n")[start:stop]))
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line.stamp, re.ASCII)


# Files of other programs.


def test_a_file_from_windows_reads_the_same() -> None:
    unix = b"[2025-11-19 23:46:36] Anna: Hello\n\tsecond\nby hand\n"
    windows = unix.replace(b"\n", b"\r\n")
    assert show_line(windows) == show_line(unix)
    assert read_line(show_line(windows)) == Message(STAMP, "Anna", "Hello\nsecond\nby hand")


def test_bytes_that_are_no_utf_8_are_shown_as_replacement_characters() -> None:
    raw = b"[2025-11-19 23:46:36] Bj\xf6rn: caf\xe9 \xf0\x9f\n"
    assert read_line(show_line(raw)) == Message(STAMP, "Bj\ufffdrn", "caf\ufffd \ufffd")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n", b" \r\n"], ids=ascii)
def test_a_message_whose_text_an_editor_stripped_is_still_a_message(end: bytes) -> None:
    raw = b"[2025-11-19 23:46:36] Anna:" + end
    assert FIRST_LINE.match(raw)
    assert read_line(show_line(raw)) == Message(STAMP, "Anna", "")


def test_a_message_whose_first_line_an_editor_stripped_keeps_the_others() -> None:
    raw = b"[2025-11-19 23:46:36] Anna:\n\tsecond\n\tthird\n"
    assert read_line(show_line(raw)) == Message(STAMP, "Anna", "\nsecond\nthird")


def test_a_further_line_written_by_hand_needs_no_tab() -> None:
    log = b"[2025-11-19 23:46:36] Anna: a\nby hand\n\n  indented\n[2025-11-19 23:46:39] Boris: b\n"
    first, second = (match.start() for match in FIRST_LINE.finditer(log))
    assert read_line(show_line(log[first:second])).text == "a\nby hand\n\n  indented"
    assert read_line(show_line(log[second:])).text == "b"


def test_lines_before_the_first_message_belong_to_none() -> None:
    log = b"a note\n\n[2025-11-19 23:46:36] Anna: a\n"
    assert [match.start() for match in FIRST_LINE.finditer(log)] == [8]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", ""),
        (b"a", "a"),
        (b"a\n", "a"),
        (b"a\r\n", "a"),
        (b"a\n\n", "a\n"),
        (b"a\rb\n", "a\rb"),
        (b"a\r", "a\r"),
    ],
)
def test_only_the_last_line_end_is_taken_off(raw: bytes, shown: str) -> None:
    assert show_line(raw) == shown


# Stamps.

MOMENT = 1_763_596_000.75  # 2025-11-19 23:46:40.75 UTC


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (0, "2025-11-19 23:46:40"),
        (3, "2025-11-20 02:46:40"),
        (-5, "2025-11-19 18:46:40"),
        (5.75, "2025-11-20 05:31:40"),
    ],
)
def test_a_stamp_is_the_clock_time_of_its_zone(hours: float, shown: str) -> None:
    assert stamp(MOMENT, timezone(timedelta(hours=hours))) == shown


def test_a_stamp_in_utc_is_the_time_of_utc() -> None:
    assert stamp(MOMENT, UTC) == "2025-11-19 23:46:40"
    assert stamp(0, UTC) == "1970-01-01 00:00:00"


def test_a_stamp_without_a_zone_is_the_clock_time_of_the_machine() -> None:
    assert stamp(MOMENT, None) == datetime.fromtimestamp(int(MOMENT)).strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ006


@often(100)
@given(st.integers(0, 4_000_000_000), NAMES, TEXTS)
def test_a_message_stamped_now_can_be_read(at: int, user: str, text: str) -> None:
    line = Message(stamp(at, UTC), user, text)
    assert read_line(write_line(line)) == line


@pytest.mark.parametrize(
    ("offset", "clock", "shown"),
    [
        (3600, "13:00:00", "2025-07-01 13:00:00"),  # the offset is that of winter, the message is of summer
        (7200, "13:00:00", "2025-07-01 13:00:00"),
        (7200, "12:00:00", "2025-07-01 12:00:00"),
        (-7200, "23:30:00", "2025-06-30 23:30:00"),
        (7200, "", "2025-07-01 13:00:00"),
        (7200, "99:99:99", "2025-07-01 13:00:00"),
    ],
)
def test_the_logs_time_is_the_nearest_one_that_its_clock_showed(offset: int, clock: str, shown: str) -> None:
    assert stamp_by_clock(1_751_367_600, offset, clock) == shown


@pytest.mark.parametrize("end", ["", "\r", "\n", "\r\n", " ", " \r\n"])
def test_an_empty_message_that_ends_the_log_is_read_however_it_ends(end: str) -> None:
    raw = b"[2025-11-19 23:46:36] Anna:" + end.encode()
    assert FIRST_LINE.match(raw)
    assert read_line(readable_line(raw)) == Message("2025-11-19 23:46:36", "Anna", "")
