"""The connection that comes back, over a transport that does what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from besedka.remote import backoff
from besedka.remote import connection as module
from besedka.remote.chat import connect
from besedka.remote.connection import Connection
from besedka.remote.errors import ConnectionFailed, JoinRefused, ShownOut, TransportClosed
from besedka.wire.frames import (
    Chat,
    ClientFrame,
    Error,
    Found,
    History,
    Join,
    Limits,
    Redacted,
    Say,
    ServerFrame,
    Welcome,
)
from tests import looping


class FakeTransport:
    """Notes what is said; tells what the test puts into it, and ends at None."""

    def __init__(self) -> None:
        self.said: list[ClientFrame] = []
        self.told: asyncio.Queue[ServerFrame | None] = asyncio.Queue()

    async def send(self, frame: ClientFrame) -> None:
        self.said.append(frame)

    async def frames(self) -> AsyncIterator[ServerFrame]:
        while frame := await self.told.get():
            yield frame
        raise TransportClosed("the connection was lost", reconnect=True)


def welcome(head: int) -> Welcome:
    return Welcome("main", "Anna", head, "epoch", 1, ["Anna"], Limits(32, 32, 5000, 65536), 0)


async def until_said(transport: FakeTransport, count: int) -> None:
    async with asyncio.timeout(60):
        while len(transport.said) < count:  # noqa: ASYNC110 - a fake has no event
            await asyncio.sleep(0.001)


@pytest.fixture
def transports(monkeypatch: pytest.MonkeyPatch) -> list[FakeTransport]:
    """The transports to come, each for one visit."""
    made = [FakeTransport(), FakeTransport()]
    waiting = iter(made)

    @asynccontextmanager
    async def open_fake(_: str, __: str) -> AsyncIterator[FakeTransport]:
        yield next(waiting)

    monkeypatch.setattr(module, "open_transport", open_fake)
    monkeypatch.setattr(backoff, "FIRST_WAIT_SECONDS", 0.0)
    return made


def test_what_is_said_before_the_history_was_read_is_not_taken_for_something_in_it(
    transports: list[FakeTransport],
) -> None:
    async def scenario() -> None:
        connection = Connection("ws://nowhere/ws", "Anna")
        listening = asyncio.ensure_future(_listen(connection))
        first, second = transports
        first.told.put_nowait(welcome(7))
        await until_said(first, 1)
        connection.say("hello")
        await until_said(first, 2)
        first.told.put_nowait(None)
        second.told.put_nowait(welcome(7))
        await until_said(second, 2)
        join, again = second.said
        assert isinstance(join, Join)
        assert isinstance(again, Say)
        # Somebody of our name may have said the same among the seven.
        assert again.after == 7
        listening.cancel()

    looping.run(scenario())


def test_what_waited_elsewhere_is_said_first_and_as_something_said_again(
    transports: list[FakeTransport],
) -> None:
    async def scenario() -> None:
        left = [Say("one", key="a", after=3), Say("two", key="b", after=4)]
        connection = Connection("ws://nowhere/ws", "Anna", unsent=left)
        listening = asyncio.ensure_future(_listen(connection))
        connection.say("three")
        transport = transports[0]
        transport.told.put_nowait(welcome(9))
        await until_said(transport, 4)
        assert transport.said[1:3] == left
        assert connection.unsent[:2] == left
        for number, frame in enumerate(connection.unsent, 10):
            transport.told.put_nowait(Chat("main", number, "Anna", frame.text, "12:00:00", 0, frame.key))
        async with asyncio.timeout(60):
            while connection.waiting:  # noqa: ASYNC110 - it is told as events
                await asyncio.sleep(0.001)
        assert connection.unsent == []
        listening.cancel()

    looping.run(scenario())


async def _listen(connection: Connection) -> None:
    async for _ in connection.events():
        pass


@pytest.mark.parametrize(
    "frames",
    [
        [welcome(0), Chat("main", 1, "x", "x", "12:00:00", 10**18)],
        [welcome(0), Chat("main", 1, "x", "x", "12:00:00", -(10**11))],
        [msgspec.structs.replace(welcome(0), utc_offset=10**17), Chat("main", 1, "x", "x", "12:00:00", 0)],
        [welcome(0), History("main", 1, ["garbage"])],
        [welcome(0), History("main", 1, ["[2025-01-01 00:00:00] no colon"])],
    ],
)
def test_a_server_that_talks_nonsense_is_no_besedka(
    transports: list[FakeTransport], frames: list[ServerFrame]
) -> None:
    async def scenario() -> None:
        listening = asyncio.ensure_future(_listen(Connection("ws://nowhere/ws", "Anna")))
        for frame in frames:
            transports[0].told.put_nowait(frame)
        with pytest.raises(ConnectionFailed, match="is not Besedka"):
            async with asyncio.timeout(60):
                await listening

    looping.run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        {"messages": ["[2025-01-01 00:00:00] B: x"], "ids": [], "before": 0},
        {"messages": ["garbage"], "ids": [1], "before": 0},
        {"messages": [], "ids": [], "before": 5},
    ],
)
def test_a_search_that_is_answered_with_nonsense_ends(
    transports: list[FakeTransport], answer: dict[str, Any]
) -> None:
    async def scenario() -> None:
        connection = Connection("ws://nowhere/ws", "Anna")
        listening = asyncio.ensure_future(_listen(connection))
        transport = transports[0]
        transport.told.put_nowait(welcome(9))
        await until_said(transport, 1)
        searching = asyncio.ensure_future(connection.asks.search("x", before=5))
        while not connection._questions._asked:  # noqa: SLF001 - a fake has no event
            await asyncio.sleep(0.001)
            if searching.done():
                searching = asyncio.ensure_future(connection.asks.search("x", before=5))
        (key,) = connection._questions._asked  # noqa: SLF001
        transport.told.put_nowait(Found(room="main", text="x", key=key, **answer))
        with pytest.raises(ConnectionFailed, match="is not Besedka"):
            await searching
        listening.cancel()

    looping.run(scenario())


def test_a_server_that_does_not_answer_the_join_is_given_up(
    transports: list[FakeTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transports
    monkeypatch.setattr(module, "JOIN_SECONDS", 0.05)

    async def scenario() -> None:
        with pytest.raises(ConnectionFailed, match="it does not answer"):
            await _listen(Connection("ws://nowhere/ws", "Anna"))

    looping.run(scenario())


def test_an_invitation_is_shown_once(transports: list[FakeTransport]) -> None:
    async def scenario() -> None:
        listening = asyncio.ensure_future(_listen(Connection("ws://nowhere/ws", "Anna", invite="token")))
        for transport in transports:
            transport.told.put_nowait(welcome(0))
            transport.told.put_nowait(None)
        await until_said(transports[1], 1)
        joins = [transport.said[0] for transport in transports]
        assert [join.invite for join in joins if isinstance(join, Join)] == ["token", ""]
        listening.cancel()

    looping.run(scenario())


@pytest.mark.parametrize(
    ("code", "is_in", "error"),
    [
        ("banned", True, ShownOut),
        ("banned", False, ShownOut),
        ("not_known", False, ShownOut),
        ("name_claimed", False, JoinRefused),
        ("not_invited", True, JoinRefused),
        ("not_invited", False, JoinRefused),
    ],
)
def test_one_who_is_let_in_no_more_does_not_come_back_for_ever(
    transports: list[FakeTransport], code: str, is_in: bool, error: type[JoinRefused | ShownOut]
) -> None:
    async def scenario() -> None:
        first, second = transports
        first.told.put_nowait(welcome(0))
        for frame in [Error(code, "why", "")] if is_in else [None]:
            first.told.put_nowait(frame)
        second.told.put_nowait(Error(code, "why", ""))
        with pytest.raises((JoinRefused, ShownOut), match="why") as refusal:
            async with asyncio.timeout(60):
                await _listen(Connection("ws://nowhere/ws", "Anna"))
        assert isinstance(refusal.value, error)
        assert refusal.value.code == code
        assert bool(second.said) != is_in

    looping.run(scenario())


def test_what_is_redacted_before_it_was_read_is_read_as_it_is_then(transports: list[FakeTransport]) -> None:
    async def scenario() -> None:
        transport = transports[0]
        transport.told.put_nowait(welcome(0))
        for number, text in enumerate(("one", "two"), 1):
            transport.told.put_nowait(Chat("main", number, "Boris", text, "12:00:00", 0))
        transport.told.put_nowait(Redacted("main", 1, "(removed)"))
        async with connect("ws://nowhere", "Anna") as chat:
            assert await anext(chat.news()) == Redacted("main", 1, "(removed)")
            messages = chat.follow()
            assert [(await anext(messages)).text for _ in range(2)] == ["(removed)", "two"]

    looping.run(scenario())
