"""Read positions of direct rooms, kept for the next session."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from besedka.terminal.storage import read_positions
from besedka.terminal.storage.read_positions import ROOMS_AT_MOST, ReadPositions, within_shares

LAB, ATTIC = "ws://lab:8765/ws", "unix:/run/an attic"


def opened(path: Path, url: str = LAB) -> ReadPositions:
    one = ReadPositions(path, url)
    one.load()
    return one


def test_a_position_is_known_in_the_next_session_of_the_same_chat(tmp_path: Path) -> None:
    path = tmp_path / "read"
    for url, number in ((LAB, 7), (ATTIC, 9)):
        one = opened(path, url)
        assert one.get("direct-1") is None
        one.set("direct-1", (number, "epoch"))
        one.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert opened(path).get("direct-1") == (7, "epoch")
    assert opened(path, ATTIC).get("direct-1") == (9, "epoch")
    assert opened(path, "ws://elsewhere:8765/ws").get("direct-1") is None


def test_no_terminal_takes_back_what_another_one_has_read(tmp_path: Path) -> None:
    path = tmp_path / "read"
    one, other = opened(path), opened(path)
    one.set("direct-1", (7, "epoch"))
    one.set("direct-2", (3, "epoch"))
    one.save()
    other.set("direct-1", (5, "epoch"))
    other.set("direct-2", (1, "a newer epoch"))
    other.save()
    assert opened(path).get("direct-1") == (7, "epoch")
    assert opened(path).get("direct-2") == (1, "a newer epoch")


def test_a_room_without_a_message_read_is_not_stored(tmp_path: Path) -> None:
    one = opened(tmp_path / "read")
    one.set("direct-1", (0, ""))
    one.set("direct-1", (0, "epoch"))
    one.save()
    assert list(tmp_path.iterdir()) == []


def test_malformed_lines_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "read"
    path.write_bytes(b"\xff\nx\tepoch\tdirect-2\tws://lab:8765/ws\n7\tepoch\tdirect-1\tws://lab:8765/ws\n8\t")
    assert (opened(path).get("direct-1"), opened(path).get("direct-2")) == ((7, "epoch"), None)


def test_the_rooms_not_read_for_longest_are_forgotten_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_positions, "ROOMS_AT_MOST", 2)
    path = tmp_path / "read"
    one = opened(path)
    for room in ("direct-1", "direct-2", "direct-1", "direct-3"):
        one.set(room, (len(path.read_text()) if path.exists() else 1, "epoch"))
        one.save()
    kept = opened(path)
    assert [kept.get(room) is None for room in ("direct-1", "direct-2", "direct-3")] == [False, True, False]


def test_a_number_that_is_none_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "read"
    numbers = ["9" * 5_000, "-1", "²", "٣", "1e3"]
    rows = [f"{number}\tepoch\tdirect-{index}\t{LAB}\n" for index, number in enumerate(numbers)]
    path.write_text("".join([*rows, f"7\tepoch\tdirect-7\t{LAB}\n"]), encoding="utf-8")
    assert [opened(path).get(f"direct-{index}") for index in range(8)] == [None] * 7 + [(7, "epoch")]


def test_a_chat_of_many_rooms_makes_no_other_chat_forget_its_own(tmp_path: Path) -> None:
    path = tmp_path / "read"
    bank = opened(path, "ws://bank.example:8765/ws")
    for number in range(20):
        bank.set(f"direct-{number}", (7, "epoch"))
    bank.save()
    greedy = opened(path)
    for number in range(5_000):
        greedy.set(f"direct-{number}", (1, "epoch"))
        if number % 500 == 0:
            greedy.save()
    greedy.save()
    assert len(path.read_text().splitlines()) == ROOMS_AT_MOST
    again = opened(path, "ws://bank.example:8765/ws")
    assert [again.get(f"direct-{number}") for number in range(20)] == [(7, "epoch")] * 20
    # It is the least recently read ones of its own that it has lost.
    assert opened(path).get("direct-4999") == (1, "epoch")
    assert [opened(path).get(f"direct-{number}") for number in (0, 4_019)] == [None, None]
    assert opened(path).get("direct-4020") == (1, "epoch")


def test_a_chat_that_has_only_few_rooms_finds_a_place_in_a_full_file() -> None:
    rows = [("7", "epoch", f"direct-{number}", LAB if number % 2 else ATTIC) for number in range(10)]
    new = ("1", "epoch", "direct-1", "ws://elsewhere:8765/ws")
    assert within_shares([*rows, new], 10) == [*rows[1:], new]
    assert within_shares([*rows, new], 3) == [*rows[-2:], new]
    assert within_shares(rows, 10) == rows
