"""A conversation is easy to read: rows end between words, marks have styles, and people who speak one after the other have different colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.terminal.pseudo_terminal import TAB, Terminal

LONG = "the quick brown fox jumps over the lazy dog and runs on through the wood until it is out of sight"
HANG = " " * 12


def rows_from(terminal: Terminal, beginning: str) -> list[str]:
    """The last message that begins like this, row by row."""
    lines = terminal.scrollback
    first = max(index for index, line in enumerate(lines) if beginning in line)
    further = [*lines[first + 1 :]]
    count = next((index for index, line in enumerate(further) if not line.startswith(HANG)), len(further))
    return lines[first : first + 1 + count]


@pytest.mark.parametrize("columns", [40, 80])
def test_rows_end_between_words(
    server: RunningServer, make_client: ClientMaker, tmp_path: Path, columns: int
) -> None:
    boris = make_client()
    boris.join("Boris")
    with Terminal(server.url(), "--name", "Anna", home=tmp_path, columns=columns) as terminal:
        terminal.wait_for("You are in # main")
        boris.send_frame("chat", text=LONG)
        terminal.wait_for("sight")
        first, *further = rows_from(terminal, "Boris: the")
        assert " ".join((first.partition("Boris: ")[2], *(row.strip() for row in further))) == LONG
        assert further
        assert all(row.startswith(HANG) and row[len(HANG)] != " " for row in further)


def test_rows_have_the_width_of_the_window_as_it_is_then(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.send_frame("chat", text=f"before {LONG}")
    terminal.wait_for("sight")
    terminal.resize(50)
    terminal.catch_up()
    boris.send_frame("chat", text=f"after {LONG}")
    terminal.wait_for("Boris: after")
    terminal.wait_for("sight")
    rows = rows_from(terminal, "Boris: after")
    assert rows[0].endswith("after the quick brown fox jumps")
    assert all(row.startswith(HANG) for row in rows[1:])


def test_marked_text_has_styles_and_is_copied_as_it_was_typed(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.send_frame(
        "chat", text="a **loud** `word` and _slant_, ~~gone~~; see https://a.example/b\n> quoted\nplain Anna"
    )
    terminal.wait_for("plain")
    assert any(
        line.endswith("› Boris: a **loud** `word` and _slant_, ~~gone~~; see https://a.example/b")
        for line in terminal.lines
    )
    assert f"{HANG}> quoted" in terminal.lines
    plain = terminal.look_of("plain")
    assert not any((plain.bold, plain.italics, plain.underscore, plain.reverse))
    assert terminal.look_of("loud").bold
    assert terminal.look_of("slant").italics
    assert terminal.look_of("gone").strikethrough
    assert terminal.look_of("https").underscore
    assert terminal.look_of("word").fg != plain.fg
    assert terminal.look_of("**").fg == terminal.look_of("~~").fg != plain.fg
    assert terminal.look_of("quoted").italics
    assert terminal.look_of("Anna").reverse


def test_ten_people_in_a_row_have_ten_colours_and_keep_them(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    names = [f"Person{letter}" for letter in "ABCDEFGHIJ"]
    looks = []
    for _ in range(2):
        for name in names:
            client = make_client()
            client.join(name)
            client.send_frame("chat", text=f"this is {name}")
            terminal.wait_for(f"this is {name}")
            looks.append(terminal.look_of(f"{name}:").fg)
            client.close()
    assert len({*looks}) == len(names)
    assert looks[: len(names)] == looks[len(names) :]


def test_the_bar_keeps_the_countdown_and_the_name_in_forty_columns(
    server: RunningServer, tmp_path: Path
) -> None:
    with Terminal(
        f"{server.url()}#a-room-with-a-long-name-indeed", "--name", "Anna Maria", home=tmp_path, columns=40
    ) as terminal:
        terminal.wait_until(lambda: "2 here" in terminal.bar or "Anna Maria" in terminal.bar, "no bar")
        server.stop()
        terminal.type("this waits\r")
        terminal.wait_until(
            lambda: re.search(r"│retry in \d+ s│Anna Maria$", terminal.bar) is not None, "no countdown"
        )
        assert terminal.bar.startswith("# a-room-")


def test_an_emoji_is_typed_by_its_name(terminal: Terminal, make_client: ClientMaker) -> None:
    boris = make_client()
    boris.join("Boris")
    terminal.type(f"well done :thumbsu{TAB} `:tada:`\r")
    assert boris.receive("chat")["text"] == "well done 👍 `:tada:`"
    terminal.wait_for("→ Anna: well done 👍")
    terminal.type(f":evil{TAB}{TAB}")
    terminal.wait_for("🙈 see_no_evil")
