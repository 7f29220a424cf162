"""The rooms of a session: joining, switching and leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from besedka.remote.address import Address
from besedka.remote.chat_connection import ROOMS_AT_MOST, ChatConnection
from besedka.remote.errors import ACCESS_ENDINGS, ConnectionFailed, JoinRefused, RemoteError, sentence_of
from besedka.remote.room.events import Event, ReceivedMessage
from besedka.terminal.room_view import ConnectionState, RoomView
from besedka.terminal.storage import Storage, UnsentMessages
from besedka.terminal.ui import formatting
from besedka.terminal.ui.notifier import Notifier
from besedka.wire.durations import format_duration
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Kind
from besedka.wire.naming import in_sentence
from besedka.wire.validation import DEFAULT_ROOM

ENDS_ALL_ROOMS: Final = frozenset({*ACCESS_ENDINGS.values(), ErrorCode.NAME_CLAIMED})
"""Errors that end a membership and hold for all rooms of the chat."""

KNOWN_ROOMS_AT_MOST: Final = 10_000
"""Rooms whose names are kept for completion, direct ones included."""


class RoomNotConnected(Exception):  # noqa: N818 - says what is the case
    """The current room has no connection at the moment."""


class Rooms:
    """The rooms of one session.

    Args:
        address: the chat's address, with the first room.
        secret: returns the secret that proves a name.
        notifier: shows messages and notices.
        storage: keeps unsent messages and read positions.
        receive: called with each event of each room.
        until_printable: returns when the screen can take more.
        switched: called with a room that was put on the screen.
        redraw: called when the input line and the status bar have changed.
        ended: called with the reason when the server has ended the session for good.

    Attributes:
        address: the chat's address.
        secret: returns the secret that proves a name.
        connection: the connection of all rooms.
        views: the rooms by name; the last one was on the screen most recently.
        current: the room on the screen.
        failure: the error with which the server ended the session, if it did.
        own_names: the names that the user has, or had, in this session.
        known_rooms: the names of rooms seen so far.
        known_direct_rooms: the names of direct rooms seen so far, by the other person.
        is_unread_rule_due: whether the user has looked at another window since a message was shown.
        is_in_sight: whether the terminal has reported that the user is looking at it.
    """

    def __init__(
        self,
        address: Address,
        secret: Callable[[str], str],
        notifier: Notifier,
        storage: Storage,
        *,
        receive: Callable[[RoomView, Event], None],
        until_printable: Callable[[], Awaitable[None]],
        switched: Callable[[RoomView], None],
        redraw: Callable[[], None],
        ended: Callable[[BaseException], None],
    ) -> None:
        self.address = address
        self.secret = secret
        self.connection = ChatConnection(address.url, key=address.key, language=notifier.phrases.language)
        self.views: dict[str, RoomView] = {}
        self.current: RoomView
        self.failure: BaseException | None = None
        self.own_names: set[str] = set()
        self.known_rooms: set[str] = {address.room}
        self.known_direct_rooms: dict[str, str] = {}
        self.is_unread_rule_due = False
        self.is_in_sight = False
        # Only one task joins rooms at a time: the user may join the room of a direct message that has just arrived.
        self._joining = asyncio.Lock()
        self._notifier = notifier
        self._phrases = notifier.phrases
        self._storage = storage
        self._receive = receive
        self._until_printable = until_printable
        self._switched = switched
        self._redraw = redraw
        self._ended = ended
        self._retreating: asyncio.Task[None] | None = None

    @property
    def unsent_count(self) -> int:
        """The number of messages that wait to be sent, in all rooms."""
        return sum(view.membership.waiting for view in self.views.values())

    @property
    def others(self) -> list[RoomView]:
        """The rooms that are not on the screen."""
        return [view for view in self.views.values() if view is not self.current]

    def is_current(self, view: RoomView) -> bool:
        """Whether a room is the one on the screen."""
        return bool(self.views) and view is self.current

    def check_connected(self) -> None:
        """Check that the current room has a connection.

        Raises:
            RoomNotConnected: if it has none.
        """
        if self.current.state is not ConnectionState.CONNECTED:
            raise RoomNotConnected

    def add_known(self, room: str, kind: Kind, peer: str) -> None:
        """Add a room to the known rooms, as long as they are no more than `KNOWN_ROOMS_AT_MOST`."""
        if len(self.known_rooms) + len(self.known_direct_rooms) >= KNOWN_ROOMS_AT_MOST:
            return
        if kind is Kind.DIRECT:
            self.known_direct_rooms[peer] = room
        else:
            self.known_rooms.add(room)

    def destinations(self) -> list[str]:
        """Completions of `/join`: all known rooms, then people."""
        return [*sorted(self.known_rooms), *(f"@{peer}" for peer in sorted(self.known_direct_rooms))]

    def find(self, typed: str) -> RoomView | None:
        """The room with a typed name, with or without ``#``; or the direct room with a person, with or without ``@``."""
        name = typed.strip().casefold()
        titles = (name, f"# {name.removeprefix('#').strip()}", f"@ {name.removeprefix('@').strip()}")
        return next((view for view in self.views.values() if view.title.casefold() in titles), None)

    async def join(
        self,
        room: str,
        user: str,
        *,
        cursor: tuple[int, str] | None = None,
        invite: str = "",
        must_exist: bool = False,
    ) -> RoomView:
        """Join a room without showing it yet, unless it is joined already.

        Args:
            room: the room's name.
            user: the user's name in it.
            cursor: the id and the epoch to read on from; None begins with the last 10 messages.
            invite: the token of an invitation.
            must_exist: create no room.

        Raises:
            ConnectionFailed: if the chat cannot be reached.
            JoinRefused: if the server refuses the room or the name.
        """
        async with self._joining:
            return self.views.get(room) or await self._join(room, user, cursor, invite, must_exist=must_exist)

    async def _join(
        self, room: str, user: str, cursor: tuple[int, str] | None, invite: str, *, must_exist: bool
    ) -> RoomView:
        await self._make_room_for(room)
        unsent = self._storage.unsent(room, user)
        since, epoch = cursor or (None, "")
        try:
            membership = self.connection.join(
                room,
                user,
                secret=self.secret(user),
                since=since,
                epoch=epoch,
                invite=invite,
                must_exist=must_exist,
                unsent=unsent.recovered if unsent else (),
            )
        except JoinRefused:
            if unsent:
                unsent.close()
            raise
        view = RoomView(membership, unsent, room, self._receive, self._until_printable)
        await self._wait_until_joined(view, user)
        self.add_known(view.name, view.kind, view.peer)
        view.ended.add_done_callback(lambda _: self._membership_ended(view))
        self._report_recovered(unsent)
        return view

    async def _make_room_for(self, room: str) -> None:
        """Stop watching the room that is to be joined, or, at the limit of rooms, some other watched one."""
        watched = [membership for membership in self.connection.rooms if membership.quiet]
        dropped = [membership for membership in watched if membership.room == room]
        if not dropped and len(self.connection.rooms) >= ROOMS_AT_MOST:
            dropped = watched[:1]
        for membership in dropped:
            await membership.leave()

    def _report_recovered(self, unsent: UnsentMessages | None) -> None:
        if unsent and unsent.recovered:
            self._notifier.notify(self._phrases.resending.format(n=len(unsent.recovered)))
        if unsent and unsent.is_damaged:
            self._notifier.show_problem(self._phrases.unsent_damaged.format(path=unsent.damaged))

    async def _wait_until_joined(self, view: RoomView, user: str) -> None:
        try:
            with self._expected(user):
                await view.joined()
        except BaseException:
            await view.leave()
            raise
        self.own_names.add(view.me)

    @contextmanager
    def _expected(self, name: str) -> Iterator[None]:
        """Count a name as the user's own before the welcome: the notice of their own join arrives first."""
        is_new = name not in self.own_names
        self.own_names.add(name)
        try:
            yield
        except BaseException:
            if is_new:
                self.own_names.discard(name)
            raise

    def switch_to(self, view: RoomView) -> None:
        """Put a room on the screen, with its unread messages."""
        is_new = view.name not in self.views
        self._number(view)
        self.views.pop(view.name, None)
        self.views[view.name] = self.current = view
        self.is_unread_rule_due = False
        if is_new:
            welcome = self._welcome(view)
            self._notifier.notify(welcome if len(self.views) > 1 else f"{welcome} {self._phrases.help_hint}")
            if view.slow:
                self._notifier.notify(self._phrases.slow.format(time=format_duration(view.slow)))
            if view.is_archived:
                self._notifier.notify(self._phrases.refusals[ErrorCode.ROOM_ARCHIVED])
            # The other messages that were there at the join are still to come.
            view.expect_unread_rule()
            for message in view.take_unshown()[1]:
                self.show_received(view, message)
        else:
            self._notifier.show(formatting.rule(view.title))
            self._show_unshown(view)
        self._switched(view)
        self.mark_read()
        self._redraw()

    def mark_read(self) -> None:
        """Note that the user has seen the room on the screen: they have come to it, or are typing."""
        self.current.mark_read()

    def show_received(self, view: RoomView, message: ReceivedMessage) -> None:
        """Show a message of the room on the screen, below a rule if it is the first that was there and not read at the join."""
        missing = view.take_unread_rule(message)
        if missing is not None:
            self._notifier.show(formatting.rule(self._phrases.unread))
        if missing:
            self._notifier.notify(self._phrases.more_unread.format(n=missing))
        self._notifier.show_messages(view, [message])
        # What was there at the join comes while the user looks for it.
        if self.is_in_sight or message.is_old:
            view.mark_read()

    def _show_unshown(self, view: RoomView) -> None:
        """Show the messages that were not shown yet, with a rule above those that the user has not read on another device either."""
        dropped, messages = view.take_unshown()
        read = [message for message in messages if message.id <= view.read_up_to]
        unread = messages[len(read) :]
        if unread and not read:
            self._notifier.show(formatting.rule(self._phrases.unread))
        if dropped:
            self._notifier.notify(self._phrases.more_unread.format(n=dropped))
        self._notifier.show_messages(view, read)
        if unread and read:
            self._notifier.show(formatting.rule(self._phrases.unread))
        self._notifier.show_messages(view, unread)

    def add_in_background(self, view: RoomView) -> None:
        """Add a joined room without showing it; it is the last one to be switched to."""
        self._number(view)
        self.views = {view.name: view, **self.views}
        self._redraw()

    def _number(self, view: RoomView) -> None:
        """Give a room the lowest number that no other one has; it stays until the room is left."""
        taken = {other.number for other in self.views.values()}
        view.number = view.number or next(number for number in count(1) if number not in taken)

    async def rename(self, view: RoomView, name: str) -> None:
        """Change the name in a room.

        Raises:
            RemoteError: if the server refuses the name; the old one stays in use.
        """
        with self._expected(name):
            await view.rename(name, self.secret(name))
        self.own_names.add(view.me)
        unsent = self._storage.unsent(view.name, name)
        view.store_unsent_in(unsent)
        self._report_recovered(unsent)

    async def leave(self, view: RoomView) -> None:
        """Leave a room; if it is on the screen, switch to the previous one."""
        self._remove(view)
        await view.leave()

    async def leave_all(self) -> None:
        """Leave all rooms."""
        if self._retreating:
            self._retreating.cancel()
            await asyncio.gather(self._retreating, return_exceptions=True)
        await asyncio.gather(*(view.leave() for view in self.views.values()))
        await self.connection.close()

    def save(self) -> None:
        """Store the unsent messages of each room, and the read positions of direct rooms."""
        for view in self.views.values():
            if view.kind is Kind.DIRECT:
                self._storage.set_read_position(view.name, view.read_to)
            view.save_unsent()
        self._storage.save_read_positions()

    def _remove(self, view: RoomView) -> None:
        del self.views[view.name]
        if view is self.current:
            self.switch_to([*self.views.values()][-1])

    def _membership_ended(self, view: RoomView) -> None:
        """Handle a membership that the server ended for good: go to another room, or to the default one; without it the session ends."""
        error = None if view.ended.cancelled() else view.ended.exception()
        if error is None or self.failure or self.views.get(view.name) is not view:
            return
        code = getattr(error, "code", "")
        if isinstance(error, ConnectionFailed) or code in ENDS_ALL_ROOMS:
            self._fail(error)
            return
        view.save_unsent()
        view.close_unsent()
        if len(self.views) == 1 and view.name == DEFAULT_ROOM:
            self._fail(error)
            return
        if code == ErrorCode.NOT_INVITED:
            self._notifier.show_problem(self._phrases.removed.format(room=view.name))
        else:
            self._notifier.show_problem(f"{view.title}: {self._notifier.sentence(code, sentence_of(error))}")
        if len(self.views) > 1:
            self._remove(view)
        else:
            view.state = ConnectionState.ENDED
            self._retreating = asyncio.ensure_future(self._retreat_from(view))

    async def _retreat_from(self, lost: RoomView) -> None:
        """Go from the last room, which the server has ended, to the default one."""
        try:
            view = await self.join(DEFAULT_ROOM, lost.me)
        except RemoteError as error:
            self._fail(error)
            return
        del self.views[lost.name]
        self.switch_to(view)

    def _fail(self, error: BaseException) -> None:
        """Note that the server has ended the session."""
        self.failure = error
        for view in self.views.values():
            view.state = ConnectionState.ENDED
        self._ended(error)

    def _welcome(self, view: RoomView) -> str:
        if view.kind is Kind.DIRECT:
            return self._phrases.welcome_direct.format(
                peer=in_sentence(view.peer, self._phrases.language), user=view.me
            )
        return self._phrases.welcome.format(room=view.name, user=view.me)
