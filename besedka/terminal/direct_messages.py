"""Direct messages in rooms that the session has not joined: it watches these rooms, and joins one when something new is posted there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from besedka.remote.errors import RemoteError
from besedka.remote.watch import Stir, Watch
from besedka.terminal.room_view import RoomView
from besedka.terminal.rooms import Rooms
from besedka.terminal.storage import Storage
from besedka.terminal.ui.notifier import Notifier
from besedka.wire.frames import Kind, RoomOpened

CATCH_UP_ROOMS_AT_MOST: Final = 20
"""Direct rooms that are joined for messages posted while the user was away; each of them is a connection."""


class DirectMessages:
    """Watches the direct rooms of the user.

    Args:
        rooms: of the session.
        notifier: announces a new direct room.
        storage: keeps how far each direct room has been read.
    """

    def __init__(self, rooms: Rooms, notifier: Notifier, storage: Storage) -> None:
        self._rooms = rooms
        self._notifier = notifier
        self._storage = storage
        self._watch: Watch | None = None
        self._caught_up: set[str] = set()
        self._joining: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Look for messages posted while the user was away, and watch from now on."""
        address = self._rooms.address
        # Guests have no direct rooms.
        if secret := self._rooms.secret(self._rooms.current.me):
            self._watch = Watch(address.url, secret, key=address.key)
            self._run(self._receive(self._watch))
            self.check()

    def check(self) -> None:
        """Look for direct rooms that were opened while there was no connection."""
        if self._watch:
            self._run(self._check(self._watch))

    def opened(self, opened: RoomOpened) -> None:
        """Join a direct room that somebody has just opened, and announce it."""
        self._start_joining(opened.room, is_announced=True)

    def left(self, view: RoomView) -> None:
        """Watch a direct room that the user has left, so that the next message there is noticed."""
        if self._watch and view.kind is Kind.DIRECT:
            self._storage.set_read_position(view.name, view.received_to)
            self._watch.begin(view.name, view.received_to)

    async def stop(self) -> None:
        """Watch and join no more rooms."""
        tasks = [*self._tasks, *self._joining.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _check(self, watch: Watch) -> None:
        try:
            entries = await self._rooms.current.connection.asks.rooms()
        except RemoteError:
            return  # no connection: a reconnect checks again
        for entry in entries:
            if entry.kind is Kind.DIRECT:
                self._rooms.add_known(entry.name, entry.kind, entry.peer)
                if entry.name not in self._rooms.views:
                    watch.begin(entry.name, self._storage.read_position(entry.name) or (0, ""))

    async def _receive(self, watch: Watch) -> None:
        async for news in watch.stirs():
            self._react(watch, news)

    def _react(self, watch: Watch, news: Stir) -> None:
        if news.room in self._rooms.views:
            watch.end(news.room)  # joined meanwhile
        elif news.user:
            # What the user posts on another device is not news.
            if news.user not in self._rooms.own_names:
                self._start_joining(news.room, is_announced=True)
        elif news.room in self._caught_up or len(self._caught_up) < CATCH_UP_ROOMS_AT_MOST:
            self._caught_up.add(news.room)
            self._start_joining(news.room, is_announced=False)

    def _start_joining(self, room: str, *, is_announced: bool) -> None:
        if room not in self._rooms.views and room not in self._joining:
            self._joining[room] = asyncio.ensure_future(self._join(room, is_announced=is_announced))

    async def _join(self, room: str, *, is_announced: bool) -> None:
        try:
            cursor = self._storage.read_position(room)
            view = await self._rooms.join(room, self._rooms.current.me, cursor=cursor)
        except RemoteError as error:
            self._notifier.show_error(error)
            return
        finally:
            del self._joining[room]
        if self._watch:
            self._watch.end(room)
        if view.name in self._rooms.views:
            await view.leave()  # the user has joined it meanwhile
            return
        self._rooms.add_in_background(view)
        if is_announced:
            self._notifier.notify(self._notifier.phrases.direct_opened.format(peer=view.peer))
            self._notifier.ring(is_for_me=True)
