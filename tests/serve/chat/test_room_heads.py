"""Clients that wait until a node has what they have read at another."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from besedka.serve.chat import RoomHeads, room_heads
from besedka.serve.room import Room
from besedka.wire.errors import Refused
from tests.looping import run


def room(head: int, epoch: str = "e") -> Room:
    return cast("Room", SimpleNamespace(name="main", head=head, epoch=epoch))


def test_only_who_knows_more_of_the_same_log_waits_and_only_in_a_cluster() -> None:
    async def reach() -> None:
        heads = RoomHeads(has_others=True)
        assert heads.reaching(room(5), None, "") is None
        assert heads.reaching(room(5), 5, "e") is None
        assert heads.reaching(room(5), 7, "other") is None
        waiting = heads.reaching(room(5), 7, "e")
        assert waiting
        assert heads.reaching(room(5), 7, "e") is waiting
        heads.note(room(6))
        assert not waiting.done()
        heads.note(room(7))
        await waiting
        assert RoomHeads(has_others=False).reaching(room(5), 7, "e") is None

    run(reach())


def test_a_node_that_stays_behind_sends_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_heads, "REACH_SECONDS", 0.0)

    async def reach() -> None:
        waiting = RoomHeads(has_others=True).reaching(room(5), 7, "e")
        assert waiting
        with pytest.raises(Refused, match="cannot reach the others"):
            await waiting

    run(reach())


def test_a_process_that_stood_still_finds_the_head_and_the_end_of_the_wait_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room_heads, "REACH_SECONDS", 0.0)
    failures: list[dict[str, Any]] = []

    async def reach() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, failure: failures.append(failure))
        heads = RoomHeads(has_others=True)
        waiting = heads.reaching(room(5), 7, "e")
        assert waiting
        loop.call_soon(heads.note, room(7))
        await waiting
        await asyncio.sleep(0)

    run(reach())
    assert not failures
