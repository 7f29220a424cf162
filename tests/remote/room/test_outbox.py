"""The outbox: what is sent, and what the server needs to recognise a resend."""

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


def test_only_a_resend_needs_to_be_looked_for_in_the_log() -> None:
    waiting = outbox("a", "b")
    assert sent(waiting) == [("0", None), ("1", None)]
    waiting.resend_all()
    waiting.add(Say(text="c", key="2", after=11))
    assert sent(waiting) == [("0", 10), ("1", 10), ("2", None)]


def test_a_resend_is_not_taken_for_an_earlier_message_of_the_same_text() -> None:
    waiting = outbox("same", "same")
    sent(waiting)
    waiting.stored("0", 17)
    waiting.resend_all()
    assert sent(waiting) == [("1", 17)]


def test_messages_of_others_move_nothing() -> None:
    waiting = outbox("a")
    sent(waiting)
    waiting.stored("somebody else's", 17)
    waiting.stored("", 18)
    waiting.resend_all()
    assert sent(waiting) == [("0", 10)]


def test_ids_of_a_replaced_log_are_forgotten() -> None:
    waiting = outbox("a", "b")
    sent(waiting)
    waiting.stored("0", 17)
    waiting.forget_ids()
    waiting.resend_all()
    assert sent(waiting) == [("1", 10)]


def test_the_next_message_waits_until_one_in_flight_is_settled() -> None:
    waiting = outbox(*map(str, range(100)))
    assert len(sent(waiting)) == IN_FLIGHT_AT_MOST
    waiting.settle("5")
    assert sent(waiting) == [(str(IN_FLIGHT_AT_MOST), None)]
    assert len(waiting) == 99
