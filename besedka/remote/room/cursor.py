"""A cursor in a room's log. Pure.

After each loss of the connection, `besedka/remote/room/membership.py` joins with it; when that is, `besedka/remote/chat_connection.py` decides.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from besedka.remote.room.events import ReceivedMessage
from besedka.wire.frames import Chat, Found, History, Welcome
from besedka.wire.log_line import read_line, stamp_by_clock
from besedka.wire.message import Message, MessageId


class Cursor:
    """The position up to which a log was read. Invalid frames raise `ValueError`, `OverflowError` or `OSError`.

    Args:
        since: the id of the last message seen; None begins with the last 10.
        epoch: the epoch that ``since`` belongs to.

    Attributes:
        last: the id of the last message delivered; 0 if there is none.
        epoch: identifies the log.
    """

    def __init__(self, since: int | None, epoch: str) -> None:
        self.last = since or 0
        self.epoch = epoch
        self._since = since
        self._has_begun = False
        self._old_until = 0
        # Messages that the log held when the room was joined cannot be ones posted since, even if they are not read yet.
        self._head_at_join = 0
        self._utc_offset = 0
        self._user = ""

    @property
    def utc_offset(self) -> int:
        """How far the server's clock is east of UTC, in seconds."""
        return self._utc_offset

    @property
    def since(self) -> int | None:
        """The ``since`` of the next join; the same as at first until something of the log was read."""
        is_reading = self._has_begun and (self.last or not self._head_at_join)
        return self.last if is_reading else self._since

    @property
    def post_after(self) -> int:
        """The ``after`` of a message posted now: its id will be higher."""
        return max(self.last, self._head_at_join)

    def begin(self, frame: Welcome) -> bool:
        """Take over a `Welcome`, of the first or a later join. Returns whether the log was replaced since the last one."""
        has_changed = bool(self.epoch and frame.epoch and frame.epoch != self.epoch)
        is_new = frame.reset or (self._has_begun and has_changed)
        if is_new:
            self.last, self._since = 0, None
            self._head_at_join = frame.head
        if not self._has_begun:
            self._old_until = self._head_at_join = frame.head
        self._has_begun = True
        self.epoch = frame.epoch or self.epoch
        self._utc_offset = frame.utc_offset
        self._user = frame.user
        return is_new

    def receive(self, frame: Chat) -> list[ReceivedMessage]:
        """Deliver a live message; empty if it was delivered before."""
        if frame.id <= self.last:
            return []
        self.last = frame.id
        stamp = stamp_by_clock(frame.at, self._utc_offset, frame.timestamp)
        return [self._received(frame.message(stamp))]

    def receive_history(self, page: History) -> list[ReceivedMessage]:
        """Deliver the messages of a page that were not delivered before."""
        received = [message for message in self.read(page) if message.id > self.last]
        self.last = max(self.last, page.first + len(page.messages) - 1)
        return received

    def read(self, page: History) -> list[ReceivedMessage]:
        """All messages of a page; the cursor does not move."""
        unverified = frozenset(page.unverified)
        return [
            self._read_line(number, raw, unverified) for number, raw in enumerate(page.messages, page.first)
        ]

    def read_found(self, found: Found) -> list[ReceivedMessage]:
        """The messages that a search found; the cursor does not move."""
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
