"""The files of rooms: all are in one folder, beside the default room's."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from besedka.wire.errors import Refused
from besedka.wire.validation import clean_room

SETTLED_SECONDS: Final = 2.0
"""A folder that changed less than this long before a scan is scanned again: its time is too coarse to show another change, two seconds
on FAT."""


def room_path(history: Path, room: str) -> Path:
    """The file of a room other than the default one, beside the default room's."""
    return history.with_name(f"{history.stem}.{room}{history.suffix}")


def room_of(path: Path) -> tuple[Path, str]:
    """The default room's file and the room's name, if a file is named like a room's beside it; else the file itself, and nothing."""
    stem, _, room = path.stem.rpartition(".")
    with suppress(Refused):
        if stem and clean_room(room) == room:
            return path.with_name(f"{stem}{path.suffix}"), room
    return path, ""


def has_log(history: Path, room: str) -> bool:
    """Whether a room has a file with something in it."""
    with suppress(FileNotFoundError):
        return room_path(history, room).stat().st_size > 0
    return False


@dataclass(frozen=True, slots=True)
class RoomFiles:
    """The files of rooms other than the default one, at one moment.

    Attributes:
        written: the names of rooms that have a file with content, sorted.
        empty: the names of rooms that have a file without content.
        changed: when the folder had changed last, in nanoseconds; 0 if it may have changed since without showing it.
    """

    written: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    changed: int = 0


def room_files(history: Path, before: RoomFiles) -> RoomFiles:
    """Scan the folder for the files of rooms; if it has not changed since, only files that had no content are looked at.

    Args:
        history: the default room's file.
        before: the result of the last scan.

    Raises:
        OSError: the folder cannot be read.
    """
    changed = history.parent.stat().st_mtime_ns
    if before.changed == changed:
        return _filled(history, before)
    is_settled = time.time() - changed / 1e9 > SETTLED_SECONDS
    written, empty = _scan(history, frozenset((*before.written, *before.empty)))
    return RoomFiles(sorted(written), empty, changed if is_settled else 0)


def room_names(history: Path) -> list[str]:
    """The rooms, other than the default one, that have a file with content."""
    return room_files(history, RoomFiles()).written


def _filled(history: Path, before: RoomFiles) -> RoomFiles:
    """A scan's result with those files that have content now."""
    filled = {name for name in before.empty if has_log(history, name)}
    if not filled:
        return before
    empty = [name for name in before.empty if name not in filled]
    return RoomFiles(sorted((*before.written, *filled)), empty, before.changed)


def _scan(history: Path, known: frozenset[str]) -> tuple[list[str], list[str]]:
    """The names of rooms whose files have content, and of those whose files have none."""
    prefix, suffix = f"{history.stem}.", history.suffix
    found: tuple[list[str], list[str]] = ([], [])
    with os.scandir(history.parent) as entries:
        for entry in entries:
            # The default room's file is the prefix and the suffix with one dot in common.
            is_room = entry.name.startswith(prefix) and entry.name.endswith(suffix)
            if not is_room or len(entry.name) <= len(prefix) + len(suffix):
                continue
            name = entry.name.removeprefix(prefix).removesuffix(suffix)
            if name in known or _is_clean(name):
                with suppress(OSError):
                    found[not entry.stat().st_size].append(name)
    return found


def _is_clean(name: str) -> bool:
    try:
        return clean_room(name) == name
    except Refused:
        return False
