"""The chat: its life, who enters and leaves, and the way of what is said to the disk and back.

All methods are called in the loop's thread; files are read and written by worker threads, never more than one of them writing
to the same room.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final

from besedka.serve.chat.followers import Followers
from besedka.serve.chat.log_reader import LogReader
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.presence import PresenceNotices
from besedka.serve.chat.redaction import Redactor
from besedka.serve.chat.workers import Workers
from besedka.serve.directory import Directory
from besedka.serve.errors import AppendError, HistoryLost, StorageFull
from besedka.serve.history import Restored
from besedka.serve.history.file import reason
from besedka.serve.metrics import Metrics
from besedka.serve.people.moderation import marks_of
from besedka.serve.people.person import Person
from besedka.serve.room import Batch, Room, Said, Subscriber
from besedka.serve.settings import Settings
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Chat as ChatFrame
from besedka.wire.log_line import stamp
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.002
"""How long the next batch gathers, where more was said while the last one was stored: a write, a sync and the way to a thread
and back cost as much for one message as for a hundred. Who says one thing at a time never waits for it."""

FULL_SECONDS: Final = 10.0
"""How long a batch that found no room counts as news: then the disk is asked again."""

READY_SECONDS: Final = 2.0
"""A disk that does not answer for so long is not ready."""


class Chat:
    """All rooms and all people of one server.

    Attributes:
        metrics: what is counted and timed.
        directory: what is known of people, and who is present.
        clock: unix seconds.
        rooms: those that are open, and the way to the others.
        log_reader: pages, searches.
        followers: those who are behind.
        redactor: for those who keep order.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._workers = Workers()
        self.clock = clock
        self.metrics = Metrics()
        self.directory = Directory(settings, clock)
        names, counters = self.directory.names, self.metrics.counters
        self._notices = PresenceNotices(settings.language, self.stamp)
        self.rooms = OpenRooms(settings, self.directory, self._workers, self.metrics, clock)
        self.log_reader = LogReader(self.rooms, self._workers, names, counters, settings.zone)
        self.followers = Followers(self.log_reader, self._notices, counters)
        self.redactor = Redactor(self.rooms, self._workers)
        self._writing: dict[Room, asyncio.Task[None]] = {}
        self._space: dict[Room, asyncio.Future[None]] = {}
        self._full_at = float("-inf")

    # Its life.

    async def start(self) -> Restored:
        """Open the default room, and read what is known of people.

        Raises:
            StartError: if the history, or what is known of people, cannot be used.
        """
        # First what people know the chat by: an error of theirs is about it. Then what was done to keep order, which says
        # what must be finished in the log.
        await self.rooms.probe()
        await self.directory.start()
        return await self.rooms.start()

    async def finish(self) -> None:
        """Take nothing more; store and tell what was taken, and have done what is being done to keep order."""
        self._workers.is_going_down = True
        while self._writing:
            await asyncio.wait(self._writing.values())
        await self.directory.finish(is_disk_lost=self.lost.done())

    async def close(self) -> None:
        """Finish, and close the files."""
        await self.finish()
        self._workers.stop()
        self._notices.close()
        await self.followers.close()
        await self.rooms.stop()
        await self.directory.close(is_disk_lost=self.lost.done())
        self._workers.close()
        self.rooms.close()

    @property
    def lost(self) -> asyncio.Future[HistoryLost]:
        """Done when a history can no longer be written; the server must then stop with this error."""
        return self._workers.lost

    @property
    def is_going_down(self) -> bool:
        """Whether nothing more is taken, because the server stops."""
        return self._workers.is_going_down

    async def unready(self) -> str:
        """Why the log cannot be written now, in a word or two; empty if it can."""
        if self.lost.done():
            return "history lost"
        if self.is_going_down:
            return "going down"
        if self._loop.time() - self._full_at < FULL_SECONDS:
            return "disk full"
        try:
            async with asyncio.timeout(READY_SECONDS):
                return "" if await self.rooms.has_space() else "disk full"
        except (TimeoutError, Refused):
            return "disk does not answer"

    # Its time.

    @property
    def zone(self) -> tzinfo | None:
        """The zone of the log's times."""
        return self._settings.zone

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        return self._loop.time()

    def stamp(self) -> str:
        """The time now, as the log writes it."""
        return stamp(self.clock(), self._settings.zone)

    def utc_offset(self) -> int:
        """How far the log's clock time is east of UTC now, in seconds."""
        offset = datetime.fromtimestamp(self.clock(), UTC).astimezone(self._settings.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0

    # Coming and going.

    def enter(self, room: Room, member: Subscriber, since: int | None = None, epoch: str = "") -> bool:
        """Let a member in; call `Followers.follow` when it has been welcomed. Returns whether ``since`` was of no use."""
        self.rooms.keep_open(room)
        reset = room.enter(member, since, epoch)
        self._notices.note(room)
        return reset

    def leave(self, room: Room, member: Subscriber) -> None:
        """Let a member out, and close the room after a while if it was the last one."""
        room.leave(member)
        self.followers.forget(member)
        self._notices.note(room)
        self.rooms.close_later(room)

    # Saying.

    def charge_post(self, room: Room, person: Person) -> None:
        """May somebody say something new here now? If he may, he does.

        Raises:
            Refused: `muted`; `too_fast` where the room is slow.
        """
        self.directory.moderation.charge_post(self.clock(), self.now(), room.name, person)

    def say(self, room: Room, said: Said) -> ChatFrame | None:
        """Have a message stored and told.

        Returns:
            None; or, if it was stored before under the same key, the message as it was told then.

        Raises:
            Refused: `going_down`.
        """
        if self._workers.is_going_down:
            raise Refused(ErrorCode.GOING_DOWN, key=said.key, room=room.name)
        known = room.say(said)
        if room not in self._writing:
            self.rooms.hold(room)
            self._writing[room] = self._loop.create_task(self._write(room))
        return known

    def space(self, room: Room) -> asyncio.Future[None]:
        """Done when a room that is full can take more."""
        if room not in self._space:
            self._space[room] = self._loop.create_future()
        return self._space[room]

    def type(self, room: Room, member: Subscriber) -> None:
        """Tell the others that a member types, unless what he types will not be said."""
        if not self.directory.moderation.is_muted(self.clock(), marks_of(member.person)):
            room.type(member, self._loop.time())

    async def _write(self, room: Room) -> None:
        """Group commit: while one batch is on its way to the disk, the next gathers.

        Whatever goes wrong, all who have said something are answered: `not_stored`, or by the end of the server.
        """
        try:
            while batch := room.take_batch(self.clock(), self._settings.zone):
                if room in self._space:
                    self._space.pop(room).set_result(None)
                first = await self._store(room, batch)
                if first is not None:
                    self._deliver(room, batch, first)
                    if room.is_gathering and not room.is_full:
                        await asyncio.sleep(GATHER_SECONDS)
        except Exception as error:
            # Messages on disk that were never acknowledged are recognised when their senders resend them to the next server.
            log.exception("messages in room %s could not be told", room.name)
            self._workers.lose(self._broken(room, error))
        finally:
            # Nothing may be awaited between the last look for a batch and these lines.
            del self._writing[room]
            self.rooms.let_go(room)

    async def _store(self, room: Room, batch: Batch) -> MessageId | None:
        """Have a batch on disk; returns the id of its first message, or None if it could not be, and its senders were told."""
        try:
            append = self.rooms.history(room).append
            return await self._workers.write(append, batch.lines(), batch.flags())
        except AppendError as error:
            self._fail(room, batch, error)
        except Refused as refusal:
            code = refusal.code
            room.not_stored(batch, lambda said: Refused(code, key=said.key, room=room.name))
        except Exception as error:
            # How much of it is on disk is not known, so nothing can be written behind it.
            if not isinstance(error, OSError):
                log.exception("messages in room %s could not be stored", room.name)
            self._fail(room, batch, self._broken(room, error))
        return None

    def _deliver(self, room: Room, batch: Batch, first: MessageId) -> None:
        self.metrics.stored(len(batch.said), self.rooms.history(room).sync_seconds)
        for member in room.stored(batch, first):
            self.followers.follow(room, member)

    def _broken(self, room: Room, error: Exception) -> HistoryLost:
        why = reason(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        return HistoryLost(self.rooms.history(room).path, why)

    def _fail(self, room: Room, batch: Batch, error: AppendError) -> None:
        code = ErrorCode.STORAGE_FULL if isinstance(error, StorageFull) else ErrorCode.NOT_STORED
        self._full_at = self._loop.time()
        log.error("%d messages in room %s were not stored: %s", len(batch.said), room.name, error)
        self._workers.lose(error)
        room.not_stored(batch, lambda said: Refused(code, key=said.key, room=room.name))
