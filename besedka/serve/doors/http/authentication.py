"""What HTTP answers only to those who may come in; all others get the same words, whatever they ask.

The page's files and ``/healthz`` are for everybody: they tell nothing of the chat, and the page must be there to bring a key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.metrics import Metrics
from besedka.wire.access import key_brought
from besedka.wire.errors import ErrorCode, Language, Refused

ABORT: Final = "besedka.abort"
"""The ASGI extension that cuts off the connection of a request."""

Handler = Callable[[Request], Awaitable[Response]]


class KeyGuard:
    """Lets those in who may.

    Args:
        access: who that is.
        metrics: where refusals are counted.
        language: of the sentence in them.
    """

    def __init__(self, access: Authenticator, metrics: Metrics, language: Language) -> None:
        self.access = access
        self.metrics = metrics
        self.sentence = f"{Refused(ErrorCode.NO_ACCESS).sentence(language)}\n"


class KeyRequired:
    """A guarded answer to GET and HEAD, as an ASGI application.

    Args:
        guard: lets in who may.
        answer: answers them.
        is_exempt: who needs no key.
    """

    def __init__(
        self, guard: KeyGuard, handler: Handler, is_exempt: Callable[[Request], bool] = lambda _: False
    ) -> None:
        self._guard = guard
        self._handler = handler
        self._is_exempt = is_exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        session = _GuardedRequest(scope["extensions"][ABORT]["abort"])
        access = self._guard.access
        try:
            response = await self._respond(request, session)
            await response(scope, receive, send)
        finally:
            access.leave(session)

    async def _respond(self, request: Request, session: _GuardedRequest) -> Response:
        # The key is looked at before anything else is.
        if not self._is_exempt(request):
            key = key_brought(request.headers.getlist("authorization"))
            if not self._guard.access.enter(session, key):
                self._guard.metrics.refused(ErrorCode.NO_ACCESS)
                headers = {"www-authenticate": "Bearer"}
                return PlainTextResponse(self._guard.sentence, HTTPStatus.UNAUTHORIZED, headers)
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse(
                "Method Not Allowed", HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "GET, HEAD"}
            )
        return await self._handler(request)


class _GuardedRequest:
    """Who is being answered; a long answer is cut off when the key is withdrawn, also if nobody reads it."""

    def __init__(self, abort: Callable[[], None]) -> None:
        self.revoke_access = abort


def is_own_machine(request: Request) -> bool:
    """Whether a program of this machine itself asks, and not a proxy on it for somebody else."""
    return bool(request.state.client.is_local)
