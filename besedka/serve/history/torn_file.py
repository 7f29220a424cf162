"""The torn end of a log, moved to a file beside it: ``chat_history.txt.torn-…``. Where it begins is decided in `opening.torn_end`."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from besedka.serve.files.descriptor import FULL, Descriptor, copy_beside


@dataclass(frozen=True, slots=True)
class Torn:
    """The torn end of a log after a crash.

    Attributes:
        offset: the offset at which it begins.
        size: its size in bytes.
        kept: the file that it was moved to; None as long as there is no room for one: then it is still in the log, and nothing is
            written after it.
    """

    offset: int
    size: int
    kept: Path | None


def cut_off(log: Descriptor, path: Path, offset: int) -> Torn:
    """Move the end of a log to a file beside it; if there is no room for that file, leave it where it is.

    Raises:
        OSError: from the system.
    """
    size = log.size - offset
    kept = path.with_name(
        f"{path.name}.torn-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns() % 10**9:09}-{os.getpid()}"
    )
    try:
        copy_beside(log, offset, kept)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return Torn(offset, size, None)
    log.cut(offset)
    log.sync()
    return Torn(offset, size, kept)
