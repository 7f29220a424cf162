"""The chat as it runs: opens rooms, has their batches written, and helps those who are behind.

Here the pure parts meet the event loop. All methods are called in the loop's thread; reading and writing files is
done by worker threads, never more than one of them writing to the same room.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Final, TypeVar, TypeVarTuple

from besedka.serve.errors import AppendError, HistoryChanged, HistoryLost, StartError, StorageFull
from besedka.serve.fairness import Pace
from besedka.serve.history import ChatHistory, Hits, Restored, Subject, room_names, room_path
from besedka.serve.metrics import Metrics
from besedka.serve.people.names import claim_of
from besedka.serve.people.presence import Person
from besedka.serve.register import Register
from besedka.serve.room import Batch, Member, Room, Said, SaidBefore
from besedka.serve.settings import Settings
from besedka.wire.line import moment, stamp
from besedka.wire.names import DEFAULT_ROOM
from besedka.wire.refusals import Code, Language, Refused
from besedka.wire.words import (
    FOUND_MESSAGES_AT_MOST,
    PAGE_MESSAGES_AT_MOST,
    Found,
    History,
    Kind,
    RoomEntry,
    Search,
)
from besedka.wire.words import Chat as ChatWord

A = TypeVar("A")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.002
"""How long the next batch gathers, where more was said while the last one was stored: a write, a sync and the way to a thread
and back cost as much for one message as for a hundred. Who says one thing at a time never waits for it."""

ROOMS_AT_MOST: Final = 1_000
"""Rooms open at once: each holds a file descriptor, and anyone may open one by naming it."""

NOTICE_SECONDS: Final = 0.25
"""Comings and goings of a room are told at most this often."""

DESERTED_SECONDS: Final = 60.0
"""A room in which nobody is gives back its file after so long; until then a reconnect finds it open."""

ENTER_SECONDS: Final = 1.0
"""So long a room that was just opened is not closed to make place for another: whoever asked for it is about to enter."""

WARNING_SECONDS: Final = 60.0
"""Rooms that cannot be opened are logged at most so often: whoever asks for them could fill the log."""

FULL_SECONDS: Final = 10.0
"""How long a batch that found no room counts as news: then the disk is asked again."""

WORKERS: Final = 4
"""Threads to write, and as many to read. A disk seldom gets faster with more, and each waits in the kernel, not in Python.
One more looks through logs, for what is said again and for what is searched for, which is work for Python, and never done by
two at once."""

SEARCH_SECONDS: Final = 0.1
"""How long a search looks through a log before it says how far it has come. Those who search take turns, and what is said again
waits for one turn at most."""

READY_SECONDS: Final = 2.0
"""A disk that does not answer for so long is not ready."""

_CHANGED: Final = {
    Language.RU: "сообщение изменили в самом файле",
    Language.EN: "the message was changed in the file itself",
}


class Chat:
    """All rooms and all people of one server.

    Attributes:
        metrics: what is counted and timed.
        register: what is known of people, and who is present.
        clock: unix seconds.
        lost: done when a history can no longer be written; the server must then stop with this error.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.metrics = Metrics()
        self.register = Register(settings, clock)
        self.clock = clock
        self.lost: asyncio.Future[HistoryLost] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        # Nobody who reads may keep a batch from being written.
        self._writers = ThreadPoolExecutor(WORKERS, thread_name_prefix="besedka-writes")
        self._readers = ThreadPoolExecutor(WORKERS, thread_name_prefix="besedka-reads")
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="besedka-searches")
        self._histories: dict[str, ChatHistory] = {}
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Task[Room]] = {}
        self._writing: dict[Room, asyncio.Task[None]] = {}
        self._helped: dict[Member, asyncio.Task[None]] = {}
        self._notices: dict[Room, asyncio.TimerHandle] = {}
        self._noticed_at: dict[Room, float] = {}
        # Rooms that are deserted, those first that have been so for longest; and the timer that closes each.
        self._closing: dict[Room, asyncio.TimerHandle] = {}
        self._space: dict[Room, asyncio.Future[None]] = {}
        self._listing: asyncio.Future[list[str]] | None = None
        # Searches wait here, not in front of the searcher, where what is said again would have to wait for all of them.
        self._search_turn = asyncio.Lock()
        self._full_at = float("-inf")
        self._warned_at = float("-inf")
        self._going_down = False
        self._is_closed = False
        self._measure()

    # The chat's own life.

    async def start(self) -> Restored:
        """Open the default room, and read what is known of people.

        Raises:
            StartError: if the history, or what is known of people, cannot be used.
        """
        # First what people know the chat by: an error of theirs is about it. Then what was done to keep order, which says
        # what must be finished in the log.
        path = self._settings.history.absolute()
        await self._in_thread(self._readers, ChatHistory.probe, path)
        await self.register.start()
        await self._open(DEFAULT_ROOM)
        return self._histories[DEFAULT_ROOM].restored

    async def finish(self) -> None:
        """Take nothing more; store and tell what was taken."""
        self._going_down = True
        while self._writing:
            await asyncio.wait(self._writing.values())

    async def close(self) -> None:
        """Finish, and close the files."""
        await self.finish()
        self._is_closed = True
        for handle in (*self._notices.values(), *self._closing.values()):
            handle.cancel()
        tasks = [*self._helped.values(), *self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.register.close(is_disk_lost=self.lost.done())
        for pool in (self._writers, self._readers, self._searcher):
            pool.shutdown(wait=False, cancel_futures=True)
        for name, history in self._histories.items():
            history.close(remove_if_empty=name != DEFAULT_ROOM)

    async def unready(self) -> str:
        """Why the log cannot be written now, in a word or two; empty if it can."""
        if self.lost.done():
            return "history lost"
        if self._going_down:
            return "going down"
        if self._loop.time() - self._full_at < FULL_SECONDS:
            return "disk full"
        try:
            async with asyncio.timeout(READY_SECONDS):
                history = self._histories[DEFAULT_ROOM]
                return (
                    "" if await self._loop.run_in_executor(self._readers, history.has_room) else "disk full"
                )
        except TimeoutError:
            return "disk does not answer"

    def _measure(self) -> None:
        """Show the rooms as they are at the moment of asking."""
        rooms = self._rooms
        self.metrics.show("rooms", "Rooms open now.", lambda: len(rooms))
        self.metrics.show(
            "members_live",
            "Members who are handed each batch, in all rooms.",
            lambda: sum(room.live_count for room in rooms.values()),
        )
        self.metrics.show(
            "members_behind",
            "Members who read the log at their own pace, in all rooms.",
            lambda: sum(room.behind_count for room in rooms.values()),
        )

    # What doors ask for.

    @property
    def is_going_down(self) -> bool:
        """Whether nothing more is taken, because the server stops."""
        return self._going_down

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

    def come_in(self, name: str, secret: str, own: str, pace: Pace, invite: str = "") -> Person:
        """Let somebody be here under a name.

        Args:
            name: as `clean_name` gives it.
            secret: what he shows; may be empty.
            own: what tells one who shows none from others.
            pace: of his connection.
            invite: the token of an invitation, if he has one.

        Raises:
            Refused: `name_taken`, `name_claimed`, `not_known`, `too_many_names`.
        """
        names, invitations = self.register.names, self.register.invitations
        claim = claim_of(secret)
        offer = invitations.find(invite, "name", name, self.clock()) if invite else None
        is_new = names.is_new(name, claim)
        if is_new:
            pace.claim_name(self.now())
        person = self.register.people.come(name, claim, own, self.stamp(), is_invited=offer is not None)
        if offer and is_new:
            invitations.use(offer)
        return person

    def go(self, person: Person) -> None:
        """One connection of a person is here no more."""
        self.register.people.go(person, self.stamp())

    def redeem(self, room: str, person: Person, invite: str) -> None:
        """Make somebody who has an invitation a member of a private room, if he is none yet.

        Raises:
            Refused: as `Admission.into_room`; `no_secret` if nobody could know him again.
        """
        register = self.register
        if register.rooms.kind(room) is Kind.OPEN or register.rooms.membership(room, person.claim):
            return
        offer = register.invitations.find(invite, "room", room, self.clock())
        if offer is None:
            raise Refused(Code.BAD_LINK, room=room)
        if not person.is_verified:
            raise Refused(Code.NO_SECRET, room=room)
        register.rooms.let_in(room, person.name, person.claim)
        register.invitations.use(offer)

    def room(self, name: str, claim: str, invite: str = "") -> Room | asyncio.Task[Room]:
        """The room of this name, or what will be it when its history is open.

        Args:
            name: as `clean_room` gives it.
            claim: of who wants to enter it; empty if he has shown nothing.
            invite: the token of an invitation, if he has one.

        Raises:
            Refused: `too_many_rooms`, `going_down`, `not_invited`, `bad_link`; the task may raise `room_unavailable`.
        """
        if self._going_down:
            raise Refused(Code.GOING_DOWN)
        self.register.admission.into_room(name, claim, invite, self.clock())
        return self._room(name)

    def _room(self, name: str) -> Room | asyncio.Task[Room]:
        room = self._rooms.get(name)
        if room is not None:
            return room
        if name not in self._opening:
            if len(self._rooms) + len(self._opening) >= ROOMS_AT_MOST and not self._close_a_deserted_room():
                raise Refused(Code.TOO_MANY_ROOMS, limit=ROOMS_AT_MOST)
            task = self._loop.create_task(self._open_for_member(name))
            self._opening[name] = task
            task.add_done_callback(lambda _: self._opening.pop(name))
        return self._opening[name]

    async def is_there(self, name: str) -> bool:
        """Whether there is a room of this name, or will be in a moment."""
        path = room_path(self._settings.history.absolute(), name)
        is_written = name == DEFAULT_ROOM or await self._in_thread(self._readers, path.exists)
        return is_written or name in self._rooms or name in self._opening

    async def rooms(self, claim: str) -> list[RoomEntry]:
        """The rooms that have a log or are open, and those that somebody belongs to, by name.

        Who asks while others do is told what the same look has found.

        Args:
            claim: of who asks; empty if he has shown nothing.

        Raises:
            Refused: `going_down`, `not_known`.
        """
        self.register.admission.into_chat(claim, now=self.clock())
        if self._listing is None:
            self._listing = self._in_thread(self._readers, room_names, self._settings.history.absolute())
            self._listing.add_done_callback(self._has_listed)
        written = await asyncio.shield(self._listing)
        own = self.register.rooms.of(claim) if claim else ()
        lists = self.register.admission.lists
        return [
            self._entry(name, claim) for name in sorted({*self._rooms, *written, *own}) if lists(name, claim)
        ]

    def _entry(self, name: str, claim: str) -> RoomEntry:
        count = self._rooms[name].clients_count if name in self._rooms else 0
        return RoomEntry(name, count, self.register.rooms.kind(name), self.peer(name, claim))

    def peer(self, room: str, claim: str) -> str:
        """With whom a talk of two is, for one of the two; empty if it is none."""
        other = self.register.rooms.peer(room, claim)
        return (self.register.names.name_of(other.claim) or other.name) if other else ""

    async def existing_room(self, name: str, claim: str) -> Room:
        """The room of this name, if there is one; it is not made.

        Raises:
            Refused: `no_such_room`, `not_known`, and as `room`.
        """
        self.register.admission.into_chat(claim, now=self.clock())
        self.register.admission.into_room(name, claim)
        if self.register.rooms.kind(name) is Kind.OPEN and not await self.is_there(name):
            raise Refused(Code.NO_SUCH_ROOM, room=name)
        room = self.room(name, claim)
        return room if isinstance(room, Room) else await asyncio.shield(room)

    async def any_room(self, name: str) -> Room:
        """The room of this name, for whoever runs the chat.

        Raises:
            Refused: `no_such_room`, `too_many_rooms`, `going_down`, `room_unavailable`.
        """
        if self._going_down:
            raise Refused(Code.GOING_DOWN)
        if not await self.is_there(name):
            raise Refused(Code.NO_SUCH_ROOM, room=name)
        room = self._room(name)
        return room if isinstance(room, Room) else await asyncio.shield(room)

    def let_talk(self, room: Room, person: Person, key: str = "") -> None:
        """May somebody say something here now?

        Raises:
            Refused: `muted`; `too_fast` where the room is slow.
        """
        if not (key and room.knows(person.name, key)):
            order = self.register.order
            order.let_talk(self.clock(), person.claim, person.name)
            order.let_talk_again(self.now(), room.name, person.claim, person.name)

    def has_talked(self, room: Room, person: Person) -> None:
        """He says it."""
        self.register.order.has_talked(self.now(), room.name, person.claim, person.name)

    def hold(self, room: Room) -> None:
        """Keep a room open though one is not in it, until `let_go`."""
        room.holds += 1
        self._keep_open(room)

    def let_go(self, room: Room) -> None:
        """The room is not needed any more."""
        room.holds -= 1
        self._close_later(room)

    def enter(self, room: Room, member: Member, since: int | None = None, epoch: str = "") -> bool:
        """Let a member in; call `follow` when it has been welcomed. Returns whether ``since`` was of no use."""
        self._keep_open(room)
        reset = room.enter(member, since, epoch)
        self._note(room)
        return reset

    def leave(self, room: Room, member: Member) -> None:
        """Let a member out, and close the room after a while if it was the last one."""
        room.leave(member)
        if member in self._helped:
            self._helped.pop(member).cancel()
        self._note(room)
        self._close_later(room)

    def say(self, room: Room, said: Said) -> ChatWord | None:
        """Have a message stored and told.

        Returns:
            None; or, if it was stored before under the same key, the message as it was told then.

        Raises:
            Refused: `going_down`.
        """
        if self._going_down:
            raise Refused(Code.GOING_DOWN, key=said.key, room=room.name)
        known = room.say(said)
        if room not in self._writing:
            self._writing[room] = self._loop.create_task(self._write(room))
        return known

    def space(self, room: Room) -> asyncio.Future[None]:
        """Done when a room that is full can take more."""
        if room not in self._space:
            self._space[room] = self._loop.create_future()
        return self._space[room]

    async def said_by(self, room: Room, user: str, after: int) -> SaidBefore:
        """What the log has by this name, later than an id: to know again what is said again."""
        history = self._histories[room.name]
        messages = await self._in_thread(self._searcher, history.said_by, user, after)
        told = [(number, line) for number, line in messages if number <= room.head]
        return SaidBefore(after, told)

    def recognise(self, room: Room, said: Said, after: int, before: SaidBefore) -> ChatWord | None:
        """The message of the log that is said again here, if there is one; it is known by its key from now on."""
        found = before.take(said.text, after, room.is_keyed)
        if found is None:
            return None
        number, line = found
        # What was redacted meanwhile is not what was said.
        said = replace(said, text=line.text)
        return room.found(said, number, moment(line.stamp, self._settings.zone), line.stamp)

    def type(self, room: Room, member: Member) -> None:
        """Tell the others that a member types."""
        room.type(member, self._loop.time())

    def follow(self, room: Room, member: Member) -> None:
        """Have a member who is behind read on from its cursor, until it is live or can take no more.

        What memory still has is told at once, so a newcomer is live when this returns.
        """
        if member.pulls:
            member.read_on()
            return
        if member in self._helped or room.is_live(member) or member.is_full:
            return
        lines = room.latest_from(member.cursor)
        if lines is None:
            self._helped[member] = self._loop.create_task(self._help(room, member))
        else:
            if lines:
                member.hear(self._page(room, member, lines))
            self.try_live(room, member)

    async def read_on(self, room: Room, member: Member) -> History | None:
        """The next page of the log for a member who is behind; None if there is none, or its cursor was moved meanwhile."""
        cursor = member.cursor
        lines = await self._read(room, cursor, min(room.head - cursor + 1, PAGE_MESSAGES_AT_MOST))
        # If the log was exchanged meanwhile, the page belongs to the old one.
        return self._page(room, member, lines) if lines and member.cursor == cursor else None

    def try_live(self, room: Room, member: Member) -> bool:
        """Let a member go live if it is at the head, and tell it what was not in the log while it was behind."""
        if not room.try_live(member):
            return False
        missed = room.missed_notices(member, self._settings.language, self.stamp())
        if missed:
            member.hear(missed)
        for redacted in room.missed_redactions(member):
            member.hear(redacted)
        return True

    async def page(self, room: Room, before: int, limit: int) -> History:
        """The messages before an id, at most ``limit`` of them."""
        before = min(max(before, 1), room.head + 1)
        first = max(1, before - min(max(limit, 1), PAGE_MESSAGES_AT_MOST))
        lines = await self._read(room, first, before - first)
        # A page ends early where messages are long: then the newest of it are the ones to give.
        while lines and first + len(lines) < before:
            first += len(lines)
            lines = await self._read(room, first, before - first)
        return self._history(room, first, lines)

    async def page_after(self, room: Room, after: int, limit: int) -> History:
        """The messages behind an id, at most ``limit`` of them."""
        limit = min(limit, PAGE_MESSAGES_AT_MOST, room.head - after)
        lines = await self._read(room, after + 1, limit) if limit > 0 else []
        return self._history(room, after + 1, lines)

    def _history(self, room: Room, first: int, lines: list[str]) -> History:
        unverified = self.register.names.unverified(lines, first)
        return History(room=room.name, first=first, messages=lines, unverified=unverified)

    def found(self, room: Room, word: Search, hits: Hits) -> Found:
        """What a search has found, as it is told."""
        pairs = zip(hits.ids, hits.lines, strict=True)
        unverified = [number for number, line in pairs if self.register.names.is_doubtful(line)]
        return Found(room.name, word.text, hits.lines, hits.ids, hits.before, word.key, unverified)

    async def search(self, room: Room, text: str, before: int, limit: int) -> Hits:
        """The newest messages older than the id ``before`` (0: than none) that hold a text, as far as one look goes.

        Raises:
            Refused: `going_down`.
        """
        history, limit = self._histories[room.name], min(limit, FOUND_MESSAGES_AT_MOST)
        self.hold(room)
        try:
            async with self._search_turn:
                epoch, end, redactions = room.epoch, room.head + 1, room.redactions
                before = min(before or end, end)
                hits = await self._in_thread(
                    self._searcher, history.search, text, before, limit, SEARCH_SECONDS
                )
        finally:
            self.let_go(room)
        if room.epoch != epoch:
            # What was found belongs to the old log, and so does the id from which it was to be.
            return await self.search(room, text, 0, limit)
        self.metrics.tally.searches += 1
        return replace(hits, lines=room.corrected(hits.ids, hits.lines, redactions))

    # What those who keep order ask for.

    async def subject(self, room: Room, number: int) -> Subject:
        """What a message is known by that is to be redacted.

        Raises:
            Refused: `bad_cursor` if there is none; `not_allowed` if other hands were on it; `not_stored`, `going_down`.
        """
        if not 1 <= number <= room.head:
            raise Refused(Code.BAD_CURSOR, room=room.name, given=number, head=room.head)
        return await self._redacting(room, self._histories[room.name].subject, number)

    async def redact(self, room: Room, subject: Subject) -> None:
        """Have a tombstone in place of a message's text, on disk and for all who read.

        Raises:
            Refused: as `subject`; `storage_full`.
        """
        size = await self._redacting(room, self._histories[room.name].redact, subject)
        if room.epoch == subject.epoch:
            room.redact(subject.number, size)

    async def _redacting(self, room: Room, act: Callable[[A], T], about: A) -> T:
        try:
            return await self._in_thread(self._writers, act, about)
        except HistoryChanged as error:
            log.warning("nothing was redacted: %s", error)
            raise Refused(Code.NOT_ALLOWED, why=_CHANGED, room=room.name) from None
        except AppendError as error:
            log.error("a message in room %s was not redacted: %s", room.name, error)  # noqa: TRY400 - the sentence is enough
            self._lose(error)
            code = Code.STORAGE_FULL if isinstance(error, StorageFull) else Code.NOT_STORED
            raise Refused(code, room=room.name) from None

    # Files, by worker threads.

    async def _open(self, name: str) -> Room:
        path = self._settings.history.absolute()
        if name != DEFAULT_ROOM:
            path = room_path(path, name)
        deed = self.register.order.redactions.get(name)
        unfinished = Subject(deed.id, deed.epoch, deed.said, deed.user, deed.size) if deed else None
        history = await self._loop.run_in_executor(self._readers, ChatHistory.open, path, unfinished)
        self._histories[name] = history
        room = self._rooms[name] = Room(name, history, self.metrics.tally)
        # Whoever asked for it may have gone meanwhile, or may not be let in.
        self._loop.call_later(ENTER_SECONDS, self._close_later, room)
        return room

    async def _open_for_member(self, name: str) -> Room:
        try:
            return await self._open(name)
        except StartError as error:
            if self._loop.time() - self._warned_at > WARNING_SECONDS:
                self._warned_at = self._loop.time()
                log.warning("room %s: %s", name, error)
            raise Refused(Code.ROOM_UNAVAILABLE, room=name) from error

    async def _write(self, room: Room) -> None:
        """Group commit: while one batch is on its way to the disk, the next gathers."""
        history = self._histories[room.name]
        try:
            while batch := room.take_batch(self.clock(), self._settings.zone):
                if room in self._space:
                    self._space.pop(room).set_result(None)
                try:
                    first = await self._loop.run_in_executor(self._writers, history.append, batch.lines())
                except AppendError as error:
                    self._fail(room, batch, error)
                else:
                    self.metrics.stored(len(batch.said), history.sync_seconds)
                    for member in room.stored(batch, first):
                        self.follow(room, member)
                    if room.is_gathering and not room.is_full:
                        await asyncio.sleep(GATHER_SECONDS)
        finally:
            # Nothing may be awaited between the last look for a batch and this line.
            del self._writing[room]

    def _fail(self, room: Room, batch: Batch, error: AppendError) -> None:
        code = Code.STORAGE_FULL if isinstance(error, StorageFull) else Code.NOT_STORED
        self._full_at = self._loop.time()
        log.error("%d messages in room %s were not stored: %s", len(batch.said), room.name, error)
        room.not_stored(batch, lambda said: Refused(code, key=said.key, room=room.name))
        self._lose(error)

    def _lose(self, error: AppendError) -> None:
        if isinstance(error, HistoryLost) and not self.lost.done():
            self._going_down = True
            self.lost.set_result(error)

    async def _read(self, room: Room, first: int, limit: int) -> list[str]:
        redactions = room.redactions
        lines = await self._in_thread(self._readers, self._histories[room.name].read, first, limit)
        return room.corrected(range(first, first + len(lines)), lines, redactions)

    def _in_thread(
        self, pool: ThreadPoolExecutor, act: Callable[[*Ts], T], *arguments: *Ts
    ) -> asyncio.Future[T]:
        if self._is_closed:
            raise Refused(Code.GOING_DOWN)
        return self._loop.run_in_executor(pool, act, *arguments)

    def _has_listed(self, _: asyncio.Future[list[str]]) -> None:
        self._listing = None

    async def _help(self, room: Room, member: Member) -> None:
        """Read on for one who is behind."""
        try:
            while not self.try_live(room, member) and not member.is_full:
                cursor = member.cursor
                page = await self.read_on(room, member)
                if page:
                    member.hear(page)
                elif member.cursor == cursor:
                    break
        except OSError as error:
            log.error("room %s cannot be read: %s", room.name, error)  # noqa: TRY400 - the sentence is enough
            member.refused(Refused(Code.ROOM_UNAVAILABLE, room=room.name))
        finally:
            # Nothing may be awaited between the last look at the member and this line: `follow` may come at once.
            self._helped.pop(member, None)

    def _page(self, room: Room, member: Member, lines: Sequence[str]) -> History:
        page = room.page(member, lines, self.register.names.unverified(lines, member.cursor))
        member.cursor += len(lines)
        self.metrics.tally.pages += 1
        self.metrics.tally.deliveries += len(lines)
        return page

    def _close_later(self, room: Room) -> None:
        """Give back the file of a room in which nobody is, if it stays so."""
        is_open = self._rooms.get(room.name) is room and not self._is_closed
        if is_open and room.is_deserted and room.name != DEFAULT_ROOM and room not in self._closing:
            self._closing[room] = self._loop.call_later(DESERTED_SECONDS, self._close, room)

    def _keep_open(self, room: Room) -> None:
        """Somebody is there, or needs it."""
        if room in self._closing:
            self._closing.pop(room).cancel()

    def _close_a_deserted_room(self) -> bool:
        """Make place for another room, if in one nobody is; the one that has been so for longest."""
        for room in tuple(self._closing):
            if room not in self._writing:
                self._closing[room].cancel()
                self._close(room)
                return True
        return False

    def _close(self, room: Room) -> None:
        del self._closing[room]
        if room in self._writing:
            self._close_later(room)
        else:
            del self._rooms[room.name]
            self._noticed_at.pop(room, None)
            self._histories.pop(room.name).close(remove_if_empty=True)

    # Comings and goings.

    def _note(self, room: Room) -> None:
        """Tell of comings and goings: the first at once, those that follow closely together."""
        if room in self._notices:
            return
        due = max(self._noticed_at.get(room, 0.0) + NOTICE_SECONDS, self._loop.time())
        self._notices[room] = self._loop.call_at(due, self._tell_notice, room)

    def _tell_notice(self, room: Room) -> None:
        del self._notices[room]
        system = room.take_notice(self._settings.language, self.stamp())
        if system is not None:
            self._noticed_at[room] = self._loop.time()
            room.tell([system])
