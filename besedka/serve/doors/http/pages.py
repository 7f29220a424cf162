"""The HTTP application: the page's files, with a strict content security policy, and the server's state.

``/healthz`` answers while the process is alive, ``/readyz`` while the log can be written, ``/metrics`` with figures,
``/history.txt`` with a room's log. If the chat has an access key, the last three need it. All of it is below the base path;
nothing is outside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.doors.http.authentication import KeyGuard, KeyRequired, is_own_machine
from besedka.serve.doors.http.download import Download
from besedka.serve.doors.http.page_files import CACHING, PageFiles
from besedka.serve.limits.rate_limits import HTTP_FRAMES, REFUSED_FRAMES, RateLimiter
from besedka.serve.metrics import Metrics
from besedka.wire.errors import Language

if TYPE_CHECKING:
    from besedka.serve.exposition import Exposition

PAGE: Final = Path(__file__).parent.parent.parent.parent / "client"

HEADERS: Final = {
    # Only the page's own files; its socket goes to its own host ('self' covers ws:, CSP level 3).
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        # No text becomes a script, except the address of the service worker, for which the page has a policy.
        "require-trusted-types-for 'script'; trusted-types besedka"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

UNCACHED: Final = "no-store"
"""All other answers: they depend on the key and the secret of the request, and may hold a private room (RFC 9111, section 5.2.2.5)."""

_FIGURES_ARE_OURS: Final = "figures are for the server's own machine; --metrics-open shows them to others\n"


def pages(
    download: Download,
    metrics: Metrics,
    unready: Callable[[], Awaitable[str]],
    now: Callable[[], float],
    *,
    language: Language,
    access: Authenticator,
    base_path: str = "",
    metrics_open: bool,
) -> ASGIApp:
    """The application behind the HTTP port.

    Args:
        download: answers ``/history.txt``.
        metrics: the figures of ``/metrics``.
        unready: the reason why the log cannot be written now; empty if it can.
        now: seconds of a monotonic clock.
        language: the language of refusals, for requests that accept none of ours.
        access: the valid access keys.
        metrics_open: whether other machines may see the figures.
        base_path: the path below which all of it is; empty, or such as ``/chat``.
    """
    guard = KeyGuard(access, metrics, language)
    found = routes(download, metrics, unready, guard, metrics_open=metrics_open)
    if base_path:

        async def inside(_: Request) -> Response:
            # Relative to the host: behind a proxy the server does not know the outside name.
            return Response(status_code=308, headers={"location": f"{base_path}/"})

        found = [Route(base_path, inside), Mount(base_path, routes=found)]
    return paced(_with_headers(Starlette(routes=found)), now)


def routes(
    download: Download,
    metrics: Metrics,
    unready: Callable[[], Awaitable[str]],
    guard: KeyGuard,
    *,
    metrics_open: bool,
) -> list[BaseRoute]:
    """The paths below the base path, and what answers there; the arguments are those of `pages`."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        why = await unready()
        return PlainTextResponse(f"{why or 'ready'}\n", 503 if why else 200)

    @cache
    def exposition() -> Exposition:
        from besedka.serve.exposition import Exposition  # noqa: PLC0415 - slow to import, and many servers are never asked

        return Exposition(metrics)

    async def figures(request: Request) -> Response:
        if not (metrics_open or is_own_machine(request)):
            return PlainTextResponse(_FIGURES_ARE_OURS, HTTPStatus.FORBIDDEN)
        return Response(exposition().text(), media_type=exposition().content_type)

    return [
        Route("/healthz", healthz),
        Route("/readyz", KeyRequired(guard, readyz)),
        Route("/metrics", KeyRequired(guard, figures, is_own_machine)),
        Route("/history.txt", KeyRequired(guard, download.answer)),
        Mount("/", PageFiles(PAGE, HEADERS)),
    ]


def paced(app: ASGIApp, now: Callable[[], float]) -> ASGIApp:
    """Have each request wait as long as the rate limit of its client says, and charge for refusals."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        limiter: RateLimiter = scope["state"]["limiter"]

        async def send_charged(message: Message) -> None:
            if message.get("status", HTTPStatus.OK) >= HTTPStatus.BAD_REQUEST:
                limiter.charge_frames(now(), REFUSED_FRAMES - HTTP_FRAMES)
            await send(message)

        await asyncio.sleep(limiter.delay(now()))
        await app(scope, receive, send_charged)

    return answer


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            # A browser keeps the headers of a file that has not changed (RFC 9110, section 15.4.5).
            if message["type"] == "http.response.start" and message["status"] != HTTPStatus.NOT_MODIFIED:
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault(CACHING, UNCACHED)
            await send(message)

        await app(scope, receive, send_with_headers)

    return answer
