"""A cursor in a room's log: how far it was read, and which of its messages are old. Pure."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from besedka.remote.room.events import ReceivedMessage
from besedka.wire.frames import Chat, Found, History, Welcome
from besedka.wire.log_line import read_line, stamp_by_clock
from besedka.wire.message import Message, MessageId


class Cursor:
    """How far a log was read. Reading raises `ValueError` and the like at frames that no Besedka sends.

    Args:
        since: the id of the last message seen; None begins with the last 10.
        epoch: the epoch that ``since`` belongs to.

    Attributes:
        last: the id of the last message that was delivered; 0 if none was.
        epoch: names the log.
    """

    def __init__(self, since: int | None, epoch: str) -> None:
        self.last = since or 0
        self.epoch = epoch
        self._since = since
        self._has_begun = False
        self._old_until = 0
        # What the log held when we joined cannot be what we post now, even before we have read it.
        self._not_ours_until = 0
        self._utc_offset = 0
        self._user = ""

    @property
    def since(self) -> int | None:
        """The id behind which to read on."""
        return self.last if self._has_begun else self._since

    @property
    def said_after(self) -> int:
        """A message posted now gets a higher id than this."""
        return max(self.last, self._not_ours_until)

    def begin(self, frame: Welcome) -> bool:
        """The room was joined, for the first time or again. Returns whether the log is another one than before."""
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
        self._user = frame.user
        return is_new

    def receive(self, frame: Chat) -> list[ReceivedMessage]:
        """A live message, unless it was delivered before."""
        if frame.id <= self.last:
            return []
        self.last = frame.id
        stamp = stamp_by_clock(frame.at, self._utc_offset, frame.timestamp)
        return [self._received(frame.message(stamp))]

    def receive_history(self, page: History) -> list[ReceivedMessage]:
        """The messages of a page that were not delivered before."""
        received = [message for message in self.read(page) if message.id > self.last]
        self.last = max(self.last, page.first + len(page.messages) - 1)
        return received

    def read(self, page: History) -> list[ReceivedMessage]:
        """All messages of a page; the cursor stays."""
        unverified = frozenset(page.unverified)
        return [
            self._read_line(number, raw, unverified) for number, raw in enumerate(page.messages, page.first)
        ]

    def read_found(self, found: Found) -> list[ReceivedMessage]:
        """The messages that a search has found; the cursor stays."""
        unverified = frozenset(found.unverified)
        numbered = zip(found.ids, found.messages, strict=True)
        return [self._read_line(number, raw, unverified) for number, raw in numbered]

    def _read_line(self, number: int, raw: str, unverified: Collection[int]) -> ReceivedMessage:
        message = msgspec.structs.replace(
            read_line(raw), id=MessageId(number), unverified=number in unverified
        )
        return self._received(message)

    def _received(self, message: Message) -> ReceivedMessage:
        return ReceivedMessage(
            message, is_old=message.id <= self._old_until, is_own=message.user == self._user
        )
