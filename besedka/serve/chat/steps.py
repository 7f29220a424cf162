"""The steps of the order that are no batches: redactions, and pieces of a log that is taken over. And a log that must be made anew.

Only in a cluster there is any of it. The committer calls this for one room after the other, and appends nothing to a room meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from besedka.serve.chat.catch_up import CatchUp
from besedka.serve.chat.log_writer import LogWriter
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.room_heads import RoomHeads
from besedka.serve.chat.sequencer import Import, OrderBroken, Redaction, Sequencer, Stored
from besedka.serve.chat.workers import Workers
from besedka.serve.errors import HistoryChanged, HistoryLost
from besedka.serve.history import ChatHistory, may_have_been
from besedka.serve.log_event import event
from besedka.serve.room import Batch, Room

log = logging.getLogger(__name__)


class Steps:
    """Does in logs what others have ordered.

    Args:
        sequencer: decides the order.
        rooms: the rooms, and their logs.
        heads: notified of new messages.
        catch_up: serves subscribers that must read the log.
        workers: the threads that write.
        writer: appends batches.
        stamp: the time, as the log writes it.
    """

    def __init__(
        self,
        sequencer: Sequencer,
        rooms: OpenRooms,
        heads: RoomHeads,
        catch_up: CatchUp,
        workers: Workers,
        *,
        writer: LogWriter,
        stamp: Callable[[], str],
    ) -> None:
        self._sequencer = sequencer
        self._rooms = rooms
        self._heads = heads
        self._catch_up = catch_up
        self._workers = workers
        self._writer = writer
        self._stamp = stamp
        # Logs that are to be made anew, and why, until that is done.
        self._broken: dict[Room, OrderBroken] = {}

    async def apply(self, room: Room, step: Redaction | Import) -> None:
        """Do a step in a room's log, which is made anew if it is not what all have, and tell the subscribers of it.

        Raises:
            AppendError, OSError: if it is not done.
            Refused: as `Sequencer.again`.
        """
        history = self._rooms.history(room)
        try:
            await self._apply(room, history, step)
        except HistoryChanged:
            await self.make_anew(room, OrderBroken(room.name, history.count, history.count))
            history = self._rooms.history(room)
            if isinstance(step, Redaction):
                step = await self._as_stored(room, history, step)
            try:
                await self._apply(room, history, step)
            except HistoryChanged as error:
                raise HistoryLost(history.path, str(error)) from error

    async def _as_stored(self, room: Room, history: ChatHistory, redaction: Redaction) -> Redaction:
        """A redaction with the sizes of its messages in a log that was just made anew, which every node has; the sizes in the order may be wrong."""
        sizes: dict[int, int] = {}
        for number in redaction.sizes:
            if number <= history.count:
                [found] = await self._workers.read(history.raw, number, number)
                sizes[number] = len(found)
        if sizes != redaction.sizes:
            log.error(
                "messages of room %s are to be removed with other sizes than they have: %s",
                room.name,
                ", ".join(map(str, redaction.sizes)),
            )
        return Redaction(sizes)

    async def _apply(self, room: Room, history: ChatHistory, step: Redaction | Import) -> None:
        texts: dict[int, int] = {}
        has_grown = False
        if isinstance(step, Redaction):
            texts = await self._workers.write(history.cover, step.sizes)
        else:
            has_grown = await self._workers.write(history.write_piece, step.piece, step.epoch)
        try:
            self._sequencer.done(room.name, history.count)
        except OrderBroken as lacking:
            raise HistoryLost(history.path, str(lacking)) from lacking
        for number, size in texts.items():
            room.redact(number, size)
        if has_grown:
            self._read_on(room)

    async def compare(self, room: Room, history: ChatHistory) -> None:
        """Compare a log that another program may have changed with what all have stored.

        Raises:
            OrderBroken: if it is another one.
            Refused: as `Sequencer.check`.
            AppendError: if it cannot be reread.
        """
        # A message that was changed while this server was stopped leaves the epoch as it is.
        epoch = history.epoch if await self._workers.write(history.note_edits) else ""
        if last := await self._sequencer.check(room.name, history.count, epoch):
            await self.prove(room, history, last)

    async def prove(self, room: Room, history: ChatHistory, stored: Stored) -> None:
        """Compare messages with those in the log.

        Raises:
            OrderBroken: if they are others.
            Refused: `room_unavailable`.
        """
        last = stored.first + len(stored.messages) - 1
        found = await self._workers.read(history.raw, stored.first, last)
        if not all(map(may_have_been, found, stored.messages)):
            raise OrderBroken(room.name, history.count, stored.first - 1)

    def is_broken(self, room: Room) -> bool:
        """Whether a room's log is to be made anew, as `make_anew` could not do it."""
        return room in self._broken

    async def make_anew(self, room: Room, broken: OrderBroken | None = None) -> None:
        """Make a room's log anew from what all have stored, and keep the old one aside.

        Args:
            room: the room.
            broken: why; None to go on with what could not be done before.

        Raises:
            Refused: as `Sequencer.again`; `room_unavailable`.
        """
        if broken:
            self._broken[room] = broken

        steps = self._sequencer.again(room.name)

        async def fill(history: ChatHistory, old: Path) -> None:
            log.warning(
                "%s; it is made anew from the cluster, and the old one is kept as %s",
                self._broken[room],
                old.name,
                extra=event("set_aside", room=room.name, path=str(old)),
            )
            if first:
                await self._do_again(history, first)
            async for step in steps:
                await self._do_again(history, step)

        try:
            # Nothing is set aside before the cluster answers.
            first = await anext(steps, None)
            await self._rooms.make_log_anew(room, self._stamp(), fill)
        except OrderBroken as lacking:
            path = self._rooms.history(room).path
            raise HistoryLost(path, f"the cluster cannot make it anew: {lacking}") from lacking
        del self._broken[room]
        history = self._rooms.history(room)
        if history.epoch != self._sequencer.epoch_of(room.name):
            # Else it would be made anew again and again.
            raise HistoryLost(history.path, "it was made anew from the cluster, and has another epoch")
        self._read_on(room)

    async def _do_again(self, history: ChatHistory, step: Batch | Redaction | Import) -> None:
        if isinstance(step, Redaction):
            await self._workers.write(history.cover, step.sizes)
        elif isinstance(step, Import):
            await self._workers.write(history.write_piece, step.piece, step.epoch)
        else:
            await self._writer.append(history, step.lines(), step.flags(), is_alone=True)

    def _read_on(self, room: Room) -> None:
        """Have the subscribers read on from a log that has grown, or from another one."""
        for subscriber in room.read_on(self._rooms.history(room)):
            self._catch_up.follow(room, subscriber)
        self._heads.note(room)
