"""The chat: all rooms and all people of one server, from start to stop. All methods are called in the loop's thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final

from besedka.serve.chat.committer import Committer
from besedka.serve.chat.followers import Followers
from besedka.serve.chat.log_reader import LogReader
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.presence import PresenceNotices
from besedka.serve.chat.redaction import Redactor
from besedka.serve.chat.sequencer import LocalSequencer
from besedka.serve.chat.workers import Workers
from besedka.serve.directory import Directory
from besedka.serve.errors import HistoryLost
from besedka.serve.history import Restored
from besedka.serve.metrics import Metrics
from besedka.serve.people.moderation import identifiers_of
from besedka.serve.people.person import Person
from besedka.serve.room import Room, Subscriber
from besedka.serve.settings import Settings
from besedka.wire.errors import Refused
from besedka.wire.log_line import stamp

READY_SECONDS: Final = 2.0
"""A disk that does not answer within this time is not ready."""


class Chat:
    """All rooms and all people of one server.

    Attributes:
        metrics: counters and timings.
        directory: names, memberships, moderation and the people present.
        clock: unix seconds.
        rooms: the open rooms; opens the others.
        log_reader: pages, searches.
        followers: serves subscribers that are behind.
        redactor: for moderators.
        committer: stores and delivers posted messages.
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
        sequencer = LocalSequencer(clock, settings.zone)
        self.committer = Committer(sequencer, self.rooms, self.followers, self._workers, self.metrics)

    # Start and stop.

    async def start(self) -> Restored:
        """Open the default room, and read the directory.

        Raises:
            StartError: if the history or the directory cannot be used.
        """
        # First the default room, so that its errors are reported first. Then the directory, because the audit log says which
        # redaction must be finished in the log.
        await self.rooms.probe()
        await self.directory.start()
        return await self.rooms.start()

    async def finish(self) -> None:
        """Accept nothing more; store and deliver pending messages, and wait for moderation in progress."""
        self._workers.is_going_down = True
        await self.committer.finish()
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
        """Whether nothing more is accepted, because the server is stopping."""
        return self._workers.is_going_down

    async def unready(self) -> str:
        """Why the log cannot be written now, in a word or two; empty if it can."""
        if self.lost.done():
            return "history lost"
        if self.is_going_down:
            return "going down"
        if self.committer.found_disk_full:
            return "disk full"
        try:
            async with asyncio.timeout(READY_SECONDS):
                return "" if await self.rooms.has_space() else "disk full"
        except (TimeoutError, Refused):
            return "disk does not answer"

    # Time.

    @property
    def zone(self) -> tzinfo | None:
        """The zone of the log's times."""
        return self._settings.zone

    def now(self) -> float:
        """Seconds of a monotonic clock."""
        return self._loop.time()

    def stamp(self) -> str:
        """The time now, as the log writes it."""
        return stamp(self.clock(), self._settings.zone)

    def utc_offset(self) -> int:
        """How far the log's zone is east of UTC now, in seconds."""
        offset = datetime.fromtimestamp(self.clock(), UTC).astimezone(self._settings.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0

    # Entering and leaving.

    def enter(self, room: Room, subscriber: Subscriber, since: int | None = None, epoch: str = "") -> bool:
        """Add a subscriber; call `Followers.follow` after its welcome. Returns whether ``since`` could not be used."""
        self.rooms.keep_open(room)
        reset = room.enter(subscriber, since, epoch)
        self._notices.note(room)
        return reset

    def leave(self, room: Room, subscriber: Subscriber) -> None:
        """Remove a subscriber; the room is closed after a while if it was the last one."""
        room.leave(subscriber)
        self.followers.forget(subscriber)
        self._notices.note(room)
        self.rooms.close_later(room)

    # Posting.

    def charge_post(self, room: Room, person: Person) -> None:
        """Check that a person may post here now, and charge the post to the room's slow mode.

        Raises:
            Refused: `muted`; `too_fast` where the room is slow.
        """
        self.directory.moderation.charge_post(self.clock(), self.now(), room.name, person)

    def type(self, room: Room, subscriber: Subscriber) -> None:
        """Broadcast that a subscriber is typing, unless the person is muted."""
        if not self.directory.moderation.is_muted(self.clock(), identifiers_of(subscriber.person)):
            room.type(subscriber, self._loop.time())
