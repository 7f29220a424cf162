"""The HTTP application: each request waits as long as its client's rate limit says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from besedka.serve.doors.http.page_files import PageFiles
from besedka.serve.doors.http.pages import paced
from besedka.serve.limits.rate_limits import HTTP_FRAMES, REFUSED_FRAMES, RateLimiter, RateLimits
from besedka.serve.limits.sources import Sources
from tests import looping

RATE = 10.0
"""Twenty frames a second, and two seconds' worth at once."""


async def answered(limiter: RateLimiter, requests: int, status: int = 200) -> float:
    """How long a client waits for the answers to so many requests at once, in seconds."""
    loop = asyncio.get_running_loop()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status})

    async def receive() -> Message:
        raise AssertionError("nobody reads")

    async def send(_: Message) -> None:
        pass

    async def request() -> None:
        limiter.charge_frames(loop.time(), 1)
        await paced(app, loop.time)({"type": "http", "state": {"limiter": limiter}}, receive, send)

    begun = loop.time()
    await asyncio.gather(*(request() for _ in range(requests)))
    return loop.time() - begun


def test_requests_over_the_rate_are_answered_later_and_those_of_others_at_once() -> None:
    sources = Sources(RateLimits(rate=RATE, rate_address=RATE))
    one, other = (sources.limiter(sources.admit(f"192.0.2.{number}")) for number in (1, 2))
    assert looping.run_jumping(answered(one, 40)) == 0
    assert looping.run_jumping(answered(one, 60)) == pytest.approx(3)
    assert looping.run_jumping(answered(other, 40)) == 0


def test_a_request_that_is_refused_costs_what_a_refusal_does() -> None:
    sources = Sources(RateLimits(rate=RATE, rate_address=RATE))
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    assert looping.run_jumping(answered(limiter, 40, status=404)) == 0
    assert limiter.delay(0) == pytest.approx(40 * (1 + REFUSED_FRAMES - HTTP_FRAMES) / 20 - 2)


def test_a_file_of_the_page_that_has_changed_is_read_again_and_one_that_is_new_is_not_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "index.html").write_text("one")
    files = PageFiles(tmp_path)

    async def get(path: str, etag: str = "") -> Response:
        headers = [(b"if-none-match", etag.encode())] if etag else []
        return await files.get_response(path, {"type": "http", "method": "GET", "headers": headers})

    first = looping.run(get("."))
    assert (first.body, first.headers["cache-control"]) == (b"one", "no-cache")
    assert looping.run(get(".", first.headers["etag"])).status_code == 304
    (tmp_path / "index.html").write_text("another")
    (tmp_path / "new.js").write_text("")
    assert looping.run(get("index.html", first.headers["etag"])).body == b"another"
    with pytest.raises(HTTPException, match="404"):
        looping.run(get("new.js"))
