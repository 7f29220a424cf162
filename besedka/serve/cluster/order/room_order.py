"""The order of one room, as a node of a cluster knows it: what was received and is not applied yet, and what was offered. Pure.

The rules (compare-and-set on the room's subject):

- an entry is offered behind the last one that was *applied* here, and accepted only if it is the last of the room;
- the same offer, with the same token, may be made again and again: at most one is accepted;
- once another entry is received behind the same one, the offer is dead. What it held is offered anew, behind that entry.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final, NamedTuple

from besedka.serve.cluster.order.entry import Entry

UNKNOWN: Final = -1


class Received(NamedTuple):
    """An entry from the stream.

    Attributes:
        sequence: its number in the stream; 0 if another stream has it, because a text in it was redacted.
        entry: the entry.
        size: its size in bytes.
    """

    sequence: int
    entry: Entry
    size: int


class RoomOrder:
    """The order of one room.

    Attributes:
        applied: the number of the last entry that was applied here; 0 if the room has none, `UNKNOWN` if it was not asked for yet.
        received: the entries that are not applied yet, in their order.
    """

    __slots__ = ("applied", "received")

    def __init__(self) -> None:
        self.applied = UNKNOWN
        self.received: deque[Received] = deque()

    @property
    def is_known(self) -> bool:
        """Whether it is known behind which entry the next one is to be offered."""
        return self.applied != UNKNOWN and not self.received

    def found(self, last: int, received_to: int) -> bool:
        """Note the room's last entry, as the stream says.

        Args:
            last: its number; 0 if there is none.
            received_to: the number of the last entry of any room that was received.

        Returns:
            Whether it was received: otherwise it is still to come.
        """
        if last > received_to:
            return False
        self.applied = max(self.applied, last)
        return True

    def receive(self, received: Received) -> None:
        """Take in the next entry of the room."""
        self.received.append(received)

    def insert(self, received: Received) -> None:
        """Take in an entry that comes before the next one, and has no number in the stream any more."""
        self.received.appendleft(received)

    def run(self, token: str = "") -> list[Received]:
        """The received entries that can be appended at once: the next one, and those behind it without a hole, up to a redaction or an import.

        Args:
            token: of this node's own offer, if there is one: that entry is not appended with those of others.
        """
        taken = [self.received[0]]
        for received in islice(self.received, 1, None):
            entry = received.entry
            if not entry.is_batch or entry.head.first != taken[-1].entry.last + 1 or entry.head.by == token:
                break
            taken.append(received)
        return taken

    def note_applied(self, received: Received) -> None:
        """Note that the next entry was applied.

        Raises:
            ValueError: if it is another one.
        """
        if self.received[0] is not received:
            raise ValueError("entries are applied in their order")
        self.received.popleft()
        self.applied = received.sequence or self.applied
