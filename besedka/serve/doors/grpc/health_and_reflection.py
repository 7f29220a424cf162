"""Calls of the services beside the chat's, health and reflection: they are paced too, their requests are short, and few stream on a connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import grpc

from besedka.serve.doors.grpc import calls, status
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.handlers import Context, Handler, run_handler, wrapped
from besedka.serve.doors.grpc.requests import OTHER, charged, reader
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.session import Services
from besedka.wire.errors import ErrorCode, Refused

STREAMS_AT_MOST: Final = 4
"""Calls of one connection that watch its health or use reflection at once: a load balancer needs one."""

Continuation: TypeAlias = Callable[[grpc.HandlerCallDetails], Awaitable[Handler]]


class HealthAndReflection(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # only the stubs know that it is generic
    """Paces and bounds the calls of all services but one.

    Args:
        services: the services that sessions share.
        clients: the clients that call.
        chat: the service with limits of its own, by its full name.
    """

    def __init__(self, services: Services, clients: Clients, chat: str) -> None:
        self._services = services
        self._clients = clients
        self._chat = f"/{chat}/"
        self._streams: Counter[str] = Counter()

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler:
        """The handler of a call, with its limits."""
        handler: Handler | None = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(self._chat):
            return handler  # type: ignore[return-value]  # None: no such method
        decode: Any = handler.request_deserializer
        has_many = handler.request_streaming

        async def bounded(act: Callable[..., Any], request: Any, context: Context) -> Any:
            def answer(limiter: RateLimiter) -> Awaitable[Any]:
                now = self._services.clock.now
                given = charged(request, limiter, now) if has_many else request.take()
                return run_handler(act, given, context)

            return await self._bounded(answer, None if has_many else request.refusal, context)

        return wrapped(handler, bounded, reader(decode, OTHER))

    async def _bounded(
        self, answer: Callable[[RateLimiter], Awaitable[Any]], refusal: Refused | None, context: Context
    ) -> Any:
        try:
            self._clients.refuse_early(context, refusal, self._services.clock.now())
            limiter, now = self._clients.limiter(context), self._services.clock.now
            await calls.paced(lambda longest: self._clients.charge_call(context, limiter, now(), longest))
            with self._counted(context.peer()):
                return await answer(limiter)
        except Refused as refused:
            self._services.metrics.refused(refused.code, self._clients.network(context))
            await status.refuse(context, refused, self._services.language)

    @contextmanager
    def _counted(self, peer: str) -> Iterator[None]:
        if self._streams[peer] >= STREAMS_AT_MOST:
            raise Refused(ErrorCode.TOO_MANY_CONNECTIONS, limit=STREAMS_AT_MOST)
        self._streams[peer] += 1
        try:
            yield
        finally:
            self._streams[peer] -= 1
            if not self._streams[peer]:
                del self._streams[peer]
