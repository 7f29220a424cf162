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


@pytest.mark.parametrize("cut", [0, 20, len(write_entry(SECOND))])
def test_nuls_that_a_file_system_left_are_cut_off_and_kept(audit: Audit, tmp_path: Path, cut: int) -> None:
    audit.close()
    torn = write_entry(SECOND)[:cut].encode() + bytes(600)
    with audit.path.open("ab") as file:
        file.write(torn)
    assert read(tmp_path) == [FIRST]
    assert audit.path.read_text() == f"{write_entry(FIRST)}\n"
    kept = [path.read_bytes() for path in tmp_path.glob("audit.txt.torn-*")]
    assert kept == [torn]


@pytest.mark.parametrize("damage", [b"\0", b"\0" * 30, b"\xff", "й".encode()[:1]])
@pytest.mark.parametrize("torn", [b"", b"[2026-11-20 17:00:05] oper", b"\0\0"])
def test_damage_in_the_middle_costs_the_lines_that_hold_it_and_is_reported(
    audit: Audit, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes, torn: bytes
) -> None:
    audit.close()
    first, second = (write_entry(entry).encode() for entry in (FIRST, SECOND))
    damaged = first[:40] + damage + first[40:]
    whole = b"".join(line + b"\n" for line in (first, damaged, second, damaged, second))
    audit.path.write_bytes(whole + torn)
    assert read(tmp_path) == [FIRST, SECOND, SECOND]
    assert "not understood, and without effect, in lines: 2, 4" in caplog.text
    assert audit.path.read_bytes() == whole
    assert [path.read_bytes() for path in tmp_path.glob("audit.txt.torn-*")] == ([torn] if torn else [])


def test_a_line_without_its_end_that_is_not_of_the_server_stays_and_gets_its_end(
    audit: Audit, tmp_path: Path
) -> None:
    audit.close()
    with audit.path.open("a") as file:
        file.write("# so far last week")
    again = Audit(tmp_path)
    assert again.open() == [FIRST]
    again.write(SECOND)
    again.close()
    assert audit.path.read_text().splitlines() == [
        write_entry(FIRST),
        "# so far last week",
        write_entry(SECOND),
    ]


def test_where_a_full_disk_keeps_no_copy_the_log_has_what_is_cut_off(
    audit: Audit, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.close()
    with audit.path.open("a") as file:
        file.write(write_entry(SECOND)[:50])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr("besedka.serve.history.torn_file.copy_beside", full)
    assert read(tmp_path) == [FIRST]
    assert audit.path.read_text() == f"{write_entry(FIRST)}\n"
    assert write_entry(SECOND)[:50] in caplog.text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_that_an_editor_has_saved_in_another_encoding_is_refused_and_left_as_it_is(
    audit: Audit, tmp_path: Path, encoding: str
) -> None:
    audit.close()
    data = f"\ufeff{write_entry(FIRST)}\n{write_entry(SECOND)}\n".removeprefix(
        "\ufeff" if encoding == "utf-16" else ""
    ).encode(encoding)
    audit.path.write_bytes(data)
    with pytest.raises(RecordUnusable, match="it is text in UTF-16"):
        Audit(tmp_path).open()
    assert audit.path.read_bytes() == data


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
