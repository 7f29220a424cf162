"""Watches direct rooms that the session has not joined, and joins one when a new message arrives.

Watching a room is a quiet membership, on the connection that all rooms share.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, Final

from besedka.remote.chat_connection import ROOMS_AT_MOST
from besedka.remote.errors import NotConnected, RemoteError, RequestRefused
from besedka.remote.room.events import ReceivedMessage
from besedka.remote.room.membership import Membership
from besedka.terminal.room_view import RoomView
from besedka.terminal.session.rooms import Rooms
from besedka.terminal.storage import Storage
from besedka.terminal.ui.notifier import Notifier
from besedka.wire.frames import Kind, RoomOpened, Welcome
from besedka.wire.naming import in_sentence

CATCH_UP_ROOMS_AT_MOST: Final = 20
"""The most direct rooms to join for messages posted while the user was away; the status bar shows all of them."""


REQUESTS_AT_MOST: Final = 5
"""Direct rooms of strangers, in which the user has not answered, that are watched or joined unopened: the newest ones."""

ROOMS_FREE: Final = 10
"""Rooms of the connection that are left for those that the user joins."""

JOINS_AT_ONCE: Final = 100
"""Direct rooms that are joined because they were opened, one after the other: as many as a connection holds. A server may end each of them."""

JOIN_SECONDS: Final = 10.0
"""After so many joins, one more in this time."""

ANNOUNCED_AT_MOST: Final = 100
"""Direct rooms that are announced without being joined, until the next connection; `/rooms` lists all of them."""


class DirectRoomWatcher:
    """Watches the direct rooms of the user.

    Args:
        rooms: the rooms of the session.
        notifier: announces a new direct room.
        storage: stores the read position of each direct room.
    """

    def __init__(self, rooms: Rooms, notifier: Notifier, storage: Storage) -> None:
        self._rooms = rooms
        self._notifier = notifier
        self._storage = storage
        self._secret = ""
        self._caught_up: set[str] = set()
        # Direct rooms in which the user has not answered, and that are watched or joined.
        self._requests: set[str] = set()
        self._watched: set[str] = set()
        self._joining: set[str] = set()
        # Announced, and not joined.
        self._announced: set[str] = set()
        # The loop time by which all joins so far are paid for.
        self._paid_at = -math.inf
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Look for messages posted while the user was away, and watch from now on."""
        # Guests have no secret, and no direct rooms.
        self._secret = self._rooms.secret(self._rooms.current.me)
        self.check()

    def check(self) -> None:
        """Look for direct rooms that were opened while there was no connection."""
        if self._secret:
            self._run(self._check())

    def opened(self, opened: RoomOpened) -> None:
        """Join a direct room that somebody has just opened, and announce it; where there are too many rooms, only announce it."""
        room = opened.room
        if opened.kind is not Kind.DIRECT or room in self._rooms.views or room in self._joining:
            return  # no server offers other rooms unasked
        is_request = opened.asked and room not in self._requests
        has_place = not is_request or len(self._requests) < REQUESTS_AT_MOST
        if has_place and self._may_join(room) and self._pay_for_join():
            if is_request:
                self._requests.add(room)
            self._start_joining(room, is_announced=True)
        else:
            self._announce(opened)

    def left(self, view: RoomView) -> None:
        """Watch a direct room that the user has left, so that the next message there is noticed."""
        if self._secret and view.kind is Kind.DIRECT:
            self._storage.set_read_position(view.name, view.received_to)
            self._start_watching(view.name, view.received_to)

    async def stop(self) -> None:
        """Watch and join no more rooms."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _check(self) -> None:
        try:
            requests = self._rooms.current.membership.requests
            entries = await requests.own_rooms()
        except (NotConnected, RequestRefused):
            return  # a reconnect checks again
        except RemoteError as error:
            self._notifier.show_error(error)
            return
        direct = [entry for entry in entries if entry.kind is Kind.DIRECT]
        newest = sorted((entry for entry in direct if entry.asked), key=lambda entry: -entry.asked)
        self._requests = {entry.name for entry in newest[:REQUESTS_AT_MOST]}
        self._announced.clear()
        for entry in direct:
            self._rooms.add_known(entry.name, entry.kind, entry.peer)
            is_few = not entry.asked or entry.name in self._requests
            if is_few and not entry.blocked:
                self._start_watching(entry.name, self._storage.read_position(entry.name) or (0, ""))

    def _may_join(self, room: str) -> bool:
        """Whether a room may be joined or watched without the user: the last rooms of the connection are for those that the user joins."""
        rooms = (
            {membership.room for membership in self._rooms.connection.rooms} | self._watched | self._joining
        )
        return room in rooms or len(rooms) < ROOMS_AT_MOST - ROOMS_FREE

    def _pay_for_join(self) -> bool:
        """Count a join that nobody has asked for. Returns whether it is allowed now."""
        now = asyncio.get_running_loop().time()
        paid_at = max(self._paid_at, now) + JOIN_SECONDS
        if paid_at > now + JOINS_AT_ONCE * JOIN_SECONDS:
            return False
        self._paid_at = paid_at
        return True

    def _announce(self, opened: RoomOpened) -> None:
        """Announce a room that is not joined, once."""
        if opened.room not in self._announced and len(self._announced) < ANNOUNCED_AT_MOST:
            self._announced.add(opened.room)
            if opened.peer not in self._notifier.ignored:
                self._notify_of(opened.peer)

    def _start_watching(self, room: str, read_to: tuple[int, str]) -> None:
        is_known = room in self._rooms.views or room in self._watched or room in self._joining
        if not is_known and self._may_join(room):
            self._watched.add(room)
            self._run(self._watch(room, read_to))

    async def _watch(self, room: str, read_to: tuple[int, str]) -> None:
        try:
            membership = self._rooms.connection.join(room, secret=self._secret, quiet=True)
            author = await self._new_message(membership, read_to)
            await membership.leave()
        except RemoteError:
            return  # the joined rooms report the loss of the connection
        finally:
            self._watched.discard(room)
        if author is not None:
            self._start_joining(room, is_announced=bool(author))

    async def _new_message(self, membership: Membership, read_to: tuple[int, str]) -> str | None:
        """Wait for a message by somebody else.

        Returns:
            Its author; empty if it was posted before the room was watched; None if the room is no longer watched.
        """
        last, epoch = read_to
        async for event in membership.events():
            match event:
                case Welcome():
                    # A position in a replaced log means nothing in the new one. Another device may have read on.
                    is_new = event.head > max(last if epoch == event.epoch else 0, event.read_up_to or 0)
                    last, epoch = event.head, event.epoch
                    if is_new and self._may_catch_up(membership.room):
                        return ""
                case ReceivedMessage() if event.id > last:
                    last = event.id
                    # The user's own posts from another device do not count.
                    if event.user not in self._rooms.own_names:
                        return event.user
                case _:
                    pass
        return None

    def _may_catch_up(self, room: str) -> bool:
        if room not in self._caught_up and len(self._caught_up) >= CATCH_UP_ROOMS_AT_MOST:
            return False
        self._caught_up.add(room)
        return True

    def _start_joining(self, room: str, *, is_announced: bool) -> None:
        if room not in self._rooms.views and room not in self._joining:
            self._joining.add(room)
            self._run(self._join(room, is_announced=is_announced))

    async def _join(self, room: str, *, is_announced: bool) -> None:
        try:
            cursor = self._storage.read_position(room)
            view = await self._rooms.join(room, self._rooms.current.me, cursor=cursor)
        except RemoteError as error:
            self._notifier.show_error(error)
            return
        finally:
            self._joining.discard(room)
        if view.name in self._rooms.views:
            return  # the user has joined it meanwhile
        self._rooms.add_in_background(view)
        if is_announced and view.peer not in self._notifier.ignored:
            self._notify_of(view.peer)
            self._notifier.ring(is_for_me=True)

    def _notify_of(self, peer: str) -> None:
        phrases = self._notifier.phrases
        self._notifier.notify(
            phrases.direct_opened.format(who=in_sentence(peer, phrases.language), peer=peer)
        )
