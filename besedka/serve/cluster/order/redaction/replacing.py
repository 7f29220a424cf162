"""Taking redacted texts out of the stream: the redacted form of an entry is published, and only then the entry is erased.

Each node does it for each redaction that it applies, whoever has ordered that: the one at once, the others after a pause, when they find nothing left to do. Until then a node's checkpoint stays in
front of the redaction, so that the next start receives it again. So whatever is killed between two steps, somebody takes the next one; each step may be taken any number of times.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from besedka.serve.cluster.jetstream.stream import STREAM, Stream
from besedka.serve.cluster.order.batches import without_text
from besedka.serve.cluster.order.entry import Target, decode_entry
from besedka.serve.cluster.order.redaction.fixed import FIXED, FixedEntries
from besedka.serve.log_event import event

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = (0.5, 3.0)
"""The shortest and the longest pause of a node that has not ordered the redaction: mostly there is nothing left to do then."""

RETRY_SECONDS: Final = 1.0
"""The pause after a server that did not answer."""


class _Due(NamedTuple):
    """A redaction whose texts may be in the stream.

    Attributes:
        at: when to look, by the loop's clock.
        sequence: the number of the redaction in the stream.
        room: the room.
        targets: its messages.
    """

    at: float
    sequence: int
    room: str
    targets: Sequence[Target]


class Replacer:
    """Takes redacted texts out of the stream.

    Args:
        stream: the order.
        fixed: the entries that replace others.
    """

    def __init__(self, stream: Stream, fixed: FixedEntries) -> None:
        self._stream = stream
        self._fixed = fixed
        self._loop = asyncio.get_running_loop()
        self._due: list[_Due] = []
        self._open: set[int] = set()
        self._news = asyncio.Event()

    @property
    def oldest(self) -> int | None:
        """The number of the first redaction whose texts may still be in the stream."""
        return min(self._open, default=None)

    def add(self, room: str, sequence: int, targets: Sequence[Target], *, is_own: bool) -> None:
        """Take the texts of a redaction out of the stream, soon.

        Args:
            room: the room.
            sequence: the number of the redaction in the stream.
            targets: its messages.
            is_own: whether this node has ordered it.
        """
        pause = 0.0 if is_own else random.uniform(*PAUSE_SECONDS)  # noqa: S311 - nobody gains by guessing it
        self._open.add(sequence)
        heapq.heappush(self._due, _Due(self._loop.time() + pause, sequence, room, targets))
        self._news.set()

    async def run(self) -> None:
        """Do it, for ever."""
        while True:
            if not self._due or (wait := self._due[0].at - self._loop.time()) > 0:
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait if self._due else None):
                        await self._news.wait()
                continue
            due = heapq.heappop(self._due)
            try:
                for target in due.targets:
                    # A leader that is cut off may not have the entry, and says so.
                    replacing = partial(self._replace, due.room, target)
                    if not await self._stream.surely(replacing, STREAM, FIXED):
                        _report(due.room, target)
            except TimeoutError:
                heapq.heappush(self._due, due._replace(at=self._loop.time() + RETRY_SECONDS))
            else:
                self._open.discard(due.sequence)

    async def _replace(self, room: str, target: Target) -> bool:
        """Take the text of one message out of the stream. Returns whether the message is there.

        Raises:
            TimeoutError: if the stream does not answer; what was done stays done.
        """
        while True:
            # In this order: an entry is deleted only after it was published as fixed.
            original = await self._stream.find(STREAM, {"seq": target.sequence}) if target.sequence else None
            fixed = await self._fixed.get(room, target.first)
            behind, entry = fixed or (0, decode_entry(original[1]) if original else None)
            if entry is None or not entry.head.first <= target.id <= entry.last:
                return False
            without = without_text(entry, target.id)
            if (fixed and without == entry) or await self._fixed.put(room, without, behind):
                break
        await self._fixed.erase_older(room, target.first)
        if original:
            await self._stream.erase(STREAM, target.sequence)
        return True


def _report(room: str, target: Target) -> None:
    log.error(
        "the cluster has lost the entry with message %d of room %s, which was removed",
        target.id,
        room,
        extra=event("entry_lost", room=room, id=target.id),
    )
