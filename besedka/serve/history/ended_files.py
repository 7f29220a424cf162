"""The files of a room that ends: they get another name, and nothing of them is destroyed but what others have as well. Blocking."""

from __future__ import annotations

from pathlib import Path

from besedka.serve.files.descriptor import sync_directory
from besedka.serve.history.annotations.path import remove_annotations
from besedka.serve.history.epoch import epoch_path
from besedka.serve.history.index import index_path
from besedka.serve.history.room_files import room_path


def kept_path(history: Path, room: str, stamp: str) -> Path:
    """Where the log of a deleted room is kept: ``chat_history.dev.txt.deleted-20261202T101500``.

    Args:
        history: the default room's log.
        room: the room.
        stamp: the time of the act, as the log writes it.
    """
    log = room_path(history, room)
    return log.with_name(f"{log.name}.deleted-{_digits(stamp)}")


def retired_path(log: Path, stamp: str) -> Path:
    """Where a log is kept that is not what it should be: ``chat_history.txt.aside-20261202T101500``.

    Args:
        log: the log.
        stamp: the time, as the log writes it.
    """
    return log.with_name(f"{log.name}.aside-{_digits(stamp)}")


def retire_log(log: Path, stamp: str) -> Path:
    """Give a log another name, so that it can be made anew; its index and annotations are removed, and its epoch stays. Returns the new name.

    Raises:
        OSError: from the system.
    """
    target = retired_path(log, stamp)
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{retired_path(log, stamp).name}-{number}")
    index_path(log).unlink(missing_ok=True)
    remove_annotations(log)
    log.rename(target)
    sync_directory(log)
    return target


def remove_log(log: Path) -> None:
    """Remove a log of which all messages are elsewhere, too, and its index; its epoch stays.

    Raises:
        OSError: from the system.
    """
    index_path(log).unlink(missing_ok=True)
    remove_annotations(log)
    log.unlink(missing_ok=True)
    sync_directory(log)


def move_log(log: Path, target: Path) -> None:
    """Give a log, its index and its epoch another name; what was moved before a crash stays moved. Waits until it is on disk.

    The log comes last: as long as it is there, the move is not complete.

    Raises:
        FileExistsError: if there is another file of a new name; nothing more is moved.
        OSError: from the system.
    """
    moved = False
    remove_annotations(log)
    for old, new in (
        (index_path(log), index_path(target)),
        (epoch_path(log), epoch_path(target)),
        (log, target),
    ):
        if old.exists():
            if new.exists():
                raise FileExistsError(17, "there is a file of this name", str(new))
            old.rename(new)
            moved = True
    if moved:
        sync_directory(log)


def _digits(stamp: str) -> str:
    return stamp.replace("-", "").replace(":", "").replace(" ", "T")
