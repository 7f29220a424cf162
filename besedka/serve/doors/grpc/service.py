"""The service `besedka.v1.Chat`: its methods as gRPC calls them, with refusals as statuses.

Responses of streams are bytes already, encoded once for all subscribers; so the handlers are listed here by hand, and a test
compares the list with the descriptor of the service.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, aclosing, suppress
from typing import Any, Final, NoReturn, TypeVar

import grpc
from google.protobuf.message import Message

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.grpc import calls, status
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.converse import ConverseStream
from besedka.serve.doors.grpc.follow import FollowStream
from besedka.serve.doors.grpc.requests import CONVERSE, FOLLOW, FRAME, IMPORT, Bounds, Request, held, reader
from besedka.serve.doors.grpc.stream import Stream
from besedka.serve.errors import SessionFailed
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.metrics import GRPC
from besedka.serve.people.person import Person
from besedka.serve.session import Services
from besedka.serve.session.refusals import unavailable
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import DEFAULT_ROOM, clean_room

log = logging.getLogger(__name__)

NAME: Final = pb.DESCRIPTOR.services_by_name["Chat"].full_name

LAST_WORDS_SECONDS: Final = 0.5
"""The time in which a call that ends with an error may still write earlier responses: its status ends all writing, and a client that does
not read them must not hold it up."""

OVERDUE: Final = "the call has taken too long"

Context = grpc.aio.ServicerContext[Any, Any]
M = TypeVar("M", bound=Message)
T = TypeVar("T")


class ChatService:
    """All calls of one server.

    Args:
        services: the services that sessions share.
        clients: the clients that call.
    """

    def __init__(self, services: Services, clients: Clients) -> None:
        self._services = services
        self._clients = clients
        self._is_ending = False
        self._streams: dict[Stream, asyncio.Task[None]] = {}
        self._contexts: dict[Stream, Context] = {}
        services.metrics.show("streams_open", GRPC["streams_open"], lambda: len(self._streams))

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        """A handler for each method."""
        return {
            "Send": grpc.unary_unary_rpc_method_handler(self._send, _reader(pb.SendRequest), _written),
            "ListMessages": grpc.unary_unary_rpc_method_handler(
                self._list_messages, _reader(pb.ListMessagesRequest), _written
            ),
            "ListRooms": grpc.unary_unary_rpc_method_handler(
                self._list_rooms, _reader(pb.ListRoomsRequest), _written
            ),
            "Search": grpc.unary_unary_rpc_method_handler(self._search, _reader(pb.SearchRequest), _written),
            "Follow": grpc.unary_stream_rpc_method_handler(self._follow, _reader(pb.FollowRequest, FOLLOW)),
            "Import": grpc.stream_unary_rpc_method_handler(
                self._import, _reader(pb.ImportRequest, IMPORT), _written
            ),
            "Converse": grpc.stream_stream_rpc_method_handler(
                self._converse, _reader(pb.ConverseRequest, CONVERSE)
            ),
        }

    async def end_streams(self, seconds: float) -> None:
        """End all streams because the server stops: each writes the rest; those not done after some seconds are cancelled."""
        self._is_ending = True
        for stream in self._streams:
            stream.end()
        if self._streams:
            _, late = await asyncio.wait(self._streams.values(), timeout=seconds)
            for task in late:
                task.cancel()

    def look_after(self, now: float) -> None:
        """Cut off the clients that do not read their streams: gRPC cannot end a call alone before its responses are read."""
        for stream, context in self._contexts.items():
            if stream.is_stuck(now):
                self._clients.cut_off(context)

    # The methods.

    async def _send(self, request: Request[pb.SendRequest], context: Context) -> pb.SendResponse:
        return await self._answer_in_time(request, context, calls.send)

    async def _list_messages(
        self, request: Request[pb.ListMessagesRequest], context: Context
    ) -> pb.ListMessagesResponse:
        return await self._answer_in_time(request, context, calls.list_messages)

    async def _list_rooms(
        self, request: Request[pb.ListRoomsRequest], context: Context
    ) -> pb.ListRoomsResponse:
        return await self._answer_in_time(request, context, calls.list_rooms)

    async def _search(self, request: Request[pb.SearchRequest], context: Context) -> pb.SearchResponse:
        return await self._answer_in_time(request, context, calls.search)

    async def _import(
        self, requests: AsyncIterator[Request[pb.ImportRequest]], context: Context
    ) -> pb.ImportResponse:
        try:
            return await self._answer(context, lambda limiter: self._import_all(requests, limiter))
        except calls.ItemRefused as error:
            await self._refuse(context, error.refusal, f"messages[{error.index}]")

    async def _import_all(
        self, requests: AsyncIterator[Request[pb.ImportRequest]], limiter: RateLimiter
    ) -> pb.ImportResponse:
        with self._clients.stream(limiter):
            in_time = calls.in_time(requests)
            async with aclosing(held(in_time, limiter, self._services.clock.now)) as whole:
                return await calls.import_(whole, self._services, limiter)

    async def _follow(self, request: Request[pb.FollowRequest], context: Context) -> None:
        await self._answer(
            context, lambda limiter: self._follow_on(request, context, limiter), request.refusal
        )

    async def _follow_on(
        self, request: Request[pb.FollowRequest], context: Context, limiter: RateLimiter
    ) -> None:
        with ExitStack() as until_left:
            stream = await self._entered(request.take(), context, limiter, until_left)
            await self._run(stream, context)

    async def _entered(
        self, request: pb.FollowRequest, context: Context, limiter: RateLimiter, until_left: ExitStack
    ) -> FollowStream:
        """A stream that has entered its room."""
        claim = calls.reader(request)
        since = request.since if request.HasField("since") else None
        room = await self._services.admission.existing_room(
            clean_room(request.room or DEFAULT_ROOM), claim, limiter, since=since, epoch=request.epoch
        )
        # Once it is entered the room may be closed under a nameless reader.
        with self._services.rooms.held(room):
            until_left.enter_context(self._clients.stream(limiter))
            stream = FollowStream(
                self._spoken(context), room, reader=Person(claim=claim), limiter=limiter, write=context.write
            )
            stream.enter(since, request.epoch)
            until_left.callback(stream.leave)
        return stream

    async def _converse(self, requests: AsyncIterator[Request[pb.ConverseRequest]], context: Context) -> None:
        await self._answer(context, lambda limiter: self._converse_on(requests, context, limiter))

    async def _converse_on(
        self, requests: AsyncIterator[Request[pb.ConverseRequest]], context: Context, limiter: RateLimiter
    ) -> None:
        with self._clients.stream(limiter):
            stream = ConverseStream(self._spoken(context), limiter, context.write)
            listening = asyncio.ensure_future(stream.listen(requests))
            running = asyncio.ensure_future(self._run(stream, context))
            try:
                # A client that has ended its side goes on receiving.
                await asyncio.wait({listening, running}, return_when=asyncio.FIRST_EXCEPTION)
                # Cancelling a write would end the call before a status can be sent, so the stream ends by itself. (If the
                # client has gone, gRPC has cancelled this coroutine, and nobody needs a status.)
                stream.end()
                await asyncio.wait({running}, timeout=LAST_WORDS_SECONDS)
            finally:
                for task in (listening, running):
                    task.cancel()
                try:
                    await asyncio.gather(listening, running, return_exceptions=True)
                finally:
                    # A client that goes at the moment when its call is ended has this cancelled twice.
                    stream.session.end()
            for task in (running, listening):
                with suppress(asyncio.CancelledError):
                    task.result()

    async def _run(self, stream: Stream, context: Context) -> None:
        """Run a stream until the server stops; then send the cursors from which to continue."""
        running = self._streams[stream] = asyncio.ensure_future(stream.run())
        self._contexts[stream] = context
        try:
            waited_for: set[asyncio.Future[Any]] = {running, stream.disconnected}
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            if stream.disconnected.done():
                await asyncio.wait({running}, timeout=LAST_WORDS_SECONDS)
                raise stream.disconnected.result()
            await running
        finally:
            self._streams.pop(stream).cancel()
            del self._contexts[stream]
            self._clients.call_answered(context)
        if not self._is_ending:
            return
        refusal, language = Refused(ErrorCode.GOING_DOWN), stream.services.language
        details = [*status.details(refusal, language), stream.cursors()]
        await status.end(context, status.STATUS[refusal.code], refusal.sentence(language), details)

    # Common to all methods.

    async def _answer_in_time(
        self,
        request: Request[M],
        context: Context,
        answer: Callable[[M, Services, RateLimiter], Awaitable[T]],
    ) -> T:
        def act(limiter: RateLimiter) -> Awaitable[T]:
            return answer(request.take(), self._services, limiter)

        return await self._answer(context, act, request.refusal, calls.CALL_SECONDS)

    async def _answer(
        self,
        context: Context,
        act: Callable[[RateLimiter], Awaitable[T]],
        refusal: Refused | None = None,
        seconds: float | None = None,
    ) -> T:
        try:
            limiter = self._clients.limiter(context)
            self._services.admission.check_network(limiter.source.network)
            # A request that is refused is not kept while its call waits for its turn.
            self._clients.refuse_early(context, refusal, self._services.clock.now())
            async with calls.overdue_after(seconds):
                return await self._act(act, limiter, context)
        except Refused as refused:
            await self._refuse(context, refused)
        except (calls.ItemRefused, grpc.aio.BaseError):
            raise  # a response of its own, and gRPC's error for a call that has ended
        except calls.Overdue:
            await status.end(context, grpc.StatusCode.DEADLINE_EXCEEDED, OVERDUE, ())
        except SessionFailed:
            await self._fail(context)
        except Exception:
            log.exception("a call could not be answered")
            await self._fail(context)

    async def _act(
        self, act: Callable[[RateLimiter], Awaitable[T]], limiter: RateLimiter, context: Context
    ) -> T:
        await calls.paced(
            lambda longest: self._clients.charge_call(context, limiter, self._services.clock.now(), longest)
        )
        self._services.admission.check_network(limiter.source.network)  # it may have been banned meanwhile
        try:
            return await _unless_unavailable(act(limiter))
        except Refused:
            limiter.charge_refusal(self._services.clock.now())
            raise

    def _spoken(self, context: Context) -> Services:
        """The services in the language that a call asks for."""
        return self._services.in_language(status.accepted_languages(context))

    async def _fail(self, context: Context) -> NoReturn:
        await status.end(context, grpc.StatusCode.INTERNAL, CloseCode.BROKEN.value.reason, ())

    async def _refuse(self, context: Context, refusal: Refused, field: str = "") -> NoReturn:
        self._services.metrics.refused(refusal.code, self._clients.network(context))
        await status.refuse(context, refusal, self._services.language, field)


async def _unless_unavailable(answering: Awaitable[T]) -> T:
    try:
        return await answering
    except OSError as error:
        raise unavailable(error) from error


def _reader(kind: type[M], bounds: Bounds = FRAME) -> Callable[[bytes], Request[M]]:
    return reader(kind.FromString, bounds)


def _written(response: Message) -> bytes:
    return response.SerializeToString()
