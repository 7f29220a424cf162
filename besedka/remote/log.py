"""A room's log, as one who comes back reads it: how far he is, and what of it is old. Pure."""

from __future__ import annotations

from collections.abc import Collection

from besedka.remote.events import Heard
from besedka.wire.frames import Chat, Found, History, Welcome
from besedka.wire.log_line import read_line, stamp_by_clock
from besedka.wire.message import MessageId


class Log:
    """How far one is in it. All that reads raises `ValueError` and the like at what no Besedka says.

    Args:
        since: the id of the last message that was seen; None begins with the last 10.
        epoch: the one that ``since`` belongs to.

    Attributes:
        last: the id of the last message that was given out; 0 if none was.
        epoch: which log it is.
    """

    def __init__(self, since: int | None, epoch: str) -> None:
        self.last = since or 0
        self.epoch = epoch
        self._since = since
        self._has_begun = False
        self._old_until = 0
        # What the log had when we came cannot be what we say now, even before we have read it.
        self._not_ours_until = 0
        self._utc_offset = 0

    @property
    def since(self) -> int | None:
        """Behind which id to read on."""
        return self.last if self._has_begun else self._since

    @property
    def said_after(self) -> int:
        """What is said now has a higher id than this."""
        return max(self.last, self._not_ours_until)

    def begin(self, frame: Welcome) -> bool:
        """One is in, for the first time or again. Returns whether the log is another one than before."""
        is_other = bool(self.epoch and frame.epoch and frame.epoch != self.epoch)
        is_new = frame.reset or (self._has_begun and is_other)
        if is_new:
            self.last = 0
            self._not_ours_until = frame.head
        if not self._has_begun:
            self._old_until = self._not_ours_until = frame.head
        self._has_begun = True
        self.epoch = frame.epoch or self.epoch
        self._utc_offset = frame.utc_offset
        return is_new

    def hear(self, frame: Chat) -> list[Heard]:
        """A message, if it was not given out before."""
        if frame.id <= self.last:
            return []
        self.last = frame.id
        stamp = stamp_by_clock(frame.at, self._utc_offset, frame.timestamp)
        return [
            Heard(
                MessageId(frame.id), frame.user, frame.text, stamp, self._is_old(frame.id), frame.unverified
            )
        ]

    def hear_history(self, page: History) -> list[Heard]:
        """Those of a page that were not given out before."""
        heard = [one for one in self.read(page) if one.id > self.last]
        self.last = max(self.last, page.first + len(page.messages) - 1)
        return heard

    def read(self, page: History) -> list[Heard]:
        """All of a page."""
        doubtful = frozenset(page.unverified)
        return [
            self._read_line(number, raw, doubtful) for number, raw in enumerate(page.messages, page.first)
        ]

    def read_found(self, found: Found) -> list[Heard]:
        """What a search has found."""
        doubtful = frozenset(found.unverified)
        numbered = zip(found.ids, found.messages, strict=True)
        return [self._read_line(number, raw, doubtful) for number, raw in numbered]

    def _read_line(self, number: int, raw: str, doubtful: Collection[int]) -> Heard:
        line = read_line(raw)
        return Heard(
            MessageId(number), line.user, line.text, line.stamp, self._is_old(number), number in doubtful
        )

    def _is_old(self, number: int) -> bool:
        return number <= self._old_until
