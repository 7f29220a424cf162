"""Logs for these tests, and the disks on which they stand."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from besedka.serve.history import ChatHistory, ReadableLog
from besedka.wire.log_line import write_line
from besedka.wire.message import Message

Edit = Callable[[Path], None]
"""Something that another program does to a log."""

STAMP = "2025-11-19 23:46:36"


def line(text: str, user: str = "Anna", stamp: str = STAMP) -> str:
    """A message as it stands in a log, without the last LF."""
    return write_line(Message(stamp, user, text))


def write(path: Path, *parts: str | bytes) -> Path:
    """Write a file."""
    path.write_bytes(b"".join(part.encode() if isinstance(part, str) else part for part in parts))
    return path


def history_of(path: Path, *batches: list[str]) -> Path:
    """A log that was written batch by batch."""
    history = ChatHistory.open(path)
    for batch in batches:
        history.append(batch)
    history.close()
    return path


def read_all(history: ReadableLog) -> list[str]:
    """Its messages, page by page."""
    found: list[str] = []
    while page := history.read(len(found) + 1, 100):
        found += page
    return found


def lines_in(path: Path) -> list[str]:
    """The messages of a log, as a server that is started finds them."""
    history = ChatHistory.open(path)
    found = read_all(history)
    history.close()
    return found


def index_of(path: Path) -> Path:
    """The index beside a log."""
    return path.with_name(f"{path.name}.index")


def epoch_of(path: Path) -> Path:
    """The file with the epoch of a log."""
    return path.with_name(f"{path.name}.epoch")


def index_of_version_1(epoch: str, *messages: str) -> bytes:
    """The index that the first version wrote beside a log of these messages."""
    raws = [f"{message}\n".encode() for message in messages]
    records = b"".join(struct.pack("<II", len(raw) | 1 << 31, zlib.crc32(raw)) for raw in raws)
    return struct.pack("<16s16sQ", b"besedka index 1\n", epoch.encode(), 0) + records


# Disks.


def name_of(number: int) -> str:
    """The path of an open file."""
    return str(Path(f"/proc/self/fd/{number}").readlink()).removesuffix(" (deleted)")


def no_room_for(is_meant: Callable[[str], bool]) -> Callable[[int, bytes], int]:
    """`os.write` of a disk that has no room for files with such names."""

    def write_if_there_is_room(number: int, data: bytes) -> int:
        if is_meant(name_of(number)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(number, data)

    really = os.write
    return write_if_there_is_room


def at_sync(monkeypatch: pytest.MonkeyPatch, path: Path, edit: Edit) -> None:
    """Have a log edited once, when a batch was written and synced, before anyone is told."""
    really, edits = os.fdatasync, [edit]

    def sync(number: int) -> None:
        really(number)
        if edits and name_of(number) == str(path):
            edits.pop()(path)

    monkeypatch.setattr(os, "fdatasync", sync)
