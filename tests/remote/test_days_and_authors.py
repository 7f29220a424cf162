"""Reading from a day on, and searching by author and time, over each transport."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import besedka
from besedka.remote.errors import RequestRefused
from besedka.wire.frames import LAST_SECOND
from tests import looping
from tests.conftest import ServerMaker
from tests.running import RunningServer

DAYS = 40


def at(day: int, hour: int = 0) -> int:
    """A moment of January and February 2026, in unix seconds; the server's zone is UTC."""
    return int(datetime(2026, 1 + (day - 1) // 31, 1 + (day - 1) % 31, hour, tzinfo=UTC).timestamp())


@pytest.fixture
def options() -> tuple[str, ...]:
    """The log has times of UTC."""
    return ("--utc",)


@pytest.fixture
def make_server(make_server: ServerMaker) -> ServerMaker:
    """Servers with a message in the morning and one in the evening of each day, by two people in turns."""

    def make(*options: str, **more: object) -> RunningServer:
        server = make_server(*options, **more)
        lines = [
            f"[{datetime.fromtimestamp(at(day, hour), UTC):%Y-%m-%d %H:%M:%S}] {user}: day {day}\n"
            for day in range(1, DAYS + 1)
            for hour, user in ((9, "Anna"), (21, "Boris B"))
        ]
        server.history.write_text("".join(lines), encoding="utf-8")
        return server

    return make


def test_a_page_begins_with_the_first_message_of_a_day(url: str) -> None:
    async def read() -> None:
        async with besedka.connect(url, "Reader") as room:
            for day, hour, first in ((1, 0, 1), (3, 0, 5), (3, 9, 5), (3, 10, 6), (32, 0, 63)):
                page = await room.since(at(day, hour), 3)
                assert [message.id for message in page] == [first, first + 1, first + 2]
            assert [message.id for message in await room.since(0, 2)] == [1, 2]
            assert await room.since(at(DAYS, 22)) == []
            assert await room.since(LAST_SECOND) == []

    looping.run(read())


def test_messages_are_found_by_author_and_time(url: str) -> None:
    async def search() -> None:
        async with besedka.connect(url, "Reader") as room:
            by_boris = await room.search("DAY", user="boris b", from_time=at(3), to_time=at(5))
            assert [message.id for message in by_boris.messages] == [6, 8]
            since = await room.search(from_time=at(DAYS))
            assert [message.id for message in since.messages] == [2 * DAYS - 1, 2 * DAYS]
            by_anna = await room.search(user="ANNA", to_time=at(3))
            assert [message.user for message in by_anna.messages] == ["Anna", "Anna"]
            assert (await room.search(user="Ann")).messages == []
            assert (await room.search("day 1", user="Nobody")).messages == []
            with pytest.raises(RequestRefused) as refusal:
                await room.search("")
            assert refusal.value.code == "bad_search"

    looping.run(search())
