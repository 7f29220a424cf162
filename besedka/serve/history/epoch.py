"""The epoch of a log, in a file of its own: ``chat_history.txt.epoch``.

An epoch names a log, so that ids of another one are not mistaken for its own. It has a home of its own because an index may be
deleted and made again at any time, and readers must be able to read on behind that. The file says, too, how the first message
begins: so an epoch is not taken for that of a log which somebody has put in the place of another. If it is missing, the index
still knows the epoch; if that is missing too, the first message gives it, or, in a log without messages, chance.
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.history.file import FULL, write_whole

_READ_ONLY: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_FORM: Final = re.compile(r"epoch (?P<epoch>[0-9a-f]{1,16})\n(?:first (?P<first>[^\n]*)\n)?")


class Epoch(NamedTuple):
    """What the file says.

    Attributes:
        name: the epoch; empty if there is none.
        first: how the first message of its log begins, up to its text; empty if it had none yet.
    """

    name: str = ""
    first: str = ""

    def is_of(self, first: str) -> bool:
        """Whether it is that of a log whose first message begins so."""
        return bool(self.name) and self.first in {"", first}


def epoch_path(log: Path) -> Path:
    """Where the epoch of a log is."""
    return log.with_name(f"{log.name}.epoch")


def read_epoch(log: Path) -> Epoch:
    """What is known of a log's epoch; a file that cannot be read, or says something else, says nothing."""
    try:
        found = _FORM.fullmatch(epoch_path(log).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return Epoch(found["epoch"], found["first"] or "") if found else Epoch()


def keep_epoch(log: Path, epoch: Epoch) -> None:
    """Write it down; on disk when this returns. If there is no room for it, or the folder takes no files, the index knows it.

    Raises:
        OSError: as the system says it.
    """
    first = f"first {epoch.first}\n" if epoch.first else ""
    try:
        write_whole(epoch_path(log), f"epoch {epoch.name}\n{first}", replace=True)
    except OSError as error:
        if error.errno not in FULL | _READ_ONLY:
            raise
        with suppress(PermissionError):
            epoch_path(log).unlink(missing_ok=True)


def new_epoch() -> str:
    """One by chance."""
    return secrets.token_hex(6)


def derived_epoch(first_message: bytes) -> str:
    """That of a log of which nothing else is known."""
    return hashlib.sha256(first_message).hexdigest()[:12] if first_message else new_epoch()
