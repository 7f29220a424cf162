"""Images of a disk after a power cut: everything flushed, and of all later writes none, a prefix, or any sectors.

A disk may keep what it likes of what it was not told to flush: that is all that a cut can show. An image of any moment can be
made, so that one run is cut as often as wanted (as dm-log-writes and CrashMonkey do).
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from tests.torture.disk.journal import FLUSH, Entry, entries

SECTOR_BYTES: Final = 512


class Kept(StrEnum):
    """The part of the writes since the last flush that is kept."""

    NONE = "none"
    PREFIX = "prefix"
    SECTORS = "sectors"
    ALL = "all"


class Recording(NamedTuple):
    """The life of a disk.

    Attributes:
        base: what it held in the beginning.
        journal: what it was asked to do since.
    """

    base: Path
    journal: Path


def cut(recording: Recording, moment: int, chance: random.Random, image: Path) -> Kept:
    """Make the image that a power cut leaves.

    Args:
        recording: what the disk was asked to do.
        moment: the size of the journal when the power went.
        chance: decides what is kept.
        image: the file to make.

    Returns:
        What was kept of what was not flushed.
    """
    kept = chance.choice(list(Kept))
    copy_sparse(recording.base, image)
    pending: list[Entry] = []
    disk = os.open(image, os.O_WRONLY)
    try:
        for one in entries(recording.journal, moment):
            if one.kind == FLUSH:
                _write(disk, pending)
                pending.clear()
            else:
                pending.append(one)
        _write(disk, _survivors(pending, kept, chance))
    finally:
        os.close(disk)
    return kept


def copy_sparse(source: Path, target: Path) -> None:
    """Copy an image; what was never written takes no room in the copy either."""
    subprocess.run(["cp", "--sparse=always", source, target], check=True)


def _write(disk: int, some: Iterable[Entry]) -> None:
    for one in some:
        os.pwrite(disk, one.data, one.offset)


def _survivors(pending: list[Entry], kept: Kept, chance: random.Random) -> list[Entry]:
    match kept:
        case Kept.NONE:
            return []
        case Kept.PREFIX:
            return pending[: chance.randint(0, len(pending))]
        case Kept.SECTORS:
            share = chance.random()
            return [sector for one in pending for sector in _sectors(one) if chance.random() < share]
        case Kept.ALL:
            return pending


def _sectors(one: Entry) -> list[Entry]:
    return [
        Entry(one.end, one.kind, one.offset + at, one.data[at : at + SECTOR_BYTES])
        for at in range(0, len(one.data), SECTOR_BYTES)
    ]
