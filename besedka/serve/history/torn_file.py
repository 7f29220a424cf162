"""The torn end of a log, or of a file about people, moved to a file beside it: ``chat_history.txt.torn-…``. Others decide where it begins."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from besedka.serve.files.descriptor import FULL, Descriptor, copy_beside


@dataclass(frozen=True, slots=True)
class Torn:
    """The torn end of a file after a crash.

    Attributes:
        offset: the offset at which it begins.
        size: its size in bytes.
        kept: the file that it was moved to; None as long as there is no room for one: then it is still in the file.
    """

    offset: int
    size: int
    kept: Path | None


def cut_off(file: Descriptor, path: Path, offset: int) -> Torn:
    """Move the end of a file to another one beside it; if there is no room for that file, leave it where it is.

    Raises:
        OSError: from the system.
    """
    size = file.size - offset
    kept = path.with_name(
        f"{path.name}.torn-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns() % 10**9:09}-{os.getpid()}"
    )
    try:
        copy_beside(file, offset, kept)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return Torn(offset, size, None)
    file.cut(offset)
    file.sync()
    return Torn(offset, size, kept)
