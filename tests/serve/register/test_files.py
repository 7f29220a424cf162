"""The files about people are in step with what the server knows, whatever happens while they are written."""

from __future__ import annotations

import asyncio
import errno
import threading
from pathlib import Path

import pytest

from besedka.serve.people.names import KnownNames, Names
from besedka.serve.register.files import Files
from besedka.serve.register.records import Record
from tests import looping


def test_what_was_being_written_when_its_writer_was_cancelled_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    really_rewrite = Record.rewrite

    def fail_late(record: Record, pieces: object) -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait(5)
            raise OSError(errno.ENOSPC, "no space")
        really_rewrite(record, pieces)  # type: ignore[arg-type]

    async def scene() -> None:
        names = KnownNames(Names.CLAIMED, "2026-01-01 00:00:00")
        files = Files(tmp_path, {"known_names.txt": names}, lambda: None)
        await files.read()
        names.take("Anna", "a" * 64, "2026-01-01 00:00:00")
        writing = asyncio.create_task(files.agree())
        await asyncio.to_thread(begun.wait, 5)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        go_on.set()
        await files.agree()
        files.close()

    monkeypatch.setattr(Record, "rewrite", fail_late)
    looping.run(scene())
    assert "Anna" in (tmp_path / "known_names.txt").read_text()
