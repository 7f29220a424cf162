"""Requests over one connection, each with its answer: pages, searches, lists of rooms, private and direct rooms, invitations, moderation.

An answer comes over the connection that carried the request; when that is lost, so is the answer. All requests raise `NotConnected`
while there is no connection, or if it is lost meanwhile; and `RequestRefused` if the server refuses them.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, TypeVar

from besedka.remote.errors import NotConnected, RemoteError, RequestRefused, not_besedka
from besedka.remote.transport import Transport
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import (
    INVITATION_SECONDS,
    Act,
    AddDevice,
    ClientFrame,
    DeviceLink,
    Done,
    Error,
    Found,
    History,
    Invitation,
    Invite,
    ListHistory,
    ListRooms,
    Moderate,
    OpenDirect,
    OpenPrivate,
    Request,
    Response,
    RoomEntry,
    RoomOpened,
    Rooms,
    Search,
    ServerFrame,
    Uninvite,
    encode,
)
from besedka.wire.validation import FRAME_BYTES_AT_MOST

A = TypeVar("A")


class Requests:
    """The requests of one connection, whatever rooms they are about.

    Args:
        url: of the chat.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._transport: Transport | None = None
        # Pages have no keys: requests for the same one share its answer.
        self._pages: dict[tuple[str, int], asyncio.Future[History]] = {}
        self._pending: dict[str, asyncio.Future[Any]] = {}

    # For programs.

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat, by name."""
        return (await self._request(ListRooms(key=new_key()), Rooms)).rooms

    async def private(self, room: str) -> RoomOpened:
        """Make a private room and own it; join it then."""
        return await self._request(OpenPrivate(room, key=new_key()), RoomOpened)

    async def direct(self, user: str) -> RoomOpened:
        """The room for direct messages with one person; join it then."""
        return await self._request(OpenDirect(user, key=new_key()), RoomOpened)

    async def invite(self, room: str, uses: int = 1, seconds: int = INVITATION_SECONDS) -> Invitation:
        """An invitation into a private room of ours, for so many people and so long."""
        return await self._request(Invite(room, uses, seconds, key=new_key()), Invitation)

    async def uninvite(self, room: str, user: str = "") -> Done:
        """Take back all invitations into a private room of ours; or end somebody's membership in it."""
        return await self._request(Uninvite(room, user, key=new_key()), Done)

    async def add_device(self, user: str, secret: str) -> DeviceLink:
        """A link by which another device becomes the same person, who proves the name by this secret."""
        return await self._request(AddDevice(user, secret, key=new_key()), DeviceLink)

    async def moderate(self, act: Act, **fields: Any) -> Done:
        """Moderate; fields as `Moderate` has them."""
        return await self._request(Moderate(act, key=new_key(), **fields), Done)

    async def search(self, frame: Search) -> Found:
        """Search in a room; the frame has a key."""
        return await self._request(frame, Found)

    async def page(self, frame: ListHistory) -> History:
        """A page of a room's log."""
        transport, place = self._open(), (frame.room, frame.before)
        answer = self._pages.get(place)
        if answer is None:
            # The answer may arrive before sending has ended.
            answer = self._pages[place] = _future()
            await transport.send(frame)
        return await asyncio.shield(answer)

    async def _request(self, frame: ListRooms | Search | Request, kind: type[A]) -> A:
        transport = self._open()
        try:
            check_frame(frame)
        except Refused as refusal:
            raise RequestRefused(refusal.code, str(refusal)) from None
        pending = self._pending[frame.key] = _future()
        try:
            await transport.send(frame)
            answer = await pending
        finally:
            del self._pending[frame.key]
        if not isinstance(answer, kind):
            raise not_besedka(self._url, f"{type(answer).__name__} is no answer")
        return answer

    def _open(self) -> Transport:
        if self._transport is None:
            raise NotConnected("there is no connection")
        return self._transport

    # For the connection.

    def begin(self, transport: Transport) -> None:
        """There is a connection that takes requests."""
        self._transport = transport

    def end(self) -> None:
        """It is lost."""
        self._transport = None
        for pending in (*self._pages.values(), *self._pending.values()):
            _answer(pending, NotConnected("the connection was lost"))
        self._pages.clear()

    def forget(self, room: str) -> None:
        """A room was left: its pages will not come."""
        for place in [place for place in self._pages if place[0] == room]:
            _answer(self._pages.pop(place), NotConnected("the room was left"))

    def answered(self, frame: History | Rooms | Found | Response) -> None:
        """An answer has come."""
        pending = (
            self._pages.pop((frame.room, frame.before or 0), None)
            if isinstance(frame, History)
            else self._pending.get(frame.key)
        )
        if pending:
            _answer(pending, frame)

    def refused(self, frame: Error) -> bool:
        """Something was refused. Returns whether it was a request."""
        pending = self._pending.get(frame.key)
        if pending:
            _answer(pending, RequestRefused(frame.code, frame.text))
        return pending is not None


def check_frame(frame: ClientFrame) -> None:
    """Check that a server will read a frame. One that is too long would end the connection, and with it all rooms.

    Raises:
        Refused: `frame_too_long`; or `bad_frame` if it holds characters that are none.
    """
    try:
        size = len(encode(frame))
    except UnicodeEncodeError as error:
        raise Refused(ErrorCode.BAD_FRAME, detail=str(error)) from None
    if size > FRAME_BYTES_AT_MOST:
        raise Refused(ErrorCode.FRAME_TOO_LONG, limit=FRAME_BYTES_AT_MOST)


def new_key() -> str:
    """A key for a request or a message, as nobody else gives it."""
    return secrets.token_hex(16)


def _future() -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    # The caller may have gone.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


def _answer(pending: asyncio.Future[Any], answer: ServerFrame | RemoteError) -> None:
    if pending.done():
        return
    if isinstance(answer, RemoteError):
        pending.set_exception(answer)
    else:
        pending.set_result(answer)
