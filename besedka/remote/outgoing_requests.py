"""Requests to the chat and their responses: pages, searches, lists of rooms, private and direct rooms, invitations, moderation.

A response arrives over the connection that carried the request, and is lost with it. All requests raise `NotConnected` while there is
no connection or if it is lost meanwhile, `RequestRefused` if the server refuses them, and `ConnectionFailed` if it does not answer them in
time, or with what answers something else.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from besedka.remote.errors import (
    NotConnected,
    RemoteError,
    RequestRefused,
    no_answer,
    not_besedka,
    parsing_frames,
)
from besedka.remote.room_pages import RoomPages
from besedka.remote.transport import Transport
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import (
    INVITATION_SECONDS,
    Act,
    AddDevice,
    Block,
    ClientFrame,
    DeviceLink,
    Done,
    Error,
    Found,
    History,
    Invitation,
    Invite,
    Kind,
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
    Unblock,
    Uninvite,
    encode,
)
from besedka.wire.validation import FRAME_BYTES_AT_MOST

REQUEST_SECONDS: Final = 60.0
"""How long a server may take to answer a request. It reads no frames of a client that sends too many, for at most 30 seconds."""

LIST_SECONDS: Final = 120.0
"""How long all pages of the list of rooms together may take, but for the last one."""

A = TypeVar("A")


class _PendingPage(NamedTuple):
    """A request for a page that is not answered yet."""

    frame: ListHistory
    response: asyncio.Future[History]

    def is_answered_by(self, page: History) -> bool:
        """Whether a page is the one that was requested, and not only has its key."""
        asked = self.frame
        return (page.room, page.before, page.from_time) == (asked.room, asked.before, asked.from_time)


class OutgoingRequests:
    """The requests of one connection, for all its rooms.

    Args:
        url: the chat's URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._transport: Transport | None = None
        self._pages: dict[str, _PendingPage] = {}
        self._pending: dict[str, asyncio.Future[Any]] = {}

    # For programs.

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat: the person's own private and direct rooms, then the open ones, both by name."""
        return [entry async for page in self._room_pages() for entry in page]

    async def own_rooms(self) -> list[RoomEntry]:
        """The person's own private and direct rooms, by name."""
        own: list[RoomEntry] = []
        async with aclosing(self._room_pages()) as pages:
            async for page in pages:
                found = [entry for entry in page if entry.kind is not Kind.OPEN]
                own += found
                if len(found) < len(page):
                    break
        return own

    async def _room_pages(self) -> AsyncGenerator[list[RoomEntry], None]:
        page, pages = Rooms([]), RoomPages()
        until = asyncio.get_running_loop().time() + LIST_SECONDS
        while asyncio.get_running_loop().time() < until:
            page = await self._request(ListRooms(key=new_key(), after=page.next), Rooms)
            with parsing_frames(self._url):
                pages.check(page)
            yield page.rooms
            if not page.next:
                return
        raise no_answer(self._url)

    async def private(self, room: str) -> RoomOpened:
        """Create a private room, as its owner; join it afterwards."""
        return await self._request(OpenPrivate(room, key=new_key()), RoomOpened)

    async def direct(self, user: str) -> RoomOpened:
        """Open the room for direct messages with a person; join it afterwards."""
        return await self._request(OpenDirect(user, key=new_key()), RoomOpened)

    async def invite(self, room: str, uses: int = 1, seconds: int = INVITATION_SECONDS) -> Invitation:
        """Create an invitation into a private room that the client owns.

        Args:
            room: the room.
            uses: how many people may use it.
            seconds: how long it is valid.
        """
        return await self._request(Invite(room, uses, seconds, key=new_key()), Invitation)

    async def uninvite(self, room: str, user: str = "") -> Done:
        """Revoke all invitations into a private room that the client owns, or, with ``user``, end that person's membership."""
        return await self._request(Uninvite(room, user, key=new_key()), Done)

    async def block(self, user: str) -> Done:
        """Receive no direct messages from a person any more."""
        return await self._request(Block(user, key=new_key()), Done)

    async def unblock(self, user: str) -> Done:
        """Receive direct messages from a person again."""
        return await self._request(Unblock(user, key=new_key()), Done)

    async def blocked(self) -> list[str]:
        """The names of the people whom the client has blocked."""
        return (await self._request(ListRooms(key=new_key(), limit=1), Rooms)).blocked

    async def add_device(self, user: str, secret: str) -> DeviceLink:
        """Create a link that adds another device to the person with this name and secret."""
        return await self._request(AddDevice(user, secret, key=new_key()), DeviceLink)

    async def moderate(self, act: Act, **fields: Any) -> Done:
        """Carry out an act of moderation; the fields are those of `Moderate`."""
        return await self._request(Moderate(act, key=new_key(), **fields), Done)

    async def search(self, frame: Search) -> Found:
        """Search in a room; the frame must have a key."""
        return await self._request(frame, Found)

    async def page(self, frame: ListHistory) -> History:
        """A page of a room's log."""
        transport = self._open()
        key = new_key()
        pending = self._pages[key] = _PendingPage(frame, new_future())
        try:
            await transport.send(msgspec.structs.replace(frame, key=key))
            return await self._in_time(pending.response)
        finally:
            self._pages.pop(key, None)

    async def _request(self, frame: ListRooms | Search | Request, kind: type[A]) -> A:
        transport = self._open()
        try:
            check_frame(frame)
        except Refused as refusal:
            raise RequestRefused(refusal.code, str(refusal)) from None
        pending = self._pending[frame.key] = new_future()
        try:
            await transport.send(frame)
            response = await self._in_time(pending)
        finally:
            del self._pending[frame.key]
        if not isinstance(response, kind):
            raise not_besedka(self._url, f"{type(response).__name__} does not answer the request")
        return response

    async def _in_time(self, pending: asyncio.Future[A]) -> A:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await pending
        except TimeoutError:
            raise no_answer(self._url) from None

    def _open(self) -> Transport:
        if self._transport is None:
            raise NotConnected("there is no connection")
        return self._transport

    # For the connection.

    def begin(self, transport: Transport) -> None:
        """Send requests over this transport from now on."""
        self._transport = transport

    def end(self, failure: RemoteError | None = None) -> None:
        """Fail all pending requests: with this error, or because the connection is lost."""
        self._transport = None
        pages = [page.response for page in self._pages.values()]
        for pending in (*pages, *self._pending.values()):
            _settle(pending, failure or NotConnected("the connection was lost"))

    def forget(self, room: str) -> None:
        """Fail the pending pages of a room that was left."""
        for page in self._pages.values():
            if page.frame.room == room:
                _settle(page.response, NotConnected("the room was left"))

    def answered(self, frame: History | Rooms | Found | Response) -> None:
        """Hand a response to its request."""
        if isinstance(frame, History):
            page = self._pages.get(frame.key)
            pending = page.response if page and page.is_answered_by(frame) else None
        else:
            pending = self._pending.get(frame.key)
        if pending:
            _settle(pending, frame)

    def refused(self, frame: Error) -> bool:
        """Fail the request that was refused. Returns False if the error belongs to none."""
        page = self._pages.get(frame.key)
        pending = page.response if page else self._pending.get(frame.key)
        if pending:
            _settle(pending, RequestRefused(frame.code, frame.text, frame.retry_after))
        return pending is not None


def check_frame(frame: ClientFrame) -> None:
    """Check that a frame is one that servers accept. A frame that is too long would end the connection, with all its rooms.

    Raises:
        Refused: `frame_too_long`; or `bad_frame` if it holds lone surrogates.
    """
    try:
        size = len(encode(frame))
    except UnicodeEncodeError:
        detail = "it holds bytes that are not UTF-8, or half of a surrogate pair"
        raise Refused(ErrorCode.BAD_FRAME, detail=detail) from None
    if size > FRAME_BYTES_AT_MOST:
        raise Refused(ErrorCode.FRAME_TOO_LONG, limit=FRAME_BYTES_AT_MOST)


def new_key() -> str:
    """A unique key for a request or a message: 128 random bits."""
    return secrets.token_hex(16)


def new_future() -> asyncio.Future[Any]:
    """A future that need not be awaited: its exception counts as retrieved, so that the loop reports none if the caller has gone."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


def _settle(pending: asyncio.Future[Any], outcome: ServerFrame | RemoteError) -> None:
    if pending.done():
        return
    if isinstance(outcome, RemoteError):
        pending.set_exception(outcome)
    else:
        pending.set_result(outcome)
