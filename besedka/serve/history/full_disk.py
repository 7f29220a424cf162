"""A full disk: nothing of a refused batch stays in the log, and nothing is written after a torn end that cannot be kept.

Unlike other failures, this one is not final: the next batch tries again. `appending` asks; what the senders are answered (`storage_full`), those
of messages that wait behind, too, is decided in `besedka/serve/chat/committer.py`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from besedka.serve.errors import AppendError, HistoryForeign, HistoryLost, StorageFull
from besedka.serve.files.descriptor import FULL, reason
from besedka.serve.files.trust import UntrustedFile
from besedka.serve.history.log_state import LogState
from besedka.serve.history.torn_file import cut_off

log = logging.getLogger(__name__)


def append_error(error: OSError, path: Path, size: int) -> AppendError:
    """The error to raise when ``size`` bytes could not be written.

    A full disk loses nothing, nor does a file that is not believed; every other failure is final.
    """
    if isinstance(error, UntrustedFile):
        return HistoryForeign(path, reason(error))
    return StorageFull(path, size) if error.errno in FULL else HistoryLost(path, reason(error))


def cut_back(body: LogState, path: Path, data: bytes, written: int) -> bool:
    """Cut a partly written batch off a log, and nothing else, even if another program has written meanwhile.

    Args:
        body: the state of the log.
        path: the file.
        data: the batch.
        written: the number of its bytes that were written.

    Returns:
        Whether no other program has written.

    Raises:
        HistoryLost: it could not be cut off.
    """
    try:
        end, size = body.size, body.file.size
        if size < end or body.file.read(end, len(data) + 1) != data[: size - end]:
            end = max(0, size - written)  # another program has cut the log, or added to it
        if body.file.read(end, len(data) + 1) == data[: size - end]:
            body.file.cut(end)
            # Sync before the records go: as long as the disk may hold the half batch, they show that it is one.
            body.file.sync()
        body.index.cut(body.count)
    except OSError as error:
        raise HistoryLost(path, f"half a batch could not be cut off: {reason(error)}") from error
    return end == body.size


def keep_torn_end(body: LogState, path: Path) -> bool:
    """Move a torn end to a file beside the log, if there is room for it now.

    Returns:
        Whether nothing torn is left in the log.

    Raises:
        OSError: from the system.
    """
    if body.torn:
        torn = cut_off(body.file, path, body.torn.offset)
        if torn.kept is None:
            return False
        log.warning("the torn end of %s, %d bytes, is kept in %s", path, torn.size, torn.kept.name)
        body.torn = None
    return True
