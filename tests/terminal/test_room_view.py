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

    membership: Any = SimpleNamespace(cursor=(0, ""), read_up_to=None, events=happen)
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


def test_what_was_read_on_another_device_is_not_counted_as_unread() -> None:
    async def scenario() -> None:
        texts = ("x", "for Anna", "x", "x")
        messages = [message(number, text) for number, text in enumerate(texts, 1)]
        view = view_of(welcome(), *messages)
        await asyncio.gather(view.ended, return_exceptions=True)
        for one in messages:
            view.add_unshown(one)
        found = []
        for read_up_to in (None, 0, 1, 2, 3, 4, 9):
            view.membership.read_up_to = read_up_to  # type: ignore[misc]
            found.append((view.unread_count, view.is_mentioned, view.read_to[0]))
        assert found == [
            (4, True, 0),
            (4, True, 0),
            (3, True, 1),
            (2, False, 2),
            (1, False, 3),
            *[(0, False, 4)] * 2,
        ]
        # All the same it was not shown here.
        assert len(view.take_unshown()[1]) == len(messages)

    run_jumping(scenario())


def test_the_rule_above_what_was_there_and_not_read_at_the_join_is_due_once_and_says_what_is_missing() -> (
    None
):
    async def scenario() -> None:
        def old(number: int, user: str = "Boris") -> ReceivedMessage:
            return ReceivedMessage(
                Message("2026-01-01 00:00:00", user, "x", id=MessageId(number)), is_old=number < 10
            )

        view = view_of(welcome())
        await asyncio.gather(view.ended, return_exceptions=True)
        view.membership.read_up_to = 5  # type: ignore[misc]
        view.expect_unread_rule()
        assert view.take_unread_rule(old(5)) is None
        assert view.take_unread_rule(old(6, "Anna")) is None
        assert view.take_unread_rule(old(8)) == 2
        assert view.take_unread_rule(old(9)) is None
        view.expect_unread_rule()
        assert view.take_unread_rule(old(10)) is None  # it came later
        view.mark_shown(old(6))
        assert view.take_unread_rule(old(7)) == 0
        view.membership.read_up_to = None  # type: ignore[misc]
        view.expect_unread_rule()
        assert view.take_unread_rule(old(9)) is None

    run_jumping(scenario())
