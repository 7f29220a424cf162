"""What was asked of a chat and waits for its answer: pages, rooms, searches.

Answers come over the connection that was asked; when it is lost, whoever waits is told.
"""

from __future__ import annotations

import asyncio
from typing import Any

from besedka.remote.errors import AskRefused, RemoteError, TransportClosed
from besedka.remote.transport import Transport
from besedka.wire.frames import (
    Error,
    Found,
    History,
    ListHistory,
    ListRooms,
    Request,
    Response,
    Rooms,
    Search,
    ServerFrame,
)


class Questions:
    """The questions of one connection to a room."""

    def __init__(self) -> None:
        self._transport: Transport | None = None
        # Pages have no keys: who asks for the same one gets the same answer.
        self._pages: dict[int, asyncio.Future[History]] = {}
        self._asked: dict[str, asyncio.Future[Any]] = {}

    def begin(self, transport: Transport) -> None:
        """There is a connection to ask over."""
        self._transport = transport

    def end(self) -> None:
        """It is lost."""
        self._transport = None
        for asked in (*self._pages.values(), *self._asked.values()):
            _answer(asked, TransportClosed("the connection was lost", reconnect=True))
        self._pages.clear()

    async def page(self, frame: ListHistory) -> History:
        """Ask for a page.

        Raises:
            TransportClosed: if there is no connection, or it is lost meanwhile.
        """
        transport, answer = self._open(), self._pages.get(frame.before)
        if answer is None:
            # The answer may be there before sending has ended.
            answer = self._pages[frame.before] = _question()
            await transport.send(frame)
        return await asyncio.shield(answer)

    async def ask(self, frame: ListRooms | Search | Request) -> Any:
        """Ask something that has a key of its own.

        Raises:
            TransportClosed: if there is no connection, or it is lost meanwhile.
            AskRefused: if the server does not answer it; it tells why.
        """
        transport = self._open()
        asked = self._asked[frame.key] = _question()
        try:
            await transport.send(frame)
            return await asked
        finally:
            del self._asked[frame.key]

    def answered(self, frame: History | Rooms | Found | Response) -> None:
        """An answer has come."""
        asked = (
            self._pages.pop(frame.before or 0, None)
            if isinstance(frame, History)
            else self._asked.get(frame.key)
        )
        if asked:
            _answer(asked, frame)

    def refused(self, frame: Error) -> bool:
        """Something was refused. Returns whether it was a question."""
        asked = self._asked.get(frame.key)
        if asked:
            _answer(asked, AskRefused(frame.code, frame.text))
        return asked is not None

    def _open(self) -> Transport:
        if self._transport is None:
            raise TransportClosed("there is no connection", reconnect=True)
        return self._transport


def _question() -> asyncio.Future[Any]:
    question: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    # Who asked may have gone.
    question.add_done_callback(lambda done: done.cancelled() or done.exception())
    return question


def _answer(asked: asyncio.Future[Any], answer: ServerFrame | RemoteError) -> None:
    """Give an answer to one who asks, if he still waits for it."""
    if asked.done():
        return
    if isinstance(answer, RemoteError):
        asked.set_exception(answer)
    else:
        asked.set_result(answer)
