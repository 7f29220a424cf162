"""What reaches the terminal: nothing that it would obey."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from besedka.remote.connection import Heard
from besedka.terminal import screen
from besedka.terminal.phrases import ENGLISH, RUSSIAN, phrases
from besedka.wire.line import MessageId
from besedka.wire.words import System


def shown(fragments: screen.Fragments) -> str:
    return "".join(text for _, text in fragments)


def heard(user: str, text: str, *, is_old: bool = False) -> Heard:
    return Heard(MessageId(1), user, text, "2025-11-19 23:46:36", is_old)


@given(st.text(), st.text())
def test_no_control_and_no_direction_of_others_reaches_the_terminal(user: str, text: str) -> None:
    for character in shown(screen.message(heard(user, text), me="Anna")):
        assert character in "\n\t" or unicodedata.category(character) != "Cc"
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }


def test_own_others_and_old_messages_differ_by_more_than_colour() -> None:
    own, other = (screen.message(heard(name, "hi"), me="Anna") for name in ("Anna", "Boris"))
    assert shown(own) == "23:46 → Anna: hi"
    assert shown(other) == "23:46 Boris: hi"
    old = screen.message(heard("Boris", "hi", is_old=True), me="Anna")
    assert {style for style, _ in old} != {style for style, _ in other}


def test_further_lines_are_indented_under_the_first() -> None:
    assert shown(screen.message(heard("Boris", "one\ntwo"), me="Anna")) == "23:46 Boris: one\n      two"


def test_a_name_keeps_its_colour() -> None:
    assert (
        screen.message(heard("Boris", "a"), "Anna")[1][0] == screen.message(heard("Boris", "b"), "Anna")[1][0]
    )


def test_ones_own_coming_is_no_news() -> None:
    def system(joined: list[str], left: list[str]) -> System:
        return System("main", "", "12:00:00", 2, joined, left)

    assert screen.notice(system(["Anna"], []), "Anna", ENGLISH) is None
    told = screen.notice(system(["Anna", "Boris"], ["Clara"]), "Anna", ENGLISH)
    assert told
    assert shown(told).strip() == "Boris joined · Clara left (2 here)"


def test_the_language_follows_the_environment() -> None:
    assert phrases({"LANG": "ru_RU.UTF-8"}) is RUSSIAN
    assert phrases({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}) is ENGLISH
    assert phrases({}) is ENGLISH
