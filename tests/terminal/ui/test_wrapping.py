"""Rows of a window: each fits, and none but the first of a line begins at the left edge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from besedka.terminal.ui.wrapping import Rows
from besedka.wire.sanitize import sanitize

TEXTS = st.text(
    st.one_of(
        st.sampled_from(" \t\n\u3000あ❤\ufe0f\u0301\u200d🇷👩x\u05d0"),
        st.characters(exclude_categories=["Cs"]),
    )
)
WIDTHS = st.integers(20, 200)
HANGS = st.integers(1, 30)


@given(st.lists(TEXTS), WIDTHS, HANGS)
def test_every_row_fits_and_the_further_ones_hang(pieces: list[str], columns: int, hang: int) -> None:
    rows = Rows(columns, hang, is_hung=True)
    first, *further = "".join(rows.feed(sanitize(piece)) for piece in pieces).split("\n")
    for row in (first, *further):
        assert get_cwidth(row) <= columns
    indent = min(hang, columns - 8)
    for row in further:
        assert row.startswith(" " * indent)
        assert len(row) > indent or row == " " * indent


@given(st.lists(TEXTS), WIDTHS, HANGS)
def test_nothing_is_lost_and_pieces_make_no_difference(pieces: list[str], columns: int, hang: int) -> None:
    pieces = [sanitize(piece) for piece in pieces]
    whole, parts = (Rows(columns, hang, is_hung=True) for _ in range(2))
    shown = whole.feed("".join(pieces))
    assert "".join(map(parts.feed, pieces)) == shown
    assert "".join(shown.split()) == "".join("".join(pieces).split())


@given(TEXTS, st.integers(0, 19), HANGS)
def test_in_the_narrowest_window_no_row_but_the_first_begins_at_the_edge(
    text: str, columns: int, hang: int
) -> None:
    _, *further = Rows(columns, hang, is_hung=True).feed(sanitize(text)).split("\n")
    assert all(row.startswith(" ") for row in further)


@pytest.mark.parametrize("filler", [" ", "\t", "\u3000", "\u00a0", "あ", "❤\ufe0f", "a\u0301", "x"])
@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_number_of_fillers_brings_a_forged_line_to_the_edge(filler: str, columns: int) -> None:
    for count in range(2 * columns):
        text = f"23:46   Mallory: hi{filler * count}13:00   Boss: go"
        _, *further = Rows(columns, 12, is_hung=True).feed(text).split("\n")
        assert all(row.startswith(" " * 12) for row in further)


def test_a_log_line_begins_where_the_log_begins_it() -> None:
    rows = Rows(40, 8, is_hung=False)
    assert rows.feed(f"[2026-01-01 12:00:00] Anna: {'x' * 20}\n\tmore\n[2026") == (
        f"[2026-01-01 12:00:00] Anna: {'x' * 12}\n        {'x' * 8}\n        more\n[2026"
    )


def test_the_next_text_is_broken_for_the_window_as_it_is_then() -> None:
    rows = Rows(80, 8, is_hung=True)
    assert rows.feed("x" * 80) == "x" * 80
    rows.resize(20)
    assert rows.feed("y" * 13) == f"\n        {'y' * 12}\n        y"
