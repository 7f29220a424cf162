"""A log that is open for reading: pages, offsets in the file, searches.

The methods block, but wait for no lock. Any thread may call them, also while the log is written: its state (`ReadableLog.body`) is
replaced as a whole.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from besedka.serve.errors import HistoryUnusable
from besedka.serve.files.descriptor import open_regular, reason
from besedka.serve.history.folding import YIELD_SECONDS
from besedka.serve.history.index import IndexDamaged
from besedka.serve.history.log_state import LogState, Page
from besedka.serve.history.opening.findings import Reading, restored
from besedka.serve.history.opening.loading import open_to_read
from besedka.serve.history.record import Flag
from besedka.serve.history.resent import Found, Resent, Step
from besedka.serve.history.search import Hits, Needle, Query, search
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)

T = TypeVar("T")


class ReadableLog:
    """One room's log. Make it with `open_to_read`.

    Attributes:
        path: the file.
        body: its state.
        latest: those of the last messages that stay in memory; replaced as a whole, so that any thread may read them.
        restored: the findings when it was opened or reread.
    """

    def __init__(self, path: Path, body: LogState, reading: Reading) -> None:
        self.path = path
        self.body = body
        self.latest = body.latest()
        self.restored = restored(body, reading)

    @staticmethod
    def open_to_read(path: Path) -> ReadableLog:
        """Open a log that another process may be writing: nothing is locked, repaired or created.

        Raises:
            HistoryUnusable: if it cannot be read, is no regular file, or is no log.
        """
        try:
            body, reading = open_to_read(open_regular(path, os.O_RDONLY, may_be_link=True), path)
            return ReadableLog(path, body, reading)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error

    @property
    def epoch(self) -> str:
        """The name of this log, so that ids of another are not mistaken for its own."""
        return self.body.index.epoch

    @property
    def count(self) -> int:
        """The number of messages; also the id of the last one."""
        return self.body.count

    def exchange(self, body: LogState) -> None:
        """Replace the state of the log; reads in progress finish with the old one."""
        self.body, self.latest = body, body.latest()

    def read(self, first: int, limit: int) -> list[str]:
        """A page: the lines of up to ``limit`` messages from the id ``first`` on.

        It has at least one message if there is one, and ends after the one that takes it past `PAGE_BYTES`. A message longer than
        `SHOWN_BYTES` is cut.

        Raises:
            OSError: from the system.
        """
        return self.read_with_flags(first, limit).lines

    def read_with_flags(self, first: int, limit: int) -> Page:
        """A page as `read` returns it, with the flags of its messages."""
        return self._by_index(lambda body: body.read(first, limit))

    def read_before(self, before: int, limit: int) -> tuple[MessageId, Page]:
        """The page that ends before the id ``before``, with the id of its first message.

        It begins with the message that takes it past `PAGE_BYTES`, counted from its end, or with the last of ``limit`` messages.

        Raises:
            OSError: from the system.
        """
        return self._by_index(lambda body: body.read_before(before, limit))

    def read_since(self, since: str, limit: int, last: int) -> tuple[MessageId, Page]:
        """The page that begins with the first message of a time, as the log writes it, or later, with the id of that message.

        Args:
            since: the time.
            limit: the most messages.
            last: the id behind which the log ends, whatever has been added to it.

        Raises:
            OSError: from the system.
        """

        def page(body: LogState) -> tuple[MessageId, Page]:
            first = body.first_since(since, last)
            return first, body.read(first, min(limit, last - first + 1))

        return self._by_index(page)

    def flags(self, first: int, count: int) -> list[Flag]:
        """The flags of ``count`` messages from the id ``first`` on."""

        def flags(body: LogState) -> list[Flag]:
            last = min(first + count - 1, body.count)
            return [record.flags for record in body.index.records(max(first, 1), last)]

        return self._by_index(flags)

    def span(self, first: int, last: int) -> range:
        """The offsets of messages ``first`` to ``last`` in the file, including lines between them that are not understood.

        Lines before the very first message and after the very last one belong to these.

        Raises:
            OSError: from the system.
        """
        return self._by_index(lambda body: body.span(first, last))

    def raw(self, first: int, last: int) -> list[bytes]:
        """The bytes of the messages ``first`` to ``last``, with their line ends; fewer if the log has fewer.

        Raises:
            OSError: from the system.
        """

        def raw(body: LogState) -> list[bytes]:
            return [
                body.file.read(extent.start, len(extent))
                for extent in body.extents(first, min(last, body.count))
            ]

        return self._by_index(raw)

    def extents(self, first: int, last: int) -> list[range]:
        """The offsets of each of the messages ``first`` to ``last``, without lines between them.

        Raises:
            OSError: from the system.
        """
        return self._by_index(lambda body: body.extents(first, last))

    def read_bytes(self, span: range) -> bytes:
        """The file's own bytes at these offsets.

        Raises:
            OSError: from the system.
        """
        return self.body.file.read(span.start, len(span))

    def resent(
        self, message: Resent, ids: range, is_other: Callable[[int], bool], limit: int, seconds: float
    ) -> Step:
        """The newest messages that are the same as one that is resent.

        Like `search`, it stops after about so many seconds, and returns how far it got.

        Args:
            message: the one that is resent.
            ids: of the messages that are compared.
            is_other: whether the message with this id is known to be another one; called in this thread.
            limit: the most messages to find.
            seconds: the time for this step.
        """
        is_enough = _time_is_up(seconds)

        def step(body: LogState) -> Step:
            found: list[Found] = []
            for block in body.backwards(min(ids.stop, body.count + 1), message.is_in):
                for same in message.among(block):
                    if same.id in ids and not is_other(same.id):
                        found.append(same)
                        if len(found) == limit:
                            return Step(found, range(0))
                if block.first <= ids.start:
                    break
                if is_enough():
                    return Step(found, range(ids.start, block.first))
            return Step(found, range(0))

        return self._by_index(step)

    def search(self, query: Query, before: int, limit: int, seconds: float) -> Hits:
        """The newest messages older than the id ``before`` that a query is for.

        The search stops after about so many seconds and returns how far it got; it reads at least one block.
        """
        needle, is_enough = Needle(query), _time_is_up(seconds)

        def hits(body: LogState) -> Hits:
            older = min(before, body.count + 1)
            found = search(body.backwards(older, needle.may_be_in), needle, older, limit, is_enough)
            return replace(found, flags=[body.index.record(number).flags for number in found.ids])

        return self._by_index(hits)

    def close(self) -> None:
        """Close the files."""
        self.body.file.close()
        self.body.index.close()

    def _by_index(self, act: Callable[[LogState], T]) -> T:
        """Read something by the index; if that turns out to be damaged, replace it and read again."""
        body = self.body
        try:
            return act(body)
        except IndexDamaged as damage:
            self._replace_index(body, damage)
        return act(self.body)

    def _replace_index(self, body: LogState, damage: IndexDamaged) -> None:
        """Replace a damaged index, unless another thread has done so."""
        if self.body is body:
            log.error("the index of %s is damaged, and made anew: %s", self.path, damage)
            self._rebuild_index()

    def _rebuild_index(self) -> None:
        self.exchange(open_to_read(self.body.file, self.path, use_index=False)[0])


def _time_is_up(seconds: float) -> Callable[[], bool]:
    """A function that tells whether so many seconds are over; each call lets other threads run."""
    until = time.perf_counter() + seconds

    def is_up() -> bool:
        time.sleep(YIELD_SECONDS)
        return time.perf_counter() >= until

    return is_up
