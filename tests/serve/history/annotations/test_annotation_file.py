"""The file that says what is about which message: it may be lost, damaged or laid by others, and the log is enough to make it anew."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.annotations.annotation_file import AT_ONCE, AnnotationFile
from besedka.serve.history.annotations.path import annotations_path
from besedka.serve.history.annotations.resolving import About
from tests.serve.history.logs import write


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "talk.txt", "[2026-12-01 09:00:00] Boris: hello\n")


def opened(log: Path, epoch: str = "e1") -> AnnotationFile:
    """The file beside a log."""
    return AnnotationFile.open(log, Descriptor(log, os.O_RDONLY), epoch)


def about(file: AnnotationFile, first: int, last: int) -> list[tuple[int, int]]:
    """Messages, and the entries about them."""
    return [(one.target, one.id) for some in file.about(first, last) for one in some]


def test_what_was_added_is_found_by_message_and_by_entry_also_after_reopening(log: Path) -> None:
    file = opened(log)
    assert (file.known, about(file, 1, 9)) == (0, [])
    file.add([About(2, 9), About(1, 5), About(2, 3)], 9)
    file.close()
    again = opened(log)
    assert again.known == 9
    assert about(again, 1, 2) == [(1, 5), (2, 3), (2, 9)]
    assert about(again, 2, 9) == [(2, 3), (2, 9)]
    assert [*again.about_behind(1, 2, 3)] == [[About(1, 5), About(2, 9)]]
    assert [*again.about_behind(2, 9, 3)] == [[About(2, 9)]]
    assert [*again.about_behind(1, 2, 9)] == []
    assert [again.target(number) for number in (3, 4, 5, 9)] == [2, 0, 1, 2]
    assert annotations_path(log).stat().st_mode & 0o777 == 0o600
    again.close()


def test_what_is_cut_off_the_log_is_forgotten(log: Path) -> None:
    file = opened(log)
    file.add([About(1, 2), About(1, 3)], 4)
    file.cut(4)
    assert file.known == 4
    file.cut(2)
    assert (file.known, about(file, 1, 9)) == (2, [(1, 2)])
    file.add([About(1, 3)], 3)
    assert about(file, 1, 9) == [(1, 2), (1, 3)]
    file.close()


def test_of_another_log_nothing_is_believed(log: Path) -> None:
    file = opened(log)
    file.add([About(1, 2)], 2)
    file.close()
    other = opened(log, "e2")
    assert (other.known, about(other, 1, 9)) == (0, [])
    other.close()
    assert opened(log).known == 0


def test_however_many_there_are_all_of_them_are_read(log: Path) -> None:
    file = opened(log)
    many = 2 * AT_ONCE + 1
    file.add((About(1, number) for number in range(2, many + 2)), many + 1)
    assert about(file, 1, 1) == [(1, number) for number in range(2, many + 2)]
    file.close()


def damaged(path: Path) -> None:
    """Lay something else there."""
    path.write_bytes(b"no database, but longer than the head of one" * 40)


def of_another_version(path: Path) -> None:
    """Lay a file of another version there."""
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 9")


def writable_by_all(path: Path) -> None:
    """Have anybody write it."""
    path.chmod(0o666)


@pytest.mark.parametrize("harm", [damaged, of_another_version, writable_by_all, Path.unlink])
def test_a_file_of_no_use_is_made_anew(log: Path, harm: type) -> None:
    file = opened(log)
    file.add([About(1, 2)], 2)
    file.close()
    harm(annotations_path(log))
    again = opened(log)
    assert (again.known, about(again, 1, 9)) == (0, [])
    again.add([About(1, 2)], 2)
    again.close()
    kept = opened(log)
    assert about(kept, 1, 9) == [(1, 2)]
    kept.close()


def test_where_none_can_be_kept_it_is_in_memory(log: Path, tmp_path: Path) -> None:
    annotations_path(log).symlink_to(tmp_path / "elsewhere")
    file = opened(log)
    file.add([About(1, 2)], 2)
    assert about(file, 1, 1) == [(1, 2)]
    file.close()
    assert not (tmp_path / "elsewhere").exists()
