"""A crowd that talks without a pause, whatever happens to the server: each text unique, some of several lines."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from besedka.remote.connection import Connection
from besedka.remote.events import Heard
from besedka.wire.words import Error
from tests.torture.checker import Record

PATIENCE_SECONDS = 60


class Person:
    """One who talks and listens."""

    def __init__(self, name: str, url: str, record: Record, pause: float) -> None:
        self.name = name
        self.connection = Connection(url, name)
        self._record = record
        self._pause = pause
        self._said = 0
        self._heard = record.heard.setdefault(name, [])
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._talk())]

    async def finish(self) -> None:
        """Say nothing more, and wait until all that was said has been heard back or refused."""
        self._tasks[1].cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.connection.waiting:
                if self._tasks[0].done():
                    self._tasks[0].result()
                await asyncio.sleep(0.02)
        self._tasks[0].cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connection.leave()

    async def _talk(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(0, 2 * self._pause))
            self._said += 1
            lines = "".join(f"\nline {number}" for number in range(random.choice((0, 0, 0, 1, 5))))
            text = f"{self.name} #{self._said}{lines}"
            self._record.attempted.add(text)
            self.connection.say(text)

    async def _listen(self) -> None:
        async for event in self.connection.events():
            if isinstance(event, Heard):
                self._heard.append((event.id, event.text))
                if event.user == self.name:
                    self._record.acknowledged.add(event.text)
            elif isinstance(event, Error):
                assert event.code in {"storage_full", "not_stored", "going_down", "too_fast"}, event


async def torment(
    urls: Sequence[str], people: int, pause: float, torments: Callable[[], Awaitable[None]]
) -> Record:
    """Let people talk, by all these ways in turn, while something is done to the server.

    Returns:
        What was said and heard when all has calmed down.
    """
    record = Record()
    crowd = [Person(f"p{number}", urls[number % len(urls)], record, pause) for number in range(people)]
    for person in crowd:
        person.start()
    await torments()
    await asyncio.gather(*(person.finish() for person in crowd))
    return record
