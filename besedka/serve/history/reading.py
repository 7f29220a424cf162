"""A log that is open to be read: pages, places in the file, searches.

The methods block, and wait for nobody. Any thread may call them, also while the log is written: what is known of it (`ReadableLog.body`)
is replaced as a whole.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from besedka.serve.errors import HistoryUnusable
from besedka.serve.history.body import Body, Page
from besedka.serve.history.file import Descriptor, reason
from besedka.serve.history.findings import Reading, restored
from besedka.serve.history.index import Flag, IndexDamaged
from besedka.serve.history.restoring import open_to_read
from besedka.serve.history.search import Hits, Needle, search
from besedka.wire.log_line import read_line
from besedka.wire.message import Message, MessageId

log = logging.getLogger(__name__)

T = TypeVar("T")

LINES_AT_ONCE: Final = 10_000
"""How many messages are looked through in one step at most."""

STEP_ASIDE_SECONDS: Final = 0.000_01
"""How long who looks through a log sleeps after each block. Python hands its lock to another thread only after 5 ms, unless the
one who has it sleeps; and a message needs the lock a dozen times on its way to the disk and back."""


class ReadableLog:
    """One room's log. Make it with `open_to_read`.

    Attributes:
        path: the file.
        body: what is known of it.
        latest: the last 10 messages; replaced as a whole, so that any thread may look.
        restored: what was found when it was opened, or read anew.
    """

    def __init__(self, path: Path, body: Body, reading: Reading) -> None:
        self.path = path
        self.body = body
        self.latest = body.latest()
        self.restored = restored(body, reading)

    @staticmethod
    def open_to_read(path: Path) -> ReadableLog:
        """Open a log that another process may be writing: nothing is locked, repaired or made.

        Raises:
            HistoryUnusable: if it cannot be read, or is not ours.
        """
        try:
            body, reading = open_to_read(Descriptor(path, os.O_RDONLY), path)
            return ReadableLog(path, body, reading)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error

    @property
    def epoch(self) -> str:
        """Names this log, so that ids of another are not mistaken for its own."""
        return self.body.index.epoch

    @property
    def count(self) -> int:
        """How many messages it holds; also the id of the last one."""
        return self.body.count

    def exchange(self, body: Body) -> None:
        """What is known of the log is this from now on; those who read meanwhile go on in what was known before."""
        self.body, self.latest = body, body.latest()

    def read(self, first: int, limit: int) -> list[str]:
        """A page: the lines of up to ``limit`` messages from the id ``first`` on.

        It holds at least one message if there is one, and ends after the one with which it passes `PAGE_BYTES`. Of a message that
        is longer than that its beginning is given.

        Raises:
            OSError: as the system says it.
        """
        return self.read_with_flags(first, limit).lines

    def read_with_flags(self, first: int, limit: int) -> Page:
        """A page as `read` gives it, and what is known of each of its messages beside."""
        return self._by_index(lambda body: body.read(first, limit))

    def flags(self, first: int, count: int) -> list[Flag]:
        """What is known of ``count`` messages from the id ``first`` on, beside their lines."""

        def flags(body: Body) -> list[Flag]:
            last = min(first + count - 1, body.count)
            return [record.flags for record in body.index.records(max(first, 1), last)]

        return self._by_index(flags)

    def span(self, first: int, last: int) -> range:
        """The offsets of messages ``first`` to ``last`` in the file, with what stands between them and is not understood.

        What stands in front of the first message of all and behind the last one belongs to those.

        Raises:
            OSError: as the system says it.
        """
        return self._by_index(lambda body: body.span(first, last))

    def extents(self, first: int, last: int) -> list[range]:
        """The offsets of each of the messages ``first`` to ``last``, without what stands between them.

        Raises:
            OSError: as the system says it.
        """
        return self._by_index(lambda body: body.extents(first, last))

    def read_bytes(self, span: range) -> bytes:
        """The file's own bytes at these offsets.

        Raises:
            OSError: as the system says it.
        """
        return self.body.file.read(span.start, len(span))

    def said_by(self, user: str, after: int) -> list[tuple[MessageId, Message]]:
        """All messages by this name later than the id ``after``, in order."""
        found = []
        name = f"] {user}: "
        number = after + 1
        while page := self.read(number, LINES_AT_ONCE):
            for line in page:
                if line.find(name) == line.find("]"):
                    found.append((MessageId(number), read_line(line)))
                number += 1
            time.sleep(STEP_ASIDE_SECONDS)
        return found

    def search(self, text: str, before: int, limit: int, seconds: float) -> Hits:
        """The newest messages older than the id ``before`` that hold a text, in capitals or small letters.

        It looks about so many seconds long, and then says where it has stopped; one block is looked at in any case.
        """
        until, needle = time.perf_counter() + seconds, Needle(text)

        def is_enough() -> bool:
            time.sleep(STEP_ASIDE_SECONDS)
            return time.perf_counter() >= until

        def hits(body: Body) -> Hits:
            older = min(before, body.count + 1)
            found = search(body.backwards(older), needle, older, limit, is_enough)
            return replace(found, flags=[body.index.record(number).flags for number in found.ids])

        return self._by_index(hits)

    def close(self) -> None:
        """Let go of the file."""
        self.body.file.close()
        self.body.index.close()

    def _by_index(self, act: Callable[[Body], T]) -> T:
        """Have something read; if the index turns out to be damaged, by another one."""
        body = self.body
        try:
            return act(body)
        except IndexDamaged as damage:
            self._replace_index(body, damage)
        return act(self.body)

    def _replace_index(self, body: Body, damage: IndexDamaged) -> None:
        """Have another index, unless that of ``body`` was replaced already."""
        if self.body is body:
            log.error("the index of %s is damaged, and made anew: %s", self.path, damage)
            self._make_index_anew()

    def _make_index_anew(self) -> None:
        self.exchange(open_to_read(self.body.file, self.path, use_index=False)[0])
