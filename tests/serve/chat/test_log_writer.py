"""Writing to the logs of many rooms: who shares a turn of a thread, and who waits for nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from besedka.serve.chat import log_writer
from besedka.serve.chat.log_writer import TOGETHER_AT_MOST, TURNS_AT_MOST, LogWriter
from besedka.serve.chat.workers import WORKERS, Workers
from besedka.serve.files import file_system
from besedka.serve.files.file_system import FileSystem
from besedka.serve.history import Append, ChatHistory, Flag, Outcome, append_to_all
from besedka.wire.errors import Refused
from tests import looping
from tests.looping import until
from tests.serve.history.logs import line

ROOMS = 100


class Turns:
    """Notes the turns that threads take, and can hold them.

    Attributes:
        sizes: the number of batches of each.
        going_on: whether they go on.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.going_on = threading.Event()
        self.going_on.set()

    def take(self, system: FileSystem, appends: Sequence[Append]) -> list[Outcome]:
        self.sizes.append(len(appends))
        self.going_on.wait()
        return append_to_all(system, appends)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    turns = Turns()
    # However slow the machine's own disk is, and whatever others have written.
    monkeypatch.setattr(file_system, "FIRST_GUESS_SECONDS", 3600.0)
    monkeypatch.setattr(log_writer, "append_to_all", turns.take)
    monkeypatch.setattr(file_system, "_known", {})
    monkeypatch.setattr(file_system, "type_of", lambda _: 0x58465342)
    monkeypatch.setattr(file_system, "reports_errors", lambda: True)
    monkeypatch.setattr(file_system, "pending_bytes", lambda: 0)
    return turns


class Writing:
    """A writer and the logs of some rooms."""

    def __init__(self, folder: Path, rooms: int) -> None:
        self.workers = Workers()
        self.writer = LogWriter(self.workers)
        self.logs = [ChatHistory.open(folder / f"room{number}.txt") for number in range(rooms)]

    def append(self, *rooms: int, text: str = "hi", is_alone: bool = False) -> list[asyncio.Task[int]]:
        write = self.writer.append
        return [
            asyncio.ensure_future(write(self.logs[room], [line(text)], [Flag.VERIFIED], is_alone=is_alone))
            for room in rooms
        ]

    def close(self) -> None:
        self.workers.close()
        for log in self.logs:
            log.close()


def test_the_batches_of_many_rooms_share_turns(tmp_path: Path, turns: Turns) -> None:
    """All that come at once go at once; those that come meanwhile gather for the next turn."""

    async def scenario() -> None:
        writing = Writing(tmp_path, ROOMS)
        assert await asyncio.gather(*writing.append(*range(50))) == [1] * 50
        assert turns.sizes == [50]
        turns.going_on.clear()
        early = writing.append(0)
        await until(lambda: turns.sizes == [50, 1])
        rest = [one for room in range(1, ROOMS) for one in writing.append(room)]
        await until(lambda: len(turns.sizes) == 1 + TURNS_AT_MOST)
        turns.going_on.set()
        await asyncio.gather(*early, *rest)
        assert turns.sizes[2:] == [TOGETHER_AT_MOST, ROOMS - 1 - TOGETHER_AT_MOST]
        assert [log.count for log in writing.logs] == [2] * 50 + [1] * 50
        writing.close()

    looping.run(scenario())


def test_a_batch_of_a_room_that_is_alone_is_written_without_a_turn(tmp_path: Path, turns: Turns) -> None:
    async def scenario() -> None:
        writing = Writing(tmp_path, 2)
        turns.going_on.clear()
        (shared,) = writing.append(0)
        await until(lambda: turns.sizes == [1])
        assert await asyncio.gather(*writing.append(1, is_alone=True)) == [1]
        turns.going_on.set()
        assert await shared == 1
        assert turns.sizes == [1]
        assert await asyncio.gather(*writing.append(1, is_alone=True)) == [2]
        writing.close()

    looping.run(scenario())


def test_where_syncs_are_not_shared_each_room_has_a_thread(
    tmp_path: Path, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_system, "type_of", lambda _: 0)

    async def scenario() -> None:
        writing = Writing(tmp_path, 10)
        turns.going_on.clear()
        all_of_them = writing.append(*range(10))
        await until(lambda: turns.sizes == [1] * WORKERS)
        turns.going_on.set()
        assert await asyncio.gather(*all_of_them) == [1] * 10
        assert turns.sizes == [1] * 10
        writing.close()

    looping.run(scenario())


@pytest.mark.usefixtures("turns")
def test_a_log_that_must_be_reread_is_written_behind_the_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        writing = Writing(tmp_path, 5)
        with writing.logs[3].path.open("a") as log:
            log.write(line("by hand") + "\n")
        assert await asyncio.gather(*writing.append(*range(5))) == [1, 1, 1, 2, 1]
        assert writing.logs[3].read(1, 9) == [line("by hand"), line("hi")]
        writing.close()

    looping.run(scenario())


def test_one_who_waits_no_longer_keeps_nobody_waiting(tmp_path: Path, turns: Turns) -> None:
    async def scenario() -> None:
        writing = Writing(tmp_path, 3)
        turns.going_on.clear()
        first, second, third = writing.append(0, 1, 2)
        await until(lambda: turns.sizes == [3])
        second.cancel()
        turns.going_on.set()
        assert (await first, await third) == (1, 1)
        assert await asyncio.gather(*writing.append(1)) == [2]  # it was written all the same
        writing.close()

    looping.run(scenario())


@pytest.mark.usefixtures("turns")
def test_an_error_of_the_turn_itself_reaches_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> list[Outcome]:
        raise ZeroDivisionError

    async def scenario() -> None:
        writing = Writing(tmp_path, 3)
        with monkeypatch.context() as patch:
            patch.setattr(log_writer, "append_to_all", fails)
            outcomes = await asyncio.gather(*writing.append(0, 1, 2), return_exceptions=True)
        assert [type(one) for one in outcomes] == [ZeroDivisionError] * 3
        assert await asyncio.gather(*writing.append(0)) == [1]
        writing.close()

    looping.run(scenario())


@pytest.mark.usefixtures("turns")
def test_nothing_is_written_when_the_server_has_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        writing = Writing(tmp_path, 3)
        writing.workers.stop()
        outcomes = await asyncio.gather(*writing.append(0, 1, 2), return_exceptions=True)
        assert [isinstance(one, Refused) for one in outcomes] == [True] * 3
        writing.close()

    looping.run(scenario())


def test_batches_that_wait_when_the_threads_end_are_given_up(tmp_path: Path, turns: Turns) -> None:
    async def scenario() -> None:
        writing = Writing(tmp_path, WORKERS + 1)
        turns.going_on.clear()
        started: list[int] = []

        def block(number: int) -> None:
            started.append(number)
            turns.going_on.wait()

        blocked = [writing.workers.write(block, number) for number in range(WORKERS)]
        await until(lambda: len(started) == WORKERS)
        waiting = writing.append(0, 1, 2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        writing.close()
        turns.going_on.set()
        await asyncio.gather(*blocked)
        await asyncio.wait(waiting)
        assert all(one.cancelled() for one in waiting)

    looping.run(scenario())
