"""The access key of calls: every method needs it, even one that does not exist, except those of ``grpc.health.v1``.

A call without it ends before its first request is read, always with the same status. A stream ends when its key is withdrawn.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NoReturn, TypeAlias

import grpc
from grpc_health.v1 import health

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.grpc import status
from besedka.serve.metrics import Metrics
from besedka.wire.access import key_brought
from besedka.wire.errors import ErrorCode, Language, Refused

OPEN: Final = f"/{health.SERVICE_NAME}/"
"""The prefix of methods that need no key."""

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class KeyInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # only the stubs know that it is generic
    """Checks the access key before every method of a server.

    Args:
        access: the valid keys.
        metrics: counts refusals.
        language: the language of their text.
    """

    def __init__(self, access: Authenticator, metrics: Metrics, language: Language) -> None:
        self._access = access
        self._metrics = metrics
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
        """Wrap a handler so that its calls end when the key is withdrawn; unary calls are too short to need it."""
        kinds: dict[tuple[bool, bool], tuple[Any, Callable[..., Handler]]] = {
            (False, True): (handler and handler.unary_stream, grpc.unary_stream_rpc_method_handler),
            (True, False): (handler and handler.stream_unary, grpc.stream_unary_rpc_method_handler),
            (True, True): (handler and handler.stream_stream, grpc.stream_stream_rpc_method_handler),
        }
        if handler is None or (handler.request_streaming, handler.response_streaming) not in kinds:
            return handler  # type: ignore[return-value]  # None: no such method
        act, make = kinds[handler.request_streaming, handler.response_streaming]

        async def guarded(requests: Any, context: Context) -> Any:
            call = _StreamingCall()
            if not self._access.enter(call, key):
                await self._refuse(requests, context)
            try:
                return await self._until_revoked(_run_handler(act, requests, context), call, context)
            finally:
                self._access.leave(call)

        return make(guarded, handler.request_deserializer, handler.response_serializer)

    async def _until_revoked(
        self, response: Coroutine[Any, Any, Any], call: _StreamingCall, context: Context
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
        self._metrics.refused(refusal.code)
        sentence = refusal.sentence(self._language)
        await status.end(
            context, status.STATUS[refusal.code], sentence, status.details(refusal, self._language)
        )


class _StreamingCall:
    """A call that streams, as a holder of an access key."""

    def __init__(self) -> None:
        self.is_revoked = asyncio.Event()

    def revoke_access(self) -> None:
        self.is_revoked.set()

    def abort(self) -> None:
        self.is_revoked.set()


async def _run_handler(act: Callable[..., Any], requests: Any, context: Context) -> Any:
    if not inspect.isasyncgenfunction(act):
        return await act(requests, context)
    async for response in act(requests, context):
        await context.write(response)
    return None
