"""Whatever a terminal sends becomes keys and pastes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

from besedka.terminal.ui.keyboard import HELD_CHARACTERS, LINE_CHARACTERS, Keyboard
from tests.terminal.pseudo_terminal import pasted

Pressed = list[tuple[Keys | str, str]]

PIECES = (
    "\x1b",
    "[",
    "]",
    "O",
    "P",
    "_",
    "\\",
    "\x07",
    ";",
    "?",
    "<",
    "M",
    "m",
    "R",
    "0",
    "31",
    "200~",
    "201~",
)
ODD = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)


def pressed(*reads: str) -> Pressed:
    """The keys in a series of reads, once nothing more comes."""
    keys: list[KeyPress] = []
    keyboard = Keyboard(keys.append)
    for data in reads:
        keyboard.feed(data)
    keyboard.flush()
    return [(key.key, key.data) for key in keys]


def text_of(keys: Pressed) -> str:
    return "".join(data for _, data in keys)


def test_every_known_key_is_recognized() -> None:
    for sequence in ANSI_SEQUENCES.keys() - {"\x1b[200~"}:
        keys: list[KeyPress] = []
        Vt100Parser(keys.append).feed_and_flush(sequence)
        expected = [(key.key, key.data) for key in keys]
        assert pressed(sequence) == expected
        assert pressed(*sequence) == expected
        assert pressed(f"a{sequence}b") == [("a", "a"), *expected, ("b", "b")]


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[31m",
        "\x1b[;;m",
        "\x1b[m",
        "\x1b[1;2m",
        "\x1b[<0;1M",
        "\x1b[<;;m",
        "\x1b[M;",
        "\x1b[38;2;1;2;3m",
        "\x1b[0;0R",
        "\x1b[99999;1R",
        "\x1b[?25l",
        "\x1b[!p",
        "\x1bOz",
        "\x1b]8;;https://example.org\x07",
        "\x1b]0;title\x1b\\",
        "\x1bPq#0\x1b\\",
        "\x1b(B",
        "\x1b#3",
    ],
    ids=repr,
)
def test_a_sequence_that_is_not_a_key_is_dropped(sequence: str) -> None:
    behind = ";" if sequence == "\x1b[M;" else ""
    assert text_of(pressed(f"red {sequence}text")) == f"red {behind}text"
    if sequence[1] not in "P#":  # whose beginnings are keys where nothing follows at once
        assert text_of(pressed("red ", *sequence, "text")) == f"red {behind}text"
    if not behind:
        assert pressed(pasted(f"red {sequence}text")) == [(Keys.BracketedPaste, "red text")]


def test_an_escape_before_a_sequence_does_not_change_what_follows() -> None:
    assert [key for key, _ in pressed("\x1b\x1b[31m[31m")] == [Keys.Escape, *"[31m"]


@given(st.lists(ODD, max_size=6))
def test_no_input_raises_an_error_or_makes_a_mouse_event(reads: list[str]) -> None:
    assert Keys.Vt100MouseEvent not in {key for key, _ in pressed(*reads)}


@given(st.text())
def test_text_without_controls_is_typed_as_it_is(text: str) -> None:
    plain = "".join(filter(str.isprintable, text))
    assert pressed(plain) == [(character, character) for character in plain]
    assert pressed(pasted(plain)) == [(Keys.BracketedPaste, plain)]


@given(st.text().filter(lambda text: not set("\x03\x04\x1b") & set(text)), st.integers(1, 7))
def test_a_paste_is_the_same_in_pieces_of_any_size(text: str, size: int) -> None:
    data = f"{pasted(text)}z"
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert pressed(*pieces) == pressed(data)


def test_invalid_utf8_becomes_the_replacement_character() -> None:
    assert text_of(pressed(b"a\xff\x80b".decode(errors="surrogateescape"))) == "a\ufffd\ufffdb"


def test_a_key_that_begins_like_a_string_is_a_key() -> None:
    assert pressed("\x1b_") == [(Keys.Escape, "\x1b"), ("_", "_")]
    assert pressed("\x1b_", "abc") == [(Keys.Escape, "\x1b"), *((one, one) for one in "_abc")]


def test_an_endless_paste_is_ended_by_control_c_and_takes_no_memory() -> None:
    keys: list[KeyPress] = []
    keyboard = Keyboard(keys.append)
    keyboard.feed("\x1b[200~")
    for _ in range(1_000):
        keyboard.feed("word " * 200)
    assert not keys
    keyboard.feed("\x03")
    keyboard.feed("a")
    assert [key.key for key in keys] == ["a"]


def test_an_overlong_paste_is_kept_only_until_it_exceeds_the_line() -> None:
    ((_, data),) = pressed(*pasted("x" * 10 * LINE_CHARACTERS).partition("x" * 1000))
    assert len(data) > LINE_CHARACTERS


def test_a_long_sequence_takes_linear_time() -> None:
    begun = time.process_time()
    for opening in ("\x1b[", "\x1b]0;", "\x1bP", "\x1b\x1b"):
        text = opening + "1" * 30_000
        shown = pressed(*(text[start : start + 1_024] for start in range(0, len(text), 1_024)))
        assert len(shown) > 30_000 - HELD_CHARACTERS
    assert time.process_time() - begun < 10
