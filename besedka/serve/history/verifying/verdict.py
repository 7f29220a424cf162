"""The report of ``besedka verify``: whether a log is as it was written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from besedka.serve.files.descriptor import Descriptor, open_regular
from besedka.serve.files.trust import UntrustedFile, refuse_less_trusted
from besedka.serve.history.index import Index, IndexDamaged, index_path
from besedka.serve.history.scan import Kind, entries
from besedka.serve.history.verifying import comparison


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a comparison.

    Attributes:
        problem: a sentence about the first difference; empty if there is none.
        praise: a sentence about what is known to be right.
    """

    problem: str = ""
    confirmation: str = ""


def judge(path: Path) -> Verdict:
    """Compare a log with its index, and check the part that is not in the index.

    Raises:
        OSError: from the system.
    """
    log = open_regular(path, os.O_RDONLY, may_be_link=True)
    # Before the index, which a server writes first: what stands up to here and is not in it is no server's.
    end = log.size
    try:
        beside = open_regular(index_path(path), os.O_RDONLY)
        refuse_less_trusted(index_path(path), beside, log)
        index = Index(beside, index_path(path).name)
    except UntrustedFile as why:
        return Verdict(f"the index {index_path(path).name} is not believed: {why.strerror}")
    except (OSError, ValueError):
        return _judge_without_index(log)
    sound = index.sound_count(index.count)
    if sound < index.count:
        return Verdict(
            f"the index is damaged at message {sound + 1}; delete {index_path(path).name}, and a server makes it anew"
        )
    try:
        return _compare(log, index, end)
    except IndexDamaged as damage:
        return Verdict(str(damage))


def _compare(log: Descriptor, index: Index, end: int) -> Verdict:
    difference = comparison.first_difference(log, index)
    if difference and difference.is_missing:
        return Verdict(f"message {difference.message} and what followed it are missing")
    if difference:
        return Verdict(f"line {difference.line} (message {difference.message}) is not as it was written")
    known = index.end_of(index.count)
    behind = entries(log, known, max(known, end))
    added = sum(entry.kind is Kind.MESSAGE for entry in behind)
    more = f", {added} more {'was' if added == 1 else 'were'} added by another program" if added else ""
    whole = (
        "its only message is as it was written"
        if index.count == 1
        else f"all {index.count} messages are as they were written"
    )
    return Verdict(confirmation=f"{whole}{more}")


def _judge_without_index(log: Descriptor) -> Verdict:
    line = comparison.first_damage(log, 0)
    if line is not None:
        return Verdict(f"line {line} is damaged: it holds NULs or bytes that are no UTF-8")
    return Verdict(
        confirmation="no damage is seen, but there are no checksums to compare with; a server makes them"
    )
