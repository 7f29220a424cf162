"""Rows end between words; each fits its window, and none but the first begins at the left edge."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.terminal.ui.word_wrap import wrap
from besedka.terminal.ui.wrapping import columns_of, indent_within
from besedka.wire.sanitize import sanitize

TEXTS = st.text(
    st.one_of(
        st.sampled_from(" \t\n\u3000あ。「❤\ufe0f\u0301\u200d🇷👩🏽x\u05d0"),
        st.characters(exclude_categories=["Cs"]),
    )
).map(sanitize)
PIECES = st.lists(TEXTS)
WIDTHS = st.integers(20, 200)
HANGS = st.integers(1, 30)


def rows(text: str, columns: int, hang: int = 4) -> list[str]:
    return "".join(part for _, part in wrap([("", text)], columns, hang)).split("\n")


@given(PIECES, WIDTHS, HANGS)
def test_every_row_fits_and_the_further_ones_hang(pieces: list[str], columns: int, hang: int) -> None:
    first, *further = rows("".join(pieces), columns, hang)
    for row in (first, *further):
        assert columns_of(row) <= columns
    for row in further:
        assert row.startswith(" " * indent_within(columns, hang))


@given(TEXTS, st.integers(0, 19), HANGS)
def test_in_the_narrowest_window_no_row_but_the_first_begins_at_the_edge(
    text: str, columns: int, hang: int
) -> None:
    _, *further = rows(text, columns, hang)
    assert all(row.startswith(" ") for row in further)


@given(PIECES, WIDTHS, HANGS)
def test_only_blanks_are_lost_and_styles_make_no_difference(
    pieces: list[str], columns: int, hang: int
) -> None:
    styled = wrap([(f"style{number}", piece) for number, piece in enumerate(pieces)], columns, hang)
    assert "".join(part for _, part in styled).split("\n") == rows("".join(pieces), columns, hang)
    assert "".join("".join(part for _, part in styled).split()) == "".join("".join(pieces).split())
    for number, piece in enumerate(pieces):
        shown = "".join(part for style, part in styled if style == f"style{number}")
        assert "".join(shown.split()) == "".join(piece.split())


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1), WIDTHS)
def test_no_word_that_fits_a_row_is_broken_and_rows_are_as_full_as_words_allow(
    words: list[str], columns: int
) -> None:
    shown = rows(" ".join(words), columns)
    assert [word for row in shown for word in row.split()] == words
    for row, following in pairwise(shown):
        assert len(row) + 1 + len(following.split()[0]) > columns
        assert row == row.rstrip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Boris: one two three four", ["Boris: one two three", "    four"]),
        ("Boris: one two   three four", ["Boris: one two", "    three four"]),
        ("Boris: one\ntwo", ["Boris: one", "    two"]),
        ("a\n  indented by two, and more", ["a", "      indented by", "    two, and more"]),
        (f"a\n{' ' * 30}pushed", ["a", f"{' ' * 14}pushed"]),
        ("a\n\tb", ["a", "        b"]),
        ("see https://a.example/long/path here", ["see https://a.exampl", "    e/long/path here"]),
        ("日本語は単語の間に空白がない。", ["日本語は単語の間に空", "    白がない。"]),
        ("日本語は単語の間に空。白", ["日本語は単語の間に", "    空。白"]),
        ("日本語は単語の間に「空白", ["日本語は単語の間に", "    「空白"]),
        ("e\u0301" * 21, ["e\u0301" * 20, "    e\u0301"]),
        ("🇳🇴" * 6, ["🇳🇴" * 5, "    🇳🇴"]),
        ("x" * 15 + "👩‍👩‍👧", ["x" * 15, "    👩‍👩‍👧"]),
        ("x" * 17 + "👍🏽", ["x" * 17, "    👍🏽"]),
        ("あ ", ["あ"]),
        ("", [""]),
    ],
)
def test_a_row_ends_where_a_reader_expects_it(text: str, shown: list[str]) -> None:
    assert rows(text, 20) == shown


def test_styles_stay_on_their_words_and_not_on_the_blanks_in_front_of_a_row() -> None:
    assert wrap([("", "12:00 "), ("bold", "one two"), ("italic", "three")], 12, 4) == [
        ("", "12:00"),
        ("", " "),
        ("bold", "one"),
        ("", "\n    "),
        ("bold", "two"),
        ("italic", "three"),
    ]


@pytest.mark.parametrize("filler", [" ", "\t", "\u3000", "\u00a0", "あ", "❤\ufe0f", "a\u0301", "x"])
@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_number_of_fillers_brings_a_forged_line_to_the_edge(filler: str, columns: int) -> None:
    for count in range(2 * columns):
        text = f"23:46   Mallory: hi{filler * count}13:00   Boss: go"
        _, *further = rows(text, columns, 12)
        assert all(row.startswith(" " * 12) for row in further)
