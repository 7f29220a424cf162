"""A connection to one room of a chat that comes back by itself and loses nothing that was said.

It keeps a cursor (the id of the last message it has given out) and an outbox (what was said and has not been heard
back). After a reconnect it reads on from the cursor and says again what is in the outbox, in order.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from besedka.remote.carrier import Carrier
from besedka.remote.errors import (
    AskRefused,
    CarrierEnded,
    ConnectionFailed,
    JoinRefused,
    RemoteError,
    SayRefused,
)
from besedka.remote.outbox import Outbox
from besedka.remote.ways import carry
from besedka.wire.line import STAMP, MessageId, read_line
from besedka.wire.names import DEFAULT_ROOM
from besedka.wire.refusals import Code
from besedka.wire.words import (
    FOUND_MESSAGES,
    BeginTyping,
    Browse,
    Chat,
    ClientWord,
    Error,
    History,
    Join,
    Leave,
    ListRooms,
    RoomEntry,
    Rooms,
    Say,
    Search,
    ServerWord,
    System,
    Typing,
    Welcome,
)
from besedka.wire.words import Found as FoundWord

FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 15.0
"""Between two tries to come back; each is shortened by chance, so that not all clients come at once."""

SHORTEST_PART: Final = 0.1
"""How much of a wait is left at least."""

SAID_AGAIN: Final = frozenset({Code.NOT_STORED, Code.GOING_DOWN})
"""Refusals after which the server ends: what was refused is kept, and said again to the next one."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, from the history or live.

    Attributes:
        id: its ordinal number in the room.
        stamp: when it was stored, in the server's zone: ``YYYY-MM-DD HH:MM:SS``.
        is_old: it was said before we came in.
    """

    id: MessageId
    user: str
    text: str
    stamp: str
    is_old: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found.

    Attributes:
        messages: in the order of their ids.
        before: where to go on for older ones, also if nothing was found; 0: all was looked at.
    """

    messages: list[Heard]
    before: int


@dataclass(frozen=True, slots=True)
class Away:
    """The connection is lost; the next try is in so many seconds."""

    retry_in: float


@dataclass(frozen=True, slots=True)
class Reset:
    """The history was replaced by another; what was heard before does not belong to it."""


Event = Welcome | Heard | System | Typing | Error | Away | Reset


class Connection:
    """A person's connection to one room of a chat.

    Args:
        url: of the chat, as `address` gives it.
        user: the name to be known by; empty for one who only reads, and is not seen.
        room: the room to be in.
        secret: shows that two connections are the same person; made by chance if it is empty.
        since: the id of the last message that was seen; None begins with the last 10.
        epoch: the one that ``since`` belongs to.
        quiet: be there unseen: not counted, not announced, not among the users.
    """

    def __init__(
        self,
        url: str,
        user: str,
        room: str = DEFAULT_ROOM,
        *,
        secret: str = "",
        since: int | None = None,
        epoch: str = "",
        quiet: bool = False,
    ) -> None:
        self._url = url
        self._user = user
        self._room = room
        self._secret = secret or secrets.token_hex(32)
        self._quiet = quiet
        self._carrier: Carrier | None = None
        self._outbox = Outbox()
        self._stored: dict[str, asyncio.Future[MessageId]] = {}
        self._pages: dict[int, asyncio.Future[list[Heard]]] = {}
        # Questions that were not answered yet, by their keys.
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._since = since
        self._last = since or 0
        self._old_until = 0
        self._epoch = epoch
        self._utc_offset = 0
        self._has_been_in = False
        self._is_in = False
        self._may_send = asyncio.Event()
        self._held_until = 0.0

    @property
    def waiting(self) -> int:
        """How many messages were said and not yet heard back."""
        return len(self._outbox)

    @property
    def cursor(self) -> tuple[int, str]:
        """The id of the last message that was given out, and its epoch: to come back with in another process."""
        return self._last, self._epoch

    def say(self, text: str) -> asyncio.Future[MessageId]:
        """Say something; it is kept until it has been heard back.

        Returns:
            Its id, when it is on the server's disk; or `SayRefused`. It need not be waited for.
        """
        word = Say(text=text, room=self._room, key=secrets.token_hex(16), after=self._last)
        self._outbox.add(word)
        stored = self._stored[word.key] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(_retrieved)
        self._may_send.set()
        return stored

    async def page(self, first: int, limit: int) -> list[Heard]:
        """Messages from this id on, at most so many, read again from the log.

        Raises:
            CarrierEnded: if there is no connection; ask again when it is back.
        """
        found: list[Heard] = []
        before = first + limit
        # Where messages are long a page has only the last of those that were asked for.
        while before > first:
            page = await self._page(before, before - first)
            if not page:
                break
            found = [*page, *found]
            before = page[0].id
        return found

    async def _page(self, before: int, limit: int) -> list[Heard]:
        if not (self._is_in and self._carrier):
            raise CarrierEnded("there is no connection", come_back=True)
        if before not in self._pages:
            self._pages[before] = asyncio.get_running_loop().create_future()
            await self._carrier.send(Browse(before=before, room=self._room, limit=limit))
        return await asyncio.shield(self._pages[before])

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat, by name.

        Raises:
            CarrierEnded: if there is no connection; ask again when it is back.
            AskRefused: if the server does not answer; it tells why.
        """
        answer: Rooms = await self._ask(ListRooms(key=secrets.token_hex(16)))
        return answer.rooms

    async def search(self, text: str, before: int = 0, limit: int = FOUND_MESSAGES) -> Found:
        """Messages of the room that hold a text, in capitals or small letters; the newest ones, at most so many.

        The server looks only so long at a time: ask again with `Found.before` for what is older, until that is 0.

        Args:
            text: what to look for.
            before: look only at messages older than this id; 0: at all.
            limit: how many to find; the server gives 100 at most.

        Raises:
            CarrierEnded: if there is no connection; ask again when it is back.
            AskRefused: if the server does not search for it; it tells why.
        """
        key = secrets.token_hex(16)
        word = Search(text=text, room=self._room, before=before, limit=limit, key=key)
        answer: FoundWord = await self._ask(word)
        lines = zip(answer.ids, answer.messages, strict=True)
        return Found([self._read_line(number, raw) for number, raw in lines], answer.before)

    async def _ask(self, word: ListRooms | Search) -> Any:
        if not (self._is_in and self._carrier):
            raise CarrierEnded("there is no connection", come_back=True)
        asked = self._asked[word.key] = asyncio.get_running_loop().create_future()
        asked.add_done_callback(_retrieved)
        try:
            await self._carrier.send(word)
            return await asked
        finally:
            del self._asked[word.key]

    async def typing(self) -> None:
        """Tell the others that something is being typed, if there is a connection."""
        if self._is_in:
            await self._send(BeginTyping(room=self._room))

    async def events(self) -> AsyncIterator[Event]:
        """What happens, for ever; reconnects as often as needed.

        Raises:
            ConnectionFailed: if the first try fails, or the server does not want us back.
            JoinRefused: if the first join is refused.
        """
        tries = 0
        while True:
            try:
                async with carry(self._url) as carrier:
                    async for event in self._visit(carrier):
                        tries = 0
                        yield event
            except CarrierEnded as ended:
                if not self._has_been_in:
                    raise ConnectionFailed(f"cannot reach a chat at {self._url}: {ended}") from None
                if not ended.come_back:
                    raise ConnectionFailed(
                        f"the chat at {self._url} has ended the connection: {ended}"
                    ) from None
            finally:
                self._carrier = None
                self._is_in = False
            longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**tries)
            wait = longest * random.uniform(SHORTEST_PART, 1)  # noqa: S311 - spreads load, guards nothing
            tries += 1
            yield Away(wait)
            await asyncio.sleep(wait)

    async def leave(self) -> None:
        """Say goodbye, if there is a connection."""
        if self._is_in:
            await self._send(Leave(room=self._room))

    # A visit: from a connection to its end.

    async def _visit(self, carrier: Carrier) -> AsyncIterator[Event]:
        self._carrier = carrier
        self._outbox.begin_again()
        self._held_until = 0.0
        since = self._last if self._has_been_in else self._since
        await carrier.send(
            Join(
                user=self._user or None,
                room=self._room,
                since=since,
                epoch=self._epoch,
                secret=self._secret,
                quiet=self._quiet,
            )
        )
        sending = asyncio.create_task(self._send_what_waits())
        try:
            async for word in carrier.words():
                for event in self._take(word):
                    yield event
                self._may_send.set()
        finally:
            for asked in self._pages.values():
                asked.set_exception(CarrierEnded("the connection was lost", come_back=True))
                asked.exception()
            self._pages.clear()
            for asked in self._asked.values():
                _answer(asked, CarrierEnded("the connection was lost", come_back=True))
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send_what_waits(self) -> None:
        """Send what is in the outbox, in order, whenever it may be sent."""
        while True:
            await self._may_send.wait()
            self._may_send.clear()
            await asyncio.sleep(self._held_until - asyncio.get_running_loop().time())
            while self._is_in and not self._is_held and (word := self._outbox.next()):
                await self._send(word)

    @property
    def _is_held(self) -> bool:
        return asyncio.get_running_loop().time() < self._held_until

    async def _send(self, word: ClientWord) -> None:
        if self._carrier:
            # The reader of events learns of an end too, and comes back; what was said waits in the outbox.
            with suppress(CarrierEnded):
                await self._carrier.send(word)

    # What is told.

    def _take(self, word: ServerWord) -> list[Event]:
        match word:
            case Welcome():
                return self._welcomed(word)
            case History(before=None):
                return self._heard_history(word)
            case History() | Rooms() | FoundWord():
                return self._answered(word)
            case Chat():
                return self._heard(word)
            case Error():
                return self._refused(word)
            case System() | Typing():
                return [word]

    def _answered(self, word: History | Rooms | FoundWord) -> list[Event]:
        if isinstance(word, History):
            asked = self._pages.pop(word.before or 0, None)
            if asked:
                asked.set_result(self._read(word))
        elif word.key in self._asked:
            _answer(self._asked[word.key], word)
        return []

    def _welcomed(self, word: Welcome) -> list[Event]:
        events: list[Event] = [word]
        is_other_log = bool(self._epoch and word.epoch and word.epoch != self._epoch)
        if word.reset or (self._has_been_in and is_other_log):
            self._last = 0
            if self._has_been_in:
                events.append(Reset())
        if not self._has_been_in:
            self._old_until = word.head
        self._has_been_in = self._is_in = True
        self._epoch = word.epoch or self._epoch
        self._utc_offset = word.utc_offset
        return events

    def _heard(self, word: Chat) -> list[Event]:
        self._settle(word.key, word.id)
        if word.id <= self._last:
            return []
        self._last = word.id
        moment = datetime.fromtimestamp(word.at, UTC) + timedelta(seconds=self._utc_offset)
        is_old = word.id <= self._old_until
        return [Heard(MessageId(word.id), word.user, word.text, moment.strftime(STAMP), is_old)]

    def _heard_history(self, page: History) -> list[Event]:
        for number, key in page.keys.items():
            self._settle(key, number)
        heard = [one for one in self._read(page) if one.id > self._last]
        self._last = max(self._last, page.first + len(page.messages) - 1)
        return [*heard]

    def _read(self, page: History) -> list[Heard]:
        return [self._read_line(number, raw) for number, raw in enumerate(page.messages, page.first)]

    def _read_line(self, number: int, raw: str) -> Heard:
        line = read_line(raw)
        return Heard(MessageId(number), line.user, line.text, line.stamp, number <= self._old_until)

    def _refused(self, word: Error) -> list[Event]:
        if word.key in self._asked:
            _answer(self._asked[word.key], AskRefused(word.code, word.text))
            return []
        if word.code == Code.TOO_FAST and word.key:
            if self._is_held:
                return []  # it was on its way behind the first one that was refused
            self._outbox.said_too_fast()
            self._held_until = asyncio.get_running_loop().time() + word.retry_after
            return [word]
        # Our own ghost may still hold the name after a lost connection; the next try will find it free.
        if not self._is_in and not word.key:
            if not self._has_been_in:
                raise JoinRefused(word.code, word.text)
            raise CarrierEnded(word.text, come_back=True)
        if word.key and word.code not in SAID_AGAIN:
            self._outbox.heard(word.key)
            stored = self._stored.pop(word.key, None)
            if stored and not stored.done():
                stored.set_exception(SayRefused(word.code, word.text))
        return [word]

    def _settle(self, key: str, number: int) -> None:
        self._outbox.heard(key)
        stored = self._stored.pop(key, None)
        if stored and not stored.done():
            stored.set_result(MessageId(number))


def _answer(asked: asyncio.Future[Any], answer: ServerWord | RemoteError) -> None:
    """Give an answer to one who asks, if he still waits for it."""
    if asked.done():
        return
    if isinstance(answer, RemoteError):
        asked.set_exception(answer)
    else:
        asked.set_result(answer)


def _retrieved(stored: asyncio.Future[MessageId]) -> None:
    """Not everybody waits to hear that it was refused; events tell it, too."""
    if not stored.cancelled():
        stored.exception()
