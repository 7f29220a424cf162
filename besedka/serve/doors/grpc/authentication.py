"""The access key of calls: every method needs it, even one that does not exist, except those of ``grpc.health.v1``.

A call without it ends before its first request is read, always with the same status. A call ends when its key is withdrawn: a
stream, and also a unary one, which may wait for its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NoReturn

import grpc
from grpc_health.v1 import health

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.grpc import status
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.handlers import Context, Handler, run_handler, wrapped
from besedka.serve.metrics import Metrics
from besedka.wire.access import key_brought
from besedka.wire.errors import ErrorCode, Language, Refused

OPEN: Final = f"/{health.SERVICE_NAME}/"
"""The prefix of methods that need no key."""


class KeyInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # only the stubs know that it is generic
    """Checks the access key before every method of a server.

    Args:
        access: the valid keys.
        metrics: counts refusals.
        clients: the clients that call.
        now: a monotonic clock, in seconds.
        language: the language of their text, unless the call asks for another.
    """

    def __init__(
        self,
        access: Authenticator,
        metrics: Metrics,
        clients: Clients,
        now: Callable[[], float],
        language: Language,
    ) -> None:
        self._access = access
        self._metrics = metrics
        self._clients = clients
        self._now = now
        self._language = language
        self._refusing = grpc.stream_stream_rpc_method_handler(self._refuse)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler for a call: the requested one, or one that refuses."""
        if handler_call_details.method.startswith(OPEN):
            return await continuation(handler_call_details)
        key = key_brought(
            value if isinstance(value, str) else ""
            for name, value in handler_call_details.invocation_metadata
            if name == "authorization"
        )
        if not self._access.admits(key):
            return self._refusing
        return self._revocable(await continuation(handler_call_details), key)

    def _revocable(self, handler: Handler | None, key: str) -> Handler:
        """Wrap a handler so that its calls end when the key is withdrawn."""
        if handler is None:
            return handler  # type: ignore[return-value]  # no such method

        async def guarded(act: Callable[..., Any], requests: Any, context: Context) -> Any:
            call = _KeyCall()
            if not self._access.enter(call, key):
                await self._refuse(requests, context)
            try:
                return await self._until_revoked(run_handler(act, requests, context), call, context)
            finally:
                self._access.leave(call)

        return wrapped(handler, guarded)

    async def _until_revoked(
        self, response: Coroutine[Any, Any, Any], call: _KeyCall, context: Context
    ) -> Any:
        working, revoked = asyncio.ensure_future(response), asyncio.ensure_future(call.is_revoked.wait())
        try:
            await asyncio.wait({working, revoked}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
        finally:
            revoked.cancel()
            working.cancel()
            await asyncio.gather(working, revoked, return_exceptions=True)
        return await self._refuse(None, context)

    async def _refuse(self, _: object, context: Context) -> NoReturn:
        refusal = Refused(ErrorCode.NO_ACCESS)
        self._metrics.refused(refusal.code, self._clients.network(context))
        self._clients.charge_refusal(context, self._now())
        await status.refuse(context, refusal, self._language)


class _KeyCall:
    """A call as a holder of an access key."""

    def __init__(self) -> None:
        self.is_revoked = asyncio.Event()

    def revoke_access(self) -> None:
        self.is_revoked.set()

    def abort(self) -> None:
        self.is_revoked.set()
