"""The view of a room: what it keeps has bounds, and nobody waits for a room that has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from besedka.remote.errors import NotConnected
from besedka.remote.room.events import Event, ReceivedMessage
from besedka.terminal.room_view import UNREAD_AT_MOST, UNREAD_BYTES_AT_MOST, RoomView
from besedka.wire.frames import Redacted
from besedka.wire.message import Message, MessageId
from tests.looping import run_jumping
from tests.remote.fakes import welcome


class Ended(Exception):  # noqa: N818
    """An error that is none of the client library's."""


def view_of(*events: Event, error: Exception | None = None) -> RoomView:
    """A view of a room in which these events happen; then its events end."""

    async def happen() -> AsyncGenerator[Event, None]:
        for event in events:
            yield event
        if error:
            raise error

    async def at_once() -> None:
        pass

    membership: Any = SimpleNamespace(cursor=(0, ""), events=happen)
    return RoomView(membership, None, "main", lambda *_: None, at_once)


def message(number: int, text: str) -> ReceivedMessage:
    return ReceivedMessage(Message("2026-01-01 00:00:00", "Boris", text, id=MessageId(number)))


@pytest.mark.parametrize("error", [Ended(), OSError("value too large"), NotConnected("lost")])
def test_whatever_ends_a_room_before_it_is_joined_ends_the_wait_for_it(error: Exception) -> None:
    async def scenario() -> None:
        with pytest.raises(type(error)):
            await view_of(error=error).joined()

    run_jumping(scenario())


def test_a_room_that_is_left_before_it_is_joined_is_not_waited_for() -> None:
    async def scenario() -> None:
        with pytest.raises(NotConnected):
            await view_of().joined()

    run_jumping(scenario())


def test_an_error_behind_the_join_ends_the_room() -> None:
    async def scenario() -> None:
        view = view_of(welcome(), error=Ended())
        await view.joined()
        with pytest.raises(Ended):
            await view.ended

    run_jumping(scenario())


def test_a_new_name_is_not_waited_for_in_a_room_that_has_ended() -> None:
    async def scenario() -> None:
        view = view_of(welcome(), error=Ended())

        async def rename(*_: object, **__: object) -> None:
            await asyncio.gather(view.ended, return_exceptions=True)

        view.membership.rename = rename  # type: ignore[method-assign]
        await view.joined()
        await view.rename("Anna", "secret")

    run_jumping(scenario())


def test_unread_messages_are_bounded_by_their_number_and_by_their_memory() -> None:
    async def scenario() -> None:
        view = view_of(Redacted("main", 100, "redacted"))
        for number in range(1, UNREAD_AT_MOST + 11):
            view.add_unshown(message(number, "x"))
        dropped, unread = view.take_unshown()
        assert (dropped, len(unread), unread[-1].id) == (10, UNREAD_AT_MOST, UNREAD_AT_MOST + 10)
        for number in range(1, 101):
            view.add_unshown(message(number, "x" * (UNREAD_BYTES_AT_MOST // 4)))
        await asyncio.gather(view.ended, return_exceptions=True)
        dropped, unread = view.take_unshown()
        assert (dropped, [one.id for one in unread]) == (96, [97, 98, 99, 100])
        assert unread[-1].text == "redacted"

    run_jumping(scenario())


def test_redactions_that_make_texts_longer_drop_the_oldest_unread_messages() -> None:
    async def scenario() -> None:
        text = "x" * (UNREAD_BYTES_AT_MOST // 4)
        view = view_of(*(Redacted("main", number, text) for number in range(1, 11)))
        for number in range(1, 11):
            view.add_unshown(message(number, "x"))
        await asyncio.gather(view.ended, return_exceptions=True)
        dropped, unread = view.take_unshown()
        assert (dropped, [one.id for one in unread]) == (7, [8, 9, 10])

    run_jumping(scenario())
