"""Small files are written as a whole, for their owner alone, and through nothing that somebody has laid in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from besedka.serve.files.descriptor import write_whole


def test_it_is_replaced_or_left_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "small.txt"
    write_whole(path, "one", replace=False)
    write_whole(path, "two", replace=True)
    write_whole(path, "three", replace=False)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_one_that_cannot_be_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.txt"
    write_whole(path, "one", replace=True)

    def fail(_: int) -> None:
        raise OSError

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError):  # noqa: PT011 - any
        write_whole(path, "two", replace=True)
    assert path.read_text() == "one"
    assert [*tmp_path.iterdir()] == [path]


def test_nothing_is_written_through_a_link_in_the_way(tmp_path: Path) -> None:
    path, other = tmp_path / "small.txt", tmp_path / "other"
    other.write_text("somebody's")
    (tmp_path / f".small.txt.{os.getpid()}").symlink_to(other)
    write_whole(path, "one", replace=True)
    assert (path.read_text(), other.read_text()) == ("one", "somebody's")
    assert not path.is_symlink()
