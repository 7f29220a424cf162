"""Empty logs that a killed server has left go at the next start; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from besedka.serve.files.descriptor import PRIVATE
from besedka.serve.history import ChatHistory, Flag, RoomFiles, remove_leftovers, room_files
from besedka.serve.history.index import Index, index_path
from besedka.serve.history.record import Record


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """The default room's log, empty."""
    path = tmp_path / "talk.txt"
    ChatHistory.open(path).close()
    return path


def leave(path: Path) -> None:
    """Leave an empty log, as a killed server does."""
    ChatHistory.open(path).close()
    assert path.stat().st_size == 0


def remove(talk: Path) -> int:
    """Remove what is left, as the server does at its start."""
    return remove_leftovers(talk, room_files(talk, RoomFiles()).empty)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_empty_log_goes_with_its_index_and_its_epoch_also_one_without_them(talk: Path) -> None:
    before = names(talk.parent)
    leave(talk.with_name("talk.a.txt"))
    talk.with_name("talk.b.txt").touch(PRIVATE)
    assert remove(talk) == 2
    assert names(talk.parent) == before
    assert remove(talk) == 0


def hold(path: Path) -> object:
    return ChatHistory.open(path)


def say(path: Path) -> object:
    history = ChatHistory.open(path)
    history.append(["[2026-01-01 00:00:00] Anna: hello"], [Flag.NONE])
    history.close()
    return None


def cut(path: Path) -> object:
    say(path)
    path.write_bytes(b"")
    return None


def begin(path: Path) -> object:
    """Write the record of a message, and not the message: the power went between them."""
    leave(path)
    data = b"[2026-01-01 00:00:00] Anna: hello\n"
    Index.open(index_path(path), lambda _: None).add_all([Record.of(data, len(data))])
    return None


def share(path: Path) -> object:
    path.touch(0o644)
    path.chmod(0o644)
    return None


def link(path: Path) -> object:
    elsewhere = path.with_name("elsewhere")
    elsewhere.touch(PRIVATE)
    path.symlink_to(elsewhere)
    return None


@pytest.mark.parametrize("make", [hold, say, cut, begin, share, link])
def test_a_log_that_is_held_or_has_something_in_it_or_is_somebody_elses_stays(
    talk: Path, make: Callable[[Path], object]
) -> None:
    made = make(talk.with_name("talk.a.txt"))
    before = names(talk.parent)
    assert remove(talk) == 0
    assert names(talk.parent) == before
    if isinstance(made, ChatHistory):
        made.close()
