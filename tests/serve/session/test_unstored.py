"""The order of messages that were refused for now: none may overtake an earlier one, and nobody waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.session.unstored import KEYS_AT_MOST, REMEMBERED_SECONDS, Unstored


def test_what_was_in_flight_waits_for_the_first_that_was_refused() -> None:
    unstored, stored = Unstored(), set[str]()
    for key in ("1", "2"):
        unstored.note(key, 0.0)
    assert unstored.is_behind("3", stored.__contains__, 0.0)
    # The offer of the first one was accepted all the same, and that is learned only now: the second one is still to come.
    stored.add("1")
    assert unstored.is_behind("4", stored.__contains__, 0.0)
    assert not unstored.is_behind("2", stored.__contains__, 0.0)
    assert not unstored.is_behind("3", stored.__contains__, 0.0)


def test_what_was_refused_only_because_it_came_behind_keeps_its_place_too() -> None:
    unstored, stored = Unstored(), set[str]()
    unstored.note("1", 0.0)
    assert unstored.is_behind("2", stored.__contains__, 0.0)
    stored.add("1")
    assert unstored.is_behind("3", stored.__contains__, 0.0)
    assert not unstored.is_behind("2", stored.__contains__, 0.0)


def test_a_message_that_never_comes_again_is_not_waited_for_for_ever() -> None:
    unstored = Unstored()
    unstored.note("given up", 0.0)
    assert unstored.is_behind("2", lambda _: False, REMEMBERED_SECONDS - 0.1)
    assert not unstored.is_behind("2", lambda _: False, 2 * REMEMBERED_SECONDS)


def test_messages_without_keys_and_too_many_of_them_cost_nothing() -> None:
    unstored = Unstored()
    unstored.note("", 0.0)
    assert not unstored.is_behind("1", lambda _: False, 0.0)
    for number in range(2 * KEYS_AT_MOST):
        unstored.note(str(number), 0.0)
    assert not unstored.is_behind("", lambda _: False, 0.0)
    assert not unstored.is_behind(str(KEYS_AT_MOST), lambda _: False, 0.0)  # the first one that is remembered


@given(
    refused=st.integers(1, 6),
    in_flight=st.integers(0, 6),
    late=st.lists(st.integers(0, 12), max_size=8),
)
def test_whatever_is_stored_late_a_client_that_sends_again_in_order_is_stored_in_order(
    refused: int, in_flight: int, late: list[int]
) -> None:
    """The messages 0 … were refused, those behind them are in flight, and then all come again; offers of the first ones are accepted late."""
    unstored, stored = Unstored(), list[int]()
    for number in range(refused):
        unstored.note(str(number), 0.0)
    accepted_late = iter(range(refused))
    total = refused + in_flight

    def arrive(number: int, at: int) -> None:
        for _ in range(late.count(at)):
            if (accepted := next(accepted_late, None)) is not None and accepted not in stored:
                stored.append(accepted)
        if number not in stored and not unstored.is_behind(str(number), lambda key: int(key) in stored, 0.0):
            stored.append(number)

    for at, number in enumerate((*range(refused, total), *range(total))):
        arrive(number, at)
    assert stored == [*range(total)]
