"""The messages that a program has not read: kept in memory up to a bound, and read from the log behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from besedka.remote.errors import ConnectionFailed
from besedka.remote.room.events import ReceivedMessage
from besedka.remote.room.history_reader import HistoryReader
from besedka.remote.room.unread import PAGE_MESSAGES, UNREAD_BYTES, UNREAD_MESSAGES, UnreadMessages
from besedka.wire.message import Message, MessageId
from tests.looping import run_jumping

PAGES_AT_MOST = 100
"""No test needs so many."""


def message(number: int, text: str = "") -> ReceivedMessage:
    text = text or f"text {number}"
    return ReceivedMessage(Message("2026-01-01 00:00:00", "Anna", text, id=MessageId(number)))


class Log(HistoryReader):
    """A log that holds every message.

    Attributes:
        is_empty: it holds none.
        pages: the first id and the limit of each page that was read.
    """

    def __init__(self) -> None:
        self.pages: list[tuple[int, int]] = []
        self.is_empty = False

    async def page(self, first: int, limit: int) -> list[ReceivedMessage]:
        self.pages.append((first, limit))
        assert len(self.pages) < PAGES_AT_MOST, "the log is read without end"
        if self.is_empty:
            return []
        return [message(number) for number in range(first, first + limit)]


async def ids(messages: AsyncIterator[ReceivedMessage]) -> list[int]:
    return [message.id async for message in messages]


def add(unread: UnreadMessages, count: int) -> None:
    for number in range(1, count + 1):
        unread.add(message(number))
    unread.wake(is_connected=True)


def test_messages_beyond_the_bound_are_read_from_the_log_without_a_gap() -> None:
    async def scenario() -> None:
        log = Log()
        unread = UnreadMessages(log)
        add(unread, UNREAD_MESSAGES + PAGE_MESSAGES + 5)
        messages = unread.read()
        found = [(await anext(messages)).id for _ in range(UNREAD_MESSAGES + PAGE_MESSAGES + 5)]
        assert found == [*range(1, UNREAD_MESSAGES + PAGE_MESSAGES + 6)]
        assert log.pages == [(UNREAD_MESSAGES + 1, PAGE_MESSAGES), (UNREAD_MESSAGES + PAGE_MESSAGES + 1, 5)]
        unread.add(message(UNREAD_MESSAGES + PAGE_MESSAGES + 6))
        assert (await anext(messages)).id == UNREAD_MESSAGES + PAGE_MESSAGES + 6

    run_jumping(scenario())


def test_long_messages_beyond_the_bound_of_memory_are_read_from_the_log_too() -> None:
    async def scenario() -> None:
        log = Log()
        unread = UnreadMessages(log)
        for number in range(1, 11):
            unread.add(message(number, "x" * (UNREAD_BYTES // 4)))
        unread.wake(is_connected=True)
        messages = unread.read()
        assert [(await anext(messages)).id for _ in range(10)] == [*range(1, 11)]
        assert log.pages == [(5, 6)]

    run_jumping(scenario())


def test_the_log_is_not_read_before_the_connection_is_back() -> None:
    async def scenario() -> None:
        log = Log()
        unread = UnreadMessages(log)
        add(unread, UNREAD_MESSAGES + 1)
        unread.wake(is_connected=False)
        messages = unread.read()
        for _ in range(UNREAD_MESSAGES):
            await anext(messages)
        last = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        assert not log.pages
        unread.wake(is_connected=True)
        assert (await last).id == UNREAD_MESSAGES + 1

    run_jumping(scenario())


def test_an_error_is_raised_behind_the_messages_that_wait() -> None:
    async def scenario() -> None:
        unread = UnreadMessages(Log())
        add(unread, 1)
        unread.end(ConnectionFailed("gone"))
        messages = unread.read()
        assert (await anext(messages)).id == 1
        with pytest.raises(ConnectionFailed, match="gone"):
            await anext(messages)

    run_jumping(scenario())


def test_a_message_that_waits_is_redacted_too() -> None:
    async def scenario() -> None:
        unread = UnreadMessages(Log())
        add(unread, 2)
        unread.redact(2, "redacted")
        unread.end(None)
        assert [message.text async for message in unread.read()] == ["text 1", "redacted"]

    run_jumping(scenario())


def test_redactions_that_make_texts_longer_stay_within_the_bound_of_memory() -> None:
    async def scenario() -> None:
        log = Log()
        unread = UnreadMessages(log)
        add(unread, 10)
        for number in range(1, 11):
            unread.redact(number, "x" * (UNREAD_BYTES // 4))
        messages = unread.read()
        assert [(await anext(messages)).id for _ in range(10)] == [*range(1, 11)]
        assert log.pages == [(4, 7)]

    run_jumping(scenario())


def test_of_a_replaced_log_nothing_is_read() -> None:
    async def scenario() -> None:
        unread = UnreadMessages(Log())
        add(unread, UNREAD_MESSAGES + 1)
        unread.reset()
        unread.add(message(1))
        unread.end(None)
        assert await ids(unread.read()) == [1]

    run_jumping(scenario())


def test_a_log_that_lacks_what_was_announced_is_read_again_only_when_something_has_happened() -> None:
    async def scenario() -> None:
        log = Log()
        log.is_empty = True
        unread = UnreadMessages(log)
        add(unread, UNREAD_MESSAGES + 1)
        messages = unread.read()
        for _ in range(UNREAD_MESSAGES):
            await anext(messages)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3_600):
                await anext(messages)
        assert len(log.pages) == 1
        log.is_empty = False
        messages = unread.read()
        unread.wake(is_connected=True)
        assert (await anext(messages)).id == UNREAD_MESSAGES + 1

    run_jumping(scenario())
