"""A connection to a chat that comes back by itself and loses nothing that was said.

It keeps a cursor (the id of the last message it has given out) and an outbox (what was said and has not been heard
back). After a reconnect it reads on from the cursor and says again what is in the outbox, in order.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from besedka.terminal.outbox import Outbox
from besedka.wire.closing import NEVER_COME_BACK
from besedka.wire.line import MessageId, read_line
from besedka.wire.names import DEFAULT_ROOM
from besedka.wire.refusals import Code, Refused
from besedka.wire.words import (
    BeginTyping,
    Browse,
    Chat,
    Error,
    History,
    Join,
    Leave,
    Say,
    ServerWord,
    System,
    Typing,
    Welcome,
    decode_server,
    encode,
)

FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 15.0
"""Between two tries to come back; each is shortened by chance, so that not all clients come at once."""

SHORTEST_PART: Final = 0.1
"""How much of a wait is left at least."""

SAID_AGAIN: Final = frozenset({Code.NOT_STORED, Code.GOING_DOWN})
"""Refusals after which the server ends: what was refused is kept, and said again to the next one."""

HANDSHAKE_SECONDS: Final = 10.0

_CANNOT_CONNECT = (OSError, TimeoutError, InvalidHandshake, InvalidURI)


class ConnectionFailed(Exception):  # noqa: N818 - says what happened
    """The chat could not be reached at all, or it does not want us back."""


class JoinRefused(Exception):  # noqa: N818
    """The chat was reached, but did not let us in under this name.

    Attributes:
        code: why, for programs.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, from the history or live.

    Attributes:
        id: its ordinal number in the room.
        stamp: when it was stored, as the log tells it: ``YYYY-MM-DD HH:MM:SS``, or ``HH:MM:SS`` if it is live.
        is_old: it was said before we came in.
    """

    id: MessageId
    user: str
    text: str
    stamp: str
    is_old: bool


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
        url: of the WebSocket, ``ws://host:port/ws``.
        user: the name to be known by.
        room: the room to be in.

    Attributes:
        waiting: how many messages were said and not yet heard back.
    """

    def __init__(self, url: str, user: str, room: str = DEFAULT_ROOM) -> None:
        self._url = url
        self._user = user
        self._room = room
        self._secret = secrets.token_hex(32)
        self._socket: ClientConnection | None = None
        self._outbox = Outbox()
        self._last = 0
        self._old_until = 0
        self._epoch = ""
        self._has_been_in = False
        self._is_in = False
        self._holding: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._outbox)

    async def say(self, text: str) -> None:
        """Say something; it is kept until it has been heard back."""
        self._outbox.add(Say(text=text, room=self._room, key=secrets.token_hex(16), after=self._last))
        await self._send_waiting()

    async def events(self) -> AsyncIterator[Event]:
        """What happens, for ever; reconnects as often as needed.

        Raises:
            ConnectionFailed: if the first try fails, or the server does not want us back.
            JoinRefused: if the first join is refused.
        """
        tries = 0
        while True:
            try:
                async with connect(
                    self._url, open_timeout=HANDSHAKE_SECONDS, compression=None, max_size=None
                ) as socket:
                    async for event in self._visit(socket):
                        tries = 0
                        yield event
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
                if code in NEVER_COME_BACK:
                    reason = closed.rcvd.reason if closed.rcvd else ""
                    raise ConnectionFailed(
                        f"the chat at {self._url} has ended the connection: {reason}"
                    ) from None
            except _CANNOT_CONNECT as error:
                if not self._has_been_in:
                    raise ConnectionFailed(f"cannot reach a chat at {self._url}: {_reason(error)}") from None
            finally:
                self._socket = None
                self._is_in = False
                if self._holding:
                    self._holding.cancel()
                    self._holding = None
            longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**tries)
            wait = longest * random.uniform(SHORTEST_PART, 1)  # noqa: S311 - spreads load, guards nothing
            tries += 1
            yield Away(wait)
            await asyncio.sleep(wait)

    async def leave(self) -> None:
        """End the connection, in good order."""
        if self._socket:
            await self._send(Leave(room=self._room))
            await self._socket.close()

    async def _visit(self, socket: ClientConnection) -> AsyncIterator[Event]:
        self._socket = socket
        self._outbox.begin_again()
        since = self._last if self._has_been_in else None
        await self._send(
            Join(user=self._user, room=self._room, since=since, epoch=self._epoch, secret=self._secret)
        )
        async for data in socket:
            try:
                word = decode_server(data)
            except Refused:
                raise ConnectionFailed(f"what answers at {self._url} is not Besedka") from None
            for event in self._take(word):
                yield event
            await self._send_waiting()

    async def _hold(self, seconds: float) -> None:
        """Say nothing for so long."""
        await asyncio.sleep(seconds)
        self._holding = None
        await self._send_waiting()

    async def _send_waiting(self) -> None:
        while self._is_in and self._holding is None and (word := self._outbox.next()):
            await self._send(word)

    def _take(self, word: ServerWord) -> list[Event]:
        match word:
            case Welcome():
                return self._welcomed(word)
            case History():
                return list(self._heard_history(word))
            case Chat():
                self._outbox.heard(word.key)
                if word.id <= self._last:
                    return []
                self._last = word.id
                return [Heard(MessageId(word.id), word.user, word.text, word.timestamp, is_old=False)]
            case Error():
                return self._refused(word)
            case System() | Typing():
                return [word]

    def _refused(self, word: Error) -> list[Event]:
        if word.code == Code.TOO_FAST and word.key:
            return self._held(word)
        if word.code not in SAID_AGAIN:
            self._outbox.heard(word.key)
        # Our own ghost may still hold the name after a lost connection; the next try will find it free.
        if not self._has_been_in:
            raise JoinRefused(word.code, word.text)
        if word.code == Code.NAME_TAKEN:
            raise ConnectionResetError(word.text)
        return [word]

    def _held(self, word: Error) -> list[Event]:
        if self._holding:
            return []  # it was on its way behind the first one that was refused
        self._outbox.said_too_fast()
        self._holding = asyncio.create_task(self._hold(word.retry_after))
        return [word]

    def _welcomed(self, word: Welcome) -> list[Event]:
        events: list[Event] = [word]
        is_other_log = bool(self._epoch and word.epoch and word.epoch != self._epoch)
        if self._has_been_in and (word.reset or is_other_log):
            self._last = 0
            events.append(Reset())
        if not self._has_been_in:
            self._old_until = word.head
        self._has_been_in = self._is_in = True
        self._epoch = word.epoch or self._epoch
        return events

    def _heard_history(self, page: History) -> list[Heard]:
        heard = []
        for key in page.keys.values():
            self._outbox.heard(key)
        for number, raw in enumerate(page.messages, page.first):
            if number <= self._last:
                continue
            self._last = number
            line = read_line(raw)
            is_old = number <= self._old_until
            heard.append(Heard(MessageId(number), line.user, line.text, line.stamp, is_old))
        return heard

    async def _send(self, word: Join | Say | Leave | BeginTyping | Browse) -> None:
        if self._socket:
            try:
                await self._socket.send(encode(word).decode())
            except ConnectionClosed:
                # The reader of events learns of it too, and comes back; what was said waits in the outbox.
                return


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS as we know it; without TLS it is ws://"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
