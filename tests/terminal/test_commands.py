"""What a typed line means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.terminal.actions.rooms import ACTS
from besedka.terminal.commands import (
    COMMANDS,
    SPANS,
    Mistake,
    Order,
    Words,
    bare_number,
    quoted,
    read,
    read_span,
    span,
    split_name,
    split_span,
)
from besedka.terminal.ui.phrases import ENGLISH, RUSSIAN

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "orders.json").read_text(encoding="utf-8"))

BY_NAME = {command.name: command for command in COMMANDS}


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Words("hello")),
        ("//hello", Words("/hello")),
        ("///", Words("//")),
        (" /who", Words(" /who")),
        ("a /who", Words("a /who")),
        ("/who", Order(BY_NAME["who"], "")),
        ("/who else", Mistake("/who", BY_NAME["who"])),
        ("/exit now?", Mistake("/exit", BY_NAME["exit"])),
        ("/leave dev", Order(BY_NAME["leave"], "dev")),
        (":q!", Order(BY_NAME["exit"], "")),
        ("/WHO ", Order(BY_NAME["who"], "")),
        ("/history  20 ", Order(BY_NAME["history"], "20")),
        ("/me waves", Words("/me waves")),
        ("/me", Mistake("/me", BY_NAME["me"])),
        ("/join", Mistake("/join", BY_NAME["join"])),
        ("/quit", Order(BY_NAME["exit"], "")),
        (":q", Order(BY_NAME["exit"], "")),
        (":q is how one leaves vi", Words(":q is how one leaves vi")),
        ("/usr/bin/env", Mistake("/usr/bin/env")),
        ("/hlep", Mistake("/hlep", near="/help")),
        ("   ", None),
        ("", None),
    ],
)
def test_a_line_is_words_or_a_command_or_a_mistake(line: str, meaning: object) -> None:
    assert read(line) == meaning


@given(st.text())
def test_everything_can_be_said(text: str) -> None:
    line = f"/{text}" if text.startswith("/") else text
    if read(text) is None or text.strip().casefold() == ":q":
        return
    assert read(line) == Words(text)


def test_every_command_is_explained_in_both_languages_and_does_something() -> None:
    names = set(BY_NAME)
    assert set(ENGLISH.commands) == set(RUSSIAN.commands) == names
    assert set(ACTS) == names - {"me"}


def test_both_languages_have_the_same_refusals_and_bells() -> None:
    assert set(ENGLISH.refusals) == set(RUSSIAN.refusals)
    assert set(ENGLISH.bell_kinds) == set(RUSSIAN.bell_kinds) == {"on", "off", "all"}
    assert len(ENGLISH.keys) == len(RUSSIAN.keys)
    assert set(ENGLISH.orders) == set(RUSSIAN.orders)


def test_a_name_and_what_follows_are_parted_as_the_page_does_it() -> None:
    for vector in VECTORS["names"]:
        assert split_name(vector["argument"]) == (vector["name"], vector["rest"]), vector


def test_a_time_is_read_as_the_page_does_it() -> None:
    assert {word: read_span(word) for word in VECTORS["times"]} == VECTORS["times"]


def test_a_number_without_its_unit_is_seen_as_the_page_does_it() -> None:
    assert {rest: bare_number(rest) for rest in VECTORS["bare"]} == VECTORS["bare"]


@given(st.text(st.characters(exclude_characters='"', exclude_categories=["C", "Z"]), min_size=1), st.text())
def test_a_name_that_is_quoted_is_read_again(name: str, rest: str) -> None:
    for one in (name, f"{name} {name}"):
        assert split_name(f"{quoted(one)} {rest}") == (one, rest.strip())


@given(st.integers(1, 999_999), st.sampled_from([*SPANS]), st.text())
def test_a_time_is_written_as_it_is_read(count: int, unit: str, rest: str) -> None:
    seconds = count * SPANS[unit]
    assert split_span(f"{count}{unit} {rest}") == (seconds, rest.strip())
    assert read_span(span(seconds)) == seconds or len(span(seconds)) > 7


@pytest.mark.parametrize("argument", ["", "10", "soon 10m", "because"])
def test_where_no_time_comes_first_all_of_it_is_something_else(argument: str) -> None:
    assert split_span(argument) == (0, argument)
