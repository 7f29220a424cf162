"""Appending to many logs with one sync (decision 46).

Each batch is written to its own log, then all are synced, and then each log is looked at once more. A log that needs more than that, because another
program has edited it or a message is being redacted, is left to `ChatHistory.append`: nobody else waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from besedka.serve.files.file_system import FileSystem
from besedka.serve.history.appending import Written
from besedka.serve.history.chat_history import ChatHistory
from besedka.serve.history.index import Flag
from besedka.wire.message import MessageId


class Append(NamedTuple):
    """A batch for a log, as `ChatHistory.append` takes it."""

    history: ChatHistory
    lines: Sequence[str]
    flags: Sequence[Flag]


Outcome = MessageId | Exception | None
"""The id of the first message of a batch; the error, if it was not stored; None if it was not tried, or must be tried again."""


def append_to_all(file_system: FileSystem, appends: Sequence[Append]) -> list[Outcome]:
    """Write batches to different logs, and wait until all are on disk.

    Args:
        file_system: the one that has the logs.
        appends: the batches.

    Returns:
        The outcome of each. An error is one of those of `ChatHistory.append`, or an unexpected one.
    """
    begun = time.perf_counter()
    started = [_start(append) for append in appends]
    written = [step for step in started if isinstance(step, Written)]
    errors = iter(file_system.sync([step.file for step in written]))
    seconds = time.perf_counter() - begun
    return [
        _finish(append, step, next(errors), seconds) if isinstance(step, Written) else step
        for append, step in zip(appends, started, strict=True)
    ]


def _start(append: Append) -> Written | Exception | None:
    try:
        return append.history.start_append(append.lines, append.flags)
    except Exception as error:  # noqa: BLE001 - the committer decides what each means
        return error


def _finish(append: Append, written: Written, error: OSError | None, seconds: float) -> Outcome:
    try:
        return append.history.finish_append(written, error, seconds)
    except Exception as failure:  # noqa: BLE001
        return failure
