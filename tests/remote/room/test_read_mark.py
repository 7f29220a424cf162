"""A read mark on its way to the server: the last one counts, it is sent seldom, and again after a loss."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from besedka.remote.room.read_mark import SEND_SECONDS, ReadMark
from besedka.wire.frames import MarkRead, ReadUpTo
from tests.remote.fakes import welcome


def begun(read_up_to: int | None = 0) -> ReadMark:
    mark = ReadMark("main")
    again(mark, read_up_to)
    return mark


def again(mark: ReadMark, read_up_to: int | None, *, is_new: bool = False) -> None:
    mark.begin(msgspec.structs.replace(welcome(100), read_up_to=read_up_to), is_new=is_new)


def test_the_first_mark_is_sent_at_once_and_the_last_of_those_that_follow_after_a_while() -> None:
    mark = begun()
    mark.move(3)
    assert mark.next(10.0) == MarkRead(3, "main")
    mark.move(4)
    mark.move(9)
    assert mark.next(10.0) is None
    assert mark.due() == 10.0 + SEND_SECONDS
    assert mark.next(mark.due()) == MarkRead(9, "main")
    assert mark.next(1_000.0) is None


def test_what_waits_is_sent_before_the_room_is_left_however_early_it_is() -> None:
    mark = begun()
    mark.move(3)
    mark.next(10.0)
    assert mark.last() is None
    mark.move(4)
    assert mark.last() == MarkRead(4, "main")
    assert mark.last() is None


def test_what_the_server_does_not_know_after_a_loss_is_sent_again() -> None:
    mark = begun()
    mark.move(7)
    assert mark.next(10.0) == MarkRead(7, "main")
    again(mark, 5)
    assert mark.up_to == 7
    assert mark.next(100.0) == MarkRead(7, "main")
    again(mark, 9)
    assert mark.up_to == 9
    assert mark.next(200.0) is None


def test_a_mark_of_another_device_counts_if_it_is_further() -> None:
    mark = begun(4)
    mark.receive(ReadUpTo("main", 8))
    mark.move(6)
    assert mark.up_to == 8
    assert mark.next(10.0) is None
    mark.receive(ReadUpTo("main", 5))
    assert mark.up_to == 8


def test_the_marks_of_a_log_that_was_replaced_are_forgotten() -> None:
    mark = begun(40)
    again(mark, 0, is_new=True)
    assert mark.up_to == 0
    assert mark.next(10.0) is None


def test_where_the_server_keeps_no_marks_none_is_sent() -> None:
    mark = begun(None)
    mark.move(3)
    assert mark.up_to is None
    assert mark.next(10.0) is None
    assert mark.last() is None


@given(st.lists(st.tuples(st.sampled_from(["move", "receive", "send"]), st.integers(1, 50)), max_size=30))
def test_a_mark_is_the_highest_of_all_and_what_is_sent_rises(steps: list[tuple[str, int]]) -> None:
    mark, highest, sent, now = begun(), 0, 0, 0.0
    for step, number in steps:
        if step == "send":
            now += SEND_SECONDS
            frame = mark.next(now)
            if frame:
                assert sent < frame.id == highest
                sent = frame.id
            continue
        highest = max(highest, number)
        if step == "move":
            mark.move(number)
        else:
            mark.receive(ReadUpTo("main", number))
        assert mark.up_to == highest
