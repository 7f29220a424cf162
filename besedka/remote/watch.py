"""Rooms that one is not in, watched unseen over one connection that comes back by itself: is there anything new in them?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from besedka.remote.backoff import backoff
from besedka.remote.errors import ConnectionFailed, TransportClosed
from besedka.remote.transport import Transport, open_transport
from besedka.wire.frames import Chat, History, Join, Leave, Welcome
from besedka.wire.log_line import read_line

ROOMS_AT_MOST: Final = 90
"""One connection may be in a hundred."""

Cursor = tuple[int, str]
"""The id of the last message that is not new, and its epoch."""


@dataclass(frozen=True, slots=True)
class Stir:
    """Something new in a room.

    Attributes:
        room: its name.
        user: who has said it; empty if it was said before we watched.
    """

    room: str
    user: str = ""


class Watch:
    """Watches rooms that are one's own.

    Args:
        url: of the chat, as `address` gives it.
        secret: shows who we are.
        key: the access key, where the chat asks for one.
    """

    def __init__(self, url: str, secret: str, *, key: str = "") -> None:
        self._url = url
        self._secret = secret
        self._key = key
        self._rooms: dict[str, Cursor] = {}
        self._changed = asyncio.Event()

    def begin(self, room: str, cursor: Cursor = (0, "")) -> None:
        """Watch one more room, in which all is new behind a cursor; if that are not too many, and it is not watched yet."""
        if len(self._rooms) < ROOMS_AT_MOST and room not in self._rooms:
            self._rooms[room] = cursor
            self._changed.set()

    def end(self, room: str) -> None:
        """Watch a room no more."""
        if self._rooms.pop(room, None):
            self._changed.set()

    async def stirs(self) -> AsyncGenerator[Stir, None]:
        """What is new, until the chat does not want us back."""
        tries = 0
        while True:
            while not self._rooms:
                self._changed.clear()
                await self._changed.wait()
            try:
                async with open_transport(self._url, self._key) as transport:
                    async for stir in self._visit(transport):
                        tries = 0
                        yield stir
            except TransportClosed as ended:
                if ended.code or not ended.reconnect:
                    return  # who is in other rooms is told there
            except (ValueError, ConnectionFailed):
                return  # the same: it is no Besedka
            await asyncio.sleep(backoff(tries))
            tries += 1

    async def _visit(self, transport: Transport) -> AsyncIterator[Stir]:
        coming = asyncio.create_task(self._come_and_go(transport))
        try:
            async for frame in transport.frames():
                match frame:
                    case Welcome() if frame.room in self._rooms:
                        last, epoch = self._rooms[frame.room]
                        self._rooms[frame.room] = (frame.head, frame.epoch)
                        # What was new in another log tells nothing of this one.
                        if frame.head > (last if epoch == frame.epoch else 0):
                            yield Stir(frame.room)
                    case Chat():
                        if self._is_new(frame.room, frame.id):
                            yield Stir(frame.room, frame.user)
                    case History(before=None) if frame.messages:
                        # One who is slow is told of what is said so; and at first of what was said before.
                        if self._is_new(frame.room, frame.first + len(frame.messages) - 1):
                            yield Stir(frame.room, read_line(frame.messages[-1]).user)
                    case _:
                        pass
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    def _is_new(self, room: str, number: int) -> bool:
        last, epoch = self._rooms.get(room, (number, ""))
        if number > last:
            self._rooms[room] = (number, epoch)
        return number > last

    async def _come_and_go(self, transport: Transport) -> None:
        """Be in the rooms that are watched, and in no others."""
        there: set[str] = set()
        # Whoever hears what is told learns of an end, too.
        with suppress(TransportClosed):
            while True:
                self._changed.clear()
                for room in there - self._rooms.keys():
                    there.remove(room)
                    await transport.send(Leave(room=room))
                for room in self._rooms.keys() - there:
                    there.add(room)
                    await transport.send(Join(room=room, secret=self._secret, quiet=True))
                await self._changed.wait()
