"""The HTTP application: each request waits as long as its client's rate limit says."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from besedka.serve.doors.http.pages import paced
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits
from besedka.serve.limits.sources import Sources
from tests import looping

RATE = 10.0
"""Twenty frames a second, and two seconds' worth at once."""


async def answered(limiter: RateLimiter, requests: int) -> float:
    """How long a client waits for the answers to so many requests at once, in seconds."""
    loop = asyncio.get_running_loop()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start"})

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
