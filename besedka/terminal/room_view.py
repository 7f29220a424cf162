"""A room that one is in: its connection, who is there, and what came while one looked elsewhere."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from besedka.remote.connection import Connection
from besedka.remote.errors import RemoteError
from besedka.remote.events import Away, Event, Heard, Reset, people_after
from besedka.terminal.storage.unsent import Unsent
from besedka.wire.frames import Error, Kind, Redacted, Rights, RoomOpened, System, Typing, Welcome
from besedka.wire.mentions import mentions

MISSED_AT_MOST: Final = 200
"""Messages of a room that wait for one who looks elsewhere; what is older is in the log."""

SHOWN_AT_MOST: Final = 5_000
"""Messages of which it is known that they were shown, and who said them."""

TYPING_SECONDS: Final = 4.0
"""How long somebody is taken to type after a word of it; such words come at least every two seconds."""


class State(Enum):
    """How it stands with a room's connection."""

    CONNECTING = auto()
    IN = auto()
    AWAY = auto()


class RoomView:
    """One room.

    Args:
        connection: to the room.
        unsent: keeps what waits in it, if that can be kept.
        room: its name, as it was typed; `room` is as the server tells it.
        listen: hears what happens, after the place has taken it in.
        pause: returns when more can be taken in.

    Attributes:
        room: its name.
        me: one's own name in it.
        kind: what kind of room it is.
        peer: with whom a direct talk is.
        may: what one may do in it beside talking.
        state: of the connection.
        retry_at: when it is tried again, by the loop's clock, while `state` is away.
        people: the names of who is there, the first hundred or so.
        clients_count: how many are there.
        missed: what came while one looked elsewhere, the newest of it.
        missed_count: how many messages that were, those that are not in `missed` among them.
        is_called: whether one was mentioned in them.
        oldest: the id of the oldest message that was shown; 0 if none was.
        newest: the id of the newest one that was shown or missed.
        day: the day of the message that was shown last.
    """

    def __init__(
        self,
        connection: Connection,
        unsent: Unsent | None,
        room: str,
        listen: Callable[[RoomView, Event], None],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self.connection = connection
        self.room = room
        self.me = ""
        self.kind = Kind.OPEN
        self.peer = ""
        self.may: list[str] = []
        self.state = State.CONNECTING
        self.retry_at = 0.0
        self.people: list[str] = []
        self.clients_count = 0
        self.missed: deque[Heard] = deque(maxlen=MISSED_AT_MOST)
        self.missed_count = 0
        self.is_called = False
        self.oldest = 0
        self.newest = 0
        self._heard_to = connection.cursor[0]
        self.day = ""
        self._unsent = unsent
        self._shown: dict[int, str] = {}
        self._typing: dict[str, float] = {}
        self._listen = listen
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._joined: asyncio.Future[None] = self._loop.create_future()
        self.ended = asyncio.ensure_future(self._hear())

    @property
    def title(self) -> str:
        """What a person knows it by: a direct talk by whom it is with."""
        return title(self.room, self.kind, self.peer)

    @property
    def may_moderate(self) -> bool:
        """Whether one keeps order here."""
        return "moderate" in self.may

    @property
    def heard_to(self) -> tuple[int, str]:
        """The id of the last message that has come, and its epoch."""
        return self._heard_to, self.connection.cursor[1]

    @property
    def read_to(self) -> tuple[int, str]:
        """The same of the last one that was not missed."""
        return max(0, self._heard_to - self.missed_count), self.connection.cursor[1]

    async def joined(self) -> None:
        """Wait until one is in.

        Raises:
            ConnectionFailed: if there is no chat.
            JoinRefused: if one is not let in.
        """
        await self._joined

    async def leave(self) -> None:
        """Leave; what waits is kept."""
        await self.connection.leave()
        self.ended.cancel()
        await asyncio.gather(self.ended, return_exceptions=True)
        self.keep()
        self.close()

    def keep(self) -> None:
        """Keep on disk what waits."""
        if self._unsent:
            self._unsent.keep(self.connection.unsent)

    def close(self) -> None:
        """Keep nothing more."""
        if self._unsent:
            self._unsent.close()

    def typing(self) -> list[str]:
        """Who types just now."""
        now = self._loop.time()
        self._typing = {name: until for name, until in self._typing.items() if until > now}
        return [*self._typing]

    def miss(self, heard: Heard) -> None:
        """A message came while one looked elsewhere."""
        self.missed.append(heard)
        self.missed_count += 1
        self.newest = max(self.newest, heard.id)
        self.is_called = self.is_called or self.calls(heard)

    def calls(self, heard: Heard) -> bool:
        """Whether a message is meant for oneself: one's name is in it, or nobody else can be meant."""
        return heard.user != self.me and (self.kind is Kind.DIRECT or mentions(heard.text, self.me))

    def shown(self, heard: Heard) -> None:
        """A message was shown."""
        self.oldest = self.oldest or heard.id
        self.newest = max(self.newest, heard.id)
        self._shown[heard.id] = heard.user
        if len(self._shown) > SHOWN_AT_MOST:
            del self._shown[next(iter(self._shown))]

    def shown_speaker(self, number: int) -> str:
        """Who has said a message that was shown; empty if it was not."""
        return self._shown.get(number, "")

    def catch_up(self) -> tuple[int, list[Heard]]:
        """What was missed: how many messages that memory has not any more, and the others."""
        missed, gone = [*self.missed], self.missed_count - len(self.missed)
        self.missed.clear()
        self.missed_count, self.is_called = 0, False
        return gone, missed

    def take_over(self, other: RoomView) -> None:
        """Go on where another place in the same room ends, of the same person under another name."""
        new = [heard for heard in self.missed if heard.id > other.newest]
        self.missed = other.missed
        self.missed_count, self.is_called = other.missed_count, other.is_called
        self.oldest, self.newest, self.day = other.oldest, other.newest, other.day
        self._shown = other._shown
        for heard in new:
            self.miss(heard)

    async def _hear(self) -> None:
        try:
            async for event in self.connection.events():
                before = self.state
                self._take(event)
                self._listen(self, event)
                if isinstance(event, Welcome) and before is State.CONNECTING:
                    self._joined.set_result(None)
                await self._pause()
        except RemoteError as error:
            if self._joined.done():
                raise
            self._joined.set_exception(error)

    def _take(self, event: Event) -> None:
        match event:
            case Welcome():
                self.room, self.me, self.state = event.room, event.user, State.IN
                self.people, self.clients_count = event.users, event.clients_count
                self.kind, self.peer, self.may = event.kind, event.peer, event.may
                if event.reset:
                    self._heard_to = 0
            case System():
                self.clients_count = event.clients_count
                self.people = people_after(self.people, event)
            case Away():
                self.state, self.retry_at = State.AWAY, self._loop.time() + event.retry_in
                self._typing.clear()
            case Typing():
                self._typing[event.user] = self._loop.time() + TYPING_SECONDS
            case Heard():
                self._typing.pop(event.user, None)
                self._heard_to = event.id
            case Reset():
                self.oldest = self.newest = self._heard_to = 0
                self._shown.clear()
            case Redacted() | Rights():
                self._change(event)
            case Error() | RoomOpened():
                pass

    def _change(self, word: Redacted | Rights) -> None:
        if isinstance(word, Rights):
            self.may = word.may
            return
        for place, heard in enumerate(self.missed):
            if heard.id == word.id:
                self.missed[place] = replace(heard, text=word.text)


def title(room: str, kind: Kind, peer: str) -> str:
    """What a person knows a room by."""
    return f"@ {peer}" if kind is Kind.DIRECT else f"# {room}"
