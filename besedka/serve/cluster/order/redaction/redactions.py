"""Redactions as a part of the order: each node does them at the same place, and whoever does takes the text out of the stream.

A redaction is recorded in the audit log first, and then wanted here, until some node has ordered it: this one, or another one that has the record, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final

from besedka.serve.cluster.jetstream.stream import STREAM, Stream
from besedka.serve.cluster.order.entry import Head, Target
from besedka.serve.cluster.order.reach import RETRY_SECONDS, Reach
from besedka.serve.cluster.order.redaction.fixed import FIXED, FixedEntries
from besedka.serve.cluster.order.redaction.locating import locate
from besedka.serve.cluster.order.redaction.replacing import Replacer
from besedka.serve.cluster.order.redaction.wanted import WantedRedactions
from besedka.serve.history import Subject
from besedka.serve.log_event import event
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)

_NONE_WANTED: Final = WantedRedactions()


class RedactionOrder:
    """The redactions of this node's moderators, and the texts that all redactions leave in the stream.

    Args:
        stream: the stream.
        reach: how long it is waited for.

    Attributes:
        fixed: the entries in which texts were redacted.
        replacer: takes redacted texts out of the stream.
        wake: called with the name of a room in which a redaction is wanted.
    """

    def __init__(self, stream: Stream, reach: Reach) -> None:
        self._stream = stream
        self._reach = reach
        self.fixed = FixedEntries(stream)
        self.replacer = Replacer(stream, self.fixed)
        self._wanted: defaultdict[str, WantedRedactions] = defaultdict(WantedRedactions)
        self._finishing: set[asyncio.Task[None]] = set()
        self._has_begun = asyncio.Event()
        self.wake: Callable[[str], None] = lambda _: None

    def begin(self) -> None:
        """Begin to finish what was recorded: the cluster has this node's logs."""
        self._has_begun.set()

    def wanted(self, room: str) -> WantedRedactions:
        """The redactions of a room that are to be ordered."""
        return self._wanted.get(room, _NONE_WANTED)

    async def check(self, room: str) -> None:
        """Check that a redaction can be ordered now, before it is recorded: `RedactionOrder.check` of the chat.

        Raises:
            Refused: `out_of_reach`; `going_down`.
        """
        if self.wanted(room):
            raise Refused(ErrorCode.OUT_OF_REACH, room=room, wait=RETRY_SECONDS)
        await self._reach.answered(lambda: self._stream.last_of(room))

    async def order(self, room: str, subject: Subject) -> None:
        """Have a message redacted on all nodes; it is in this node's log on return.

        Raises:
            Refused: `out_of_reach`, `going_down`: it is done later; `not_stored` if the stream does not have the message.
        """

        def ask() -> Awaitable[Target | None]:
            return self._stream.surely(lambda: locate(self._stream, self.fixed, room, subject), STREAM, FIXED)

        target = await self._reach.answered(ask)
        if self._reach.is_ending:
            raise Refused(ErrorCode.GOING_DOWN)
        if target is None:
            raise Refused(ErrorCode.NOT_STORED, room=room)
        done = self._wanted[room].add(target)
        self.wake(room)
        await asyncio.shield(done)

    def finish(self, room: str, subject: Subject) -> None:
        """Have a redaction ordered that was recorded and not done, however long that takes."""
        task = asyncio.get_running_loop().create_task(self._finish(room, subject))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _finish(self, room: str, subject: Subject) -> None:
        await self._has_begun.wait()
        code: ErrorCode | None = ErrorCode.OUT_OF_REACH
        while code is ErrorCode.OUT_OF_REACH:
            try:
                await self.order(room, subject)
                code = None
            except Refused as refusal:
                code = refusal.code
                await asyncio.sleep(RETRY_SECONDS if code is ErrorCode.OUT_OF_REACH else 0.0)
        details = {"room": room, "id": subject.number}
        if code is ErrorCode.NOT_STORED:
            log.warning(
                "message %d of room %s was to be removed, and is not in the cluster", subject.number, room
            )
        elif code is None:
            log.info(
                "message %d of room %s was removed, as was recorded before",
                subject.number,
                room,
                extra=event("redaction_finished", **details),
            )

    def note_applied(self, room: str, sequence: int, head: Head, *, is_own: bool) -> None:
        """Note that a redaction is in this node's log.

        Args:
            room: the room.
            sequence: its number in the stream.
            head: its entry.
            is_own: whether this node has offered it.
        """
        wanted = self.wanted(room)
        wanted.note_applied(head.targets)
        if not wanted:
            self._wanted.pop(room, None)
        self.replacer.add(room, sequence, head.targets, is_own=is_own)

    def refuse(self, refusal: Refused) -> None:
        """Let nobody wait for any redaction any more."""
        for wanted in self._wanted.values():
            wanted.refuse(refusal)
