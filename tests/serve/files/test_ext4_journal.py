"""Looking at the journal of ext4: it is found by its device, and a look leaves no trace beside the log."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from besedka.serve.files import ext4_journal
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.files.ext4_journal import Ext4Journal, is_ext4

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
24 22 8:1 / /old rw master:2 propagate_from:1 - ext3 /dev/sda1 rw
25 22 8:2 / /with\\040a\\040dash\\040-\\040here rw - ext4 /dev/sdb rw
"""

ORDER_ONLY = {
    "history/index.py",
    "history/torn_file.py",
    "history/full_disk.py",
    "history/opening/loading.py",
}
"""Here a sync keeps the order of two writes: the look behind the second one is for both."""


def test_ext2_and_ext3_are_not_taken_for_ext4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(ext4_journal, "_MOUNTS", mounts)
    devices = [(254, 0), (8, 1), (8, 2), (8, 3)]
    assert [is_ext4(os.makedev(*device)) for device in devices] == [True, False, True, False]


def test_a_look_changes_no_file_with_a_name(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    file = Descriptor(path, os.O_RDWR | os.O_CREAT)
    before = path.stat()
    Ext4Journal(file).check()
    assert path.stat() == before
    assert [*tmp_path.iterdir()] == [path]


def test_a_journal_cannot_be_watched_from_a_folder_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    file = Descriptor(folder / "talk.txt", os.O_RDWR | os.O_CREAT)
    (folder / "talk.txt").unlink()
    folder.rmdir()
    with pytest.raises(OSError, match="No such file") as raised:
        Ext4Journal(file)
    assert raised.value.errno == errno.ENOENT


def test_whatever_is_delivered_or_reported_is_synced_with_a_look_at_the_journal() -> None:
    serve = Path(ext4_journal.__file__).parent.parent
    without = {
        path.relative_to(serve).as_posix()
        for folder in ("directory", "history")
        for path in (serve / folder).rglob("*.py")
        if ".sync()" in path.read_text(encoding="utf-8")
    }
    assert without == ORDER_ONLY
