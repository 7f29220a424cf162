"""Ignored names on disk."""

from __future__ import annotations

import stat
from pathlib import Path

from besedka.terminal.storage import IgnoredNames

URL, OTHER = "ws://a.example/ws", "ws://b.example/ws"


def ignored_in(path: Path | None, url: str = URL, failures: list[OSError] | None = None) -> IgnoredNames:
    return IgnoredNames(path, url, (failures if failures is not None else []).append)


def test_a_name_is_ignored_in_its_chat_in_whatever_case_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "ignored"
    ignored = ignored_in(path)
    ignored.add("Anna Maria")
    ignored.add("Борис")
    assert "anna maria" in ignored
    assert "БОРИС" in ignored_in(path)
    assert "Anna" not in ignored
    assert ignored_in(path, OTHER).names == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ignored.remove("ANNA MARIA")
    assert not ignored.remove("Anna Maria")
    assert ignored_in(path).names == ["Борис"]


def test_two_terminals_add_to_each_others_names(tmp_path: Path) -> None:
    path = tmp_path / "ignored"
    one, other = ignored_in(path), ignored_in(path, OTHER)
    one.add("Anna")
    other.add("Boris")
    assert ignored_in(path).names == ["Anna"]
    assert ignored_in(path, OTHER).names == ["Boris"]


def test_a_name_is_ignored_for_the_session_if_nothing_can_be_stored(tmp_path: Path) -> None:
    failures: list[OSError] = []
    for path in (None, tmp_path / "no folder" / "ignored"):
        ignored = ignored_in(path, failures=failures)
        ignored.add("Anna")
        assert "Anna" in ignored
    assert len(failures) == 1
