"""The epoch of a log, in a file of its own: ``chat_history.txt.epoch``.

An epoch names a log, so that ids of another log are not mistaken for its own. It has its own file because the index may be deleted and
rebuilt at any time, and clients must be able to continue after that. The file also has the beginning of the first message, so that the
epoch is not taken for that of another log put in its place. If the file is missing, the index has the epoch; if that is missing, too, the
epoch is derived from the first message, or, in a log without messages, random.
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.files.descriptor import FULL, read_regular, write_whole

_READ_ONLY: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_FORM: Final = re.compile(r"epoch (?P<epoch>[0-9a-f]{1,16})\n(?:first (?P<first>[^\n]*)\n)?")


class Epoch(NamedTuple):
    """The content of the file.

    Attributes:
        name: the epoch; empty if there is none.
        first: the beginning of the log's first message, up to its text; empty if it had none yet.
    """

    name: str = ""
    first: str = ""

    def is_of(self, first: str) -> bool:
        """Whether it belongs to a log whose first message begins like this."""
        return bool(self.name) and self.first in {"", first}


def epoch_path(log: Path) -> Path:
    """The file with the epoch of a log."""
    return log.with_name(f"{log.name}.epoch")


def read_epoch(log: Path) -> Epoch:
    """Read the epoch of a log; empty if the file is missing, cannot be read, or is malformed."""
    try:
        found = _FORM.fullmatch(read_regular(epoch_path(log)).decode("utf-8", "replace"))
    except OSError:
        found = None
    return Epoch(found["epoch"], found["first"] or "") if found else Epoch()


def keep_epoch(log: Path, epoch: Epoch) -> None:
    """Write the epoch of a log; it is on disk on return. Without room for it, or in a read-only folder, it is only in the index.

    Raises:
        OSError: from the system.
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
    """A random epoch."""
    return secrets.token_hex(6)


def derived_epoch(first_message: bytes) -> str:
    """The epoch of a log without an epoch file and an index."""
    return hashlib.sha256(first_message).hexdigest()[:12] if first_message else new_epoch()
