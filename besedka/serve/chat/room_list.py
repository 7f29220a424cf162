"""The list of rooms, in pages. It is made from a cached scan of the folder, so that listing often costs no more than listing once."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from heapq import merge
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from besedka.serve.chat.workers import Workers
from besedka.serve.directory import Directory
from besedka.serve.history import RoomFiles, room_files
from besedka.serve.limits.rate_limits import LIST_BYTES
from besedka.serve.room import Elsewhere, Room
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import ROOMS_LISTED, ROOMS_LISTED_BYTES, Kind, RoomEntry, listed_bytes

SCAN_SECONDS: Final = 1.0
"""The folder is scanned at most once in this time, whatever is requested."""

SCAN_SHARE: Final = 0.1
"""The part of the time that scans may take: a folder of 60 000 logs takes a second, and is scanned once in ten."""

LOOKED_AT_MOST: Final = 1_000
"""Rooms that are looked at for one page: most of them may be other people's private rooms."""

LOOKED_AT_BYTES: Final = LIST_BYTES // 20
"""Bytes of a page that cost as much as a room that was looked at for it, listed or not: twenty of them take as long as a frame."""

SORTED_BYTES: Final = 16
"""Bytes of a page that cost as much as a room that was sorted for it: a thousand of them take a millisecond for each page."""

OWN: Final = "@"
"""Prefix of the cursor of a page that ends among the recipient's own rooms; no room's name begins with it."""


@dataclass(frozen=True, slots=True)
class RoomPage:
    """A page of the list of rooms.

    Attributes:
        entries: the rooms.
        next: the cursor of the next page; empty on the last one.
        examined: the number of rooms that were looked at for it, listed or not.
        sorted: the number of rooms that were sorted for it: the recipient's own ones, and the open ones.
    """

    entries: list[RoomEntry] = field(default_factory=list)
    next: str = ""
    examined: int = 0
    sorted: int = 0

    @property
    def cost(self) -> int:
        """Its bytes on the wire, without its frame, and as many for the looking and sorting as take so long."""
        work = LOOKED_AT_BYTES * self.examined + SORTED_BYTES * self.sorted
        return sum(map(listed_bytes, self.entries)) + work


def page_of(
    names: Iterable[tuple[str, str]], entry: Callable[[str, bool], RoomEntry | None], limit: int
) -> RoomPage:
    """Make a page.

    Args:
        names: the rooms behind the cursor, each with the cursor behind it.
        entry: makes the entry of a room, given its name and whether it is among the recipient's own; None leaves it out.
        limit: at most this many entries.
    """
    entries: list[RoomEntry] = []
    size, last, examined = 0, "", 0
    for examined, (cursor, name) in enumerate(names, 1):
        found = entry(name, cursor.startswith(OWN))
        size += listed_bytes(found) if found else 0
        if examined > LOOKED_AT_MOST or len(entries) >= limit or size > ROOMS_LISTED_BYTES:
            return RoomPage(entries, last, examined)
        entries += [found] if found else []
        last = cursor
    return RoomPage(entries, examined=examined)


def names_after(
    after: str, own: Sequence[str], written: Sequence[str], is_open: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The names of rooms behind a cursor, each with the cursor behind it: first the recipient's own, then all, by name.

    Args:
        after: the cursor; empty for the first page.
        own: the recipient's own private and direct rooms, sorted.
        written: the rooms that have a log, sorted.
        is_open: the rooms that are open, in any order.
    """
    if not after or after.startswith(OWN):
        rest = own[bisect_right(own, after.removeprefix(OWN)) :]
        yield from ((f"{OWN}{name}", name) for name in rest)
        after = ""
    begin = bisect_right(written, after)
    opened = sorted(name for name in is_open if name > after)
    for name, _ in groupby(merge(islice(written, begin, None), opened)):
        yield name, name


class RoomList:
    """The list of rooms, as each person may see it.

    Args:
        directory: decides what a person may see.
        written: the rooms that have a log.
        rooms: the rooms that are open, by their names.
        clock: unix seconds.
        elsewhere: the people at other nodes of a cluster; None if this server is alone.
    """

    def __init__(
        self,
        directory: Directory,
        written: WrittenRooms,
        rooms: Mapping[str, Room],
        clock: Callable[[], float],
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._elsewhere = elsewhere
        self._directory = directory
        self._written = written
        self._rooms = rooms
        self._clock = clock

    async def page(self, claim: str, after: str = "", limit: int = ROOMS_LISTED) -> RoomPage:
        """A page of the list: the rooms that a person belongs to, then the open ones that have a log or are open.

        Args:
            claim: of the person; empty if they have shown no secret.
            after: the `next` of the page before; empty for the first one.
            limit: at most this many, and `ROOMS_LISTED`.

        Raises:
            Refused: `going_down`, `not_known`, `banned`, `room_unavailable`.
        """
        self._directory.policy.check_chat(claim, now=self._clock())
        written = await self._written.names()
        own = sorted(self._directory.rooms.of(claim)) if claim else []
        unanswered = self._directory.direct.unanswered(claim) if claim else []
        asked = {name: number for number, name in enumerate(unanswered, 1)}

        def entry(name: str, is_own: bool) -> RoomEntry | None:
            return self._entry(name, claim, asked.get(name, 0), is_own=is_own)

        page = page_of(names_after(after, own, written, self._rooms), entry, min(limit, ROOMS_LISTED))
        return replace(page, sorted=len(own) + len(self._rooms))

    def _entry(self, name: str, claim: str, asked: int, *, is_own: bool) -> RoomEntry | None:
        """The entry of a room in its part of the list, if that shows it."""
        kind = self._directory.rooms.kind(name)
        if is_own is (kind is Kind.OPEN) or not self._directory.policy.lists(name, claim):
            return None
        count = self._count(name)
        is_blocked = self._directory.direct.has_blocked_peer(name, claim)
        is_archived = self._directory.moderation.is_archived(name)
        peer = self._directory.peer(name, claim)
        return RoomEntry(name, count, kind, peer, asked, is_blocked, is_archived)

    def _count(self, name: str) -> int:
        """The number of people in a room, which may be open at other nodes only."""
        if name in self._rooms:
            return self._rooms[name].presence.count
        return self._elsewhere.count(name) if self._elsewhere else 0


class WrittenRooms:
    """The names of rooms that have a log, as the last scan of the folder found them.

    Args:
        path: the default room's log.
        workers: the threads that scan.
        found: is given the names that a scan has added.
    """

    def __init__(self, path: Path, workers: Workers, found: Callable[[Iterable[str]], None]) -> None:
        self._path = path
        self._workers = workers
        self._found = found
        self._loop = asyncio.get_running_loop()
        self._files = RoomFiles()
        self._next_scan_at = float("-inf")
        self._scanning: asyncio.Future[RoomFiles] | None = None
        self._failure: ErrorCode | None = None

    async def names(self) -> Sequence[str]:
        """The names, sorted; a change of the folder shows at the next scan.

        Concurrent calls share a scan.

        Raises:
            Refused: `room_unavailable`: the folder cannot be read; `going_down`.
        """
        if self._workers.is_stopped:
            raise Refused(ErrorCode.GOING_DOWN)
        if self._loop.time() >= self._next_scan_at:
            # Its error is the same for all calls; each raises a refusal of its own, because its key will be written into it.
            await asyncio.wait([self._scanning or self._scan()])
        if self._failure:
            raise Refused(self._failure)
        return self._files.written

    def note(self, name: str) -> None:
        """Note that a room has a log, without a scan."""
        written = self._files.written
        at = bisect_left(written, name)
        if written[at : at + 1] != [name]:
            insort(written, name)

    def forget(self, name: str) -> None:
        """Note that a room has no log any more, without a scan."""
        with suppress(ValueError):
            self._files.written.remove(name)

    def _scan(self) -> asyncio.Future[RoomFiles]:
        begun = self._loop.time()
        scanning = self._scanning = self._workers.read(room_files, self._path, self._files)
        scanning.add_done_callback(lambda done: self._scanned(done, begun))
        return scanning

    def _scanned(self, scanning: asyncio.Future[RoomFiles], begun: float) -> None:
        now = self._loop.time()
        self._scanning, self._next_scan_at = None, now + max(SCAN_SECONDS, (now - begun) / SCAN_SHARE)
        try:
            files = scanning.result()
        except Refused as refusal:
            self._failure = refusal.code
        else:
            self._found({*files.written}.difference(self._files.written))
            self._files, self._failure = files, None
