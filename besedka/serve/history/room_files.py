"""The files of rooms: all are in one folder, beside the default room's."""

from __future__ import annotations

import glob
from contextlib import suppress
from pathlib import Path

from besedka.wire.errors import Refused
from besedka.wire.validation import clean_room


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


def room_names(history: Path) -> list[str]:
    """The rooms, other than the default one, that have a file with content."""
    names = []
    for path in history.parent.glob(f"{glob.escape(history.stem)}.*{glob.escape(history.suffix)}"):
        name = path.name.removeprefix(f"{history.stem}.").removesuffix(history.suffix)
        with suppress(Refused, OSError):
            if clean_room(name) == name and path.stat().st_size:
                names.append(name)
    return names
