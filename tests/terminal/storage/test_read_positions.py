"""How far one has read in one's talks of two, kept for the next time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from besedka.terminal.storage import read_positions
from besedka.terminal.storage.read_positions import Reading

LAB, ATTIC = "ws://lab:8765/ws", "unix:/run/an attic"


def opened(path: Path, url: str = LAB) -> Reading:
    one = Reading(path, url)
    one.load()
    return one


def test_it_is_known_the_next_time_in_the_same_chat(tmp_path: Path) -> None:
    path = tmp_path / "read"
    for url, number in ((LAB, 7), (ATTIC, 9)):
        one = opened(path, url)
        assert one.of("direct-1") is None
        one.move("direct-1", (number, "epoch"))
        one.keep()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert opened(path).of("direct-1") == (7, "epoch")
    assert opened(path, ATTIC).of("direct-1") == (9, "epoch")
    assert opened(path, "ws://elsewhere:8765/ws").of("direct-1") is None


def test_no_terminal_takes_back_what_another_has_read(tmp_path: Path) -> None:
    path = tmp_path / "read"
    one, other = opened(path), opened(path)
    one.move("direct-1", (7, "epoch"))
    one.move("direct-2", (3, "epoch"))
    one.keep()
    other.move("direct-1", (5, "epoch"))
    other.move("direct-2", (1, "a newer epoch"))
    other.keep()
    assert opened(path).of("direct-1") == (7, "epoch")
    assert opened(path).of("direct-2") == (1, "a newer epoch")


def test_what_was_not_read_at_all_is_not_kept(tmp_path: Path) -> None:
    one = opened(tmp_path / "read")
    one.move("direct-1", (0, ""))
    one.move("direct-1", (0, "epoch"))
    one.keep()
    assert list(tmp_path.iterdir()) == []


def test_lines_that_are_none_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "read"
    path.write_bytes(b"\xff\nx\tepoch\tdirect-2\tws://lab:8765/ws\n7\tepoch\tdirect-1\tws://lab:8765/ws\n8\t")
    assert (opened(path).of("direct-1"), opened(path).of("direct-2")) == ((7, "epoch"), None)


def test_the_talks_of_long_ago_are_forgotten_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_positions, "TALKS_AT_MOST", 2)
    path = tmp_path / "read"
    one = opened(path)
    for room in ("direct-1", "direct-2", "direct-1", "direct-3"):
        one.move(room, (len(path.read_text()) if path.exists() else 1, "epoch"))
        one.keep()
    kept = opened(path)
    assert [kept.of(room) is None for room in ("direct-1", "direct-2", "direct-3")] == [False, True, False]
