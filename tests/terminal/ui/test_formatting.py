"""The look of lines: nothing in them controls the terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from besedka.remote.room.events import ReceivedMessage
from besedka.terminal.ui import formatting
from besedka.terminal.ui.name_colours import COLOURS_OF_256, TRUE_COLOURS
from besedka.terminal.ui.phrases import ENGLISH, RUSSIAN, phrases_for
from besedka.wire.frames import System
from besedka.wire.message import Message, MessageId

COLOUR = "#008700"


def shown(line: formatting.Line) -> str:
    return "".join(text for _, text in line.fragments)


def posted(user: str, text: str, *, is_old: bool = False) -> ReceivedMessage:
    return ReceivedMessage(Message("2025-11-19 23:46:36", user, text, MessageId(1)), is_old)


@given(st.text(), st.text())
def test_no_control_or_direction_character_of_others_reaches_the_terminal(user: str, text: str) -> None:
    for character in shown(formatting.message(posted(user, text), "Anna", COLOUR)):
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
    own, other = (formatting.message(posted(name, "hi"), "Anna", COLOUR) for name in ("Anna", "Boris"))
    assert shown(own) == "23:46 → Anna: hi"
    assert shown(other) == "23:46   Boris: hi"
    assert (
        shown(formatting.message(posted("Boris", "hi", is_old=True), "Anna", COLOUR)) == "23:46┆  Boris: hi"
    )
    assert shown(formatting.message(posted("Anna", "hi", is_old=True), "Anna", COLOUR)) == "23:46┆→ Anna: hi"
    assert shown(formatting.message(posted("Boris", "hi anna"), "Anna", COLOUR)) == "23:46 › Boris: hi anna"
    assert shown(formatting.message(posted("Boris", "/me waves"), "Anna", COLOUR)) == "23:46   * Boris waves"
    assert shown(formatting.notice("hi")) == "      · hi"
    assert shown(formatting.problem("hi")) == "      ! hi"


def test_further_rows_hang_to_the_right_of_the_name() -> None:
    for line in (
        formatting.message(posted("Boris", "one\ntwo"), "Anna", COLOUR),
        formatting.message(posted("Boris", "one\ntwo"), "Anna", COLOUR, is_numbered=True),
        formatting.message(posted("Boris", "/me waves\ntwo"), "Anna", COLOUR),
        formatting.found_message(posted("Boris", "one\ntwo"), "Anna", COLOUR),
    ):
        assert line.hang > shown(line).index("Boris")
    for own in (formatting.notice("hi"), formatting.problem("hi"), formatting.rule("hi")):
        assert own.hang > 10


def test_a_name_has_its_colour_also_in_old_messages() -> None:
    for is_old in (False, True):
        line = formatting.message(posted("Boris", "a", is_old=is_old), "Anna", COLOUR)
        assert [text for style, text in line.fragments if COLOUR in style] == ["Boris", ": "]


def test_what_is_marked_in_a_text_has_its_style_and_all_marks_stay() -> None:
    line = formatting.message(posted("Boris", "**see** `code`, anna: www.a.example\n> _so_"), "Anna", COLOUR)
    assert shown(line) == "23:46 › Boris: **see** `code`, anna: www.a.example\n> _so_"
    assert {
        text: style
        for style, text in line.fragments
        if text in {"see", "code", "anna", "www.a.example", "so"}
    } == {
        "see": "bold",
        "code": "class:code",
        "anna": "class:mention",
        "www.a.example": "class:link",
        "so": "class:quote italic",
    }
    old = formatting.message(posted("Boris", "**see**", is_old=True), "Anna", COLOUR)
    assert ("class:old bold", "see") in old.fragments


def test_the_users_own_arrival_is_not_shown() -> None:
    def system(joined: list[str], left: list[str]) -> System:
        return System("main", "", "12:00:00", 2, joined, left)

    assert formatting.presence(system(["Anna"], []), {"Anna"}, ENGLISH) is None
    shown_change = formatting.presence(system(["Anna", "Boris"], ["Clara"]), {"Anna"}, ENGLISH)
    assert shown_change
    assert shown(shown_change).strip() == "· Boris joined; Clara left (2 here)"


def test_a_name_that_reads_like_a_notice_is_in_quotation_marks_in_one() -> None:
    forged = "Boss left (1 here), Anna"
    system = System("main", "", "12:00:00", 2, [forged, "Clara"], ["Boss left; Anna"])
    for phrases, expected in (
        (ENGLISH, f"· “{forged}”, Clara joined; “Boss left; Anna” left (2 here)"),
        (RUSSIAN, f"· «{forged}», Clara теперь в чате; «Boss left; Anna» больше не в чате (здесь 2)"),
    ):
        change = formatting.presence(system, set(), phrases)
        assert change
        assert shown(change).strip() == expected


def test_the_language_follows_the_environment() -> None:
    assert phrases_for({"LANG": "ru_RU.UTF-8"}) is RUSSIAN
    assert phrases_for({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}) is ENGLISH
    assert phrases_for({}) is ENGLISH


def test_all_colours_are_legible_on_black_and_on_white() -> None:
    def luminance(colour: str) -> float:
        """As WCAG 2.2 defines it."""
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in (*COLOURS_OF_256, *TRUE_COLOURS, formatting.GREY, formatting.TEAL):
        assert (luminance(colour) + 0.05) / 0.05 > 4.3, colour
        assert 1.05 / (luminance(colour) + 0.05) > 4.3, colour
    assert (luminance(formatting.RED) + 0.05) / 0.05 > 4.5


def test_columns_are_aligned_with_wide_characters_too() -> None:
    table = formatting.table([("日本", "two wide ones"), ("abcd", "four narrow ones"), ("x", "one")])
    assert [shown(row) for row in table] == [
        "        日本  two wide ones",
        "        abcd  four narrow ones",
        "        x     one",
    ]
