"""A crowd that talks without a pause, whatever happens to the server: each text unique, some of several lines.

Each person keeps silent while too much of what they have said is neither stored nor refused: else their outboxes would grow for as long
as the server is down more often than up, and would take minutes to drain at the rate that it allows. All come back quickly, so that a
server which lives for a moment has something to lose.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from unittest import mock

from besedka.remote import chat_connection
from besedka.remote.chat_connection import ChatConnection
from besedka.remote.errors import ConnectionFailed
from besedka.remote.room import membership
from besedka.remote.room.events import ReceivedMessage
from besedka.remote.room.membership import Membership
from besedka.wire.frames import Error, Welcome
from besedka.wire.message import MessageId
from tests.torture.checker import Record

UNSETTLED_AT_MOST: Final = 50
"""Messages of one person; less than what the server takes at once."""

JOINING_AT_MOST: Final = 10
"""People who come at the same time: the first connection of each has an end, which a busy machine reaches with a hundred."""

FIRST_TRIES: Final = 5

COME_BACK_SECONDS: Final = (0.1, 0.5)

CALM_SECONDS: Final = 300
"""A safety net; some seconds are enough."""


class Person:
    """One who talks and listens.

    Args:
        name: by which they are known.
        url: of the chat.
        record: where it is noted what is said and heard.
        pause: between two messages, in seconds, on average.
        messages: after so many they say nothing more.
        unsettled_at_most: so many messages may be neither stored nor refused; then they wait.
    """

    def __init__(
        self,
        name: str,
        url: str,
        record: Record,
        pause: float,
        *,
        messages: int = sys.maxsize,
        unsettled_at_most: int = sys.maxsize,
        secret: str = "",
    ) -> None:
        self.name = name
        self._secret = secret
        self._url = url
        self._connection = ChatConnection(url)
        self._membership: Membership
        self._is_in = asyncio.Event()
        self._record = record
        self._pause = pause
        self._messages = messages
        self._unsettled_at_most = unsettled_at_most
        self._said = 0
        self._unsettled: set[asyncio.Future[MessageId]] = set()
        self._heard = record.heard.setdefault(name, [])
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._membership = self._connection.join("main", self.name, secret=self._secret)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._talk())]

    async def has_joined(self) -> None:
        """Wait until they are in. A program that cannot connect at first does not try again by itself, but whoever started it does.

        Raises:
            ConnectionFailed: if that fails again and again.
        """
        for tries_left in reversed(range(FIRST_TRIES)):
            joined = asyncio.create_task(self._is_in.wait())
            listening, talking = self._tasks
            await asyncio.wait([joined, listening], return_when=asyncio.FIRST_COMPLETED)
            if joined.done():
                return
            joined.cancel()
            talking.cancel()
            error = listening.exception()
            if not (tries_left and isinstance(error, ConnectionFailed)):
                listening.result()
            self._connection = ChatConnection(self._url)
            self.start()

    async def has_said_all(self) -> None:
        """Wait until all messages are said, if perhaps not heard."""
        await self._tasks[1]

    async def finish(self) -> None:
        """Say nothing more, and wait until all that was said has been heard back or refused."""
        listening, talking = self._tasks
        talking.cancel()
        settled = asyncio.create_task(self._settle())
        async with asyncio.timeout(CALM_SECONDS):
            await asyncio.wait([listening, settled], return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
        assert self._membership.waiting == 0
        listening.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()

    async def _settle(self) -> None:
        await asyncio.gather(*self._unsettled, return_exceptions=True)

    async def _talk(self) -> None:
        await self._is_in.wait()  # what is said to a connection that never comes about is lost with it
        while self._said < self._messages:
            await asyncio.sleep(random.uniform(0, 2 * self._pause))
            self._said += 1
            lines = "".join(f"\nline {number}" for number in range(random.choice((0, 0, 0, 1, 5))))
            text = f"{self.name} #{self._said}{lines}"
            self._record.attempted.add(text)
            stored = self._membership.say(text)
            self._unsettled.add(stored)
            stored.add_done_callback(self._unsettled.discard)
            if len(self._unsettled) >= self._unsettled_at_most:
                await asyncio.wait([stored])

    async def _listen(self) -> None:
        async for event in self._membership.events():
            if isinstance(event, Welcome):
                self._is_in.set()
                self._record.resets += event.reset
            elif isinstance(event, ReceivedMessage):
                self._heard.append((event.id, event.text))
                if event.user == self.name:
                    self._record.acknowledged.add(event.text)
                    self._record.news.set()
            elif isinstance(event, Error):
                assert event.code in {
                    "storage_full",
                    "not_stored",
                    "going_down",
                    "too_fast",
                    "out_of_reach",
                }, event


def _come_back(_tries: int) -> float:
    return random.uniform(*COME_BACK_SECONDS)


async def are_heard(record: Record, count: int) -> None:
    """Wait until so many messages more have come back to their senders."""
    enough = len(record.acknowledged) + count
    async with asyncio.timeout(CALM_SECONDS):
        while len(record.acknowledged) < enough:
            record.news.clear()
            await record.news.wait()


async def torment(
    urls: Sequence[str],
    people: int,
    pause: float,
    torments: Callable[[Record], Awaitable[None]],
    *,
    have_secrets: bool = False,
) -> Record:
    """Let people talk, by all these ways in turn, while something is done to the server.

    Args:
        urls: the ways.
        people: how many.
        pause: of each between two messages, in seconds.
        torments: is done to the server.
        have_secrets: whether each is the same person wherever they come back, as most clients are.

    Returns:
        What was said and heard when all has calmed down.
    """
    record = Record()
    crowd = [
        Person(
            f"p{number}",
            urls[number % len(urls)],
            record,
            pause,
            unsettled_at_most=UNSETTLED_AT_MOST,
            secret=f"secret {number}" if have_secrets else "",
        )
        for number in range(people)
    ]
    with (
        mock.patch.object(chat_connection, "backoff", _come_back),
        mock.patch.object(membership, "backoff", _come_back),
    ):
        for first in range(0, people, JOINING_AT_MOST):
            some = crowd[first : first + JOINING_AT_MOST]
            for person in some:
                person.start()
            await asyncio.gather(*(person.has_joined() for person in some))
        await torments(record)
        await asyncio.gather(*(person.finish() for person in crowd))
    return record
