"""What HTTP serves: the page as files, with headers that let nothing else in, and how the server is.

``/healthz`` answers while the process is alive, ``/readyz`` while the log can be written, ``/metrics`` with figures.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from besedka.serve.metrics import CONTENT_TYPE, Metrics

PAGE: Final = Path(__file__).parent.parent.parent.parent / "client"

HEADERS: Final = {
    # Nothing but our own files; the page's socket goes to its own host ('self' covers ws:, CSP level 3).
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # The files change with the server's version only; asking each time (a 304) keeps page and server in step.
    "cache-control": "no-cache",
}


def pages(metrics: Metrics, unready: Callable[[], Awaitable[str]]) -> ASGIApp:
    """The application behind the HTTP port.

    Args:
        metrics: what ``/metrics`` shows.
        unready: why the log cannot be written, or an empty string.
    """

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        why = await unready()
        return PlainTextResponse(f"{why or 'ready'}\n", 503 if why else 200)

    async def figures(_: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", figures),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
    return _with_headers(Starlette(routes=routes))


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await app(scope, receive, send_with_headers)

    return answer
