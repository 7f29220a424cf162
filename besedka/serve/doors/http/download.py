"""``/history.txt``: a room's log as a text file, streamed; it holds only messages that have been delivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from besedka.serve.chat.log_reader import LogReader
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.doors.client_name import client_name
from besedka.serve.doors.http.authentication import CONNECTION, language_of
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import DOWNLOAD_FRAMES, HTTP_FRAMES, RateLimiter
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room, Tenant
from besedka.serve.session import Admission
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import DEFAULT_ROOM, clean_room, clean_secret

SECRET_HEADER: Final = "besedka-secret"  # noqa: S105 - its name
"""Holds the user's secret, for private and direct rooms, and for a chat that admits only known names."""

BYTES_PER_FRAME: Final = 64 * 1024
"""Cost of a download, in bytes for each frame."""

_STATUS: Final = {
    ErrorCode.NO_SUCH_ROOM: HTTPStatus.NOT_FOUND,
    ErrorCode.BAD_ROOM: HTTPStatus.BAD_REQUEST,
    ErrorCode.BAD_CURSOR: HTTPStatus.BAD_REQUEST,
    ErrorCode.BAD_FRAME: HTTPStatus.BAD_REQUEST,
    ErrorCode.NOT_KNOWN: HTTPStatus.FORBIDDEN,
    ErrorCode.NOT_INVITED: HTTPStatus.FORBIDDEN,
    ErrorCode.BANNED: HTTPStatus.FORBIDDEN,
}
"""The status of a refusal; all others are 503: the request may succeed later."""


class _Reader(LiveSession):
    """A download as a session; it is cut off when its reader loses the right to read."""

    def __init__(
        self, room: str, claim: str, network: Network | None, abort: Callable[[], None], *, client: str
    ) -> None:
        self._room = room
        self._person = Person(claim=claim)
        self._network = network
        self._abort = abort
        self._client = client

    @property
    def network(self) -> Network | None:
        return self._network

    @property
    def door(self) -> str:
        return "/history.txt"

    @property
    def client(self) -> str:
        return self._client

    def people(self) -> Iterable[Person]:
        return (self._person,)

    def memberships(self) -> Iterable[tuple[str, str]]:
        return ((self._room, self._person.claim),)

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:  # noqa: ARG002 - a response that has begun cannot carry it
        self._abort()

    def abort(self) -> None:
        self._abort()

    def remove_from_room(self, room: str, refusal: Refused) -> None:  # noqa: ARG002 - it is the only one, as above
        self._abort()


class _Lines(StreamingResponse):
    """A streamed response, with a callback for its end, also when the client has gone."""

    def __init__(self, lines: AsyncIterator[bytes], done: Callable[[], None], **response: Any) -> None:
        super().__init__(lines, **response)
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._done()


class Download:
    """The handler of ``/history.txt?room=ROOM&since=ID``; both parameters are optional.

    Args:
        admission: checks who may read.
        rooms: the open rooms.
        log_reader: reads their logs.
        language: the language of refusals, for requests that accept none of ours.
        now: seconds of a monotonic clock.
    """

    def __init__(
        self,
        admission: Admission,
        rooms: OpenRooms,
        log_reader: LogReader,
        language: Language,
        now: Callable[[], float],
    ) -> None:
        self._now = now
        self._admission = admission
        self._rooms = rooms
        self._log_reader = log_reader
        self._language = language

    async def answer(self, request: Request) -> Response:
        """The log's own lines after the id ``since``, up to the head."""
        limiter: RateLimiter = request.state.limiter
        limiter.charge_frames(self._now(), DOWNLOAD_FRAMES - HTTP_FRAMES)
        try:
            name = clean_room(request.query_params.get("room", DEFAULT_ROOM))
            claim = claim_of(clean_secret(request.headers.get(SECRET_HEADER, "")))
            network = limiter.source.network
            room = await self._admission.existing_room(name, claim, limiter)
            since = _since(request.query_params.get("since", "0"), room)
            connection = request.scope["extensions"][CONNECTION]
            client = client_name(request.headers.getlist("User-Agent"))
            reader = _Reader(name, claim, network, connection["abort"], client=client)
            self._admission.register(reader)
        except Refused as refusal:
            status = _STATUS.get(refusal.code, HTTPStatus.SERVICE_UNAVAILABLE)
            return PlainTextResponse(f"{refusal.sentence(language_of(request, self._language))}\n", status)
        name = quote(f"{room.name}.txt")
        return _Lines(
            self._paced(
                self._lines(room, since, self._admission.tenant(claim, network)),
                limiter,
                connection["drain"],
            ),
            lambda: self._admission.unregister(reader),
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
        )

    async def _lines(self, room: Room, since: int, tenant: Tenant) -> AsyncIterator[bytes]:
        with self._rooms.held(room, tenant):
            async for piece in self._log_reader.own_bytes(room, since, room.head):
                yield piece

    async def _paced(
        self, pieces: AsyncIterator[bytes], limiter: RateLimiter, drain: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[bytes]:
        """Read a piece when the client has read the one before, and its rate limit allows."""
        uncharged = 0
        async for piece in pieces:
            yield piece
            await drain()
            if not limiter.is_own_program:
                frames, uncharged = divmod(uncharged + len(piece), BYTES_PER_FRAME)
                limiter.charge_frames(self._now(), frames)
                await asyncio.sleep(limiter.delay(self._now()))


def _since(given: str, room: Room) -> int:
    if not (given.isascii() and given.isdecimal() and len(given) < 20 and int(given) <= room.head):  # noqa: PLR2004 - digits of 2**63
        raise Refused(ErrorCode.BAD_CURSOR, room=room.name, given=given[:40], head=room.head)
    return int(given)
