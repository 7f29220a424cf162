"""What waits to be heard back: what is sent, and what the server needs to know it again."""

from __future__ import annotations

from besedka.remote.room.outbox import IN_FLIGHT_AT_MOST, Outbox
from besedka.wire.frames import Say


def outbox(*texts: str, after: int = 10) -> Outbox:
    made = Outbox()
    for number, text in enumerate(texts):
        made.add(Say(text=text, key=str(number), after=after))
    return made


def sent(waiting: Outbox) -> list[tuple[str, int | None]]:
    found = []
    while frame := waiting.next():
        found.append((frame.key, frame.after))
    return found


def test_only_what_is_said_again_needs_to_be_looked_for() -> None:
    waiting = outbox("a", "b")
    assert sent(waiting) == [("0", None), ("1", None)]
    waiting.reconnect()
    waiting.add(Say(text="c", key="2", after=11))
    assert sent(waiting) == [("0", 10), ("1", 10), ("2", None)]


def test_the_same_words_are_not_taken_for_those_that_were_stored_before_them() -> None:
    waiting = outbox("same", "same")
    sent(waiting)
    waiting.stored("0", 17)
    waiting.reconnect()
    assert sent(waiting) == [("1", 17)]


def test_what_others_have_said_does_not_count() -> None:
    waiting = outbox("a")
    sent(waiting)
    waiting.stored("somebody else's", 17)
    waiting.stored("", 18)
    waiting.reconnect()
    assert sent(waiting) == [("0", 10)]


def test_in_another_log_ids_are_others() -> None:
    waiting = outbox("a", "b")
    sent(waiting)
    waiting.stored("0", 17)
    waiting.forget_ids()
    waiting.reconnect()
    assert sent(waiting) == [("1", 10)]


def test_so_much_is_on_its_way_and_the_next_when_one_is_heard() -> None:
    waiting = outbox(*map(str, range(100)))
    assert len(sent(waiting)) == IN_FLIGHT_AT_MOST
    waiting.settle("5")
    assert sent(waiting) == [(str(IN_FLIGHT_AT_MOST), None)]
    assert len(waiting) == 99
