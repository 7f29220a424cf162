"""The requests to a disk, in order: writes and flushes, in a file that grows while the disk is in use."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

WRITE: Final = b"w"
FLUSH: Final = b"f"
HEAD: Final = struct.Struct("<cQI")


class Entry(NamedTuple):
    """One request.

    Attributes:
        end: the journal's size with it: its time.
        kind: `WRITE` or `FLUSH`.
        offset: where on the disk, in bytes.
        data: what was written there.
    """

    end: int
    kind: bytes
    offset: int
    data: bytes


def entry(kind: bytes, offset: int = 0, data: bytes = b"") -> bytes:
    """A request as it stands in the journal."""
    return HEAD.pack(kind, offset, len(data)) + data


def entries(journal: Path, until: int) -> Iterator[Entry]:
    """All requests up to a size of the journal."""
    if not until:
        return
    with journal.open("rb") as file, mmap.mmap(file.fileno(), until, prot=mmap.PROT_READ) as content:
        at = 0
        while at + HEAD.size <= until:
            kind, offset, length = HEAD.unpack_from(content, at)
            begin, at = at + HEAD.size, at + HEAD.size + length
            yield Entry(at, kind, offset, content[begin:at])
