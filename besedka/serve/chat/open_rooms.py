"""The open rooms: each holds its file open until nobody has needed it for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from besedka.serve.chat.notices import NoticeTurns
from besedka.serve.chat.room_list import RoomList, WrittenRooms
from besedka.serve.chat.room_names import Claim, RoomNames
from besedka.serve.chat.room_watchers import RoomWatchers
from besedka.serve.chat.sequencer import RedactionOrder
from besedka.serve.chat.turns import Turns
from besedka.serve.chat.workers import Workers
from besedka.serve.directory import Directory
from besedka.serve.errors import HistoryUnusable, StartError
from besedka.serve.files.descriptor import reason
from besedka.serve.history import (
    Care,
    ChatHistory,
    Restored,
    RoomFiles,
    Subject,
    has_log,
    remove_leftovers,
    remove_log,
    retire_log,
    room_files,
    room_path,
)
from besedka.serve.log_event import event
from besedka.serve.metrics import Metrics
from besedka.serve.room import Elsewhere, KeyMemory, NewRooms, RecentMemory, Room, RoomShares, Tenant
from besedka.serve.settings import Settings
from besedka.serve.tasks import mark_retrieved
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Kind
from besedka.wire.validation import DEFAULT_ROOM

log = logging.getLogger(__name__)

F = TypeVar("F", bound=asyncio.Future[Any])

ROOMS_AT_MOST: Final = 1_000
"""Rooms open at once: each holds a file descriptor, and anyone may open a room by naming it."""

RESERVED_ROOMS: Final = 100
"""Rooms among them that must have messages or members: new rooms do not keep anybody out of those."""

RETURN_SECONDS: Final = 30.0
"""How long people whose room was closed to make room for others should stay away."""

IDLE_SECONDS: Final = 60.0
"""An idle room is closed after this time; until then a reconnect finds it open."""

GRACE_SECONDS: Final = 1.0
"""Grace period before a new room may be evicted: the client that opened it is about to enter."""

WARNING_SECONDS: Final = 60.0
"""Rooms that cannot be opened are logged at most this often, so that clients cannot fill the log."""


OPENED_AT_ONCE: Final = 2
"""Logs that are opened at the same time; sources take turns at it. The threads that read have others to serve."""

_TOO_MANY_ROOMS: Final = {
    Language.RU: f"открыто может быть до {ROOMS_AT_MOST}",
    Language.EN: f"at most {ROOMS_AT_MOST} may be open",
}


class OpenRooms:
    """The open rooms; opens the others.

    Args:
        settings: the place of the files.
        directory: decides who may enter.
        workers: the threads that open the files.
        metrics: shows the number of rooms and subscribers.
        clock: unix seconds, for the list.
        turns: what notices of new rooms share with others.
        epoch_of: the epoch of a room's log that has no message yet; an empty one is any.
        redactions: has redactions done by all servers, also those that were not finished; None if there are no others.
        elsewhere: the people at other nodes of a cluster; None if this server is alone.

    Attributes:
        shares: how many rooms each source holds.
        list: the list of rooms, these and others.
        watchers: the sessions that are told of new ones.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        workers: Workers,
        metrics: Metrics,
        *,
        clock: Callable[[], float],
        turns: NoticeTurns,
        epoch_of: Callable[[str], str],
        redactions: RedactionOrder | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._epoch_of = epoch_of
        self._redactions = redactions
        self._elsewhere = elsewhere
        self._path = settings.history.absolute()
        self._directory = directory
        self._workers = workers
        self.shares = RoomShares()
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._histories: dict[str, ChatHistory] = {}
        self._rooms: dict[str, Room] = {}
        self._keys, self._recent = KeyMemory(), RecentMemory()
        self._opening: dict[str, asyncio.Task[Room]] = {}
        self._opening_turns = Turns(waiting_at_most=None, places=OPENED_AT_ONCE)
        # Each source is refused on its own account, so what may be refused is not shared.
        self._looking: dict[tuple[str, Tenant | None, bool], asyncio.Task[Room]] = {}
        self._claims: dict[str, Claim] = {}
        # The names of private rooms that are being created.
        self._creating: set[str] = set()
        self._new_rooms = NewRooms()
        # Rooms that were just opened, with the timer that ends the share of the source that did.
        self._held_by_opener: dict[tuple[Tenant, str], asyncio.TimerHandle] = {}
        # Open rooms that had neither messages nor members when they were opened.
        self._opened_new: set[str] = set()
        # Idle rooms, the longest idle first, each with the timer that closes it.
        self._closing: dict[Room, asyncio.TimerHandle] = {}
        self._names = RoomNames(self._path, directory.rooms, workers, self._is_claimed)
        self.watchers = RoomWatchers(directory.rooms.kind, turns)
        self._written = WrittenRooms(self._path, workers, self._has_found)
        self.list = RoomList(directory, self._written, self._rooms, clock, elsewhere)
        # Rooms that are being ended, or could not be ended: nobody can open them.
        self._ending: dict[str, asyncio.Future[None]] = {}
        # Where the old logs are of those that are being made anew, by the names of their rooms.
        self._half_made: dict[str, Path] = {}
        self._warned_at = float("-inf")
        self._warned_of: set[str] = set()
        self._reported: set[str] = set()
        self._measure()

    # Start and stop.

    async def probe(self) -> None:
        """Check that the default room can be opened.

        Raises:
            StartError: if it cannot.
        """
        await self._workers.read(ChatHistory.probe, self._path)

    async def start(self) -> Restored:
        """Open the default room, after removing empty logs of others, and read which others there are.

        Raises:
            StartError: if its history cannot be used.
        """
        try:
            files = await self._workers.read(room_files, self._path, RoomFiles())
            await self._workers.read(remove_leftovers, self._path, files.empty)
            await self._names.start(files.written)
        except Refused as refusal:
            cause = refusal.__cause__
            why = f": {reason(cause)}" if isinstance(cause, OSError) else ""
            raise HistoryUnusable(self._path, f"its folder cannot be read{why}") from refusal
        return self.history(await self._open(DEFAULT_ROOM, Tenant(None))).restored

    async def stop(self) -> None:
        """Open and close no more rooms."""
        for handle in self._closing.values():
            handle.cancel()
        tasks = [*self._looking.values(), *self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        """Close the files, each of them also if another fails at that."""
        with ExitStack() as closing:
            for name, history in self._histories.items():
                closing.callback(history.close, remove_if_empty=name != DEFAULT_ROOM)

    def _measure(self) -> None:
        """Register the gauges of rooms and subscribers."""
        rooms = self._rooms
        self._metrics.show("rooms", "Rooms open now.", lambda: len(rooms))
        self._metrics.show(
            "members_live",
            "Members who are handed each batch, in all rooms.",
            lambda: sum(room.live_count for room in rooms.values()),
        )
        self._metrics.show(
            "members_behind",
            "Members who read the log at their own pace, in all rooms.",
            lambda: sum(room.behind_count for room in rooms.values()),
        )

    # Finding a room.

    def check_accepting(self) -> None:
        """Check that the server still accepts something.

        Raises:
            Refused: `going_down`.
        """
        if self._workers.is_going_down:
            raise Refused(ErrorCode.GOING_DOWN)

    def open(self, name: str, tenant: Tenant | None, *, has_name: bool = False) -> Room | asyncio.Task[Room]:
        """The room of this name, or the task that opens it. `Admission` checks before who may enter.

        Args:
            name: the room's name.
            tenant: the source that opens it; None is the operator, who is not limited.
            has_name: whether rooms without named people may be closed to make room for it, if there are too many.

        Raises:
            Refused: `too_many_rooms`, `going_down`; the task may raise `too_many_rooms`, `room_unavailable`, and `bad_room` if there is
                no such room yet and its name looks like that of another one.
        """
        self.check_accepting()
        self._check_not_ending(name)
        if tenant:
            self.shares.check(tenant, name)
        room = self._rooms.get(name)
        return room or self._opening.get(name) or self._opening_for(name, tenant, has_name=has_name)

    async def for_operator(self, name: str) -> Room:
        """The room of this name, for the operator.

        Raises:
            Refused: `no_such_room`, `going_down`, `room_unavailable`.
        """
        self.check_accepting()
        await self.check_exists(name)
        return await self.for_server(name)

    async def for_server(self, name: str) -> Room:
        """The room of this name, for the server itself; raises as `open`."""
        room = self.open(name, None)
        return room if isinstance(room, Room) else await asyncio.shield(room)

    async def check_exists(self, name: str) -> None:
        """Check that there is a room of this name, also a private one without messages, for the operator.

        Raises:
            Refused: `no_such_room`, `going_down`.
        """
        if not (self._directory.rooms.has_members(name) or await self.exists(name)):
            raise Refused(ErrorCode.NO_SUCH_ROOM, room=name)

    def opened(self, name: str) -> Room | None:
        """The room of this name, if it is open."""
        return self._rooms.get(name)

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    async def written(self) -> Sequence[str]:
        """The names of all rooms that have a log.

        Raises:
            Refused: `going_down`.
        """
        return [DEFAULT_ROOM, *await self._written.names()]

    @property
    def count(self) -> int:
        """The number of open rooms."""
        return len(self._rooms)

    @property
    def count_new(self) -> int:
        """The number of open rooms with neither messages nor members."""
        return sum(map(self._is_new, self._opened_new))

    def is_open(self, name: str) -> bool:
        """Whether a room of this name is open, or is being opened."""
        return name in self._rooms or name in self._opening

    def is_private(self, name: str) -> bool:
        """Whether a room is not open to everybody."""
        return self._directory.rooms.kind(name) is not Kind.OPEN

    def is_present_elsewhere(self, person: str) -> bool:
        """Whether anybody is at another node of a cluster under a name, in capitals or not."""
        return bool(self._elsewhere and self._elsewhere.is_present(person))

    async def exists(self, name: str) -> bool:
        """Whether a room of this name exists, or is being opened."""
        path = room_path(self._path, name)
        is_written = name == DEFAULT_ROOM or await self._workers.read(path.exists)
        return is_written or self.is_open(name)

    @asynccontextmanager
    async def claimed(self, name: str) -> AsyncIterator[None]:
        """Claim the name of a private room that is created in this block, before anything is waited for.

        So of two rooms that look alike, of whatever kinds, only the first one comes into being. Nothing is waited for after the last look.

        Raises:
            Refused: `room_taken`; `bad_room` if it looks like another one.
        """
        if self._is_claimed(name):
            raise Refused(ErrorCode.ROOM_TAKEN, room=name)
        self._claims[name] = self._names.claim(name)
        self._creating.add(name)
        like = self._names.like(name)  # those that were there first
        try:
            is_taken = await self.exists(name)
            if not is_taken:
                await self._names.check(name, like)
            if is_taken or self._is_wanted(name):
                raise Refused(ErrorCode.ROOM_TAKEN, room=name)
            yield
        finally:
            self._creating.remove(name)
            self._give_up_claim(name)

    async def is_unused(self, name: str) -> bool:
        """Whether nothing was said in a room, as far as can be known; nothing is waited for after the last look."""
        is_written = await self._workers.read(has_log, self._path, name)
        room = self._rooms.get(name)
        return not (is_written or name in self._opening or (room and (room.head or room.holds)))

    async def silent(self, names: Iterable[str]) -> list[str]:
        """Those rooms that are closed and have no log, as the last scan of the folder says.

        Raises:
            Refused: `room_unavailable`, `going_down`.
        """
        written = {*await self._written.names()}
        return [name for name in names if name not in written and not self.is_open(name)]

    @contextmanager
    def charged_as_new(self, tenant: Tenant) -> Iterator[None]:
        """Charge a source for a private or direct room that is created in this block; a failure of the block gives it back.

        Raises:
            Refused: `too_many_rooms`, with the time to wait.
        """
        now = self._loop.time()
        self._new_rooms.charge(tenant, now)
        try:
            yield
        except BaseException:
            self._new_rooms.give_back(tenant, now)
            raise

    def history(self, room: Room) -> ChatHistory:
        """The log of a room that is open."""
        return self._histories[room.name]

    async def has_space(self) -> bool:
        """Whether the disk has space left, as far as it reports that beforehand."""
        return await self._workers.read(self._histories[DEFAULT_ROOM].has_room)

    def forget_tenants(self) -> None:
        """Forget the sources that may create as many rooms as new ones."""
        self._new_rooms.forget(self._loop.time())

    # Keeping a room open.

    @contextmanager
    def held(self, room: Room, tenant: Tenant | None = None) -> Iterator[None]:
        """Keep a room open within a block, with or without subscribers; for a source, if that is given."""
        self.hold(room)
        if tenant:
            self.shares.hold(tenant, room.name)
        try:
            yield
        finally:
            if tenant:
                self.shares.release(tenant, room.name)
            self.release(room)

    def held_for(self, room: Room, work: F) -> F:
        """Keep a room open until some work of a thread is done, also if nobody waits for it any more."""
        self.hold(room)
        mark_retrieved(work).add_done_callback(lambda _: self.release(room))
        return cast("F", asyncio.shield(work))

    def hold(self, room: Room) -> None:
        """Keep a room open until `release`; within one block use `held`."""
        room.holds += 1
        self.keep_open(room)

    def release(self, room: Room) -> None:
        """Release a hold."""
        room.holds -= 1
        self.close_later(room)

    def take_share(self, tenant: Tenant, room: Room) -> None:
        """Count that a source is in a room, until `shares` releases it."""
        self.shares.hold(tenant, room.name)
        self._release_opened(tenant, room.name)

    def keep_open(self, room: Room) -> None:
        """Cancel the closing of a room."""
        if room in self._closing:
            self._closing.pop(room).cancel()

    def close_later(self, room: Room) -> None:
        """Close an idle room after `IDLE_SECONDS`, unless it is needed again."""
        ending = self._ending.get(room.name)
        if ending and room.is_idle and not ending.done():
            ending.set_result(None)
        is_open = self._rooms.get(room.name) is room and not self._workers.is_stopped
        if is_open and room.is_idle and room.name != DEFAULT_ROOM and room not in self._closing:
            self._closing[room] = self._loop.call_later(IDLE_SECONDS, self._close, room)

    # Ending a room.

    def block(self, name: str) -> None:
        """Let nobody open a room from now on: it is being ended."""
        self._ending[name] = self._loop.create_future()

    def unblock(self, name: str) -> None:
        """Let people open a room of this name again."""
        del self._ending[name]

    async def close_for_good(self, room: Room, refusal: Refused) -> None:
        """Remove everybody from a room that is blocked, wait until nothing is done in it any more, and close its log.

        Args:
            room: the room.
            refusal: the reason, for those who are removed.
        """
        for session in self._directory.sessions.in_room(room.name):
            session.remove_from_room(room.name, refusal)
        if self._rooms.get(room.name) is not room:
            return  # it was closed meanwhile
        if not room.is_idle:
            await self._ending[room.name]
        self.keep_open(room)
        self._closing[room] = self._loop.call_later(IDLE_SECONDS, self._close, room)
        self._closing[room].cancel()
        self._close(room)

    def forget(self, name: str) -> None:
        """Forget a room whose log has another name now."""
        self._names.discard(name)
        self._written.forget(name)

    def note_renamed(self, name: str) -> None:
        """Note the new name of a room that has a log."""
        self._names.add([name])
        self._written.note(name)

    def note_posted_elsewhere(self, name: str) -> None:
        """Note a room in which something was posted at another node: it exists, whatever it looks like."""
        if like := self._names.admit(name):
            log.warning(
                "the room %s of another node looks like one that is here: %s",
                name,
                ", ".join(sorted(like)),
                extra=event("look_alike", room=name),
            )

    def _check_not_ending(self, name: str) -> None:
        if name in self._ending:
            raise Refused(ErrorCode.ROOM_UNAVAILABLE, room=name)

    # Opening and closing a room.

    def _opening_for(self, name: str, tenant: Tenant | None, *, has_name: bool) -> asyncio.Task[Room]:
        """The task that opens a room for a source, unless it refuses that."""
        key = name, tenant, has_name
        if key not in self._looking:
            # A name is claimed before anything is waited for, once for all sources.
            if name not in self._claims:
                self._claims[name] = self._names.claim(name)
            looking = self._look_and_open(name, tenant, has_name=has_name)
            self._looking[key] = mark_retrieved(self._loop.create_task(looking))
            self._looking[key].add_done_callback(lambda _: self._has_looked(key))
        return self._looking[key]

    def _is_claimed(self, name: str) -> bool:
        """Whether a room is open, or somebody is looking for it, opening or creating it."""
        return self.is_open(name) or name in self._claims

    def _is_wanted(self, name: str) -> bool:
        """Whether a room is open, or somebody is looking for it or opening it."""
        return self.is_open(name) or any(other == name for other, *_ in self._looking)

    def _has_looked(self, key: tuple[str, Tenant | None, bool]) -> None:
        del self._looking[key]
        self._give_up_claim(key[0])

    def _give_up_claim(self, name: str) -> None:
        """Give up the claim to a name, unless somebody needs it still."""
        if name in self._creating or any(other == name for other, *_ in self._looking):
            return
        claim = self._claims.pop(name)
        if claim.is_new and name not in self._rooms and name not in self._opening:
            self._names.discard(name)

    async def _look_and_open(self, name: str, tenant: Tenant | None, *, has_name: bool) -> Room:
        is_kept = await self._is_kept(name)
        room = self._rooms.get(name)
        if room is not None:
            return room
        if name not in self._opening:
            self._begin_opening(name, tenant, is_kept=is_kept, has_name=has_name)
        return await asyncio.shield(self._opening[name])

    def _begin_opening(self, name: str, tenant: Tenant | None, *, is_kept: bool, has_name: bool) -> None:
        """Open a room, if the source may have it and there is space for it.

        Raises:
            Refused: `too_many_rooms`, `room_unavailable`.
        """
        self._check_not_ending(name)
        if tenant:
            self.shares.check(tenant, name)
        has_space = self._make_space(tenant, is_kept=is_kept, has_name=has_name or tenant is None)
        if tenant and not has_space:
            raise Refused(ErrorCode.TOO_MANY_ROOMS, room=name, why=_TOO_MANY_ROOMS)
        if tenant and not is_kept:
            self._new_rooms.charge(tenant, self._loop.time())
        task = mark_retrieved(
            self._loop.create_task(self._open_claimed(name, self._claims[name], tenant or Tenant(None)))
        )
        self._opening[name] = task
        if not is_kept:
            self._opened_new.add(name)
        task.add_done_callback(lambda _: self._has_opened(name))
        if tenant:
            self.shares.hold(tenant, name)
            task.add_done_callback(lambda _: self._release_later(tenant, name))

    def _has_opened(self, name: str) -> None:
        del self._opening[name]
        if name not in self._rooms:
            self._opened_new.discard(name)
        elif name in self._opened_new:
            log.info("the room %s is new", name, extra=event("room_created", room=name))
            self.watchers.note([name])

    def _has_found(self, names: Iterable[str]) -> None:
        """Note logs that were found in the folder: those of other programs are new."""
        names = sorted(names)
        self._names.add(names)
        self.watchers.note(name for name in names if name not in self._rooms)

    def _release_later(self, tenant: Tenant, name: str) -> None:
        """Let the source that has opened a room hold it until its client has entered, or could have."""
        self._release_opened(tenant, name)
        release = self._loop.call_later(GRACE_SECONDS, self._release_opened, tenant, name)
        self._held_by_opener[tenant, name] = release

    def _release_opened(self, tenant: Tenant, name: str) -> None:
        handle = self._held_by_opener.pop((tenant, name), None)
        if handle:
            handle.cancel()
            self.shares.release(tenant, name)

    async def _is_kept(self, name: str) -> bool:
        """Whether a room that is not open has messages, or members."""
        if name == DEFAULT_ROOM or self.is_private(name):
            return True
        return await self._workers.read(has_log, self._path, name)

    async def _open_claimed(self, name: str, claim: Claim, tenant: Tenant) -> Room:
        try:
            if claim.is_new:
                await self._names.check(name, claim.like)
            return await self._open_or_refuse(name, tenant)
        except Refused:
            if claim.is_new and name not in self._creating:
                self._names.discard(name)
            raise

    async def _open_or_refuse(self, name: str, tenant: Tenant) -> Room:
        try:
            return await self._open(name, tenant)
        except StartError as error:
            if self._loop.time() - self._warned_at > WARNING_SECONDS:
                self._warned_at = self._loop.time()
                log.warning("room %s: %s", name, error, extra=event("room_unavailable", room=name))
            raise Refused(ErrorCode.ROOM_UNAVAILABLE, room=name) from error

    async def _opened_log(self, name: str, tenant: Tenant, unfinished: Subject | None) -> ChatHistory:
        """The log of a room, opened."""
        open_log = partial(
            ChatHistory.open,
            may_be_link=name == DEFAULT_ROOM,
            is_private=self.is_private(name),
            new_epoch=self._epoch_of(name),
        )
        path = self._path if name == DEFAULT_ROOM else room_path(self._path, name)
        async with self._opening_turns.turn(tenant):
            return await self._workers.read(open_log, path, unfinished)

    async def _open(self, name: str, tenant: Tenant) -> Room:
        entry = self._directory.moderation.redactions.get(name)
        unfinished = Subject(entry.id, entry.epoch, entry.said, entry.user, entry.size) if entry else None
        history = await self._opened_log(name, tenant, None if self._redactions else unfinished)
        if self._redactions and unfinished:
            await self._have_finished(self._redactions, name, history, unfinished)
        self._histories[name] = history
        self._warn_of_others(name, history, Care.PRIVATE if self.is_private(name) else Care.SHARED)
        room = self._rooms[name] = Room(
            name,
            history,
            self._metrics.counters,
            keys=self._keys,
            recent=self._recent,
            elsewhere=self._elsewhere,
        )
        self._report(name, history.restored)
        # The client that opened it may have gone meanwhile, or be refused.
        self._loop.call_later(GRACE_SECONDS, self.close_later, room)
        return room

    async def _have_finished(
        self, redactions: RedactionOrder, name: str, history: ChatHistory, unfinished: Subject
    ) -> None:
        """Have a redaction that was recorded done by all servers, if the log still holds the text."""
        if await self._workers.read(history.holds, unfinished):
            redactions.finish(name, unfinished)

    async def make_log_anew(
        self, room: Room, stamp: str, fill: Callable[[ChatHistory, Path], Awaitable[None]]
    ) -> None:
        """Set a room's log aside, and make it anew.

        If that was interrupted, the next time begins with what was made of the new one, which is not kept.

        Args:
            room: the room, in which nothing is stored meanwhile.
            stamp: the time, as the log writes it.
            fill: appends the messages; it is given where the old log is, too.

        Raises:
            Refused: `room_unavailable`, `going_down`.
            StartError: if the new one cannot be used.
        """
        old = self.history(room)
        kept = await self._workers.read(_retired, old, stamp, self._half_made.get(room.name))
        self._half_made[room.name] = kept
        history = await self._opened_log(room.name, Tenant(None), None)
        self._histories[room.name] = history
        await fill(history, kept)
        del self._half_made[room.name]

    async def check_log(self, room: Room) -> None:
        """Before something is written in a room that has become private since it was opened: look whether its log is the server's own.

        Raises:
            Refused: `room_unavailable` if it is not.
        """
        history = self.history(room)
        if not history.is_private and self.is_private(room.name):
            await self._workers.read(history.refuse_others)

    def _report(self, name: str, restored: Restored) -> None:
        """Log how a log was found: a repair always, what stays as it is once, because a room may be opened many times."""
        log.debug(
            "the room %s was opened, messages: %d",
            name,
            restored.messages,
            extra=event("room_opened", room=name, messages=restored.messages),
        )
        concerns = [*restored.concerns()]
        if concerns and (restored.torn or name not in self._reported):
            self._reported.add(name)
            log.warning(
                "the log of the room %s: %s",
                name,
                "; ".join(concerns),
                extra=event("log_repaired" if restored.torn else "log_doubtful", room=name),
            )

    def _warn_of_others(self, name: str, history: ChatHistory, care: Care) -> None:
        """Log once what others of this machine can do with a log."""
        warning = history.concern(care)
        if warning and name not in self._warned_of:
            self._warned_of.add(name)
            log.warning(warning)

    # Making space.

    def _make_space(self, tenant: Tenant | None, *, is_kept: bool, has_name: bool) -> bool:
        """Close a room, if there are too many for one more. Returns whether there is space.

        Args:
            tenant: the source that opens a room; None is the operator.
            is_kept: whether the room to be opened has messages or members.
            has_name: whether a room without named people may be closed, too.
        """
        is_full = len(self._rooms) + len(self._opening) >= ROOMS_AT_MOST
        are_new_full = not is_kept and self._are_new_full()
        if not is_full and not are_new_full:
            return True
        return (
            self._evict_idle(only_new=are_new_full)
            or (tenant is not None and self._evict_from_many(tenant, only_new=are_new_full))
            or (has_name and self._evict_readers(only_new=are_new_full))
        )

    def _are_new_full(self) -> bool:
        """Whether new rooms take all but the reserved ones."""
        limit = ROOMS_AT_MOST - RESERVED_ROOMS
        return len(self._opened_new) >= limit and sum(map(self._is_new, self._opened_new)) >= limit

    def _is_new(self, name: str) -> bool:
        """Whether a room that is open, or being opened, has neither messages nor members."""
        if name not in self._opened_new:
            return False
        room = self._rooms.get(name)
        return not (room and room.head) and self._directory.rooms.kind(name) is Kind.OPEN

    def _evict_idle(self, *, only_new: bool) -> bool:
        """Close the room that has been idle for longest. Returns whether there was one."""
        room = next((room for room in self._closing if not only_new or self._is_new(room.name)), None)
        if room is None:
            return False
        self._closing[room].cancel()
        self._close(room)
        return True

    def _evict_readers(self, *, only_new: bool) -> bool:
        """Close a room in which nobody has a name, preferably one without messages. Returns whether there was one."""
        candidates = [room for room in self._rooms.values() if self._is_evictable(room)]
        room = min(candidates, key=lambda room: not self._is_new(room.name), default=None)
        if room is None or (only_new and not self._is_new(room.name)):
            return False
        self._empty(room)
        return self._evict_idle(only_new=only_new)

    def _evict_from_many(self, tenant: Tenant, *, only_new: bool) -> bool:
        """Close a room of those who hold the most, for a source that holds few. Returns whether there is space now.

        Preferably one without messages, then one without named people, then the youngest. A room of which a message is being stored, or a
        download is being sent, is closed when that has ended; then there is space for the next attempt.
        """
        rooms = (
            room.name
            for room in reversed(self._rooms.values())
            if not (room.is_idle or room.name == DEFAULT_ROOM or (only_new and not self._is_new(room.name)))
        )
        found = map(self._rooms.__getitem__, self.shares.to_close(tenant, rooms))
        room = min(found, key=lambda room: (room.holds, room.head > 0, room.has_names), default=None)
        if room is None:
            return False
        self._empty(room)
        return self._evict_idle(only_new=only_new)

    def _empty(self, room: Room) -> None:
        """Remove everybody from a room, to close it: subscribers, and calls and downloads that hold it. They may return."""
        refusal = Refused(ErrorCode.TOO_MANY_ROOMS, room=room.name, wait=RETURN_SECONDS, why=_TOO_MANY_ROOMS)
        for subscriber in room.subscribers:
            subscriber.remove(refusal)
        if not room.holds:
            return
        for session in [*self._directory.sessions]:
            if any(name == room.name for name, _ in session.memberships()):
                session.remove_from_room(room.name, refusal)

    def _is_evictable(self, room: Room) -> bool:
        return not (room.is_idle or room.holds or room.name == DEFAULT_ROOM or room.has_names)

    def _close(self, room: Room) -> None:
        log.debug("the room %s is closed", room.name, extra=event("room_closed", room=room.name))
        del self._closing[room]
        del self._rooms[room.name]
        self._opened_new.discard(room.name)
        if room.head:
            self._written.note(room.name)
        room.dedup.forget_log()
        history = self._histories.pop(room.name)
        history.close(remove_if_empty=True)
        if not history.path.exists():
            self._names.discard(room.name)


def _retired(history: ChatHistory, stamp: str, old: Path | None) -> Path:
    """Close a log, and take it out of the way. Returns where the old one is.

    Args:
        history: the log.
        stamp: the time, as the log writes it.
        old: where the old one is, if this one was made in its place and not completed: then it is removed.
    """
    is_remains = old is not None and not history.was_edited()
    history.close()
    if old is None or not is_remains:
        return retire_log(history.path, stamp)
    remove_log(history.path)
    return old
