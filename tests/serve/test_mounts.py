"""Files that are mounted one by one are told of at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.serve import mounts
from besedka.serve.settings import Settings


def mounted(monkeypatch: pytest.MonkeyPatch, folder: Path, *paths: Path) -> None:
    """Have the kernel tell of these mounts."""
    mountinfo = folder / "mountinfo"
    lines = [
        f"{number} 29 254:1 /x {str(path).replace(' ', chr(92) + '040')} rw,relatime - ext4 /dev/vda1 rw\n"
        for number, path in enumerate(paths, 40)
    ]
    mountinfo.write_text("".join(["22 1 0:21 / / rw - overlay overlay rw\n", "odd\n", *lines]))
    monkeypatch.setattr(mounts, "MOUNTS", mountinfo)


@pytest.mark.parametrize(
    ("name", "consequence"),
    [
        ("known_names.txt", "it takes changes, but grows with each"),
        ("private_rooms.txt", "it takes changes, but grows with each"),
        ("blocks.txt", "it takes changes, but grows with each"),
        ("invitations.txt", "it takes changes, but grows with each"),
        ("audit.txt", "is never seen here"),
        ("access_key.txt", "is never seen here"),
        ("chat_history.txt", "is never seen here"),
    ],
)
def test_what_will_not_work_and_what_to_do(
    name: str,
    consequence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / name).touch()
    mounted(monkeypatch, tmp_path, folder / name)
    mounts.warn_of_mounted(Settings(history=folder / "chat_history.txt", key_file=folder / "access_key.txt"))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    for part in (str(folder / name), "mounted as a single file", consequence, "mount the folder"):
        assert part in record.message


def test_a_folder_that_is_mounted_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mounted(monkeypatch, tmp_path, tmp_path)
    mounts.warn_of_mounted(Settings(history=tmp_path / "chat_history.txt"))
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "nothing")
    mounts.warn_of_mounted(Settings(history=tmp_path / "chat_history.txt"))
    assert not caplog.records
