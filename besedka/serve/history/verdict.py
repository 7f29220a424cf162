"""Whether a log is as it was written: what ``besedka verify`` says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from besedka.serve.history import check, scan
from besedka.serve.history.file import Descriptor
from besedka.serve.history.index import Index, index_path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        problem: the first thing that is not as it was written, a sentence; empty if there is none.
        praise: what is known to be right, a sentence.
    """

    problem: str = ""
    praise: str = ""


def judge(path: Path) -> Verdict:
    """Compare a log with its index, and look at what the index does not know.

    Raises:
        OSError: as the system says it.
    """
    try:
        index = Index(index_path(path), read_only=True)
    except (OSError, ValueError):
        return _judge_without_index(Descriptor(path, os.O_RDONLY))
    log = Descriptor(path, os.O_RDONLY)
    difference = check.first_difference(log, index)
    if difference and difference.is_missing:
        return Verdict(f"message {difference.message} and what followed it are missing")
    if difference:
        return Verdict(f"line {difference.line} (message {difference.message}) is not as it was written")
    _, end = index.add_up()
    added = sum(1 for _ in scan.messages(log, end, log.size))
    more = f", {added} more were added by other hands" if added else ""
    return Verdict(praise=f"all {index.count} messages are as they were written{more}")


def _judge_without_index(log: Descriptor) -> Verdict:
    line = check.first_damage(log, scan.first_start(log))
    if line is not None:
        return Verdict(f"line {line} is damaged: it holds NULs or bytes that are no UTF-8")
    return Verdict(
        praise="no damage is seen, but there are no checksums to compare with; a server makes them"
    )
