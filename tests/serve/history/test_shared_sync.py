"""Batches of many logs that share a sync: each has an outcome of its own."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from besedka.serve.errors import HistoryLost, StorageFull
from besedka.serve.files import file_system
from besedka.serve.files.file_system import FileSystem
from besedka.serve.history import Append, ChatHistory, Flag, Outcome, append_to_all
from tests.serve.history.logs import at_sync, line, lines_in, name_of, no_room_for

LOGS = 6


class Folder:
    """Some logs in one file system.

    Attributes:
        shared: how many times all were synced at once.
    """

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.paths = [path / f"room{number}.txt" for number in range(LOGS)]
        self.logs = [ChatHistory.open(one) for one in self.paths]
        self.shared = 0
        self.edit: Callable[[], object] = lambda: None
        patch.setattr(file_system, "type_of", lambda _: 0x58465342)
        patch.setattr(file_system, "reports_errors", lambda: True)
        patch.setattr(file_system, "pending_bytes", lambda: 0)
        patch.setattr(file_system, "syncfs", self._sync_all)
        self._system = FileSystem(self.logs[0].body.file)

    def append(self, text: str) -> list[Outcome]:
        """Append a message to each log."""
        return append_to_all(self._system, [Append(log, [line(text)], [Flag.VERIFIED]) for log in self.logs])

    def close(self) -> None:
        for log in self.logs:
            log.close()

    def _sync_all(self, number: int) -> None:
        self.shared += 1
        os.fdatasync(number)
        self.edit()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    with monkeypatch.context() as patch:
        folder = Folder(tmp_path, patch)
        yield folder
        folder.close()


def test_messages_of_many_logs_share_a_sync(folder: Folder) -> None:
    assert folder.append("one") == [1] * LOGS
    assert folder.append("two") == [2] * LOGS
    assert folder.shared == 3  # behind an opening the records are synced, too
    for log, path in zip(folder.logs, folder.paths, strict=True):
        assert log.read(1, 9) == [line("one"), line("two")]
        assert log.read_with_flags(1, 9).flags == [Flag.VERIFIED | Flag.BEGINS_BATCH] * 2
        assert log.sync_seconds > 0
        log.close()
        assert lines_in(path) == [line("one"), line("two")]


def test_a_log_that_another_program_has_edited_is_left_to_itself(folder: Folder) -> None:
    """Also if the edit keeps its size and shows only to the kernel; and it is not forgotten until the log is read again."""
    folder.append("one")
    path = folder.paths[2]
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"one", b"eno"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert folder.append("two") == [2, 2, None, 2, 2, 2]
    assert folder.append("three") == [3, 3, None, 3, 3, 3]
    before = folder.logs[2].epoch
    assert folder.logs[2].append([line("three")]) == 2
    assert folder.logs[2].epoch != before
    assert folder.append("four") == [4, 4, 3, 4, 4, 4]
    assert folder.logs[2].read(1, 9) == [line("eno"), line("three"), line("four")]


def test_a_log_that_is_replaced_during_the_sync_is_tried_again(folder: Folder) -> None:
    folder.append("one")
    path = folder.paths[4]
    other = path.with_name("other.txt")
    other.write_text(line("another") + "\n")
    folder.edit = lambda: other.exists() and other.rename(path)
    assert folder.append("two") == [2, 2, 2, 2, None, 2]
    first = folder.logs[4].append([line("two")])
    assert folder.logs[4].read(first, 9) == [line("two")]


def test_a_log_that_is_being_changed_keeps_no_other_waiting(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, being_changed, go_on = os.fdatasync, threading.Event(), threading.Event()

    def sync(number: int) -> None:
        being_changed.set()
        go_on.wait()
        really(number)

    with monkeypatch.context() as disk, ThreadPoolExecutor(1) as other:
        disk.setattr(os, "fdatasync", sync)
        alone = other.submit(folder.logs[1].append, [line("alone")])
        being_changed.wait()
        disk.setattr(os, "fdatasync", really)
        assert folder.append("one") == [1, None, 1, 1, 1, 1]
        go_on.set()
        assert alone.result() == 1
    assert folder.append("two") == [2] * LOGS


def test_where_one_log_finds_no_room_the_others_are_stored(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.paths[3]
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", no_room_for(lambda name: name == str(path)))
        outcomes = folder.append("one")
    assert isinstance(outcomes.pop(3), StorageFull)
    assert outcomes == [1] * (LOGS - 1)
    assert folder.append("two") == [2, 2, 2, 1, 2, 2]


def test_where_the_shared_sync_fails_all_logs_are_lost(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.append("zero")

    def sync_all(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as disk:
        disk.setattr(file_system, "syncfs", sync_all)
        assert [type(outcome) for outcome in folder.append("one")] == [HistoryLost] * LOGS
    assert [type(outcome) for outcome in folder.append("two")] == [HistoryLost] * LOGS  # final


def test_where_each_log_is_synced_by_itself_one_that_cannot_be_is_lost(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.append("zero")
    really, bad = os.fdatasync, str(folder.paths[5])

    def sync(number: int) -> None:
        really(number)
        if name_of(number) == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as disk:
        disk.setattr(os, "fdatasync", sync)
        disk.setattr(file_system, "pending_bytes", lambda: 1 << 40)
        outcomes = folder.append("one")
    assert isinstance(outcomes.pop(), HistoryLost)
    assert outcomes == [2] * (LOGS - 1)


def test_an_unexpected_error_of_one_log_is_its_own(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    really, bad = os.write, str(folder.paths[0])

    def write(number: int, data: bytes) -> int:
        if name_of(number) == bad:
            raise ZeroDivisionError
        return really(number, data)

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write)
        outcomes = folder.append("one")
    assert isinstance(outcomes.pop(0), ZeroDivisionError)
    assert outcomes == [1] * (LOGS - 1)


def test_a_line_added_during_the_sync_keeps_its_place(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is where it was written; what another program has added behind it is told next."""

    def add(path: Path) -> None:
        with path.open("a") as log:
            log.write(line("by hand") + "\n")

    folder.append("one")
    at_sync(monkeypatch, folder.paths[0], add)
    assert folder.append("two") == [2] * LOGS
    assert folder.logs[0].read(1, 9) == [line("one"), line("two"), line("by hand")]


def test_the_records_of_messages_of_several_lines_share_a_sync_before_these_are_written(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.append("one")
    shared, written = folder.shared, []
    really = os.write

    def write(number: int, data: bytes) -> int:
        written.append((name_of(number).endswith(".index"), folder.shared - shared))
        return really(number, data)

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write)
        assert folder.append("two\nlines") == [2] * LOGS
    assert written == [(True, 0)] * LOGS + [(False, 1)] * LOGS
    assert folder.shared - shared == 2


@pytest.mark.parametrize("text", ["one line", "two\nlines"])
def test_an_unexpected_error_of_the_sync_leaves_no_log_locked(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Else whoever waits for a log would wait for ever, and the server could not end."""
    folder.append("one")

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(FileSystem, "sync", breaks)
        outcomes = folder.append(text)
    assert [type(outcome) for outcome in outcomes] == [HistoryLost] * LOGS
    assert "ZeroDivisionError" in str(outcomes[0])
    with ThreadPoolExecutor(1) as other:
        for log in folder.logs:
            with pytest.raises(HistoryLost):
                other.submit(log.append, [line("three")]).result(60)
