"""QR codes in a terminal: what is drawn is the code, with its light zone."""

from __future__ import annotations

import re

import pytest
import segno

from besedka.qr import qr_lines

LINK = "http://192.168.1.5:8765/#;key=" + "k" * 43


def modules(lines: list[str], block_is_dark: bool) -> list[list[bool]]:
    """The picture that a camera sees: rows of modules, true is dark."""
    rows: list[list[bool]] = []
    for line in lines:
        rows.append([(char in "▀█") is block_is_dark for char in line])
        rows.append([(char in "▄█") is block_is_dark for char in line])
    return rows


@pytest.mark.parametrize("colour", [True, False])
def test_what_is_drawn_is_the_code(colour: bool) -> None:
    drawn = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in qr_lines(LINK, columns=80, colour=colour)]
    code = [[bool(one) for one in row] for row in segno.make_qr(LINK, error="l").matrix_iter(border=4)]
    rows = modules(drawn, colour)
    assert rows[: len(code)] == code
    assert not any(map(any, rows[len(code) :]))


def test_its_colours_are_its_own_or_none() -> None:
    assert all(
        line.startswith("\x1b[38;5;16;48;5;231m") and line.endswith("\x1b[0m")
        for line in qr_lines(LINK, columns=80)
    )
    assert not any("\x1b" in line for line in qr_lines(LINK, columns=80, colour=False))


def test_what_does_not_fit_is_not_drawn() -> None:
    width = len(qr_lines(LINK, columns=80, colour=False)[0])
    assert qr_lines(LINK, columns=width)
    assert qr_lines(LINK, columns=width - 1) == []
    assert qr_lines("x" * 5_000, columns=10_000) == []
