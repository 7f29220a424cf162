"""Durations as people type them. That words are read as the page does it: `tests/terminal/test_commands.py`, with the vectors of both."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.durations import EXAMPLES, UNIT_SECONDS, format_duration, parse_duration


def test_the_examples_are_durations_one_of_each_unit() -> None:
    words = EXAMPLES.replace(" or", ",").split(", ")
    assert [word[-1] for word in words] == [*UNIT_SECONDS]
    assert all(map(parse_duration, words))


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_duration_of_some_seconds_or_none(word: str) -> None:
    seconds = parse_duration(word)
    assert seconds >= 0
    assert not seconds or (word[0] in "123456789" and word[-1].lower() in UNIT_SECONDS)


@given(st.integers(1, 999_999), st.sampled_from([*UNIT_SECONDS]))
def test_a_duration_is_written_in_its_largest_unit(count: int, unit: str) -> None:
    shown = format_duration(count * UNIT_SECONDS[unit])
    assert int(shown[:-1]) * UNIT_SECONDS[shown[-1]] == count * UNIT_SECONDS[unit]
    larger = [seconds for seconds in UNIT_SECONDS.values() if seconds > UNIT_SECONDS[shown[-1]]]
    assert not any(count * UNIT_SECONDS[unit] % seconds == 0 for seconds in larger)
