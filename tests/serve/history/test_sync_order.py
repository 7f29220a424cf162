"""In which order files are written, cut and synced, where no other proof would miss a sync: later ones make up for it most times."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from besedka.serve.errors import StorageFull
from besedka.serve.history import ChatHistory, pieces
from tests.serve.history.logs import history_of, line, name_of

LOG, INDEX = "talk.txt", "talk.txt.index"


class Calls:
    """Notes what is asked of the disk.

    Attributes:
        done: the calls, each with the name of its file.
        half_written: of this file half a write is done, and then there is no room.
    """

    NOTED = ("write", "pwrite", "ftruncate", "fdatasync", "fsync")

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[str, str]] = []
        self.half_written = ""
        for name in self.NOTED:
            self._note(patch, name)

    def of(self, *calls: str) -> list[tuple[str, str]]:
        """Those of these kinds, in order."""
        return [(call, name) for call, name in self.done if call in calls]

    def _note(self, patch: pytest.MonkeyPatch, call: str) -> None:
        really = getattr(os, call)

        def noted(number: int, *rest: object) -> object:
            name = Path(name_of(number)).name
            if call == "write" and name == self.half_written:
                if (call, name) in self.done:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                (data,) = rest
                assert isinstance(data, bytes | memoryview)
                rest = (data[: len(data) // 2],)
            self.done.append((call, name))
            return really(number, *rest)

        patch.setattr(os, call, noted)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    with monkeypatch.context() as patch:
        yield Calls(patch)


def test_half_a_batch_is_synced_away_before_the_records_that_show_it_is_half(
    tmp_path: Path, calls: Calls
) -> None:
    """A power cut may bring back what was cut off the log and not synced: then only its records show that it is torn."""
    history = ChatHistory.open(tmp_path / LOG)
    history.append([line("stored")])
    calls.done.clear()
    calls.half_written = LOG
    with pytest.raises(StorageFull):
        history.append([line("half\nof\nthis")])
    cut = calls.done.index(("ftruncate", LOG))
    assert calls.done[cut : cut + 3] == [("ftruncate", LOG), ("fdatasync", LOG), ("ftruncate", INDEX)]
    history.close()


def test_a_torn_end_is_on_the_disk_beside_the_log_before_it_is_cut_off(tmp_path: Path, calls: Calls) -> None:
    """A torn end is kept before it is cut off; and it stays cut off, whatever is written after it."""
    path = history_of(tmp_path / LOG, [line("reported")])
    with path.open("a") as torn:
        torn.write("[2025-11-19 23:46:40] Anna: half a li")
    calls.done.clear()
    history = ChatHistory.open(path)
    (kept,) = (file.name for file in tmp_path.iterdir() if ".torn-" in file.name)
    order = calls.of("fsync", "ftruncate", "fdatasync")
    copied = order.index(("fsync", kept))
    assert order[copied : copied + 4] == [
        ("fsync", kept),
        ("fsync", tmp_path.name),
        ("ftruncate", LOG),
        ("fdatasync", LOG),
    ]
    history.close()


def test_a_tombstone_is_on_the_disk_before_its_checksum_and_before_it_is_broadcast(
    tmp_path: Path, calls: Calls
) -> None:
    history = ChatHistory.open(history_of(tmp_path / LOG, [line("a secret")], [line("and more")]))
    calls.done.clear()
    history.redact(history.subject(1))
    assert calls.of("pwrite", "write", "fdatasync") == [
        ("pwrite", LOG),
        ("fdatasync", LOG),
        ("pwrite", INDEX),
        ("fdatasync", INDEX),
    ]
    history.close()


def test_a_piece_of_another_log_is_on_the_disk_before_its_records_say_so(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node of a cluster notes how far it is when a piece is written: it does not ask for it again."""
    monkeypatch.setattr(pieces, "PIECE_BYTES", len(line("first")) + 1)
    given = ChatHistory.open(history_of(tmp_path / "given.txt", [line("first")], [line("second")]))
    first = given.piece(0, 1)
    second = given.piece(first.end, first.next)
    history = ChatHistory.open(tmp_path / LOG, new_epoch="abcdef")
    history.write_piece(first, given.epoch)
    calls.done.clear()
    history.write_piece(second, given.epoch)
    order = calls.of("write", "pwrite", "fdatasync")
    assert order[:2] == [("write", LOG), ("fdatasync", LOG)]
    assert {name for _, name in order[2:]} == {INDEX}
    for each in (given, history):
        each.close()
