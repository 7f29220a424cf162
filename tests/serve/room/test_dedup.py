"""The resend rule: by that name, with that text, later than what was seen, matched once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.room import PostedBefore
from besedka.wire.message import Message


def said(*texts: str) -> PostedBefore:
    return PostedBefore(
        0, [(number, Message("2025-11-19 23:46:36", "Anna", text)) for number, text in enumerate(texts, 1)]
    )


def never(_: int) -> bool:
    return False


def test_the_same_words_are_matched_in_order_each_once() -> None:
    before = said("+1", "other", "+1")
    found = [before.take("+1", 0, never) for _ in range(3)]
    assert [match[0] if match else None for match in found] == [1, 3, None]


def test_what_the_sender_had_seen_is_no_match() -> None:
    assert said("+1").take("+1", 1, never) is None


def test_what_has_another_key_for_certain_is_no_match() -> None:
    match = said("+1", "+1").take("+1", 0, lambda number: number == 1)
    assert match
    assert match[0] == 2


def test_a_part_of_a_text_is_no_match() -> None:
    before = said("one\ntwo")
    assert before.take("one", 0, never) is None
    assert before.take("one\ntwo", 0, never) is not None


@given(st.lists(st.sampled_from("abc")), st.integers(0, 20))
def test_a_whole_outbox_that_was_stored_is_matched_whole_and_nothing_twice(
    texts: list[str], stored: int
) -> None:
    before = said(*texts[:stored])
    matched = [match[0] for text in texts if (match := before.take(text, 0, never))]
    assert sorted(matched) == list(range(1, len(texts[:stored]) + 1))
