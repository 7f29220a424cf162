"""``audit.txt``: a line is there before it counts, or it is not there at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka.serve.directory.audit import RESERVE_BYTES, Audit
from besedka.serve.errors import AuditLost, FolderInUse, RecordUnusable
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.people.audit_entry import AuditEntry, Event, write_entry
from besedka.wire.frames import Act

FIRST = AuditEntry("2026-11-20 17:00:00", "operator", Act.MUTE, user="Boris")
SECOND = AuditEntry("2026-11-20 17:00:01", "operator", Act.BAN, user="Egor", reason="spam, and more")


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    """One with a line."""
    audit = Audit(tmp_path)
    assert audit.open() == []
    audit.write(FIRST)
    yield audit
    audit.close()


def read(folder: Path) -> list[AuditEntry]:
    again = Audit(folder)
    try:
        return again.open()
    finally:
        again.close()


def test_what_was_written_is_there_in_a_private_file(audit: Audit, tmp_path: Path) -> None:
    audit.write(SECOND)
    assert stat.S_IMODE(audit.path.stat().st_mode) == 0o600
    audit.close()
    assert read(tmp_path) == [FIRST, SECOND]


def test_another_server_is_refused_with_the_process_that_has_the_folder(audit: Audit, tmp_path: Path) -> None:
    with pytest.raises(FolderInUse, match=f"{tmp_path} is in use by process {os.getpid()}"):
        read(tmp_path)
    assert audit.path.exists()


def test_what_a_killed_server_has_left_unsynced_is_synced_before_it_counts(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.close()
    synced: list[int] = []
    really = os.fdatasync

    def noted(number: int) -> None:
        synced.append(os.fstat(number).st_ino)
        really(number)

    monkeypatch.setattr(os, "fdatasync", noted)
    assert read(tmp_path) == [FIRST]
    assert (tmp_path / "audit.txt").stat().st_ino in synced


@pytest.mark.parametrize("cut", range(1, len(write_entry(SECOND)) + 1))
def test_a_torn_line_never_counts(audit: Audit, tmp_path: Path, cut: int) -> None:
    audit.close()
    with audit.path.open("a") as file:
        file.write(write_entry(SECOND)[:cut])
    assert read(tmp_path) == [FIRST]
    assert audit.path.read_text() == f"{write_entry(FIRST)}\n"


def test_nuls_that_a_file_system_left_are_cut_off(audit: Audit, tmp_path: Path) -> None:
    audit.close()
    with audit.path.open("ab") as file:
        file.write(write_entry(SECOND)[:20].encode() + bytes(30) + b"\n")
    assert read(tmp_path) == [FIRST]


@pytest.mark.parametrize("call", ["write", "fdatasync"])
@pytest.mark.parametrize("number", ["ENOSPC", "EIO"])
def test_what_could_not_be_written_does_not_count_now_or_later(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: str
) -> None:
    really_write = os.write

    def fail(descriptor: int, data: bytes = b"") -> int:
        if data:
            really_write(descriptor, data[:10])
        raise OSError(getattr(errno, number), "no")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(AuditLost) as lost:
            audit.write(SECOND)
    assert lost.value.is_full == (number == "ENOSPC")
    if number == "ENOSPC":
        audit.write(SECOND)
    else:
        with pytest.raises(AuditLost):
            audit.write(SECOND)
    audit.close()
    assert read(tmp_path) == ([FIRST, SECOND] if number == "ENOSPC" else [FIRST])


def test_a_full_disk_has_space_for_acts_which_private_rooms_do_not_take(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken() -> int:
        return audit.path.stat().st_blocks * 512

    assert taken() >= RESERVE_BYTES > 10 * audit.path.stat().st_size
    monkeypatch.setattr(Descriptor, "has_room", lambda _: False)
    with pytest.raises(AuditLost, match="kept for acts") as lost:
        audit.write(AuditEntry("2026-11-20 17:00:02", "Anna", Event.PRIVATE, room="plans", by="a" * 64))
    assert lost.value.is_full
    assert taken() >= RESERVE_BYTES
    audit.write(SECOND)
    audit.close()
    assert read(tmp_path) == [FIRST, SECOND]
    assert taken() >= RESERVE_BYTES


def test_nothing_is_written_into_a_file_that_is_gone(audit: Audit) -> None:
    audit.path.rename(audit.path.with_name("old.txt"))
    audit.path.write_text("")
    with pytest.raises(AuditLost, match="another program has replaced it"):
        audit.write(SECOND)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "audit.txt").mkdir()
    with pytest.raises(RecordUnusable, match=r"audit\.txt"):
        Audit(tmp_path).open()
