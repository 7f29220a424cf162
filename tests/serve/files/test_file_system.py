"""Syncing many files at once: when that is done, and that the errors of our own files are never missed."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from besedka.serve.files import file_system
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.files.file_system import (
    AVOIDED_SECONDS,
    PENDING_AT_MOST,
    TOGETHER_FROM,
    FileSystem,
    file_system_of,
)

XFS: Final = 0x58465342
EXT: Final = 0xEF53
PENDING_BYTES: Final = file_system.pending_bytes
TMPFS: Final = 0x01021994


class Disk:
    """Stands for the disk; notes what is asked of it.

    Attributes:
        single: how many files were synced by themselves.
        shared: how many times everything was synced.
        seconds: how long a shared sync takes.
        failing: the files that cannot be synced.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.single = self.shared = 0
        self.seconds = 0.0
        self.failing: set[int] = set()
        self._now = 1_000.0
        patch.setattr(os, "fdatasync", self._sync)
        patch.setattr(file_system, "syncfs", self._sync_all)
        patch.setattr(time, "monotonic", lambda: self._now)

    def pass_seconds(self, seconds: float) -> None:
        self._now += seconds

    def _sync(self, number: int) -> None:
        self.single += 1
        if number in self.failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _sync_all(self, number: int) -> None:
        os.fstat(number)  # it is an open file
        self.shared += 1
        self._now += self.seconds
        if self.failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(file_system, "type_of", lambda _: XFS)
    monkeypatch.setattr(file_system, "pending_bytes", lambda: 0)
    monkeypatch.setattr(file_system, "reports_errors", lambda: True)
    return Disk(monkeypatch)


Files = Callable[[int], list[Descriptor]]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return lambda count: [
        Descriptor(tmp_path / f"{number}", os.O_RDWR | os.O_CREAT) for number in range(count)
    ]


def test_many_files_are_synced_at_once_and_few_by_themselves(disk: Disk, files: Files) -> None:
    many = files(TOGETHER_FROM)
    system = FileSystem(many[0])
    assert system.sync(many) == [None] * TOGETHER_FROM
    assert (disk.shared, disk.single) == (1, 0)
    assert system.sync(many[1:]) == [None] * (TOGETHER_FROM - 1)
    assert (disk.shared, disk.single) == (1, TOGETHER_FROM - 1)


def test_after_an_error_of_a_shared_sync_no_file_counts_as_synced(disk: Disk, files: Files) -> None:
    """Once it is reported, a sync of a file may find nothing to do, though the file is not on the disk: a told message was lost so."""
    many = files(10)
    disk.failing = {many[3].number}
    assert all(FileSystem(many[0]).sync(many))
    assert (disk.shared, disk.single) == (1, 0)
    disk.failing = {many[1].number}
    errors = FileSystem(many[0]).sync(many[: TOGETHER_FROM - 1])
    assert [error is None for error in errors] == [True, False, False]
    assert disk.single == 2


def test_nobody_waits_for_what_other_programs_have_written(
    disk: Disk, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = files(10)
    system = FileSystem(many[0])
    monkeypatch.setattr(file_system, "pending_bytes", lambda: PENDING_AT_MOST + 1)
    system.sync(many)
    assert (disk.shared, disk.single) == (0, 10)
    assert not system.syncs_together
    monkeypatch.setattr(file_system, "pending_bytes", lambda: PENDING_AT_MOST)
    disk.pass_seconds(AVOIDED_SECONDS)
    system.sync(many)
    assert (disk.shared, disk.single) == (1, 10)


def test_what_is_slower_than_a_sync_of_each_is_left_for_a_while(disk: Disk, files: Files) -> None:
    many = files(10)
    system = FileSystem(many[0])
    disk.seconds = 10 * file_system.FIRST_GUESS_SECONDS + 0.001
    system.sync(many)
    system.sync(many)
    assert (disk.shared, disk.single) == (1, 10)
    disk.pass_seconds(AVOIDED_SECONDS)
    system.sync(many)
    assert disk.shared == 2


def refuse(*_: object) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.fixture
def ext4(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - behind it
    monkeypatch.setattr(file_system, "type_of", lambda _: EXT)
    monkeypatch.setattr(file_system, "is_ext4", lambda _: True)


@pytest.mark.usefixtures("ext4")
def test_files_of_ext4_share_a_sync_and_its_journal_is_looked_at(
    disk: Disk, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first change finds the journal dead, and only the second one is refused: so it is in the kernel."""
    many = files(10)
    system = FileSystem(many[0])
    assert system.sync(many) == [None] * 10
    assert disk.shared == 1
    changes = []

    def change(file: int) -> None:
        changes.append(file)
        if len(changes) == 2:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "utime", change)
    assert all(system.sync(many))
    assert disk.shared == 2
    changes.clear()
    (error,) = system.sync(many[:1])
    assert error
    assert error.errno == errno.EROFS
    assert disk.single == 1
    assert changes[0] not in {file.number for file in many}  # the log's own time stays


def test_whoever_syncs_one_file_gets_its_error(disk: Disk, files: Files) -> None:
    first, second = files(2)
    disk.failing = {second.number}
    file_system.sync(first)
    with pytest.raises(OSError, match="Input/output error"):
        file_system.sync(second)
    assert disk.single == 2


@pytest.mark.usefixtures("ext4")
@pytest.mark.parametrize("call", ["open", "mounts"])
def test_where_no_journal_can_be_watched_each_file_is_synced(
    disk: Disk, files: Files, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    many = files(10)
    with monkeypatch.context() as patch:
        patch.setattr(*((os, "open") if call == "open" else (file_system, "is_ext4")), refuse)
        system = FileSystem(many[0])
    assert system.sync(many) == [None] * 10
    assert (disk.shared, disk.single) == (0, 10)


@pytest.mark.parametrize("kind", [TMPFS, 0])
def test_only_file_systems_that_were_proved_are_synced_at_once(
    disk: Disk, files: Files, kind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_system, "type_of", lambda _: kind)
    many = files(10)
    system = FileSystem(many[0])
    system.sync(many)
    assert not system.syncs_together
    assert (disk.shared, disk.single) == (0, 10)


def test_an_older_kernel_which_reports_no_errors_is_not_asked(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_system, "type_of", lambda _: XFS)
    (file,) = files(1)
    for release, does_report in [
        ("5.16.20", False),
        ("5.17.0-1-amd64", True),
        ("6.1.0", True),
        ("odd", False),
    ]:
        here = os.uname()
        named = os.uname_result((here.sysname, here.nodename, release, here.version, here.machine))
        monkeypatch.setattr(os, "uname", lambda named=named: named)
        assert FileSystem(file).syncs_together is does_report, release


@pytest.mark.parametrize("call", ["open", "pread"])
def test_where_nothing_is_known_of_what_is_pending_each_file_is_synced(
    disk: Disk, files: Files, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may see nothing of /proc but processes, and at the moment of a sync there may be no free descriptor."""
    monkeypatch.setattr(file_system, "pending_bytes", PENDING_BYTES)
    many, really = files(10), getattr(os, call)

    def fails(what: object, *rest: object) -> object:
        if what in {"/proc/meminfo", Path("/proc/meminfo")} or call == "pread":
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return really(what, *rest)

    begun = FileSystem(many[0])  # as it is where all is well
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        file_system.pending_report.cache_clear()
        system = FileSystem(many[0])
        assert not system.syncs_together
        assert system.sync(many) == [None] * 10
        assert (disk.shared, disk.single) == (0, 10)
        if call == "pread":
            assert begun.sync(many) == [None] * 10
            assert disk.shared == 0
    file_system.pending_report.cache_clear()
    assert FileSystem(many[0]).syncs_together


def test_what_is_pending_is_known_without_a_free_descriptor(
    disk: Disk, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_system, "pending_bytes", PENDING_BYTES)
    many = files(10)
    system = FileSystem(many[0])

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        patch.setattr(file_system, "PENDING_AT_MOST", 1 << 50)
        assert system.sync(many) == [None] * 10
    assert disk.shared == 1


def test_the_system_itself_is_asked(files: Files) -> None:
    """Not a stand-in for it: its type, what is pending, and a sync of all of it; a closed file is an error."""
    (file,) = files(1)
    assert file_system.type_of(file) > 0
    assert file_system.pending_bytes() >= 0
    file_system.syncfs(file.number)
    assert file_system_of(file) is file_system_of(file)
    file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file_system.syncfs(-1)
