"""The messages of a room that a program has not read yet; beyond a bound they are not kept, but read from the log again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from besedka.remote.errors import NotConnected
from besedka.remote.room.backlog import Backlog
from besedka.remote.room.events import ReceivedMessage
from besedka.remote.room.history_reader import HistoryReader

UNREAD_MESSAGES: Final = 1_000
"""Messages of a room that wait in memory for the program. Those behind them are read from the log later: if the connection stopped
reading instead, the program's own messages would not be acknowledged either."""

UNREAD_BYTES: Final = 4 * 1024 * 1024
"""Memory of these messages. A thousand messages of a usual length take half a megabyte, and the same bound is for each of a hundred rooms."""

PAGE_MESSAGES: Final = 100
"""Messages that are read from the log at a time."""


class UnreadMessages:
    """The unread messages of one room, for one reader.

    Args:
        history: reads the room's log.
    """

    def __init__(self, history: HistoryReader) -> None:
        self._history = history
        # Messages received and not read yet, and whether later ones were dropped, to be read from the log.
        self._waiting = Backlog[ReceivedMessage](UNREAD_MESSAGES, UNREAD_BYTES)
        self._is_behind = False
        self._read_to = 0
        self._head = 0
        self._is_connected = False
        self._has_ended = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def add(self, message: ReceivedMessage) -> None:
        """Add a message that was received; they come in order."""
        self._head = message.id
        if self._is_behind or self._waiting.is_full:
            self._is_behind = True
        else:
            self._waiting.add(message)

    def redact(self, number: int, text: str) -> None:
        """Replace the text of a message, if it waits."""
        self._waiting.change(lambda message: message.id == number, lambda message: message.with_text(text))
        # No redaction makes a text longer, but a server may say that one does.
        while self._waiting.is_overfull:
            self._waiting.take_newest()
            self._is_behind = True

    def reset(self) -> None:
        """Forget everything: the log was replaced."""
        self._waiting.clear()
        self._is_behind, self._read_to, self._head = False, 0, 0

    def wake(self, *, is_connected: bool) -> None:
        """Let the reader look again, after an event.

        Args:
            is_connected: whether the log can be read.
        """
        self._is_connected = is_connected
        self._changed.set()

    def end(self, error: Exception | None) -> None:
        """Let `read` end behind the messages that wait in memory: with an error, or without."""
        self._has_ended, self._error = True, error
        self.wake(is_connected=False)

    async def read(self) -> AsyncIterator[ReceivedMessage]:
        """Yield the messages in order, without gaps or duplicates, up to the end."""
        while True:
            self._changed.clear()
            while self._waiting:
                yield self._read(self._waiting.take())
            if self._is_behind and self._read_to >= self._head:
                self._is_behind = False
            elif self._is_behind and not self._has_ended:
                for message in await self._read_from_log():
                    yield self._read(message)
            elif self._error:
                raise self._error
            elif self._has_ended:
                return
            else:
                await self._changed.wait()

    async def _read_from_log(self) -> list[ReceivedMessage]:
        if self._is_connected:
            with suppress(NotConnected):
                limit = min(PAGE_MESSAGES, self._head - self._read_to)
                if page := await self._history.page(self._read_to + 1, limit):
                    return page
        # No connection, or the log has no such messages: it was replaced, and a `Welcome` is on its way, or the server is not honest.
        await self._changed.wait()
        return []

    def _read(self, message: ReceivedMessage) -> ReceivedMessage:
        self._read_to = message.id
        return message
