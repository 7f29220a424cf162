"""The chat: all rooms and all people of one server, from start to stop. All methods are called in the loop's thread."""

from __future__ import annotations

import asyncio
from typing import Final

from besedka.serve.chat.catch_up import CatchUp
from besedka.serve.chat.committer import Committer
from besedka.serve.chat.elsewhere import ElsewhereNotices
from besedka.serve.chat.log_reader import LogReader
from besedka.serve.chat.notices import Notices, NoticeTurns
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.presence import PresenceNotices
from besedka.serve.chat.redaction import Redactor
from besedka.serve.chat.resends import Resends
from besedka.serve.chat.room_endings import RoomEndings
from besedka.serve.chat.room_heads import RoomHeads
from besedka.serve.chat.sequencer import LocalSequencer, SequencerMaker
from besedka.serve.chat.shared_pages import SharedPages
from besedka.serve.chat.subscriptions import Subscriptions
from besedka.serve.chat.unused_rooms import UnusedRooms
from besedka.serve.chat.workers import Workers
from besedka.serve.clock import Clock
from besedka.serve.directory import AgreementMaker, Directory
from besedka.serve.errors import HistoryLost
from besedka.serve.history import Restored
from besedka.serve.metrics import Metrics
from besedka.serve.room import Elsewhere, Room
from besedka.serve.settings import Settings
from besedka.serve.tasks import run_all
from besedka.wire.errors import Refused

READY_SECONDS: Final = 2.0
"""A disk that does not answer within this time is not ready."""


class Chat:
    """All rooms and all people of one server.

    Args:
        settings: the place of the files, and the rules.
        order: makes the sequencer; if None the server is alone, and decides the order itself.
        agree: makes the agreement about people; if None the server is alone.
        elsewhere: the people at other nodes of a cluster; None if the server is alone.

    Attributes:
        clock: the server's clock.
        metrics: counters and timings.
        directory: names, memberships, moderation and the people present.
        rooms: the open rooms; opens the others.
        unused: private and direct rooms that lapse.
        log_reader: pages, searches.
        resends: finds resent messages in the log.
        catch_up: serves subscribers that are behind.
        subscriptions: adds subscribers to rooms and removes them.
        redactor: for moderators.
        endings: ends rooms that are deleted or renamed.
        heads: waits until this node has what clients have read at others.
        elsewhere_notices: tells open rooms of people at other nodes.
        committer: stores and delivers posted messages.
    """

    def __init__(
        self,
        settings: Settings,
        order: SequencerMaker | None = None,
        agree: AgreementMaker | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._workers = Workers()
        self.clock = clock = Clock(settings.zone)
        self.metrics = Metrics()
        self.directory = Directory(settings, clock.wall, agree=agree)
        names, counters = self.directory.names, self.metrics.counters
        turns = NoticeTurns()
        self._notices = notices = PresenceNotices(clock.stamp, turns)
        self._typing = typing = Notices(Room.broadcast_typists, turns)
        sequencer = self._sequencer = (order or LocalSequencer)(clock.wall, settings.zone)
        self.rooms = OpenRooms(
            settings,
            self.directory,
            self._workers,
            self.metrics,
            clock=clock.wall,
            turns=turns,
            epoch_of=sequencer.epoch_of,
            redactions=sequencer.redactions,
            elsewhere=elsewhere,
        )
        self.elsewhere_notices = ElsewhereNotices(self.rooms, notices, typing)
        self.unused = UnusedRooms(self.directory, self.rooms, clock.now)
        self.log_reader = LogReader(self.rooms, self._workers, names, counters, clock)
        self.resends = Resends(self.rooms, self._workers, settings.zone)
        pages = SharedPages(self.log_reader)
        self.catch_up = CatchUp(pages, self.log_reader.turns, notices, counters, self.clock)
        self.subscriptions = Subscriptions(
            self.rooms, self.catch_up, notices, self.directory.moderation, clock, typing=typing
        )
        self.redactor = Redactor(sequencer.redactions, self.rooms, self._workers)
        self.heads = RoomHeads(has_others=order is not None)
        self.endings = RoomEndings(settings.history, self.directory, self.rooms, self._workers)
        self.committer = Committer(
            sequencer,
            self.rooms,
            self.heads,
            self.catch_up,
            self._workers,
            metrics=self.metrics,
            stamp=clock.stamp,
        )

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
        await self.endings.start()
        return await self.rooms.start()

    async def finish(self) -> None:
        """Accept nothing more; store and deliver pending messages, and wait for moderation in progress."""
        self._workers.is_going_down = True
        await run_all(self.committer.finish, lambda: self.directory.finish(is_disk_lost=self.lost.done()))

    async def close(self) -> None:
        """Finish, and close the files, also if a part fails at that; then its error is raised."""
        await run_all(
            self.finish,
            self._workers.stop,
            self._notices.close,
            self._typing.close,
            self.catch_up.close,
            self.rooms.stop,
            lambda: self.directory.close(is_disk_lost=self.lost.done()),
            self._workers.close,
            self.rooms.close,
        )

    @property
    def lost(self) -> asyncio.Future[HistoryLost]:
        """Done when a history can no longer be written; the server must then stop with this error."""
        return self._workers.lost

    async def unready(self) -> str:
        """Why the log cannot be written now, in a word or two; empty if it can."""
        obstacles = {
            "history lost": self.lost.done(),
            "going down": self._workers.is_going_down,
            "disk full": self.committer.found_disk_full,
            "disk does not answer": self.committer.silent_seconds >= READY_SECONDS,
        }
        if why := next((why for why, is_so in obstacles.items() if is_so), "") or self._sequencer.unready():
            return why
        try:
            async with asyncio.timeout(READY_SECONDS):
                return "" if await self.rooms.has_space() else "disk full"
        except (TimeoutError, Refused):
            return "disk does not answer"
