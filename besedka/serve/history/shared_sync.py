"""Appending to many logs with one sync (decision 46).

The records of all batches are written, and synced where they must be; each batch is written to its own log; all are synced; and then each log is looked at once more. A log that needs more than that, because another
program has edited it or a message is being redacted, is left to `ChatHistory.append`: nobody else waits for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.files.file_system import FileSystem
from besedka.serve.history.appending import Started
from besedka.serve.history.chat_history import ChatHistory
from besedka.serve.history.record import Flag
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)


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
    outcomes: list[Outcome] = [None] * len(appends)
    on_their_way: dict[int, Started] = {}
    for number, append in enumerate(appends):
        with _noting(outcomes, number):
            if started := append.history.start_append(append.lines, append.flags):
                on_their_way[number] = started
    indexes = {number: started for number, started in on_their_way.items() if started.must_sync}
    failures = _synced(file_system, {number: started.index_file for number, started in indexes.items()})
    written: dict[int, Started] = {}
    for number, started in on_their_way.items():
        with _noting(outcomes, number):
            appends[number].history.write_append(started, failures.get(number))
            written[number] = started
    failures = _synced(file_system, {number: started.file for number, started in written.items()})
    seconds = time.perf_counter() - begun
    for number, started in written.items():
        with _noting(outcomes, number):
            outcomes[number] = appends[number].history.finish_append(started, failures.get(number), seconds)
    return outcomes


@contextmanager
def _noting(outcomes: list[Outcome], number: int) -> Iterator[None]:
    """Note the error of one batch as its outcome: the committer decides what it means, and the others go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        outcomes[number] = error


def _synced(file_system: FileSystem, files: Mapping[int, Descriptor]) -> dict[int, Exception]:
    """Wait until files are on the disk. Returns the errors of those that are not; every log must go on to its end, whatever happens here."""
    try:
        errors: Sequence[Exception | None] = file_system.sync([*files.values()])
    except Exception as error:
        log.exception("the disk could not be waited for")
        errors = [error] * len(files)
    return {number: error for number, error in zip(files, errors, strict=True) if error}
