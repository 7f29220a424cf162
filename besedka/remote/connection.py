"""A connection to one room of a chat that comes back by itself and loses nothing that was said.

It keeps a cursor (the id of the last message it has given out) and an outbox (what was said and has not been heard
back). After a reconnect it reads on from the cursor and says again what is in the outbox, in order.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from besedka.remote.asks import Asks
from besedka.remote.backoff import backoff
from besedka.remote.carrier import Carrier
from besedka.remote.errors import (
    CarrierEnded,
    ConnectionFailed,
    JoinRefused,
    RemoteError,
    SayRefused,
    ShownOut,
    needs_key,
)
from besedka.remote.outbox import Outbox
from besedka.remote.questions import Questions
from besedka.remote.ways import carry
from besedka.wire.line import MessageId, read_line, stamp_by_clock
from besedka.wire.names import DEFAULT_ROOM
from besedka.wire.refusals import Code
from besedka.wire.words import (
    FOUND_MESSAGES,
    BeginTyping,
    Browse,
    Chat,
    ClientWord,
    DeviceLink,
    Error,
    History,
    Join,
    Leave,
    ListRooms,
    Place,
    Redacted,
    Rights,
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

JOIN_SECONDS: Final = 15.0
"""How long a server may take to answer a join."""

LONGEST_HOLD_SECONDS: Final = 60.0
"""What was said too fast is said again after so long at most, whatever the server asks for."""

SAID_AGAIN: Final = frozenset({Code.NOT_STORED, Code.GOING_DOWN})
"""Refusals after which the server ends: what was refused is kept, and said again to the next one."""

BY_PERSON: Final = frozenset({Code.BANNED, Code.NOT_KNOWN})
"""Refusals that are about who we are, and not about a room or a name."""

SHUT: Final = BY_PERSON | {Code.NAME_CLAIMED, Code.NOT_INVITED, Code.BAD_LINK, Code.NO_ACCESS}
"""Refusals of one who comes back that will be the same the next time."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, from the history or live.

    Attributes:
        id: its ordinal number in the room.
        stamp: when it was stored, in the server's zone: ``YYYY-MM-DD HH:MM:SS``.
        is_old: it was said before we came in.
        is_unverified: its sender has not shown that the name is his.
    """

    id: MessageId
    user: str
    text: str
    stamp: str
    is_old: bool
    is_unverified: bool = False


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


W = TypeVar("W")
T = TypeVar("T")

Event = Welcome | Heard | Redacted | Rights | Place | System | Typing | Error | Away | Reset


class Connection:
    """A person's connection to one room of a chat.

    Args:
        url: of the chat, as `address` gives it.
        user: the name to be known by; empty for one who only reads, and is not seen.
        room: the room to be in.
        secret: shows that two connections are the same person, whose name it is; without one it is nobody's.
        since: the id of the last message that was seen; None begins with the last 10.
        epoch: the one that ``since`` belongs to.
        quiet: be there unseen: not counted, not announced, not among the users.
        invite: the token of an invitation, into the room or to the name.
        key: the access key, where the chat asks for one.
        unsent: what waited in another connection of the same person, to be said before anything else.

    Attributes:
        asks: what one may ask beside talking.
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
        invite: str = "",
        key: str = "",
        unsent: Sequence[Say] = (),
    ) -> None:
        self._url = url
        self._user = user
        self._room = room
        self._secret = secret
        self._quiet = quiet
        self._invite = invite
        self._key = key
        self._carrier: Carrier | None = None
        self._outbox = Outbox()
        for word in unsent:
            self._outbox.add(word, is_again=True)
        self._stored: dict[str, asyncio.Future[MessageId]] = {}
        self._questions = Questions()
        self.asks = Asks(self._questions)
        self._since = since
        self._last = since or 0
        self._old_until = 0
        # What the log had when we came cannot be what we say now, even before we have read it.
        self._not_ours_until = 0
        self._epoch = epoch
        self._utc_offset = 0
        self._has_been_in = False
        self._is_in = False
        self._may_send = asyncio.Event()
        self._held_until = 0.0

    async def add_device(self) -> DeviceLink:
        """What another device needs to be who we are.

        Raises:
            CarrierEnded: if there is no connection; ask again when it is back.
            AskRefused: if there is no secret, or the name is not ours.
        """
        return await self.asks.add_device(self._user, self._secret)

    @property
    def waiting(self) -> int:
        """How many messages were said and not yet heard back."""
        return len(self._outbox)

    @property
    def unsent(self) -> list[Say]:
        """What was said and not yet heard back, in order: for a connection that goes on where this one ends."""
        return self._outbox.words

    @property
    def cursor(self) -> tuple[int, str]:
        """The id of the last message that was given out, and its epoch: to come back with in another process."""
        return self._last, self._epoch

    def say(self, text: str) -> asyncio.Future[MessageId]:
        """Say something; it is kept until it has been heard back.

        Returns:
            Its id, when it is on the server's disk; or `SayRefused`. It need not be waited for.
        """
        after = max(self._last, self._not_ours_until)
        word = Say(text=text, room=self._room, key=_key(), after=after)
        self._outbox.add(word)
        stored = self._stored[word.key] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(_retrieved)
        self._may_send.set()
        return stored

    def give_up(self, why: RemoteError) -> None:
        """Nobody will take what waits: tell those who wait for it."""
        for stored in self._stored.values():
            if not stored.done():
                stored.set_exception(why)
        self._stored.clear()

    async def page(self, first: int, limit: int) -> list[Heard]:
        """Messages from this id on, at most so many, read again from the log.

        Raises:
            CarrierEnded: if there is no connection; ask again when it is back.
        """
        found: list[Heard] = []
        before = first + limit
        # Where messages are long a page has only the last of those that were asked for.
        while before > first:
            word = Browse(before=before, room=self._room, limit=before - first)
            page = self._understand(self._read, await self._questions.page(word))
            if not page:
                break
            if page[0].id >= before:
                raise self._not_besedka(f"a page before {before} begins with {page[0].id}")
            found = [*page, *found]
            before = page[0].id
        return found

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat, by name.

        Raises:
            CarrierEnded: if there is no connection; ask again when it is back.
            AskRefused: if the server does not answer; it tells why.
        """
        answer: Rooms = await self._questions.ask(ListRooms(key=_key()))
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
        key = _key()
        word = Search(text=text, room=self._room, before=before, limit=limit, key=key)
        answer: FoundWord = await self._questions.ask(word)
        if before and answer.before >= before:
            raise self._not_besedka(f"a search before {before} goes on before {answer.before}")
        return Found(self._understand(self._read_found, answer), answer.before)

    async def typing(self) -> None:
        """Tell the others that something is being typed, if there is a connection."""
        if self._is_in:
            await self._send(BeginTyping(room=self._room))

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens, for ever; reconnects as often as needed.

        Raises:
            ShownOut: if the chat does not want us any more: shown out, banned, not known.
            ConnectionFailed: if the first try fails, or the server does not want us back.
            JoinRefused: if the first join is refused; or a later one, for good; or if one is put out of the room. Also because of the
                access key; that may be withdrawn later.
        """
        tries = 0
        while True:
            try:
                async with carry(self._url, self._key) as carrier:
                    async for event in self._visit(carrier):
                        tries = 0
                        yield event
            except CarrierEnded as ended:
                if ended.code == Code.NO_ACCESS:
                    raise needs_key(self._url, self._key) from None
                if ended.code:
                    raise (ShownOut if self._has_been_in else JoinRefused)(ended.code, str(ended)) from None
                if not self._has_been_in:
                    raise ConnectionFailed(f"cannot reach a chat at {self._url}: {ended}") from None
                if not ended.come_back:
                    raise ConnectionFailed(
                        f"the chat at {self._url} has ended the connection: {ended}"
                    ) from None
            finally:
                self._carrier = None
                self._is_in = False
            wait = backoff(tries)
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
                # Once one is in it is used up, or not needed any more.
                invite="" if self._has_been_in else self._invite,
            )
        )
        sending = asyncio.create_task(self._send_what_waits())
        try:
            async for word in self._words(carrier):
                for event in self._understand(self._take, word):
                    yield event
                self._may_send.set()
        finally:
            self._questions.end()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _words(self, carrier: Carrier) -> AsyncIterator[ServerWord]:
        """What is told; a server that does not answer the join is given up after a while."""
        words = carrier.words()
        deadline = asyncio.get_running_loop().time() + JOIN_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(None if self._is_in else deadline):
                    word = await anext(words)
            except TimeoutError:
                raise CarrierEnded("it does not answer", come_back=True) from None
            yield word

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
            case Chat():
                return self._heard(word)
            case Error():
                return self._refused(word)
            case System() | Typing() | Redacted() | Rights() | Place(key=""):
                return [word]
            case _:
                self._questions.answered(word)
                return []

    def _understand(self, read: Callable[[W], list[T]], word: W) -> list[T]:
        try:
            return read(word)
        except (ValueError, OverflowError, OSError) as error:
            raise self._not_besedka(error) from None

    def _not_besedka(self, why: object) -> ConnectionFailed:
        return ConnectionFailed(f"what answers at {self._url} is not Besedka: {why}")

    def _welcomed(self, word: Welcome) -> list[Event]:
        events: list[Event] = [word]
        is_other_log = bool(self._epoch and word.epoch and word.epoch != self._epoch)
        if word.reset or (self._has_been_in and is_other_log):
            self._last = 0
            self._not_ours_until = word.head
            self._outbox.forget_ids()
            if self._has_been_in:
                events.append(Reset())
        if not self._has_been_in:
            self._old_until = self._not_ours_until = word.head
        self._has_been_in = self._is_in = True
        if self._carrier:
            self._questions.begin(self._carrier)
        self._epoch = word.epoch or self._epoch
        self._utc_offset = word.utc_offset
        return events

    def _heard(self, word: Chat) -> list[Event]:
        self._settle(word.key, word.id)
        if word.id <= self._last:
            return []
        self._last = word.id
        stamp = stamp_by_clock(word.at, self._utc_offset, word.timestamp)
        is_old = word.id <= self._old_until
        return [Heard(MessageId(word.id), word.user, word.text, stamp, is_old, word.unverified)]

    def _heard_history(self, page: History) -> list[Event]:
        for number, key in page.keys.items():
            self._settle(key, number)
        heard = [one for one in self._read(page) if one.id > self._last]
        self._last = max(self._last, page.first + len(page.messages) - 1)
        return [*heard]

    def _read(self, page: History) -> list[Heard]:
        doubtful = frozenset(page.unverified)
        return [
            self._read_line(number, raw, doubtful) for number, raw in enumerate(page.messages, page.first)
        ]

    def _read_found(self, found: FoundWord) -> list[Heard]:
        doubtful = frozenset(found.unverified)
        numbered = zip(found.ids, found.messages, strict=True)
        return [self._read_line(number, raw, doubtful) for number, raw in numbered]

    def _read_line(self, number: int, raw: str, doubtful: Collection[int]) -> Heard:
        line = read_line(raw)
        is_old, is_unverified = number <= self._old_until, number in doubtful
        return Heard(MessageId(number), line.user, line.text, line.stamp, is_old, is_unverified)

    def _refused(self, word: Error) -> list[Event]:
        if self._questions.refused(word):
            return []
        if word.code == Code.TOO_FAST and word.key:
            if self._is_held:
                return []  # it was on its way behind the first one that was refused
            self._outbox.said_too_fast()
            self._held_until = asyncio.get_running_loop().time() + min(word.retry_after, LONGEST_HOLD_SECONDS)
            return [word]
        # Our own ghost may still hold the name after a lost connection; the next try will find it free.
        if not word.key and (not self._is_in or word.code in SHUT):
            raise self._let_out(word)
        if word.key and word.code not in SAID_AGAIN:
            self._outbox.heard(word.key)
            stored = self._stored.pop(word.key, None)
            if stored and not stored.done():
                stored.set_exception(SayRefused(word.code, word.text))
        return [word]

    def _let_out(self, word: Error) -> RemoteError:
        """We are not let in, or are in no more."""
        if self._has_been_in and word.code in BY_PERSON:
            return ShownOut(word.code, word.text)
        if not self._has_been_in or word.code in SHUT:
            return JoinRefused(word.code, word.text)
        return CarrierEnded(word.text, come_back=True)

    def _settle(self, key: str, number: int) -> None:
        self._outbox.stored(key, number)
        stored = self._stored.pop(key, None)
        if stored and not stored.done():
            stored.set_result(MessageId(number))


def people_after(people: list[str], word: System) -> list[str]:
    """The names of who is there, after some have come and gone."""
    if isinstance(word.users, list):
        return word.users
    stayed = [name for name in people if name not in word.left]
    return stayed + [name for name in word.joined if name not in stayed]


def _key() -> str:
    return secrets.token_hex(16)


def _retrieved(stored: asyncio.Future[MessageId]) -> None:
    """Not everybody waits to hear that it was refused; events tell it, too."""
    if not stored.cancelled():
        stored.exception()
