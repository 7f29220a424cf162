"""The rooms that one is in: entering, going from one to another, and leaving them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from besedka.remote.address import Address
from besedka.remote.connection import Connection
from besedka.remote.errors import ACCESS_ENDINGS
from besedka.remote.events import Event
from besedka.terminal.room_view import RoomView, State
from besedka.terminal.storage.storage import Keeping
from besedka.terminal.ui import formatting
from besedka.terminal.ui.notifier import Telling
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Kind

OUT: Final = frozenset({*ACCESS_ENDINGS.values(), ErrorCode.NAME_CLAIMED})
"""Why one is out of the whole chat, and not of one room only."""


class Rooms:
    """The rooms of one terminal.

    Args:
        there: the chat, and the room to begin in.
        secret: shows that several programs are the same person; for each name.
        tell: tells what happens to them.
        keeping: keeps what waits in them.
        listen: hears what happens in them.
        pause: returns when more can be taken in.
        changed: told when the line and the bar are to be drawn again.
        end: told when one is in no room any more.

    Attributes:
        there: the chat.
        secret: as it was given.
        places: the rooms that one is in, by name; the last one was looked at last.
        current: the one that is looked at.
        failure: why one is in no room any more.
        own_names: under which one is there, or was.
        known_rooms: the names of rooms that were heard of.
        known_talks: the names of the rooms of direct talks that were heard of, by the person they are with.
        unread_is_due: whether one has looked elsewhere since a message was shown.
    """

    def __init__(
        self,
        there: Address,
        secret: Callable[[str], str],
        tell: Telling,
        keeping: Keeping,
        *,
        listen: Callable[[RoomView, Event], None],
        pause: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        self.there = there
        self.secret = secret
        self.places: dict[str, RoomView] = {}
        self.current: RoomView
        self.failure: BaseException | None = None
        self.own_names: set[str] = set()
        self.known_rooms: set[str] = {there.room}
        self.known_talks: dict[str, str] = {}
        self.unread_is_due = False
        self._tell = tell
        self._words = tell.words
        self._keeping = keeping
        self._listen = listen
        self._pause = pause
        self._changed = changed
        self._end = end

    @property
    def waiting(self) -> int:
        """How many messages wait to be sent, in all rooms."""
        return sum(place.connection.waiting for place in self.places.values())

    @property
    def others(self) -> list[RoomView]:
        """Those that are not looked at."""
        return [place for place in self.places.values() if place is not self.current]

    def is_looked_at(self, place: RoomView) -> bool:
        """Whether this is the one that is looked at."""
        return bool(self.places) and place is self.current

    def is_in(self) -> bool:
        """Whether there is a connection to the room that is looked at; if not, it is told."""
        if self.current.state is not State.IN:
            self._tell.problem(self._words.not_now)
        return self.current.state is State.IN

    def know(self, room: str, kind: Kind, peer: str) -> None:
        """A room was heard of."""
        if kind is Kind.DIRECT:
            self.known_talks[peer] = room
        else:
            self.known_rooms.add(room)

    def names(self) -> list[str]:
        """Where one can go, as it is typed."""
        return [*sorted(self.known_rooms), *(f"@{peer}" for peer in sorted(self.known_talks))]

    def place_of(self, given: str) -> RoomView | None:
        """The place that is called so: a room by its name, a direct talk by whom it is with."""
        called = given.strip().casefold()
        titles = (called, f"# {called.removeprefix('#').strip()}", f"@ {called.removeprefix('@').strip()}")
        return next((place for place in self.places.values() if place.title.casefold() in titles), None)

    async def enter(
        self, room: str, user: str, *, cursor: tuple[int, str] | None = None, invite: str = ""
    ) -> RoomView:
        """Enter a room.

        Args:
            room: its name.
            user: one's own name there.
            cursor: where to read on: an id and its epoch; None: from the last messages on.
            invite: the token of an invitation into it.

        Raises:
            ConnectionFailed: if there is no chat.
            JoinRefused: if one is not let in.
        """
        unsent = self._keeping.unsent(room, user)
        left = unsent.left if unsent else []
        since, epoch = cursor or (None, "")
        connection = Connection(
            self.there.url,
            user,
            room,
            secret=self.secret(user),
            since=since,
            epoch=epoch,
            invite=invite,
            key=self.there.key,
            unsent=left,
        )
        place = RoomView(connection, unsent, room, self._listen, self._pause)
        is_new_name = user not in self.own_names
        # Others are told of us before we are told that we are in.
        self.own_names.add(user)
        try:
            await place.joined()
        except BaseException:
            if is_new_name:
                self.own_names.discard(user)
            await place.leave()
            raise
        self.know(place.room, place.kind, place.peer)
        self.own_names.add(place.me)
        place.ended.add_done_callback(lambda _: self._lost(place))
        if left:
            self._tell.remark(self._words.kept.format(n=len(left)))
        if unsent and unsent.is_damaged:
            self._tell.problem(self._words.kept_damaged.format(path=unsent.damaged))
        return place

    def go(self, place: RoomView) -> None:
        """Look at a room; what came meanwhile is shown."""
        is_new = place.room not in self.places
        self.places.pop(place.room, None)
        self.places[place.room] = self.current = place
        self.unread_is_due = False
        if is_new:
            welcome = self._welcome(place)
            self._tell.remark(welcome if len(self.places) > 1 else f"{welcome} {self._words.how}")
        else:
            self._tell.put(formatting.rule(place.title))
        gone, missed = place.catch_up()
        if missed and not is_new:
            self._tell.put(formatting.rule(self._words.unread))
        if gone:
            self._tell.remark(self._words.missed.format(n=gone))
        self._tell.show(place, missed)
        self._changed()

    def stay_behind(self, place: RoomView) -> None:
        """Be in a room without looking at it, and come to it last of all."""
        self.places = {place.room: place, **self.places}
        self._changed()

    async def rename(self, place: RoomView, name: str) -> None:
        """Be in a room under another name: come in anew, and let the old one go.

        Raises:
            ConnectionFailed: if there is no chat.
            JoinRefused: if one is not let in; one stays under the old name.
        """
        fresh = await self.enter(place.room, name, cursor=place.connection.cursor)
        fresh.take_over(place)
        self.places[place.room] = fresh
        if place is self.current:
            self.current = fresh
            self._tell.show(fresh, fresh.catch_up()[1])
        await place.leave()

    async def forget(self, place: RoomView) -> None:
        """Leave a room; if it is looked at, go back to the one before."""
        self._let_go(place)
        await place.leave()

    async def leave(self) -> None:
        """Leave all of them."""
        await asyncio.gather(*(place.leave() for place in self.places.values()))

    def _let_go(self, place: RoomView) -> None:
        del self.places[place.room]
        if place is self.current:
            self.go([*self.places.values()][-1])

    def _lost(self, place: RoomView) -> None:
        """The server does not want us back in a room."""
        error = None if place.ended.cancelled() else place.ended.exception()
        if error is None or self.places.get(place.room) is not place:
            return
        code = getattr(error, "code", "")
        if len(self.places) == 1 or code in OUT:
            self.failure = self.failure or error
            self._end()
            return
        if code == ErrorCode.NOT_INVITED:
            self._tell.problem(self._words.put_out.format(room=place.room))
        else:
            self._tell.problem(f"{place.title}: {self._words.refusals.get(code, str(error))}")
        place.close()
        self._let_go(place)

    def _welcome(self, place: RoomView) -> str:
        if place.kind is Kind.DIRECT:
            return self._words.welcome_direct.format(peer=place.peer, user=place.me)
        return self._words.welcome.format(room=place.room, user=place.me)
