"""The state of one room in a node's sequencer: its order, this node's offer, and what the last entry says of its log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from besedka.serve.cluster.order.entry import Entry
from besedka.serve.cluster.order.reach import RETRY_SECONDS
from besedka.serve.cluster.order.room_order import UNKNOWN, RoomOrder
from besedka.serve.room import Draft
from besedka.wire.errors import ErrorCode, Refused


class Offer(NamedTuple):
    """A room's drafts on their way to the stream."""

    token: str
    drafts: Sequence[Draft]


class RoomState:
    """A room's order, with its offer and whoever waits for news of it."""

    __slots__ = ("at", "base", "count", "end", "epoch", "is_being_imported", "news", "offer", "order")

    def __init__(self) -> None:
        self.order = RoomOrder()
        self.news = asyncio.Event()
        self.offer: Offer | None = None
        self.at = 0
        self.epoch = ""
        self.is_being_imported = False
        # How many messages the log holds, as the entries say that were applied here; -1 if none of them is known.
        self.count = UNKNOWN
        # How many it held at the first look: entries up to that one are in it already when they come again.
        self.base = UNKNOWN
        # How many it will hold behind the batch that is appended now.
        self.end = UNKNOWN

    def note(self, entry: Entry) -> None:
        """Note the last entry that is in the log."""
        self.at, self.count, self.epoch = entry.head.at, entry.last, entry.head.epoch
        self.is_being_imported = entry.head.piece is not None and entry.head.piece.more

    def is_ahead(self, count: int) -> bool:
        """Whether a log with so many messages may have some already whose entries come again: it had them at the first look."""
        return self.count < count == self.base

    def check_whole(self, name: str) -> None:
        """Check that the log is whole: nothing may come between two pieces of one that is taken over.

        Raises:
            Refused: `out_of_reach`.
        """
        if self.is_being_imported:
            raise Refused(ErrorCode.OUT_OF_REACH, room=name, wait=RETRY_SECONDS)
