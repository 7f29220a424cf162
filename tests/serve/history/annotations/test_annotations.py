"""The annotations of a log that grows, is cut, becomes another one, or stands on a disk that is full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka.serve.history import ChatHistory
from besedka.serve.history.annotations.annotations import Annotations
from besedka.serve.history.annotations.path import annotations_path

STAMP = "2026-12-01 09:00:00"


def message(text: str) -> str:
    return f"[{STAMP}] Boris: {text}"


def reaction(ordinal: int, text: str = "ok", name: str = "Anna") -> str:
    return f"[{STAMP}] *{name}: react #1.{ordinal} [{STAMP}] Boris: {text}".replace(".1 ", " ")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[ChatHistory]:
    history = ChatHistory.open(tmp_path / "talk.txt")
    yield history
    history.close()


def reactions(annotations: Annotations, history: ChatHistory) -> dict[int, dict[str, list[str]]]:
    """The reactions to each message, as far as was looked at, with the names of those who react so."""
    found = annotations.of(history.body, 1, history.count)
    return {
        target: {text: [*names] for text, names in folded.fate.reactions.items()}
        for target, folded in found.items()
    }


def test_a_log_is_looked_at_as_far_as_it_has_grown(history: ChatHistory) -> None:
    annotations = Annotations(history.path)
    history.append([message("one"), reaction(1)])
    assert annotations.lag(history.body) == 2
    annotations.catch_up(history.body, lambda: None)
    assert annotations.lag(history.body) == 0
    assert reactions(annotations, history) == {1: {"ok": ["Anna"]}}
    history.append([reaction(1, name="Clara"), message("two"), reaction(2)])
    assert annotations.lag(history.body) == 3
    annotations.catch_up(history.body, lambda: None)
    assert reactions(annotations, history) == {1: {"ok": ["Anna", "Clara"]}, 4: {"ok": ["Anna"]}}
    annotations.close()
    again = Annotations(history.path)
    assert reactions(again, history) == {1: {"ok": ["Anna", "Clara"]}, 4: {"ok": ["Anna"]}}
    assert again.lag(history.body) == 0
    again.close()


def test_another_log_has_other_annotations(history: ChatHistory) -> None:
    annotations = Annotations(history.path)
    history.append([message("one"), reaction(1)])
    annotations.catch_up(history.body, lambda: None)
    history.path.write_text(f"{message('other')}\n{message('one')}\n{reaction(2)}\n", "utf-8")
    history.append([reaction(2, "more")])
    assert annotations.lag(history.body) == 4
    annotations.catch_up(history.body, lambda: None)
    assert reactions(annotations, history) == {2: {"ok": ["Anna"], "more": ["Anna"]}}
    annotations.close()


def test_whatever_happens_to_the_file_is_mended_from_the_log(history: ChatHistory) -> None:
    annotations = Annotations(history.path)
    history.append([message("one"), reaction(1)])
    annotations.catch_up(history.body, lambda: None)
    history.append([reaction(1, "more")])
    # As a disk that has lost it.
    annotations_path(history.path).write_bytes(b"nothing of it")
    annotations.catch_up(history.body, lambda: None)
    assert reactions(annotations, history) == {1: {"ok": ["Anna"], "more": ["Anna"]}}
    annotations.close()
    again = Annotations(history.path)
    assert reactions(again, history) == {}
    again.catch_up(history.body, lambda: None)
    assert reactions(again, history) == {1: {"ok": ["Anna"], "more": ["Anna"]}}
    again.close()


def test_an_emptied_log_takes_its_annotations_along(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "talk.txt")
    annotations = Annotations(history.path)
    annotations.catch_up(history.body, lambda: None)
    annotations.close()
    history.close(remove_if_empty=True)
    assert [*tmp_path.iterdir()] == []
