"""Other programs write to the log under load: ids told live are those of the file, and nothing of theirs is lost."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

from besedka.serve.history import ChatHistory
from besedka.wire.log_line import read_line, write_line
from besedka.wire.message import Message
from tests import looping
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.torture.checker import Record, check
from tests.torture.crowd import are_heard, torment

EDITS = 42 if LONG else 10
STAMP = "2025-11-19 23:46:36"


def add(history: Path, text: str) -> None:
    """As ``echo >>`` does it."""
    with history.open("a") as other:
        other.write(write_line(Message(STAMP, "echo", text)) + "\n")


def test_lines_that_another_program_adds_under_load_stay_and_are_delivered_in_their_place(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0").start()
    added = [f"echo #{number}" for number in range(1, EDITS + 1)]

    async def torments(record: Record) -> None:
        for text in added:
            await are_heard(record, 1)
            await asyncio.sleep(random.uniform(0, 0.01))
            add(server.history, text)
            record.attempted.add(text)
        await are_heard(record, 1)

    record = looping.run(torment(server.urls, 8, 0.01, torments))
    assert server.stop() == 0
    check(record, server.history)
    log = ChatHistory.open_to_read(server.history)
    stored = [read_line(line).text for number in range(1, log.count + 1) for line in log.read(number, 1)]
    assert [text for text in stored if text.startswith("echo")] == added
    for heard in record.heard.values():
        received = [text for _, text in heard if text in set(added)]
        # One may come after the first and leave before the last.
        begin = added.index(received[0]) if received else 0
        assert received == added[begin : begin + len(received)]


def test_a_log_that_is_emptied_under_load_starts_again_and_nothing_is_delivered_that_is_not_in_it(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0").start()

    async def torments(record: Record) -> None:
        for _ in range(EDITS // 4):
            await are_heard(record, 1)
            await asyncio.sleep(random.uniform(0, 0.01))
            os.truncate(server.history, 0)
        await are_heard(record, 1)

    record = looping.run(torment(server.urls, 8, 0.01, torments))
    assert server.stop() == 0
    log = ChatHistory.open_to_read(server.history)
    assert log.count
    stored = [read_line(line).text for number in range(1, log.count + 1) for line in log.read(number, 1)]
    assert set(stored) <= record.attempted
    assert len(stored) == len(set(stored))
    noticed = server.errors.count("was replaced or changed by another program")
    assert noticed >= 1
    # What is there was never in an earlier log: that is empty. Who has gone meanwhile may not know of this one.
    received = {(number, text) for heard in record.heard.values() for number, text in heard}
    assert {(number, text) for number, text in received if text in stored} <= {*enumerate(stored, 1)}
