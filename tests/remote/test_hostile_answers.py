"""Requests to a server that answers with something else, with too much, without end, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from typing import Any

import pytest

from besedka.remote.chat_connection import ChatConnection
from besedka.remote.errors import ConnectionFailed
from besedka.remote.outgoing_requests import LIST_SECONDS, REQUEST_SECONDS
from besedka.remote.room.history_reader import READ_BYTES
from besedka.remote.room.membership import Membership
from besedka.wire.frames import (
    ClientFrame,
    Found,
    History,
    Join,
    Kind,
    ListHistory,
    ListRooms,
    RoomEntry,
    Rooms,
    Search,
    ServerFrame,
)
from tests import looping
from tests.remote.fakes import FakeTransport, welcome

HEAD = 2_000
LONG = "[2026-01-01 00:00:00] Anna: " + "x" * 60_000 + "😀"

Answer = Callable[[ClientFrame], ServerFrame | None]
Work = Callable[[Membership], Coroutine[Any, Any, object]]


class Server(FakeTransport):
    """Answers each request as a test says, and counts them.

    Attributes:
        asked: the requests.
    """

    def __init__(self, answer: Answer, delay: float = 0.0) -> None:
        super().__init__()
        self.asked: list[ClientFrame] = []
        self._answer = answer
        self._delay = delay

    async def send(self, frame: ClientFrame) -> None:
        if isinstance(frame, Join):
            self.deliver(welcome(HEAD))
            return
        self.asked.append(frame)
        await asyncio.sleep(self._delay)
        if answer := self._answer(frame):
            self.deliver(answer)


def ask(answer: Answer, work: Work, *, delay: float = 0.0) -> tuple[object, Server]:
    """Do some work in a room of a server; its result, or the error of it."""

    async def scenario() -> tuple[object, Server]:
        server = Server(answer, delay)
        async with ChatConnection(
            "ws://nowhere/ws", open_transport=lambda *_: nullcontext(server)
        ) as connection:
            room = connection.join("main", "Anna", since=HEAD, epoch="epoch")
            await anext(room.events())
            async with asyncio.timeout(3_600):
                try:
                    return await work(room), server
                except ConnectionFailed as error:
                    return error, server

    return looping.run_jumping(scenario())


def is_refused(result: object, why: str) -> bool:
    return isinstance(result, ConnectionFailed) and why in str(result)


def nothing(_: ClientFrame) -> None:
    return None


def list_all(room: Membership) -> Coroutine[Any, Any, object]:
    return room.requests.rooms()


def list_own(room: Membership) -> Coroutine[Any, Any, object]:
    return room.requests.own_rooms()


@pytest.mark.parametrize("work", [list_all, list_own], ids=["all", "own"])
def test_a_list_of_rooms_that_goes_round_in_circles_is_left(work: Work) -> None:
    def answer(frame: ClientFrame) -> Rooms:
        assert isinstance(frame, ListRooms)
        name, follows = ("direct-b", "A") if frame.after == "B" else ("direct-a", "B")
        return Rooms([RoomEntry(name, 0, Kind.DIRECT, "Boris")], frame.key, next=follows)

    result, server = ask(answer, work)
    assert is_refused(result, "is not Besedka: the list of rooms is not in its order")
    assert len(server.asked) == 3


def test_a_list_of_rooms_without_end_is_left() -> None:
    def answer(frame: ClientFrame) -> Rooms:
        assert isinstance(frame, ListRooms)
        return Rooms([], frame.key, next=f"{frame.after}a"[:32])

    result, server = ask(answer, list_all)
    assert is_refused(result, "more than 200 pages")
    assert len(server.asked) == 201


def test_pages_of_rooms_that_come_ever_so_slowly_are_not_waited_for() -> None:
    def answer(frame: ClientFrame) -> Rooms:
        assert isinstance(frame, ListRooms)
        return Rooms([], frame.key, next="a")

    result, server = ask(answer, list_all, delay=REQUEST_SECONDS / 2)
    assert is_refused(result, "does not answer")
    assert len(server.asked) == 2 * LIST_SECONDS / REQUEST_SECONDS


@pytest.mark.parametrize(
    "work",
    [
        list_all,
        lambda room: room.requests.private("hall"),
        lambda room: room.history.search("x"),
        lambda room: room.history.page(1, 1),
    ],
    ids=["rooms", "private", "search", "page"],
)
def test_no_request_waits_for_a_server_that_does_not_answer(work: Work) -> None:
    result, _ = ask(nothing, work)
    assert is_refused(result, "the chat at ws://nowhere/ws does not answer")


def page_of(frame: ClientFrame, first: int, count: int, line: str = LONG) -> History:
    assert isinstance(frame, ListHistory)
    return History("main", first, [line] * count, before=frame.before, key=frame.key)


def test_more_messages_than_were_asked_for_are_not_taken() -> None:
    result, server = ask(lambda frame: page_of(frame, 500, 500), lambda room: room.history.page(980, 20))
    assert isinstance(result, list)
    assert [message.id for message in result] == [*range(980, 1_000)]
    assert len(server.asked) == 1


def test_messages_before_an_id_that_is_still_to_come_are_not_taken_for_those_behind_it() -> None:
    result, _ = ask(lambda frame: page_of(frame, HEAD - 49, 50), lambda room: room.history.page(HEAD - 9, 50))
    assert isinstance(result, list)
    assert [message.id for message in result] == [*range(HEAD - 9, HEAD + 1)]


@pytest.mark.parametrize("first", [981, 1_000, 5_000])
def test_a_page_of_other_messages_is_refused(first: int) -> None:
    result, _ = ask(lambda frame: page_of(frame, first, 20), lambda room: room.history.page(980, 20))
    assert is_refused(result, "a page before 1000 ends with")


def test_messages_are_read_at_once_up_to_a_bound_of_memory() -> None:
    def answer(frame: ClientFrame) -> History:
        assert isinstance(frame, ListHistory)
        assert frame.before
        return page_of(frame, max(1, frame.before - 50), min(50, frame.before - 1))

    result, server = ask(answer, lambda room: room.history.page(1, 1_000))
    assert is_refused(result, f"1000 messages take more than {READ_BYTES} bytes")
    assert len(server.asked) <= READ_BYTES / (50 * 4 * 60_000) + 1


@pytest.mark.parametrize(
    ("ids", "before", "why"),
    [
        ([1, 2, 3], 0, "a search for 2 messages finds 3"),
        ([3, 2], 0, "in no order"),
        ([2, 2], 0, "in no order"),
        ([4, 5], 0, "in no order"),
        ([1], 5, "goes on before 5"),
    ],
)
def test_a_search_is_held_to_what_was_asked(ids: list[int], before: int, why: str) -> None:
    def answer(frame: ClientFrame) -> Found:
        assert isinstance(frame, Search)
        return Found("main", "x", [LONG] * len(ids), ids, before, frame.key)

    result, _ = ask(answer, lambda room: room.history.search("x", before=5, limit=2))
    assert is_refused(result, why)
