"""Group commit: a room's drafts are written and synced as one batch, and only then delivered.

While one batch is being written, the next gathers. A stored batch is delivered by `Room.stored` (`besedka/serve/room/room.py`).
A poster is acknowledged by receiving their own message with its key or, if nothing is delivered to them, by `Poster.stored`. All methods are called in the loop's thread; the log is appended to by a
worker thread, never more than one at a time for a room.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import compress
from typing import Final

from besedka.serve.chat.catch_up import CatchUp
from besedka.serve.chat.log_writer import LogWriter
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.room_heads import RoomHeads
from besedka.serve.chat.sequencer import OrderBroken, Sequencer, Step
from besedka.serve.chat.steps import Steps
from besedka.serve.chat.workers import Workers
from besedka.serve.errors import AppendError, HistoryLost, StorageFull
from besedka.serve.files.descriptor import reason
from besedka.serve.history import ChatHistory
from besedka.serve.log_event import event
from besedka.serve.metrics import Metrics
from besedka.serve.repeated_error import RepeatedError
from besedka.serve.room import Batch, Draft, Poster, Room, StampedBatch
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.message import Message, MessageId

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.002
"""How long the next batch gathers, if more was posted while the last one was stored: a write, a sync and the way to a thread
and back cost as much for one message as for a hundred. Single messages never wait for it."""

SLOW_SYNC_SECONDS: Final = 1.0
"""A batch that takes so long is logged: everybody in the room has waited for it. A disk of its own needs some milliseconds."""

FULL_SECONDS: Final = 10.0
"""How long a failure for lack of space is remembered; after that the disk is asked again."""

LOOK_SECONDS: Final = 2.0
"""Interval between two looks whether another program has changed a log that all have."""

COMPARE_SECONDS: Final = 10.0
"""How long the comparison of the next log waits for that of the last one."""

AGAIN_SECONDS: Final = 1.0
"""Pause before what others have posted is tried again, where it cannot be stored."""


class Committer:
    """Stores and delivers posted messages.

    Args:
        sequencer: decides the order.
        rooms: the rooms, and their logs.
        heads: notified of each batch.
        catch_up: serves subscribers that must read the log after an external edit.
        workers: the threads that write.
        metrics: counts batches.
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
        metrics: Metrics,
        stamp: Callable[[], str],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sequencer = sequencer
        self._rooms = rooms
        self._heads = heads
        self._catch_up = catch_up
        self._workers = workers
        self._writer = LogWriter(workers)
        self._metrics = metrics
        self._steps = Steps(sequencer, rooms, heads, catch_up, workers, writer=self._writer, stamp=stamp)
        self._committing: dict[Room, asyncio.Task[None]] = {}
        self._space: dict[Room, asyncio.Future[None]] = {}
        # Rooms whose logs are to be compared with what all have stored.
        self._doubtful: set[Room] = set()
        # When each batch was given to the disk, and when it has answered last.
        self._given_at: dict[Room, float] = {}
        self._answered_at = float("-inf")
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._full_at = float("-inf")
        self._is_full = False
        self._full = RepeatedError(log, kind="storage_full")
        self._slow = RepeatedError(log, level=logging.WARNING, kind="slow_sync")
        sequencer.start(self.wake)

    @property
    def found_disk_full(self) -> bool:
        """Whether a batch has failed recently for lack of space."""
        return self._loop.time() - self._full_at < FULL_SECONDS

    @property
    def silent_seconds(self) -> float:
        """How long the disk has stored nothing while batches wait for it; 0 if none does."""
        if not self._given_at:
            return 0.0
        return self._loop.time() - max(min(self._given_at.values()), self._answered_at)

    def post(self, room: Room, draft: Draft, poster: Poster) -> Message | None:
        """Start to store and deliver a draft; the poster is notified of the outcome.

        Returns:
            None; or, if it was stored before under the same key, the message as it is now.

        Raises:
            Refused: `going_down`.
        """
        if self._workers.is_going_down:
            raise Refused(ErrorCode.GOING_DOWN, key=draft.message.key, room=room.name)
        message = room.post(draft, poster)
        if room not in self._committing:
            self._begin(room)
        return message

    def wake(self, name: str) -> None:
        """Store what others have posted in a room, which is opened for it."""
        room = self._rooms.opened(name)
        if self._workers.is_going_down:
            return
        if room is None:
            self._open_to_store(name)
        elif room not in self._committing:
            self._begin(room)

    def _is_waiting(self, room: Room) -> bool:
        """Whether batches of others are to be stored now, or a log to be compared; a server that stops leaves them to its next start."""
        is_doubtful = room in self._doubtful or self._steps.is_broken(room)
        is_waiting = is_doubtful or self._sequencer.is_waiting(room.name)
        return is_waiting and not self._workers.is_going_down

    async def look_for_edits(self) -> None:
        """Have logs compared with what all have stored: each once, as it may have been changed before the start, and those of open rooms whenever another program has changed them."""
        unseen: Sequence[str] = ()
        with suppress(Refused):  # the server stops
            unseen = await self._rooms.written()
        while not self._workers.is_going_down:
            unseen = [name for name in unseen if not await self._has_compared(name)]
            rooms = [*self._rooms]
            with suppress(Refused):
                edited = await self._workers.read(_edited, [self._rooms.history(room) for room in rooms])
                for changed in compress(rooms, edited):
                    is_open = self._rooms.opened(changed.name) is changed
                    if is_open:
                        self._doubt(changed)
            await asyncio.sleep(LOOK_SECONDS)

    async def _has_compared(self, name: str) -> bool:
        """Have the log of a room compared, which is opened for it. Returns whether it could be opened; one that cannot holds up no other."""
        try:
            room = await self._rooms.for_server(name)
        except Refused:
            return False
        # One after the other, but not for ever: it may lack space, or the cluster.
        await asyncio.wait([self._doubt(room)], timeout=COMPARE_SECONDS)
        return True

    def _doubt(self, room: Room) -> asyncio.Task[None]:
        """Have a log compared with what all have stored."""
        self._doubtful.add(room)
        if room not in self._committing:
            self._begin(room)
        return self._committing[room]

    def _begin(self, room: Room) -> None:
        self._rooms.hold(room)
        self._committing[room] = self._loop.create_task(self._commit(room))

    def _open_to_store(self, name: str) -> None:
        if name not in self._opening:
            task = self._loop.create_task(self._opened_to_store(name))
            self._opening[name] = task
            task.add_done_callback(lambda _: self._opening.pop(name))

    async def _opened_to_store(self, name: str) -> None:
        """Open a room, however often that fails, and store what waits for it."""
        while not self._workers.is_going_down:
            if self._sequencer.is_waiting(name):
                self._rooms.note_posted_elsewhere(name)
            try:
                room = await self._rooms.for_server(name)
            except Refused:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if room not in self._committing:
                self._begin(room)
            return

    def space(self, room: Room) -> asyncio.Future[None]:
        """A future that is done when a room whose pending drafts are too many can take more."""
        if room not in self._space:
            self._space[room] = self._loop.create_future()
        return self._space[room]

    async def finish(self) -> None:
        """Wait until all posted messages are stored and delivered, or refused."""
        self._sequencer.finish()
        while self._committing:
            await asyncio.wait(self._committing.values())

    async def _commit(self, room: Room) -> None:
        """Store and deliver batches of a room until no draft is pending.

        Whatever fails, all posters get an outcome: `not_stored`, or the end of the server.
        """
        try:
            while room.gathering or self._is_waiting(room):
                drafts = room.gathering.take()
                self._give_space(room)
                if await self._store(room, drafts):
                    if room.gathering and not room.gathering.is_full:
                        await asyncio.sleep(GATHER_SECONDS)
                elif self._is_waiting(room):
                    await asyncio.sleep(AGAIN_SECONDS)
        except Exception as error:
            # Messages on disk that were never acknowledged are recognised when their posters resend them to the next server.
            log.exception("messages in room %s could not be delivered", room.name)
            self._workers.lose(self._lost(room, error))
        finally:
            # There must be no await between the last check for drafts and these lines.
            del self._committing[room]
            # A batch that was refused may have taken along all that waited behind it.
            self._give_space(room)
            self._rooms.release(room)

    def _give_space(self, room: Room) -> None:
        """Let those go on who wait until a room can take more."""
        if room in self._space:
            self._space.pop(room).set_result(None)

    async def _store(self, room: Room, drafts: Sequence[Draft]) -> bool:
        """Store and deliver drafts, and what others have posted before them; False if they were refused instead."""
        while drafts or self._is_waiting(room):
            try:
                await self._rooms.check_log(room)
                batch = await self._next(room, drafts)
                if not isinstance(batch, Batch | None):
                    await self._steps.apply(room, batch)
                    continue
                first = await self._append(room, batch) if batch else None
            except AppendError as error:
                self._fail(room, drafts, error, is_elsewhere=self._sequencer.give_up(room.name, drafts))
                return False
            except Refused as refusal:
                # What has gathered behind them would be stored before what its posters post again.
                room.refuse([*drafts, *room.gathering.take()], refusal.code, refusal.wait)
                return False
            except Exception as error:
                # It is not known how much of it is on disk, so nothing can be written after it.
                if not isinstance(error, OSError):
                    log.exception("messages in room %s could not be stored", room.name)
                self._fail(room, drafts, self._lost(room, error))
                return False
            if batch and first:
                self._deliver(room, batch, first)
                drafts = [draft for draft in drafts if room.dedup.is_waiting(draft)]
                if isinstance(batch, StampedBatch):
                    # Another node has stored what was posted here, too, and waits for its turn.
                    room.gathering.drop(lambda draft: not room.dedup.is_waiting(draft))
        return True

    async def _next(self, room: Room, drafts: Sequence[Draft]) -> Step | None:
        """The next step in a room, whose log is made anew if it is not what all have stored; None if there is nothing to be stored.

        Raises:
            Refused: as `Sequencer.sequence`.
        """
        while True:
            if self._steps.is_broken(room):
                await self._steps.make_anew(room)
            history = self._rooms.history(room)
            try:
                if room in self._doubtful:
                    await self._steps.compare(room, history)
                    self._doubtful.discard(room)
                for stored in self._sequencer.unproven(room.name, history.count):
                    await self._steps.prove(room, history, stored)
                return await self._sequencer.sequence(room.name, history.count, drafts)
            except OrderBroken as broken:
                await self._steps.make_anew(room, broken)

    async def _append(self, room: Room, batch: Batch) -> MessageId | None:
        """Append a batch. Returns the id of its first message; None if the log had to be made anew instead.

        Raises:
            AppendError, OSError: if it is not stored.
            Refused: as `Sequencer.again`.
        """
        history = self._rooms.history(room)
        is_alone = len(self._committing) == 1
        self._given_at[room] = self._loop.time()
        try:
            first = await self._writer.append(history, batch.lines(), batch.flags(), is_alone=is_alone)
        finally:
            del self._given_at[room]
            self._answered_at = self._loop.time()
        try:
            self._sequencer.stored(room.name, first, history.count, history.epoch)
        except OrderBroken as broken:
            await self._steps.make_anew(room, broken)
            return None
        return first

    def _deliver(self, room: Room, batch: Batch, first: MessageId) -> None:
        self._note_stored(room, len(batch.drafts), self._rooms.history(room).sync_seconds)
        for subscriber in room.stored(batch, first):
            self._catch_up.follow(room, subscriber)
        self._heads.note(room)

    def _note_stored(self, room: Room, messages: int, seconds: float) -> None:
        self._metrics.stored(messages, seconds)
        if log.isEnabledFor(logging.DEBUG):
            log.debug(
                "messages stored in the room %s: %d, within %.4f seconds",
                room.name,
                messages,
                seconds,
                extra=event("stored", room=room.name, messages=messages, seconds=round(seconds, 6)),
            )
        if seconds >= SLOW_SYNC_SECONDS:
            self._slow.note(
                "the disk took %.1f seconds for messages in room %s: %d",
                seconds,
                room.name,
                messages,
                seconds=round(seconds, 3),
                messages=messages,
                room=room.name,
            )
        if self._is_full:
            self._is_full = False
            log.info("the disk has room again", extra=event("storage_free"))

    def _fail(
        self, room: Room, drafts: Sequence[Draft], error: AppendError, *, is_elsewhere: bool = False
    ) -> None:
        """Refuse drafts that could not be stored, or not here: those that other servers have are posted again under their keys, which finds them."""
        self._full_at = self._loop.time()
        is_full = isinstance(error, StorageFull)
        sentence = "not stored in room %s, messages: %d: %s"
        details = {"room": room.name, "messages": len(drafts)}
        if is_full:
            self._is_full = True
            self._full.note(sentence, *details.values(), error, **details)
        else:
            log.error(sentence, *details.values(), error, extra=event("not_stored", **details))
        self._workers.lose(error)
        if is_full and is_elsewhere:
            room.refuse(drafts, ErrorCode.OUT_OF_REACH, AGAIN_SECONDS)
        else:
            room.refuse(drafts, ErrorCode.STORAGE_FULL if is_full else ErrorCode.NOT_STORED)

    def _lost(self, room: Room, error: Exception) -> HistoryLost:
        return HistoryLost(self._rooms.history(room).path, reason(error))


def _edited(histories: Sequence[ChatHistory]) -> list[bool]:
    """Which of some logs another program has changed."""
    return [history.was_edited() for history in histories]
