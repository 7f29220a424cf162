"""A disk without room: nothing of a batch is left in the log, and nothing is written behind a torn end that cannot be kept.

That is not final, as other failures are: the next batch tries again.
"""

from __future__ import annotations

import logging
from pathlib import Path

from besedka.serve.errors import AppendError, HistoryLost, StorageFull
from besedka.serve.history.body import Body
from besedka.serve.history.file import FULL, reason
from besedka.serve.history.recovery import cut_off

log = logging.getLogger(__name__)


def append_error(error: OSError, path: Path, size: int) -> AppendError:
    """What is raised where so many bytes could not be written: without room nothing is lost, all else is final."""
    return StorageFull(path, size) if error.errno in FULL else HistoryLost(path, reason(error))


def cut_back(body: Body, path: Path, data: bytes, written: int) -> bool:
    """Take half a batch off a log again: nothing else, if somebody else has written meanwhile.

    Args:
        body: what is known of the log.
        path: where it is.
        data: the batch.
        written: how many bytes of it were.

    Returns:
        Whether nobody else has written.

    Raises:
        HistoryLost: it could not be.
    """
    try:
        end, size = body.size, body.file.size
        if size < end or body.file.read(end, len(data) + 1) != data[: size - end]:
            end = max(0, size - written)  # another program has cut the log, or added to it
        if body.file.read(end, len(data) + 1) == data[: size - end]:
            body.file.cut(end)
            # As long as the disk may still hold the half batch, its records must tell that it is one.
            body.file.sync()
        body.index.cut(body.count)
    except OSError as error:
        raise HistoryLost(path, f"half a batch could not be cut off: {reason(error)}") from error
    return end == body.size


def keep_torn_end(body: Body, path: Path) -> bool:
    """Have what a crash has torn kept beside the log, and cut off, if there is room for that now.

    Returns:
        Whether nothing torn is left in the log.

    Raises:
        OSError: as the system says it.
    """
    if body.torn:
        torn = cut_off(body.file, path, body.torn.offset)
        if torn.kept is None:
            return False
        log.warning("the torn end of %s, %d bytes, is kept in %s", path, torn.size, torn.kept.name)
        body.torn = None
    return True
