"""The owner of a file, and who else can change or read it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka.serve.directory.records import Record
from besedka.serve.files.descriptor import Descriptor, copy_beside, write_whole
from besedka.serve.files.ownership import Care, concern
from besedka.serve.history import ChatHistory

LINE = "[2025-11-19 23:46:36] Anna: Hello"


@pytest.fixture(params=[0o000, 0o022, 0o277, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("")
    return path


@pytest.mark.usefixtures("umask")
def test_all_files_are_made_for_their_owner_alone_whatever_the_umask_is(tmp_path: Path) -> None:
    history = ChatHistory.open(tmp_path / "log.txt")
    history.append([LINE])
    copy_beside(history.body.file, 0, tmp_path / "torn")
    history.close()
    write_whole(tmp_path / "small", "text", replace=False)
    record = Record(tmp_path / "people")
    record.read()
    record.rewrite(lambda: [b"row\n"])
    record.close()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) >= 6
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o644, 0o640, 0o660, 0o666, 0o622, 0o604])
@pytest.mark.parametrize("care", Care)
def test_a_warning_says_what_others_can_do_and_what_ends_it(file: Path, mode: int, care: Care) -> None:
    file.chmod(mode)
    warning = concern(file, Descriptor(file, os.O_RDONLY), care)
    can_change, can_read = bool(mode & 0o022), bool(mode & 0o077) and care is not Care.SHARED
    assert bool(warning) is (can_change or can_read)
    if warning:
        assert ("can change" in warning) is can_change
        file.chmod(int(warning.split("chmod ")[1].split()[0], 8))
        assert concern(file, Descriptor(file, os.O_RDONLY), care) == ""


def test_a_file_of_another_user_is_reported_and_one_of_root_is_not(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptor, owner = Descriptor(file, os.O_RDONLY), file.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    warning = concern(file, descriptor, Care.SHARED)
    assert warning == (
        f"{file} belongs to another user of this machine (uid {owner}), who can change and read it"
        if owner
        else ""
    )
