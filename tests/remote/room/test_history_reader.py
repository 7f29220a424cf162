"""Pages of a room's log: what was asked for, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from besedka.remote.errors import ConnectionFailed
from besedka.remote.room.cursor import Cursor
from besedka.remote.room.history_reader import HistoryReader
from besedka.wire.frames import History, ListHistory
from tests.looping import run_jumping


class Requests:
    """Answers each request for a page with the same run of messages.

    Attributes:
        asked: the requests.
    """

    def __init__(self, first: int, count: int) -> None:
        self.asked: list[ListHistory] = []
        self._first = first
        self._lines = [f"[2026-01-01 12:00:00] Anna: {number}" for number in range(first, first + count)]

    async def page(self, frame: ListHistory) -> History:
        self.asked.append(frame)
        assert len(self.asked) < 10, "pages are requested without end"
        return History("main", self._first, self._lines, before=frame.before)


def read(requests: Any, first: int, limit: int) -> list[int]:
    reader = HistoryReader("ws://nowhere/ws", "main", requests, Cursor(None, ""), lambda: None)

    async def page() -> list[int]:
        return [message.id for message in await reader.page(first, limit)]

    return run_jumping(page())


def test_a_page_is_what_was_asked_for() -> None:
    assert read(Requests(11, 10), 11, 10) == [*range(11, 21)]


@pytest.mark.parametrize(("begin", "count"), [(1, 1), (1, 10), (5, 0)])
def test_messages_before_those_that_were_asked_for_are_left_out(begin: int, count: int) -> None:
    requests = Requests(begin, count)
    assert read(requests, 11, 10) == []
    assert len(requests.asked) == 1


def test_more_messages_in_front_of_those_that_were_asked_for_are_left_out() -> None:
    assert read(Requests(1, 20), 11, 10) == [*range(11, 21)]


@pytest.mark.parametrize(("begin", "count"), [(21, 1), (1, 100), (20, 2)])
def test_a_page_that_ends_behind_what_was_asked_for_is_none(begin: int, count: int) -> None:
    with pytest.raises(ConnectionFailed, match="a page before 21 ends with"):
        read(Requests(begin, count), 11, 10)
