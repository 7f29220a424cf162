"""Empty logs that a killed server has left: a room's log is created when the room is opened, and removed when it closes without a message."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from besedka.serve.errors import HistoryInUse
from besedka.serve.files import descriptor
from besedka.serve.history.epoch import epoch_path
from besedka.serve.history.index import HEADER, index_path
from besedka.serve.history.room_files import room_path


def remove_leftovers(history: Path, empty: Iterable[str]) -> int:
    """Remove the rooms' logs that are empty and look as this server creates them; returns how many there were.

    A log whose index has records was cut by a crash or another program, and stays for its repair; so do links, files that others may
    read, and logs that another process holds.

    Args:
        history: the default room's log, which stays, too.
        empty: the rooms whose files have no content.
    """
    return sum(_remove(room_path(history, name)) for name in empty)


def _remove(path: Path) -> bool:
    with suppress(OSError, HistoryInUse):
        if stat.S_IMODE(path.stat(follow_symlinks=False).st_mode) == descriptor.PRIVATE and not _has_records(
            path
        ):
            held = descriptor.open_locked(path)
            if held.size == 0:
                path.unlink()
                index_path(path).unlink(missing_ok=True)
                epoch_path(path).unlink(missing_ok=True)
                return True
    return False


def _has_records(path: Path) -> bool:
    try:
        return index_path(path).stat().st_size > HEADER.size
    except FileNotFoundError:
        return False
