"""Talks of two that one is not in: who says something there, or has said it while one was away, is heard all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from besedka.remote.errors import RemoteError
from besedka.remote.watch import Stir, Watch
from besedka.terminal.room_view import RoomView
from besedka.terminal.rooms import Rooms
from besedka.terminal.storage.storage import Keeping
from besedka.terminal.ui.notifier import Telling
from besedka.wire.frames import Kind, RoomOpened

BEHIND_AT_MOST: Final = 20
"""So many talks one comes to by oneself because something was said there while one was away; each is a connection."""


class Aside:
    """Comes to them.

    Args:
        rooms: the rooms that one is in.
        tell: tells that somebody talks with us alone.
        keeping: keeps how far one has read in them.
    """

    def __init__(self, rooms: Rooms, tell: Telling, keeping: Keeping) -> None:
        self._rooms = rooms
        self._tell = tell
        self._keeping = keeping
        self._watch: Watch | None = None
        self._behind: set[str] = set()
        self._coming: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """One has come in: look what was said while one was away, and listen from now on."""
        there = self._rooms.there
        # Who is a guest has no such talks.
        if secret := self._rooms.secret(self._rooms.current.me):
            self._watch = Watch(there.url, secret, key=there.key)
            self._run(self._listen(self._watch))
            self.look()

    def look(self) -> None:
        """Look whether there are talks that have begun without our being told, as there was no connection."""
        if self._watch:
            self._run(self._look(self._watch))

    def begin(self, begun: RoomOpened) -> None:
        """Somebody begins to talk with us alone: be there, and tell it."""
        self._come(begun.room, is_told=True)

    def left(self, place: RoomView) -> None:
        """One has left a room: if it was a talk of two, one is not in it until something new is said there."""
        if self._watch and place.kind is Kind.DIRECT:
            self._keeping.leave(place)
            self._watch.begin(place.room, place.heard_to)

    async def end(self) -> None:
        """Come to no more of them."""
        tasks = [*self._tasks, *self._coming.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, watch: Watch) -> None:
        try:
            entries = await self._rooms.current.connection.asks.rooms()
        except RemoteError:
            return  # there is no connection; when it is back one looks again
        for entry in entries:
            if entry.kind is Kind.DIRECT:
                self._rooms.know(entry.name, entry.kind, entry.peer)
                if entry.name not in self._rooms.places:
                    watch.begin(entry.name, self._keeping.read_to(entry.name) or (0, ""))

    async def _listen(self, watch: Watch) -> None:
        async for stir in watch.stirs():
            self._stirred(watch, stir)

    def _stirred(self, watch: Watch, stir: Stir) -> None:
        if stir.room in self._rooms.places:
            watch.end(stir.room)  # one has gone there meanwhile
        elif stir.user:
            # What we say ourselves on another device is no news.
            if stir.user not in self._rooms.own_names:
                self._come(stir.room, is_told=True)
        elif stir.room in self._behind or len(self._behind) < BEHIND_AT_MOST:
            self._behind.add(stir.room)
            self._come(stir.room, is_told=False)

    def _come(self, room: str, *, is_told: bool) -> None:
        if room not in self._rooms.places and room not in self._coming:
            self._coming[room] = asyncio.ensure_future(self._come_to(room, is_told=is_told))

    async def _come_to(self, room: str, *, is_told: bool) -> None:
        try:
            cursor = self._keeping.read_to(room)
            place = await self._rooms.enter(room, self._rooms.current.me, cursor=cursor)
        except RemoteError as error:
            self._tell.refused(error)
            return
        finally:
            del self._coming[room]
        if self._watch:
            self._watch.end(room)
        if place.room in self._rooms.places:
            await place.leave()  # one has gone there meanwhile
            return
        self._rooms.stay_behind(place)
        if is_told:
            self._tell.remark(self._tell.words.direct_began.format(peer=place.peer))
            self._tell.ring(is_called=True)
