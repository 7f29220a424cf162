"""Pages of the logs for subscribers that are behind: each is read, judged and encoded once for all who want the same one.

After a restart thousands of readers want the same messages, and most of the work of a page is Python's: parsing its records, judging
whose its messages are, encoding it.
"""

from __future__ import annotations

import sys
import weakref
from collections import OrderedDict
from typing import Final

from besedka.serve.chat.log_reader import LogReader, Messages
from besedka.serve.history import Latest
from besedka.serve.room import Broadcast, Room
from besedka.wire.frames import History

PAGE_BORDER: Final = 256
"""A page ends where its last id is a multiple of this: so readers who began at different messages soon want the same pages. It is what
fits into a page of usual messages (32 KiB), and a half."""

KEPT_BYTES: Final = 8 * 1024 * 1024
"""Approximate memory of the pages that are kept: 50 000 usual messages."""


class Page:
    """Consecutive messages of a log, for all who want them.

    Args:
        room: the room.
        first: the id of the first message.
        messages: the messages.
        wanted: how many were asked for: there are fewer if they are long.

    Attributes:
        lines: the messages' lines.
        history: the frame with them, without anybody's keys.
        broadcast: the frame's encodings.
        size: its approximate memory, in bytes.
    """

    __slots__ = ("_epoch", "_is_whole", "_redactions", "_verdicts", "broadcast", "history", "lines", "size")

    def __init__(self, room: Room, first: int, messages: Messages, wanted: int) -> None:
        self.lines, unverified, self._verdicts = messages
        self.history = History(room.name, first, self.lines, unverified=unverified)
        self.broadcast = Broadcast([self.history])
        self.size = 2 * sum(map(sys.getsizeof, self.lines))
        self._epoch = room.epoch
        self._redactions = room.redactions.count
        self._is_whole = len(self.lines) < wanted

    def as_now(self, room: Room) -> Page:
        """The page without what was redacted since it was read; the same one if nothing was."""
        if self._redactions == room.redactions.count:
            return self
        first = self.history.first
        ids = range(first, first + len(self.lines))
        lines = room.redactions.corrected(ids, self.lines, self._redactions)
        messages = Messages(lines, self.history.unverified, self._verdicts)
        return Page(room, first, messages, len(lines) + self._is_whole)

    def is_what(self, room: Room, wanted: int) -> bool:
        """Whether it is, as it stands, what is wanted of the room now, from its first message on."""
        return (
            (self._is_whole or len(self.lines) == wanted)
            and self._redactions == room.redactions.count
            and self._epoch == room.epoch
            and self._verdicts.still_hold
        )


class SharedPages:
    """The pages that several subscribers may want.

    Args:
        log_reader: reads the logs.
    """

    def __init__(self, log_reader: LogReader) -> None:
        self._log_reader = log_reader
        # The least recently used first. A room that is closed and opened again is another one, whose redactions are counted anew.
        self._kept: OrderedDict[tuple[weakref.ref[Room], int], Page] = OrderedDict()
        self._bytes = 0

    @staticmethod
    def wanted(room: Room, first: int) -> int:
        """The number of messages in the page that begins with an id, unless they are long; not positive if it is behind the head."""
        border = -(-first // PAGE_BORDER) * PAGE_BORDER
        return min(border, room.head) - first + 1

    async def read(self, room: Room, first: int) -> Page:
        """The page that begins with an id.

        Raises:
            Refused: as `LogReader.read`.
        """
        wanted, epoch = self.wanted(room, first), room.epoch
        page = self._find(room, first, wanted)
        if page is None:
            page = Page(room, first, await self._log_reader.read(room, first, wanted), wanted)
            # If the log was replaced meanwhile, nobody knows of which log the page is.
            if room.epoch == epoch:
                self._keep(room, first, page)
        return page

    def of_latest(self, room: Room, latest: Latest) -> Page:
        """The page with the last messages of a log, which are in memory."""
        first, wanted = latest.first, len(latest.lines)
        page = self._find(room, first, wanted)
        if page is None:
            ids = range(first, first + wanted)
            page = Page(room, first, self._log_reader.judged(ids, latest.lines, latest.flags), wanted)
            self._keep(room, first, page)
        return page

    def _find(self, room: Room, first: int, wanted: int) -> Page | None:
        key = weakref.ref(room), first
        page = self._kept.get(key)
        if page is None or not page.is_what(room, wanted):
            return None
        self._kept.move_to_end(key)
        return page

    def _keep(self, room: Room, first: int, page: Page) -> None:
        key = weakref.ref(room), first
        before = self._kept.pop(key, None)
        self._bytes += page.size - (before.size if before else 0)
        self._kept[key] = page
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
