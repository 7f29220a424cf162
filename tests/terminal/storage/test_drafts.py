"""Drafts on disk."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from besedka.terminal.storage.drafts import DRAFTS_AT_MOST, Drafts

URL, OTHER = "ws://a.example/ws", "ws://b.example/ws"


def test_a_draft_is_taken_once_and_from_its_room_and_chat_only(tmp_path: Path) -> None:
    path = tmp_path / "drafts"
    Drafts(path, URL).keep({"main": "half\na line", "dev": "more"})
    Drafts(path, OTHER).keep({"main": "elsewhere"})
    again = Drafts(path, URL)
    assert again.take("docs") == ""
    assert again.take("main") == "half\na line"
    assert again.take("main") == ""
    assert again.take("dev") == "more"
    assert Drafts(path, OTHER).take("main") == "elsewhere"
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.text(min_size=1))
def test_any_text_is_kept(text: str) -> None:
    with TemporaryDirectory() as folder:
        drafts = Drafts(Path(folder) / "drafts", URL)
        drafts.keep({"main": text})
        assert drafts.take("main") == text


def test_the_oldest_drafts_are_dropped(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts", URL)
    for number in range(DRAFTS_AT_MOST + 2):
        drafts.keep({f"room{number}": "half"})
    drafts.keep({"room2": "newer"})
    assert [drafts.take(f"room{number}") for number in range(4)] == ["", "", "newer", "half"]


def test_a_damaged_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "drafts"
    path.write_text(f'{URL}\tmain\tno JSON\n{URL}\tdocs\t7\n{URL}\tdev\t"half"\n')
    drafts = Drafts(path, URL)
    assert [drafts.take(room) for room in ("main", "docs", "dev")] == ["", "", "half"]
