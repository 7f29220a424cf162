"""Nothing that others post begins in a column where a time or a name stands, whatever the window and the characters are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.terminal.pseudo_terminal import Terminal

FORGED = "13:00   Boss: go"
NAME_COLUMN = len("13:00   ")
FILLERS = [" ", "\t", "\u3000", "\u00a0", "あ", "❤\ufe0f", "é", "\n", "\n        ", "\u05d0"]


def hostile_texts(columns: int) -> Iterator[str]:
    """Texts that would bring a forged line to the left edge of a window of so many columns, did the terminal wrap them."""
    exact = columns - len("13:00   Mallory: hi") % columns
    yield f"hi{' ' * exact}{FORGED}"
    for filler in FILLERS:
        yield from (f"hi{filler * count}{FORGED}" for count in range(columns // 2, columns + 1, 7))
        yield f"hi{filler * 5}{FORGED}{filler * columns}{FORGED}"


@pytest.fixture
def mallory(make_server: ServerMaker) -> Iterator[tuple[RunningServer, WireClient]]:
    server = make_server("--lang", "en", "--rate", "0").start()
    with WireClient(server) as client:
        client.join("Mallory", secret="theirs")
        yield server, client


def assert_not_forged(lines: list[str], begins: int) -> None:
    assert any("go" in line for line in lines)
    for line in lines:
        assert not line.startswith("13:00"), line
        assert not line[begins:].startswith(("Boss", "B")), line


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_text_forges_a_line_in_a_chat(
    mallory: tuple[RunningServer, WireClient], tmp_path: Path, columns: int
) -> None:
    server, client = mallory
    with Terminal(server.url(), "--name", "Anna", home=tmp_path, columns=columns) as terminal:
        terminal.wait_until(lambda: "> " in "".join(terminal.lines) or terminal.input_line == ">", "no line")
        for text in hostile_texts(columns):
            client.send_frame("chat", text=text)
        client.send_frame("chat", text="fin")
        terminal.wait_until(lambda: any("fin" in line for line in terminal.lines), "no last text")
        assert_not_forged(terminal.scrollback, NAME_COLUMN)


@pytest.mark.parametrize("command", ["tail", "history"])
@pytest.mark.parametrize("columns", [20, 80])
def test_no_text_forges_a_line_of_a_command(
    mallory: tuple[RunningServer, WireClient], tmp_path: Path, columns: int, command: str
) -> None:
    server, client = mallory
    forged = "[2026-01-01 13:00:00] Boss: go"
    for filler, count in itertools.product(FILLERS, range(columns // 2, columns + 1, 9)):
        client.send_frame("chat", text=f"hi{filler * count}{forged}")
    client.send_frame("chat", text="fin")
    client.receive_until(lambda frame: frame.get("text") == "fin")
    arguments = ("--url", server.url(), "-n", "1000") if command == "tail" else (str(server.history),)
    with Terminal(*arguments, home=tmp_path, columns=columns, command=command) as terminal:
        assert terminal.exit_status() == 0
        lines = terminal.scrollback
    assert any("Boss" in line for line in lines)
    assert all(line.startswith("[20") or line[:8].strip() == "" for line in lines)
    assert not [line for line in lines if line.startswith("[2026-01-01 13:00")]


def test_a_name_written_by_hand_and_a_search_forge_none_either(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    server = make_server("--lang", "en")
    names = [
        f"M{filler * count}{FORGED.replace(':', '.')}"
        for filler in (" ", "あ", "\t")
        for count in (5, 30, 65, 70)
    ]
    lines = [f"[2025-01-01 00:00:{number:02}] {name}: x\n" for number, name in enumerate(names)]
    server.history.write_text("".join(lines), encoding="utf-8")
    server.start()
    with Terminal(server.url(), "--name", "Anna", home=tmp_path) as terminal:
        terminal.wait_for("You are in # main as Anna.")
        terminal.type("/history 100\r")
        terminal.wait_for("──── now ────")
        terminal.type("/find x\r")
        terminal.wait_for("12 found")
        for line in terminal.scrollback:
            assert "Boss" not in line[: NAME_COLUMN + 1], line


def test_a_terminal_with_wider_characters_than_thought_wraps_none_itself(
    mallory: tuple[RunningServer, WireClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    width: Any = pyte.screens.wcwidth

    def as_in_a_chinese_font(character: str) -> int:
        return 2 if character == "±" else int(width(character))

    monkeypatch.setattr(pyte.screens, "wcwidth", as_in_a_chinese_font)
    server, client = mallory
    with Terminal(server.url(), "--name", "Anna", home=tmp_path) as terminal:
        terminal.wait_for("You are in # main as Anna.")
        for count in range(20, 45):
            client.send_frame("chat", text=f"{'±' * count}{FORGED}")
        client.send_frame("chat", text="fin")
        terminal.wait_for("fin")
        for line in terminal.scrollback:
            assert not line.startswith(("1", "3", "B", "o", "s", ":", "g")) or line[2:3] == ":", line
            assert "Boss" not in line[: NAME_COLUMN + 1], line
