"""The responses of HTTP that need the access key; without it every request gets the same refusal.

The page's files and ``/healthz`` are open to everybody: they reveal nothing of the chat, and the page is needed to enter a key.
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
from besedka.wire.languages import ACCEPT_LANGUAGE, first_preferred

CONNECTION: Final = "besedka.connection"
"""The ASGI extension about the connection of a request: `abort` cuts it off, `drain` waits until the client has read almost all."""

Handler = Callable[[Request], Awaitable[Response]]


def language_of(request: Request, default: Language) -> Language:
    """The language that a request asks for, or the default one."""
    return first_preferred(request.headers.getlist(ACCEPT_LANGUAGE), default)


class KeyGuard:
    """Checks access keys.

    Args:
        access: the valid keys.
        metrics: counts refusals.
        language: the language of their text, for requests that accept none of ours.
    """

    def __init__(self, access: Authenticator, metrics: Metrics, language: Language) -> None:
        self.access = access
        self.metrics = metrics
        self._language = language

    def sentence(self, request: Request) -> str:
        """The text of a refusal, in the request's language."""
        return Refused(ErrorCode.NO_ACCESS).sentence(language_of(request, self._language))


class KeyRequired:
    """A handler of GET and HEAD that needs the access key, as an ASGI application.

    Args:
        guard: checks the key.
        handler: answers the requests that pass.
        is_exempt: whether a request needs no key.
    """

    def __init__(
        self, guard: KeyGuard, handler: Handler, is_exempt: Callable[[Request], bool] = lambda _: False
    ) -> None:
        self._guard = guard
        self._handler = handler
        self._is_exempt = is_exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        session = _GuardedRequest(scope["extensions"][CONNECTION]["abort"])
        access = self._guard.access
        try:
            response = await self._respond(request, session)
            await response(scope, receive, send)
        finally:
            access.leave(session)

    async def _respond(self, request: Request, session: _GuardedRequest) -> Response:
        # The key is checked before anything else.
        if not self._is_exempt(request):
            key = key_brought(request.headers.getlist("authorization"))
            if not self._guard.access.enter(session, key):
                self._guard.metrics.refused(ErrorCode.NO_ACCESS, request.state.client.host)
                headers = {"www-authenticate": "Bearer"}
                return PlainTextResponse(
                    f"{self._guard.sentence(request)}\n", HTTPStatus.UNAUTHORIZED, headers
                )
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse(
                "Method Not Allowed", HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "GET, HEAD"}
            )
        return await self._handler(request)


class _GuardedRequest:
    """A request that is being answered; a long response is cut off when the key is withdrawn, even if nobody reads it."""

    def __init__(self, abort: Callable[[], None]) -> None:
        self.revoke_access = self.abort = abort


def is_own_machine(request: Request) -> bool:
    """Whether the request is from a program on this machine, and not from a proxy on it for somebody else."""
    return bool(request.state.client.is_local)
