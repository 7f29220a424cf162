"""A connection to one room of a chat that comes back by itself and loses nothing that was said.

It keeps a cursor (the id of the last message it has given out) and an outbox (what was said and has not been heard
back). After a reconnect it reads on from the cursor and says again what is in the outbox, in order.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from besedka.remote.asks import Asks
from besedka.remote.backoff import backoff
from besedka.remote.errors import (
    ConnectionFailed,
    JoinRefused,
    RemoteError,
    SayRefused,
    ShownOut,
    TransportClosed,
    needs_key,
    understanding,
)
from besedka.remote.events import Away, Event, Heard, Reset
from besedka.remote.log import Log
from besedka.remote.outbox import Outbox
from besedka.remote.questions import Questions
from besedka.remote.transport import Transport, open_transport
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import (
    BeginTyping,
    Chat,
    ClientFrame,
    DeviceLink,
    Error,
    History,
    Join,
    Leave,
    Redacted,
    Rights,
    RoomOpened,
    Say,
    ServerFrame,
    System,
    Typing,
    Welcome,
)
from besedka.wire.message import MessageId
from besedka.wire.validation import DEFAULT_ROOM

JOIN_SECONDS: Final = 15.0
"""How long a server may take to answer a join."""

LONGEST_HOLD_SECONDS: Final = 60.0
"""What was said too fast is said again after so long at most, whatever the server asks for."""

SAID_AGAIN: Final = frozenset({ErrorCode.NOT_STORED, ErrorCode.GOING_DOWN})
"""Refusals after which the server ends: what was refused is kept, and said again to the next one."""

BY_PERSON: Final = frozenset({ErrorCode.BANNED, ErrorCode.NOT_KNOWN})
"""Refusals that are about who we are, and not about a room or a name."""

SHUT: Final = BY_PERSON | {
    ErrorCode.NAME_CLAIMED,
    ErrorCode.NOT_INVITED,
    ErrorCode.BAD_LINK,
    ErrorCode.NO_ACCESS,
}
"""Refusals of one who comes back that will be the same the next time."""


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
        self._transport: Transport | None = None
        self._outbox = Outbox()
        for frame in unsent:
            self._outbox.add(frame, is_again=True)
        self._stored: dict[str, asyncio.Future[MessageId]] = {}
        self._log = Log(since, epoch)
        self._questions = Questions()
        self.asks = Asks(self._questions, self._log, url, room)
        self._has_been_in = False
        self._is_in = False
        self._may_send = asyncio.Event()
        self._held_until = 0.0

    async def add_device(self) -> DeviceLink:
        """What another device needs to be who we are.

        Raises:
            TransportClosed: if there is no connection; ask again when it is back.
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
        return self._outbox.frames

    @property
    def cursor(self) -> tuple[int, str]:
        """The id of the last message that was given out, and its epoch: to come back with in another process."""
        return self._log.last, self._log.epoch

    def say(self, text: str) -> asyncio.Future[MessageId]:
        """Say something; it is kept until it has been heard back.

        Returns:
            Its id, when it is on the server's disk; or `SayRefused`. It need not be waited for.
        """
        frame = Say(text=text, room=self._room, key=secrets.token_hex(16), after=self._log.said_after)
        self._outbox.add(frame)
        stored = self._stored[frame.key] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(_retrieved)
        self._may_send.set()
        return stored

    def give_up(self, why: RemoteError) -> None:
        """Nobody will take what waits: tell those who wait for it."""
        for stored in self._stored.values():
            if not stored.done():
                stored.set_exception(why)
        self._stored.clear()

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
                async with open_transport(self._url, self._key) as transport:
                    async for event in self._visit(transport):
                        tries = 0
                        yield event
            except TransportClosed as ended:
                if ended.code == ErrorCode.NO_ACCESS:
                    raise needs_key(self._url, self._key) from None
                if ended.code:
                    raise (ShownOut if self._has_been_in else JoinRefused)(ended.code, str(ended)) from None
                if not self._has_been_in:
                    raise ConnectionFailed(f"cannot reach a chat at {self._url}: {ended}") from None
                if not ended.reconnect:
                    raise ConnectionFailed(
                        f"the chat at {self._url} has ended the connection: {ended}"
                    ) from None
            finally:
                self._transport = None
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

    async def _visit(self, transport: Transport) -> AsyncIterator[Event]:
        self._transport = transport
        self._outbox.begin_again()
        self._held_until = 0.0
        await transport.send(
            Join(
                user=self._user or None,
                room=self._room,
                since=self._log.since,
                epoch=self._log.epoch,
                secret=self._secret,
                quiet=self._quiet,
                # Once one is in it is used up, or not needed any more.
                invite="" if self._has_been_in else self._invite,
            )
        )
        sending = asyncio.create_task(self._send_what_waits())
        try:
            async for frame in self._words(transport):
                with understanding(self._url):
                    events = self._take(frame)
                for event in events:
                    yield event
                self._may_send.set()
        finally:
            self._questions.end()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _words(self, transport: Transport) -> AsyncIterator[ServerFrame]:
        """What is told; a server that does not answer the join is given up after a while."""
        frames = transport.frames()
        deadline = asyncio.get_running_loop().time() + JOIN_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(None if self._is_in else deadline):
                    frame = await anext(frames)
            except TimeoutError:
                raise TransportClosed("it does not answer", reconnect=True) from None
            yield frame

    async def _send_what_waits(self) -> None:
        """Send what is in the outbox, in order, whenever it may be sent."""
        while True:
            await self._may_send.wait()
            self._may_send.clear()
            await asyncio.sleep(self._held_until - asyncio.get_running_loop().time())
            while self._is_in and not self._is_held and (frame := self._outbox.next()):
                await self._send(frame)

    @property
    def _is_held(self) -> bool:
        return asyncio.get_running_loop().time() < self._held_until

    async def _send(self, frame: ClientFrame) -> None:
        if self._transport:
            # The reader of events learns of an end too, and comes back; what was said waits in the outbox.
            with suppress(TransportClosed):
                await self._transport.send(frame)

    # What is told.

    def _take(self, frame: ServerFrame) -> Sequence[Event]:
        match frame:
            case Welcome():
                return self._welcomed(frame)
            case History(before=None):
                return self._heard_history(frame)
            case Chat():
                return self._heard(frame)
            case Error():
                return self._refused(frame)
            case System() | Typing() | Redacted() | Rights() | RoomOpened(key=""):
                return [frame]
            case _:
                self._questions.answered(frame)
                return []

    def _welcomed(self, frame: Welcome) -> list[Event]:
        events: list[Event] = [frame]
        if self._log.begin(frame):
            self._outbox.forget_ids()
            if self._has_been_in:
                events.append(Reset())
        self._has_been_in = self._is_in = True
        if self._transport:
            self._questions.begin(self._transport)
        return events

    def _heard(self, frame: Chat) -> list[Heard]:
        self._settle(frame.key, frame.id)
        return self._log.hear(frame)

    def _heard_history(self, page: History) -> list[Heard]:
        for number, key in page.keys.items():
            self._settle(key, number)
        return self._log.hear_history(page)

    def _refused(self, frame: Error) -> list[Event]:
        if self._questions.refused(frame):
            return []
        if frame.code == ErrorCode.TOO_FAST and frame.key:
            if self._is_held:
                return []  # it was on its way behind the first one that was refused
            self._outbox.said_too_fast()
            self._held_until = asyncio.get_running_loop().time() + min(
                frame.retry_after, LONGEST_HOLD_SECONDS
            )
            return [frame]
        # Our own ghost may still hold the name after a lost connection; the next try will find it free.
        if not frame.key and (not self._is_in or frame.code in SHUT):
            raise self._let_out(frame)
        if frame.key and frame.code not in SAID_AGAIN:
            self._outbox.heard(frame.key)
            stored = self._stored.pop(frame.key, None)
            if stored and not stored.done():
                stored.set_exception(SayRefused(frame.code, frame.text))
        return [frame]

    def _let_out(self, frame: Error) -> RemoteError:
        """We are not let in, or are in no more."""
        if self._has_been_in and frame.code in BY_PERSON:
            return ShownOut(frame.code, frame.text)
        if not self._has_been_in or frame.code in SHUT:
            return JoinRefused(frame.code, frame.text)
        return TransportClosed(frame.text, reconnect=True)

    def _settle(self, key: str, number: int) -> None:
        self._outbox.stored(key, number)
        stored = self._stored.pop(key, None)
        if stored and not stored.done():
            stored.set_result(MessageId(number))


def _retrieved(stored: asyncio.Future[MessageId]) -> None:
    """Not everybody waits to hear that it was refused; events tell it, too."""
    if not stored.cancelled():
        stored.exception()
