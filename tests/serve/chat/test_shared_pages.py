"""Pages that several subscribers want: made once, and never shown when something in them has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from besedka.serve.chat import Chat, shared_pages
from besedka.serve.chat.open_rooms import GRACE_SECONDS, IDLE_SECONDS
from besedka.serve.chat.shared_pages import PAGE_BORDER
from besedka.serve.history import LATEST_MESSAGES, ChatHistory
from besedka.serve.room import Room
from besedka.wire.frames import History
from tests import looping
from tests.looping import jump, settle, until
from tests.serve.chat.test_chat import started
from tests.serve.chat.test_redaction import last_text, redact
from tests.serve.faking import TENANT, FakeSubscriber, draft


class Reads:
    """Counts the pages that are read from logs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.firsts: list[int] = []
        really = ChatHistory.read_with_flags

        def counted(history: ChatHistory, first: int, limit: int) -> Any:
            self.firsts.append(first)
            return really(history, first, limit)

        monkeypatch.setattr(ChatHistory, "read_with_flags", counted)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


async def read(chat: Chat, room: Room, since: int, name: str = "Late") -> FakeSubscriber:
    """A subscriber that has read on to the head, and has left."""
    member = FakeSubscriber(name, room)
    chat.subscriptions.enter(room, member, since)
    chat.catch_up.follow(room, member)
    await until(lambda: room.is_live(member))
    chat.subscriptions.leave(room, member)
    assert member.ids == [*range(since + 1, room.head + 1)]
    return member


def unverified(member: FakeSubscriber) -> list[int]:
    return [number for frame in member.heard if isinstance(frame, History) for number in frame.unverified]


def test_many_who_want_the_same_have_it_read_once(tmp_path: Path, reads: Reads) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 3 * PAGE_BORDER)
        for _ in range(3):
            await read(chat, room, 0)
        assert reads.firsts == [1, PAGE_BORDER + 1, 2 * PAGE_BORDER + 1]
        await chat.close()

    looping.run(scenario())


def test_those_who_begin_elsewhere_have_only_their_first_page_read(tmp_path: Path, reads: Reads) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 3 * PAGE_BORDER)
        await read(chat, room, 0)
        reads.firsts.clear()
        await read(chat, room, PAGE_BORDER // 2)
        assert reads.firsts == [PAGE_BORDER // 2 + 1]
        await chat.close()

    looping.run(scenario())


def test_a_page_that_ended_at_the_head_is_longer_when_there_is_more(tmp_path: Path, reads: Reads) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        for number in range(1, 4):
            await read(chat, room, 0)
            await read(chat, room, room.head - 3)
            assert reads.firsts == [1] * number
            chat.committer.post(room, draft("Boris", "x"), FakeSubscriber("Boris"))
            await until(lambda: room.head == 100 + number)  # noqa: B023 - awaited here
        await chat.close()

    looping.run(scenario())


@pytest.mark.parametrize("behind", [LATEST_MESSAGES + 10, 3], ids=["from the log", "from memory"])
def test_what_was_redacted_is_in_no_page_that_was_kept(tmp_path: Path, behind: int) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        since = room.head - behind
        assert last_text(await read(chat, room, since), 99) == "98"
        await redact(chat, room, 99)
        assert last_text(await read(chat, room, since), 99) == "--"
        await chat.close()

    looping.run(scenario())


def test_a_room_that_was_closed_and_opened_again_shows_no_page_from_before(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, _ = await started(tmp_path)

        async def opened() -> Room:
            room = chat.rooms.open("garden", TENANT)
            return room if isinstance(room, Room) else await room

        room = await opened()
        for _ in range(20):
            chat.committer.post(room, draft("Boris", "a secret"), FakeSubscriber("Boris"))
        await until(lambda: room.head == 20)
        assert last_text(await read(chat, room, 0), 3) == "a secret"
        await redact(chat, room, 3)
        await settle()
        await jump(IDLE_SECONDS + GRACE_SECONDS)
        again = await opened()
        assert again is not room
        assert last_text(await read(chat, again, 0), 3) == "--------"
        await chat.close()

    looping.run(scenario())


@pytest.mark.parametrize("since", [0, 95], ids=["from the log", "from memory"])
def test_whose_messages_they_are_is_decided_anew_when_a_name_is_claimed(tmp_path: Path, since: int) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        names = chat.directory.names
        names._begun = "2020-01-01T00:00:00Z"  # noqa: SLF001 - as the file has it
        assert unverified(await read(chat, room, since)) == [*range(since + 1, 101)]
        names.take("Old", "0" * 64, "2021-01-01T00:00:00Z")
        assert unverified(await read(chat, room, since)) == []
        await chat.close()

    looping.run(scenario())


@pytest.mark.parametrize("since", [0, 95], ids=["from the log", "from memory"])
def test_everybody_gets_their_own_keys_and_nobody_elses(tmp_path: Path, since: int) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 99)
        chat.committer.post(room, draft("Boris", "x", "his"), FakeSubscriber("Boris"))
        await until(lambda: room.head == 100)

        async def keys(name: str) -> dict[int, str]:
            member = await read(chat, room, since, name)
            return {
                number: key
                for frame in member.heard
                if isinstance(frame, History)
                for number, key in frame.keys.items()
            }

        assert [await keys(name) for name in ("Anna", "Boris", "Anna")] == [{}, {100: "his"}, {}]
        await chat.close()

    looping.run(scenario())


def test_pages_of_a_log_that_was_replaced_are_not_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        await read(chat, room, 0)
        epoch = room.epoch
        (tmp_path / "talk.txt").write_text("[2025-01-01 00:00:00] New: other\n" * 99)
        chat.committer.post(room, draft("Boris", "x"), FakeSubscriber("Boris"))
        await until(lambda: room.epoch != epoch)
        assert room.head == 100
        assert last_text(await read(chat, room, 0), 1) == "other"
        await chat.close()

    looping.run(scenario())


def test_what_is_kept_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: Reads) -> None:
    monkeypatch.setattr(shared_pages, "KEPT_BYTES", 100_000)

    async def scenario() -> None:
        chat, room = await started(tmp_path, 20 * PAGE_BORDER)
        for _ in range(2):
            await read(chat, room, 0)
        assert len(reads.firsts) == 40
        reads.firsts.clear()
        await read(chat, room, 19 * PAGE_BORDER)
        assert reads.firsts == []
        await chat.close()

    looping.run(scenario())
