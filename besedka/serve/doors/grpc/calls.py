"""The unary calls and `Import`: from the request to the response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from besedka.proto import frames as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.errors import SessionFailed
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import SEARCH_FRAMES, RateLimiter
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Poster, Room
from besedka.serve.session import Arrival, Services
from besedka.serve.session.post import Posting, settled
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import PAGE_MESSAGES, ROOMS_LISTED
from besedka.wire.message import Message
from besedka.wire.validation import (
    DEFAULT_ROOM,
    clean_key,
    clean_name,
    clean_room,
    clean_secret,
    clean_text,
)

T = TypeVar("T")

WAIT_SECONDS_AT_MOST: Final = 30.0
"""The longest wait of a call for its turn; so the calls that wait are few, whoever sends how many."""


IMPORT_SECONDS: Final = 60.0
"""The longest time between two requests of an `Import`, and to its first one."""

CALL_SECONDS: Final = 60.0
"""The longest time that a unary call may take, its wait for its turn included."""


class Overdue(Exception):  # noqa: N818 - says what happened
    """A call, or the next request of an `Import`, has taken too long."""


class ItemRefused(Exception):  # noqa: N818 - says what happened
    """One of many messages was refused; those before it are stored.

    Attributes:
        index: its position, from 0.
        refusal: the reason.
    """

    def __init__(self, index: int, refusal: Refused) -> None:
        super().__init__(f"message {index}: {refusal}")
        self.index = index
        self.refusal = refusal


async def paced(charge_call: Callable[[float], float]) -> None:
    """Charge a call, and wait until it may begin.

    Args:
        charge_call: charges it, given the longest wait, and returns the seconds that it must wait.

    Raises:
        Refused: `too_fast` if that would take longer than `WAIT_SECONDS_AT_MOST`.
    """
    wait = charge_call(WAIT_SECONDS_AT_MOST)
    if wait:
        await asyncio.sleep(wait)


async def in_time(requests: AsyncIterator[T]) -> AsyncIterator[T]:
    """Requests that come in time.

    Raises:
        Overdue: if one takes longer than `IMPORT_SECONDS`.
    """
    while True:
        async with overdue_after(IMPORT_SECONDS):
            request = await anext(requests, None)
        if request is None:
            return
        yield request


@asynccontextmanager
async def overdue_after(seconds: float | None) -> AsyncIterator[None]:
    """A deadline for what happens within; None is none. A `TimeoutError` from it would be taken for an error of the system.

    Raises:
        Overdue: if it has expired.
    """
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            yield
    except TimeoutError as error:
        if deadline.expired():
            raise Overdue from error
        raise


async def send(request: pb.SendRequest, services: Services, limiter: RateLimiter) -> pb.SendResponse:
    """Post one message, and wait until it is on disk."""
    clean_text(request.text), clean_key(request.key)  # check before the sender enters the room
    async with _signed_in(_arrival(request, limiter), services, "gRPC Send") as speaker:
        once = _SinglePoster()
        posting = Posting(
            services.pipeline, speaker.room, speaker.person, once, limiter=limiter, check=speaker.check
        )
        after = request.after if request.HasField("after") else None
        message = await settled(posting.post(request.text, request.key, after)) or await once.message
        return pb.SendResponse(id=message.id, time=Timestamp(seconds=message.at), epoch=speaker.room.epoch)


async def list_messages(
    request: pb.ListMessagesRequest, services: Services, limiter: RateLimiter
) -> pb.ListMessagesResponse:
    """A page of a room's log."""
    claim = reader(request)
    name = clean_room(request.room or DEFAULT_ROOM)
    room = await services.admission.existing_room(name, claim, limiter)
    limit, asker = request.limit or PAGE_MESSAGES, services.admission.tenant(claim, limiter.source.network)
    with services.rooms.held(room, asker):
        if request.WhichOneof("from") == "after":
            if request.after > room.head:
                raise Refused(ErrorCode.BAD_CURSOR, room=room.name, given=request.after, head=room.head)
            page = await services.log_reader.page_after(
                room, request.after, limit, asker=asker, limiter=limiter
            )
        elif request.WhichOneof("from") == "from_time":
            from_time = proto.unix_seconds("from_time", request.from_time)
            page = await services.log_reader.page_since(room, from_time, limit, asker=asker, limiter=limiter)
        else:
            before = request.before or room.head + 1
            page = await services.log_reader.page(room, before, limit, asker=asker, limiter=limiter)
    services.admission.check_room(room, claim, limiter.source.network)  # they may have been removed meanwhile
    found = proto.listed(page.first, page.messages, services.clock.zone, page.unverified)
    return pb.ListMessagesResponse(messages=found, head=room.head, epoch=room.epoch)


async def list_rooms(
    request: pb.ListRoomsRequest, services: Services, limiter: RateLimiter
) -> pb.ListRoomsResponse:
    """A page of the rooms that the caller may see."""
    claim = reader(request)
    page = await services.rooms.list.page(claim, request.page_token, request.page_size or ROOMS_LISTED)
    limiter.charge_list(services.clock.now(), page.cost)
    await asyncio.sleep(limiter.delay(services.clock.now()))
    services.admission.check_reader(claim, limiter.source.network)  # they may have been banned meanwhile
    return pb.ListRoomsResponse(rooms=proto.rooms(page.entries), next_page_token=page.next)


async def search(request: pb.SearchRequest, services: Services, limiter: RateLimiter) -> pb.SearchResponse:
    """The newest messages of a room that are searched for."""
    frame = proto.search(request)
    await paced(lambda longest: limiter.charge_call(services.clock.now(), SEARCH_FRAMES - 1, longest))
    claim = reader(request)
    name = clean_room(request.room or DEFAULT_ROOM)
    room = await services.admission.existing_room(name, claim, limiter)
    asker = services.admission.tenant(claim, limiter.source.network)
    hits = await services.log_reader.search(room, frame, asker)
    services.admission.check_room(room, claim, limiter.source.network)  # they may have been removed meanwhile
    found = services.log_reader.found(room, frame, hits)
    messages = proto.picked(found.ids, found.messages, services.clock.zone, found.unverified)
    return pb.SearchResponse(messages=messages, before=hits.before, head=room.head, epoch=room.epoch)


def reader(
    request: pb.ListMessagesRequest | pb.ListRoomsRequest | pb.SearchRequest | pb.FollowRequest,
) -> str:
    """The reader's claim; empty without a secret.

    Raises:
        Refused: `bad_frame` if the secret is too long.
    """
    return claim_of(clean_secret(request.secret))


async def import_(
    requests: AsyncIterator[pb.ImportRequest], services: Services, limiter: RateLimiter
) -> pb.ImportResponse:
    """Post many messages. No request is kept longer than until its messages are posted.

    Raises:
        ItemRefused: one of them was refused.
        Refused: the first request has no speaker.
    """
    first = await anext(requests, None)
    if first is None or not first.HasField("speaker"):
        raise Refused(ErrorCode.BAD_FRAME, detail="the first request must hold the `speaker`")
    async with _signed_in(_arrival(first.speaker, limiter), services, "gRPC Import") as speaker:
        many, is_free = _ManyPoster(), limiter.is_own_program

        def check() -> None:
            speaker.check()
            many.check()  # the batch that a message waited for may have been refused

        posting = Posting(
            services.pipeline,
            speaker.room,
            speaker.person,
            many,
            limiter=limiter,
            check=check,
            is_free=is_free,
            has_frames=False,
        )

        async def take_all(request: pb.ImportRequest) -> None:
            await _take(request, many, posting)
            del request
            async for request in requests:
                if request.HasField("speaker"):
                    refusal = Refused(ErrorCode.BAD_FRAME, detail="only the first request has a `speaker`")
                    raise ItemRefused(many.taken, refusal)
                await _take(request, many, posting)
                del request

        taking = take_all(first)
        del first
        try:
            await speaker.unless_disconnected(taking)
        finally:
            await many.settled()
        return pb.ImportResponse(count=many.stored_count, ids=many.ids, epoch=speaker.room.epoch)


def _arrival(given: pb.SendRequest | pb.Speaker, limiter: RateLimiter) -> Arrival:
    """The caller's request to enter a room.

    Raises:
        Refused: if a part of it is not valid.
    """
    room = clean_room(given.room or DEFAULT_ROOM)
    return Arrival(room, limiter, clean_name(given.user), clean_secret(given.secret))


@asynccontextmanager
async def _signed_in(arrival: Arrival, services: Services, door: str) -> AsyncIterator[_CallSession]:
    """Sign the caller in for the time of a call.

    Raises:
        Refused: if they may not enter.
    """
    admitted = await services.admission.admit(arrival)
    session = _CallSession(admitted.person, admitted.room, arrival.limiter, door)
    services.directory.sessions.add(session)
    try:
        tenant = services.admission.tenant(session.person.claim, session.network)
        with services.rooms.held(session.room, tenant):
            yield session
    finally:
        services.directory.sessions.discard(session)
        services.admission.sign_out(session.person)


class _CallSession(LiveSession):
    """A caller's session: it holds a name, and keeps a room open, for the time of a call.

    Attributes:
        person: the caller.
        room: the room that they post to.
        disconnected: the reason why they may post no more.
    """

    def __init__(self, person: Person, room: Room, limiter: RateLimiter, door: str) -> None:
        self.person = person
        self.room = room
        self.disconnected: asyncio.Future[Refused | SessionFailed] = (
            asyncio.get_running_loop().create_future()
        )
        self._limiter = limiter
        self._door = door

    @property
    def network(self) -> Network | None:
        return self._limiter.source.network

    @property
    def door(self) -> str:
        return self._door

    @property
    def client(self) -> str:
        return self._limiter.client

    def people(self) -> Iterable[Person]:
        return (self.person,)

    def memberships(self) -> Iterable[tuple[str, str]]:
        return ((self.room.name, self.person.claim),)

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:  # noqa: ARG002 - a call has a status instead
        if not self.disconnected.done():
            self.disconnected.set_result(refusal)

    def abort(self) -> None:
        if not self.disconnected.done():
            self.disconnected.set_result(SessionFailed())

    def remove_from_room(self, room: str, refusal: Refused) -> None:  # noqa: ARG002 - it is the only one
        self.disconnect(CloseCode.LEFT, refusal)

    def check(self) -> None:
        """Check that the caller may still post.

        Raises:
            Refused: if not.
        """
        if self.disconnected.done():
            raise self.disconnected.result()

    async def unless_disconnected(self, posting: Coroutine[Any, Any, None]) -> None:
        """Post until all is posted, or the caller is disconnected.

        Raises:
            Refused: if they are disconnected before the end.
        """
        working = asyncio.ensure_future(posting)
        waited_for: set[asyncio.Future[Any]] = {working, self.disconnected}
        try:
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                self.check()
            await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def _take(request: pb.ImportRequest, many: _ManyPoster, posting: Posting) -> None:
    for item in request.messages:
        many.check()
        try:
            message = await posting.post_in_time(item.text, item.key)
        except Refused as refusal:
            raise ItemRefused(many.taken, refusal) from None
        many.taken += 1
        if message:
            many.stored(message)


class _SinglePoster(Poster):
    """The poster of one message.

    Attributes:
        message: the message, when it is on disk.
    """

    __slots__ = ("message",)

    def __init__(self) -> None:
        self.message: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def stored(self, message: Message) -> None:
        if not self.message.done():
            self.message.set_result(message)

    def refused(self, refusal: Refused) -> None:
        if not self.message.done():
            self.message.set_exception(refusal)


class _ManyPoster(Poster):
    """The poster of many messages.

    Attributes:
        taken: the number of messages posted.
        stored_count: the number of them that are on disk.
        ids: the ids of those.
    """

    __slots__ = ("_changed", "_refusal", "_refused_count", "ids", "stored_count", "taken")

    keeps_order = True

    def __init__(self) -> None:
        self.taken = 0
        self.stored_count = 0
        self.ids: list[pb.IdRange] = []
        self._refusal: Refused | None = None
        self._refused_count = 0
        self._changed = asyncio.Event()

    def stored(self, message: Message) -> None:
        self.stored_count += 1
        if self.ids and self.ids[-1].last + 1 == message.id:
            self.ids[-1].last = message.id
        else:
            self.ids.append(pb.IdRange(first=message.id, last=message.id))
        self._changed.set()

    def refused(self, refusal: Refused) -> None:
        self._refusal = self._refusal or refusal
        self._refused_count += 1
        self._changed.set()

    async def settled(self) -> None:
        """Wait until each is on disk or refused.

        Raises:
            ItemRefused: if the disk refused one.
        """
        while self.stored_count + self._refused_count < self.taken:
            self._changed.clear()
            await self._changed.wait()
        self.check()

    def check(self) -> None:
        """Check that no message has been refused.

        Raises:
            ItemRefused: for the first one that was.
        """
        if self._refusal:
            raise ItemRefused(self.stored_count, self._refusal)
