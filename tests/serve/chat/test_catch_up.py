"""Catching up: messages from before the entry are charged, later ones are free, and every subscriber reaches the head."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from besedka.serve.chat import Chat
from besedka.serve.chat.shared_pages import PAGE_BORDER
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.room import Room, Tenant
from tests import looping
from tests.looping import jump, settle, until
from tests.serve.chat.test_chat import started
from tests.serve.chat.test_redaction import Held
from tests.serve.faking import FakeSubscriber, draft

PAGE: Final = PAGE_BORDER

PAGE_SECONDS: Final = 1_101.0
"""For which a connection waits after a page, more or less; no machine is so slow."""


@pytest.fixture(autouse=True)
def _low_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have connections read one page at once, and then for a frame in 100 seconds."""
    monkeypatch.setattr("besedka.serve.limits.rate_limits.FRAMES_AT_LEAST", 0.01)


def stranger(host: str = "192.0.2.1") -> RateLimiter:
    """The limits of a connection that pays for its pages."""
    sources = Sources(RateLimits(rate=0.001))
    return sources.limiter(sources.admit(host))


def enter(chat: Chat, room: Room, limiter: RateLimiter, since: int) -> FakeSubscriber:
    member = FakeSubscriber("Anna", room)
    tenant = Tenant(limiter.source.network)
    chat.subscriptions.enter(room, member, since, tenant=tenant, limiter=limiter)
    chat.catch_up.follow(room, member)
    return member


async def post(chat: Chat, room: Room, messages: int) -> None:
    """Post so many, and wait until they are stored."""
    head = room.head + messages
    for _ in range(messages):
        chat.committer.post(room, draft("Boris", "x"), FakeSubscriber("Boris"))
    await until(lambda: room.head == head)


async def rests(member: FakeSubscriber, received: int) -> None:
    """Wait until a member has so many messages and the next page waits for the clock."""
    await until(lambda: len(member.ids) >= received)
    await settle()
    assert len(member.ids) == received


def test_a_reader_of_a_long_log_is_paced_and_reaches_the_head_without_a_gap(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 4 * PAGE)
        member = enter(chat, room, stranger(), 0)
        for received in range(PAGE, 4 * PAGE, PAGE):
            await rests(member, received)
            await jump(PAGE_SECONDS)
        await until(lambda: room.is_live(member))
        await post(chat, room, 1)
        assert member.ids == [*range(1, 4 * PAGE + 2)]
        await chat.close()

    looping.run(scenario())


def test_a_paced_reader_reaches_the_head_though_more_is_posted_than_it_may_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, PAGE + 1)
        member = enter(chat, room, stranger(), 0)
        await rests(member, PAGE)
        await post(chat, room, PAGE)
        await jump(PAGE_SECONDS)
        await until(lambda: room.is_live(member))
        assert member.ids == [*range(1, 2 * PAGE + 2)]
        await chat.close()

    looping.run(scenario())


def test_a_slow_reader_that_was_live_reads_on_without_a_price(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 1)
        limiter = stranger()
        member = enter(chat, room, limiter, 1)
        limiter.charge_catch_up(chat.clock.now(), ["short"] * 10 * PAGE)
        member.fill()
        await post(chat, room, 2 * PAGE)
        member.drain()
        chat.catch_up.follow(room, member)
        await until(lambda: room.is_live(member))
        assert member.ids == [*range(2, 2 * PAGE + 2)]
        await chat.close()

    looping.run(scenario())


def test_a_program_of_this_machine_is_not_paced(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 4 * PAGE)
        member = enter(chat, room, stranger("127.0.0.1"), 0)
        await until(lambda: room.is_live(member))
        assert member.ids == [*range(1, 4 * PAGE + 1)]
        await chat.close()

    looping.run(scenario())


def test_a_socket_that_fills_while_its_page_waits_is_sent_nothing_and_reads_on_when_it_has_room(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 4 * PAGE)
        member = enter(chat, room, stranger(), 0)
        await rests(member, PAGE)
        member.fill()
        await jump(PAGE_SECONDS)
        assert len(member.ids) == PAGE
        member.drain()
        chat.catch_up.follow(room, member)
        await rests(member, PAGE + PAGE)
        await chat.close()

    looping.run(scenario())


def test_a_reader_that_leaves_while_its_page_is_read_pays_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 4 * PAGE)
        limiter = stranger()
        held = Held(monkeypatch, "read_with_flags")
        member = enter(chat, room, limiter, 0)
        await asyncio.to_thread(held.has_read.wait, 5)
        chat.subscriptions.leave(room, member)
        held.may_go_on.set()
        await settle()
        assert limiter.catch_up_delay(chat.clock.now()) > 0
        await chat.close()

    looping.run(scenario())


def test_a_reader_that_leaves_while_its_page_waits_holds_up_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 4 * PAGE)
        limiter = stranger()
        member = enter(chat, room, limiter, 0)
        await rests(member, PAGE)
        chat.subscriptions.leave(room, member)
        await asyncio.sleep(0)
        other = enter(chat, room, limiter, PAGE)
        await jump(PAGE_SECONDS)
        await until(lambda: other.ids)
        assert len(member.ids) == PAGE
        await chat.close()

    looping.run(scenario())
