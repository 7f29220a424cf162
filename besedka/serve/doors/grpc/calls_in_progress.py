"""Calls in progress: an address has only so many, and a connection lives by its admitted calls.

gRPC hands over a call when its first request is there, and reports its end when its answer has been read. So a connection whose calls
are all half-open has none in progress, and a call whose answer nobody reads stays in progress.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn

import grpc

from besedka.serve.doors.grpc import status
from besedka.serve.doors.grpc.authentication import OPEN
from besedka.serve.doors.grpc.calls import CALL_SECONDS
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.handlers import Context, Handler, run_handler, wrapped
from besedka.serve.doors.timeouts import STUCK_SECONDS
from besedka.serve.session import Services
from besedka.wire.errors import Refused

ANSWERED_SECONDS: Final = CALL_SECONDS + STUCK_SECONDS
"""The time after which the answer of a call that does not stream must have been read."""


class CallsInProgress(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # only the stubs know that it is generic
    """Notes the admitted calls of each connection, and counts those of each address that do not stream.

    Args:
        services: the services that sessions share.
        clients: the clients that call.
        needs_key: whether calls need a key; then a health check, which needs none, keeps no connection.
    """

    def __init__(self, services: Services, clients: Clients, *, needs_key: bool) -> None:
        self._services = services
        self._clients = clients
        self._open = OPEN if needs_key else None
        self._unknown = grpc.stream_stream_rpc_method_handler(self._refuse_unknown)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler of a call, which notes its beginning and its end."""
        handler: Handler | None = await continuation(handler_call_details)
        if handler is None:
            return self._unknown
        if self._open and handler_call_details.method.startswith(self._open):
            return handler
        seconds = None if handler.request_streaming or handler.response_streaming else ANSWERED_SECONDS

        async def noted(act: Callable[..., Any], request: Any, context: Context) -> Any:
            try:
                ended = self._clients.call_began(context, seconds)
            except Refused as refusal:
                self._services.metrics.refused(refusal.code, self._clients.network(context))
                await status.refuse(context, refusal, self._services.language)
            context.add_done_callback(lambda _: ended())  # type: ignore[arg-type]  # gRPC gives it without a name
            try:
                return await run_handler(act, request, context)
            finally:
                if seconds is None:
                    self._clients.call_answered(context)

        return wrapped(handler, noted)

    async def _refuse_unknown(self, _: object, context: Context) -> NoReturn:
        self._clients.charge_refusal(context, self._services.clock.now())
        await status.end(context, grpc.StatusCode.UNIMPLEMENTED, "Method not found!", ())
