"""A server's changes of files, in order: the journal of a simulated disk."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec


class Kind(StrEnum):
    """The kind of an event.

    ``OPEN`` is of a file that was there; a server may have been killed before it noted that it made it. ``APPEND`` is a write at the end, after which the file ends; ``SYNC_FOLDER`` is of the folder: from then on its names stay.
    ``LEFT_OUT`` is a sync of either kind that was asked for, and not done.
    """

    CREATE = "create"
    OPEN = "open"
    WRITE = "write"
    APPEND = "append"
    CUT = "cut"
    SYNC = "sync"
    RENAME = "rename"
    LINK = "link"
    UNLINK = "unlink"
    SYNC_FOLDER = "sync folder"
    LEFT_OUT = "left out"


class Event(msgspec.Struct, frozen=True):
    """One of them.

    Attributes:
        kind: what was done.
        file: the number of the file's inode, where a file was open.
        offset: where it was written, or how long it was made, or is.
        data: what was written.
        name: the file's name, where a name was changed; of a sync who asked for it.
        old_name: what it was called before.
    """

    kind: Kind
    file: int
    offset: int = 0
    data: bytes = b""
    name: str = ""
    old_name: str = ""

    def encoded(self) -> bytes:
        """As it stands in the journal."""
        return msgspec.json.encode(self) + b"\n"


def events(journal: Path, until: int) -> Iterator[Event]:
    """All up to a size of the journal."""
    return (event for _, event in events_with_ends(journal, until))


def events_with_ends(journal: Path, until: int) -> Iterator[tuple[int, Event]]:
    """The same, each with the size that the journal had when it was noted."""
    end = 0
    if until:
        with journal.open("rb") as file:
            for row in file.read(until).split(b"\n")[:-1]:
                end += len(row) + 1
                if row.endswith(b"}"):  # else its server was killed while it noted this, and did no more
                    yield end, msgspec.json.decode(row, type=Event)
