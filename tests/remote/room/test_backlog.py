"""The bounds of what waits to be read: its number, and the memory that it takes."""

from __future__ import annotations

from sys import getsizeof

from besedka.remote.room.backlog import MESSAGE_BYTES, Backlog, held_bytes
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset
from besedka.wire.frames import Redacted, System
from besedka.wire.message import Message, MessageId


def message(number: int, text: str = "text") -> ReceivedMessage:
    return ReceivedMessage(Message("2026-01-01 00:00:00", "Anna", text, id=MessageId(number)))


def test_a_message_counts_with_the_memory_of_its_text() -> None:
    for text in ("x" * 1_000, "ж" * 1_000, "x" * 999 + "😀"):
        assert held_bytes(message(1, text)) == MESSAGE_BYTES + getsizeof(text) + getsizeof("Anna")


def test_any_other_event_counts_with_its_texts_and_lists() -> None:
    names = [f"somebody {number}" for number in range(1_000)]
    presence = System("main", "x" * 5_000, "12:00:00", 1, names, [])
    assert held_bytes(presence) > 5_000 + sum(map(getsizeof, names))
    assert held_bytes(Redacted("main", 1, "x" * 5_000)) > 5_000
    events: list[Event] = [Away(1.0), Reset()]
    assert all(held_bytes(event) >= MESSAGE_BYTES for event in events)


def test_it_is_full_by_number_or_by_memory_and_has_room_again_when_enough_is_taken() -> None:
    backlog = Backlog[ReceivedMessage](3, 100_000)
    for number in range(1, 4):
        assert not backlog.is_full
        backlog.add(message(number))
    assert backlog.is_full
    assert backlog.take() == message(1)
    assert not backlog.is_full
    backlog.add(message(4, "x" * 200_000))
    assert backlog.is_full
    assert [backlog.take(), backlog.take()] == [message(2), message(3)]
    assert backlog.is_full
    backlog.clear()
    assert not backlog.is_full


def test_the_newest_replace_the_oldest_also_where_they_are_long() -> None:
    backlog = Backlog[ReceivedMessage](5, 100_000)
    for number in range(1, 10):
        backlog.add_newest(message(number))
    assert [event.id for event in backlog] == [5, 6, 7, 8, 9]
    for number in range(10, 20):
        backlog.add_newest(message(number, "x" * 60_000))
    assert [event.id for event in backlog] == [18, 19]
    # One that is longer than all of them together is kept alone.
    backlog.add_newest(message(20, "x" * 200_000))
    backlog.add_newest(message(21))
    assert [event.id for event in backlog] == [21]


def test_an_event_that_is_changed_counts_as_it_is_then() -> None:
    backlog = Backlog[ReceivedMessage](5, 100_000)
    backlog.add(message(1, "x" * 200_000))
    backlog.add(message(2))
    backlog.change(lambda event: event.id == 1, lambda event: event.with_text("short"))
    assert not backlog.is_full
    assert [event.text for event in backlog] == ["short", "text"]
