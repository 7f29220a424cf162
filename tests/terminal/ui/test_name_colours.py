"""The colours of names."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.terminal.ui.name_colours import COLOURS_OF_256, NAMES_AT_MOST, TRUE_COLOURS, NameColours

PALETTES = [COLOURS_OF_256, TRUE_COLOURS]


@pytest.mark.parametrize("palette", PALETTES)
@given(data=st.data())
def test_as_many_people_as_there_are_colours_all_differ(
    palette: tuple[str, ...], data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.text(), unique=True, max_size=len(palette)))
    colours = NameColours(palette)
    assert len({colours.of(name) for name in names}) == len(names)


@given(st.lists(st.integers(0, 30).map(str)))
def test_a_name_keeps_its_colour_and_a_newcomer_never_has_that_of_the_last_speaker(names: list[str]) -> None:
    colours = NameColours(COLOURS_OF_256)
    seen: dict[str, str] = {}
    for before, name in pairwise(["", *names]):
        colour = colours.of(name)
        assert colour in COLOURS_OF_256
        assert name in seen or colour != seen.get(before)
        assert seen.setdefault(name, colour) == colour


def test_two_neighbours_do_not_look_alike_while_there_is_a_choice() -> None:
    colours = NameColours(TRUE_COLOURS)
    places = [TRUE_COLOURS.index(colours.of(f"name {number}")) for number in range(10)]
    distances = [abs(one - other) for one, other in pairwise(places)]
    assert all(min(distance, len(TRUE_COLOURS) - distance) > 4 for distance in distances)


def test_a_name_has_the_same_colour_in_the_next_session_if_nobody_else_has_it() -> None:
    assert NameColours(TRUE_COLOURS).of("Boris") == NameColours(TRUE_COLOURS).of("Boris")


def test_whoever_has_been_silent_for_longest_shares_a_colour() -> None:
    colours = NameColours(COLOURS_OF_256)
    first, *_ = (colours.of(f"name {number}") for number in range(len(COLOURS_OF_256)))
    assert colours.of("one more") == first


def test_no_number_of_names_is_remembered_for_ever() -> None:
    colours = NameColours(COLOURS_OF_256)
    for number in range(2 * NAMES_AT_MOST):
        colours.of(str(number))
    assert len(colours._colours) == NAMES_AT_MOST  # noqa: SLF001
