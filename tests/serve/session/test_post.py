"""Posting: what is refused for now is posted again before anything else, whatever has refused it."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from besedka.serve.chat import Chat
from besedka.serve.people.person import Person
from besedka.serve.room import Room
from besedka.serve.session.post import Pipeline, Posting, settled
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import DEFAULT_ROOM
from tests.looping import run, until
from tests.serve.faking import TENANT, FakeSubscriber, running, unlimited


def default_room(chat: Chat) -> Room:
    room = chat.rooms.open(DEFAULT_ROOM, TENANT)
    assert isinstance(room, Room)
    return room


def anna(chat: Chat) -> Posting:
    """Anna's way to post in the default room, over a connection of its own."""
    directory = chat.directory
    pipeline = Pipeline(chat.committer, chat.resends, directory.moderation, directory.direct, chat.clock)
    return Posting(
        pipeline,
        default_room(chat),
        Person("Anna"),
        FakeSubscriber("Anna"),
        limiter=unlimited(),
        check=lambda: None,
    )


async def resend_too_fast(chat: Chat, posting: Posting, text: str, key: str) -> None:
    """Post a message again while too many of the address wait for their turn at the log."""
    too_many = Refused(ErrorCode.TOO_FAST, wait=1.0)
    with (
        mock.patch.object(chat.resends, "find", side_effect=too_many),
        pytest.raises(Refused, match="Too fast"),
    ):
        await settled(posting.post(text, key, after=0))


def test_a_resent_message_that_is_too_fast_to_be_looked_for_keeps_its_place(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            room, posting = default_room(chat), anna(chat)
            posting.post("before", "0")
            await until(lambda: room.head == 1)
            await resend_too_fast(chat, posting, "one", "1")
            with pytest.raises(Refused, match="Too fast"):
                posting.post("two", "2")
            await settled(posting.post("one", "1", after=0))
            posting.post("two", "2")
            await until(lambda: room.head == 3)
            texts = [line.rsplit(": ")[1] for line in (tmp_path / "talk.txt").read_text("utf-8").splitlines()]
            assert texts == ["before", "one", "two"]

    run(scenario())


def test_a_refused_message_that_another_node_has_stored_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            room, posting, elsewhere = default_room(chat), anna(chat), anna(chat)
            posting.post("before", "0")
            await until(lambda: room.head == 1)
            await resend_too_fast(chat, posting, "one", "1")
            elsewhere.post("one", "1")
            await until(lambda: room.head == 2)
            posting.post("two", "2")
            await until(lambda: room.head == 3)

    run(scenario())
