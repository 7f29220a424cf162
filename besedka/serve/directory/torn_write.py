"""The torn write at the end of a file about people, which nobody was told of: cut off, kept beside the file, and logged."""

from __future__ import annotations

import logging
from pathlib import Path

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.torn_file import cut_off

log = logging.getLogger(__name__)


def cut_off_torn_write(file: Descriptor, path: Path, offset: int) -> None:
    """Move the end of a file to one beside it. Where a full disk has no room for that, only the log keeps it: the server must be able to append.

    Args:
        file: the file, open to write.
        path: its path.
        offset: where the torn write begins.

    Raises:
        OSError: from the system.
    """
    shown = ascii(file.read(offset, file.size - offset).rstrip(b"\0").decode("utf-8", "replace"))
    torn = cut_off(file, path, offset)
    if torn.kept is None:
        file.cut(offset)
    where = torn.kept or "no file, because the disk is full"
    log.warning(
        "%s: its end was torn, and is cut off, %d bytes from byte %d, kept in %s: %s",
        path,
        torn.size,
        offset,
        where,
        shown,
    )
