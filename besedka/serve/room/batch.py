"""Messages on their way to the disk: drafts that gather, and batches that are stored and delivered as a whole. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from msgspec import structs

from besedka.serve.history import Flag
from besedka.wire.log_line import write_line
from besedka.wire.message import Message, MessageId

GATHERING_BYTES_AT_MOST: Final = 1024 * 1024
"""What may wait for the disk in one room; posting pauses above it until the batch has been written."""

_BYTES_OF_A_DRAFT: Final = 500  # what an empty one takes in memory, about


class Position(NamedTuple):
    """Where and when a message was stored: its id, and its time in unix seconds and as the log writes it."""

    id: MessageId
    at: int
    stamp: str


@dataclass(slots=True)
class Draft:
    """A message that waits for its place in the log.

    Attributes:
        message: it, without an id and a time.
        verified: its poster has shown that the name is theirs.
        mark: what the room knows it by until it is stored: its key, or something of the room's own.
    """

    message: Message
    verified: bool = False
    mark: str = ""

    @property
    def name(self) -> tuple[str, str]:
        """What it is known by among all drafts of a room."""
        return self.message.user, self.mark

    @property
    def size(self) -> int:
        """What it takes in memory, in bytes, about."""
        return _BYTES_OF_A_DRAFT + 4 * len(self.message.text)

    @property
    def flag(self) -> Flag:
        """What is stored of it beside its lines. Where names are nobody's, nobody has shown anything."""
        return Flag.VERIFIED if self.verified else Flag.UNVERIFIED

    def at(self, position: Position) -> Message:
        """The message that it becomes, or has become."""
        id_, at, stamp = position
        return structs.replace(self.message, id=id_, at=at, stamp=stamp)


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that are stored and delivered together, with one time.

    Attributes:
        drafts: the messages, in the order of the log.
        at: their time, in unix seconds.
        stamp: the same, as the log writes it.
    """

    drafts: Sequence[Draft]
    at: int
    stamp: str

    def lines(self) -> list[str]:
        """The messages as they stand in the log."""
        return [write_line(structs.replace(draft.message, stamp=self.stamp)) for draft in self.drafts]

    def flags(self) -> list[Flag]:
        """What is stored of each beside."""
        return [draft.flag for draft in self.drafts]

    def positions(self, first: MessageId) -> list[Position]:
        """Where each stands when they are stored, the first one under this id."""
        return [
            Position(MessageId(number), self.at, self.stamp)
            for number in range(first, first + len(self.drafts))
        ]


class Gathering:
    """The drafts of a room that wait to be stored."""

    def __init__(self) -> None:
        self._drafts: list[Draft] = []
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._drafts)

    @property
    def is_full(self) -> bool:
        """Whether so much waits that nothing more should be posted for now."""
        return self._bytes > GATHERING_BYTES_AT_MOST

    def add(self, draft: Draft) -> None:
        """Have another one wait."""
        self._drafts.append(draft)
        self._bytes += draft.size

    def take(self) -> list[Draft]:
        """All that wait; none do afterwards."""
        drafts, self._drafts = self._drafts, []
        self._bytes = 0
        return drafts

    def drop(self, is_dropped: Callable[[Draft], bool]) -> list[Draft]:
        """Have some not wait any more; returns those."""
        dropped = [draft for draft in self._drafts if is_dropped(draft)]
        if dropped:
            self._drafts = [draft for draft in self._drafts if not is_dropped(draft)]
            self._bytes -= sum(draft.size for draft in dropped)
        return dropped
