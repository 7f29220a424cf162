"""The checker that Jepsen uses for queues, for a chat: what was attempted, what was acknowledged, what was read."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from besedka.serve.history import ChatHistory
from besedka.wire.log_line import read_line

UNIQUE = re.compile(r"(?P<sender>\S+) #(?P<number>\d+)\b")


@dataclass(slots=True)
class Record:
    """The record of one run.

    Attributes:
        attempted: all texts that were ever said.
        acknowledged: those that their senders have heard back.
        heard: for each reader, the ids and texts in the order in which they arrived.
        resets: how often a reader was shown the end of the log, because what they had seen was unknown.
        news: set whenever something is acknowledged.
    """

    attempted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    heard: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    resets: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


def check(record: Record, history: Path) -> int:
    """Assert that nothing was lost, doubled, forged or misordered. Returns how many messages the history holds."""
    log = ChatHistory.open_to_read(history)
    lines: list[str] = []
    while page := log.read(len(lines) + 1, 1000):
        lines += page
    stored = [read_line(line).text for line in lines]
    assert len(stored) == log.count, "ids have holes"
    lost = record.acknowledged - set(stored)
    assert not lost, f"{len(lost)} lost, such as {sorted(lost)[:3]}"
    unexpected = set(stored) - record.attempted
    assert not unexpected, f"{len(unexpected)} unexpected, such as {sorted(unexpected)[:3]}"
    doubled = [text for text, times in Counter(stored).items() if times > 1]
    assert not doubled, f"{len(doubled)} doubled, such as {doubled[:3]}"
    _check_order_of_senders(stored)
    for reader, heard in record.heard.items():
        for position, (before, after) in enumerate(pairwise(number for number, _ in heard), 1):
            assert after == before + 1, (
                f"{reader} heard out of order, or not all: {heard[max(0, position - 3) : position + 3]}"
            )
        for number, text in heard:
            assert stored[number - 1] == text, (
                f"{reader} heard {text!r} as {number}, the file has {stored[number - 1]!r}"
            )
    return len(stored)


def _check_order_of_senders(stored: list[str]) -> None:
    last: dict[str, int] = {}
    for text in stored:
        found = UNIQUE.match(text)
        assert found, text
        number = int(found["number"])
        assert last.get(found["sender"], 0) < number, f"{text!r} stands behind a later one of the same sender"
        last[found["sender"]] = number
