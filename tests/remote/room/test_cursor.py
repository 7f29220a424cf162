"""How far a log was read: what of it is delivered, whatever pages and live messages overlap."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from besedka.remote.room.cursor import Cursor
from besedka.wire.frames import Chat, Found, History
from tests.remote.fakes import welcome


def line(number: int) -> str:
    return f"[2026-01-01 12:00:00] Boris: {number}"


def page(first: int, last: int) -> History:
    return History("main", first, [line(number) for number in range(first, last + 1)])


def live(number: int) -> Chat:
    return Chat("main", number, "Boris", f"{number}", "12:00:00", 0)


@given(
    st.integers(0, 20),
    st.lists(st.one_of(st.integers(1, 8).map(lambda count: -count), st.integers(0, 5)), max_size=20),
)
def test_each_message_is_delivered_once_and_in_order(since: int, steps: list[int]) -> None:
    cursor, head, delivered = Cursor(since, ""), since, []
    cursor.begin(welcome(since))
    for step in steps:
        if step < 0:
            # A page that begins where some of it is known already.
            delivered += cursor.receive_history(page(max(1, head + step), head + 3))
            head += 3
        else:
            # A live message that comes once more, or is new.
            number = max(1, head + 1 - step)
            delivered += cursor.receive(live(number))
            head = max(head, number)
    assert [message.id for message in delivered] == list(range(since + 1, head + 1))
    assert [message.text for message in delivered] == [f"{number}" for number in range(since + 1, head + 1)]
    assert cursor.since == cursor.last == max(head, since)


def test_what_the_log_held_when_the_room_was_joined_first_is_old_and_stays_so() -> None:
    cursor = Cursor(None, "")
    cursor.begin(welcome(3))
    assert cursor.post_after == 3
    received = cursor.receive_history(page(2, 4))
    cursor.begin(welcome(9))
    received += cursor.receive(live(5))
    assert [(message.id, message.is_old) for message in received] == [
        (2, True),
        (3, True),
        (4, False),
        (5, False),
    ]


def test_who_has_read_nothing_of_a_log_yet_begins_again_as_at_first() -> None:
    cursor = Cursor(None, "")
    cursor.begin(welcome(1_000))
    assert cursor.since is None  # the last messages, and not all of them
    cursor.receive_history(page(991, 996))
    assert cursor.since == 996
    of_empty_log = Cursor(None, "")
    of_empty_log.begin(welcome(0))
    assert of_empty_log.since == 0


def test_messages_are_our_own_by_the_name_that_the_server_uses() -> None:
    cursor = Cursor(0, "")
    cursor.begin(msgspec.structs.replace(welcome(), user="Boris"))
    assert [message.is_own for message in cursor.receive(live(1))] == [True]
    cursor.begin(welcome())
    assert [message.is_own for message in cursor.receive(live(2))] == [False]


def test_another_epoch_begins_anew_but_not_the_first_one() -> None:
    cursor = Cursor(None, "")
    assert not cursor.begin(welcome(0, epoch=""))
    assert not cursor.begin(welcome(1, epoch="first"))
    cursor.receive(live(1))
    assert cursor.begin(welcome(7, epoch="second"))
    assert (cursor.last, cursor.epoch, cursor.post_after) == (0, "second", 7)


def test_an_epoch_that_was_kept_is_found_to_be_another_by_the_server() -> None:
    cursor = Cursor(5, "kept")
    assert cursor.since == 5
    assert cursor.begin(msgspec.structs.replace(welcome(7, epoch="now"), reset=True))
    assert cursor.since is None  # its last messages


def test_pages_that_were_asked_for_and_found_messages_do_not_move_it() -> None:
    cursor = Cursor(5, "epoch")
    cursor.begin(welcome(9))
    unverified = msgspec.structs.replace(page(1, 2), unverified=[2])
    assert [(message.id, message.is_unverified) for message in cursor.read(unverified)] == [
        (1, False),
        (2, True),
    ]
    found = Found("main", "x", [line(3), line(8)], [3, 8], 0)
    assert [message.id for message in cursor.read_found(found)] == [3, 8]
    assert cursor.last == 5
