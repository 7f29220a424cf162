"""Whoever reads hears of what was redacted, and nobody is handed an old text behind it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from besedka.serve.chat import Chat
from besedka.serve.history import ChatHistory, Hits
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.room import Room
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Chat as ChatFrame
from besedka.wire.frames import History, Redacted, Search, ServerFrame, Typing
from besedka.wire.log_line import tombstone
from tests import looping
from tests.looping import until
from tests.serve.chat.test_chat import started
from tests.serve.faking import TENANT, FakeSubscriber, draft, unlimited


async def redact(chat: Chat, room: Room, number: int) -> None:
    await chat.redactor.redact(room, await chat.redactor.subject(room, number))


def redactions(member: FakeSubscriber) -> list[Redacted]:
    return [frame for frame in member.heard if isinstance(frame, Redacted)]


def last_text(member: FakeSubscriber, number: int) -> str:
    """The text that a client shows for a message after it has received all these frames."""
    text = ""
    for frame in member.heard:
        if isinstance(frame, History) and 0 <= number - frame.first < len(frame.messages):
            text = frame.messages[number - frame.first].partition(": ")[2]
        elif isinstance(frame, ChatFrame | Redacted) and frame.id == number:
            text = frame.text
    return text


class SeedLike(FakeSubscriber):
    """One who does not know the frame."""

    ignores = frozenset({Typing, Redacted})


def test_a_broadcast_reaches_all_live_subscribers_but_those_that_ignore_the_frame(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 3)
        anna, seed = FakeSubscriber("Anna", room), SeedLike("Boris", room)
        for member in (anna, seed):
            chat.subscriptions.enter(room, member)
            chat.catch_up.follow(room, member)
        await redact(chat, room, 2)
        await redact(chat, room, 2)
        assert redactions(anna) == [Redacted("main", 2, "-")]
        seed.fill()
        await redact(chat, room, 3)
        seed.drain()
        chat.catch_up.follow(room, seed)
        assert redactions(seed) == []
        await chat.close()

    looping.run(scenario())


def test_a_subscriber_that_is_behind_gets_it_when_it_is_live_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 3)
        anna, boris = FakeSubscriber("Anna", room), FakeSubscriber("Boris", room)
        for member in (anna, boris):
            chat.subscriptions.enter(room, member)
            chat.catch_up.follow(room, member)
        chat.committer.post(room, draft("Boris", "a secret that is long", "k"), boris)
        await until(lambda: room.head == 4)
        anna.fill()
        await redact(chat, room, 4)
        assert redactions(anna) == []
        anna.drain()
        chat.catch_up.follow(room, anna)
        assert last_text(anna, 4) == last_text(boris, 4) == tombstone(21)
        # The key is still known, but not the text.
        known = chat.committer.post(room, draft("Boris", "a secret that is long", "k"), boris)
        assert known
        assert (known.id, known.text) == (4, tombstone(21))
        await chat.close()

    looping.run(scenario())


class Held:
    """Holds back what a thread has read, until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.has_read = threading.Event()
        self.may_go_on = threading.Event()
        really: Callable[..., Any] = getattr(ChatHistory, name)

        def held(history: ChatHistory, *how: Any) -> Any:
            found = really(history, *how)
            self.has_read.set()
            self.may_go_on.wait(5)
            return found

        monkeypatch.setattr(ChatHistory, name, held)


@pytest.mark.parametrize("question", ["page", "page_after", "search", "reading on"])
def test_a_page_read_before_a_redaction_and_sent_after_it_has_the_new_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    free: Any = {"asker": TENANT, "limiter": unlimited()}

    async def ask(chat: Chat, room: Room) -> list[str]:
        match question:
            case "page":
                return (await chat.log_reader.page(room, 30, 5, **free)).messages
            case "page_after":
                return (await chat.log_reader.page_after(room, 24, 5, **free)).messages
            case "search":
                hits: Hits = await chat.log_reader.search(room, Search("2", before=30, limit=5), Tenant(None))
                return hits.lines
            case _:
                late = FakeSubscriber("Late", room)
                chat.subscriptions.enter(room, late, since=24)
                page = await chat.catch_up.fetch(room, late)
                assert page
                return page.history.messages[:5]

    async def scenario() -> None:
        chat, room = await started(tmp_path, 40)
        subject = await chat.redactor.subject(room, 28)
        reads = {"page": "read_before", "search": "search"}
        held = Held(monkeypatch, reads.get(question, "read_with_flags"))
        asking = asyncio.ensure_future(ask(chat, room))
        await asyncio.to_thread(held.has_read.wait, 5)
        await chat.redactor.redact(room, subject)
        held.may_go_on.set()
        shown = [line.partition(": ")[2] for line in await asking]
        assert len(shown) == 5
        assert "--" in shown
        assert "27" not in shown  # the text of 28
        await chat.close()

    looping.run(scenario())


def test_a_redaction_while_a_page_is_on_its_way_is_sent_behind_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 40)
        subject = await chat.redactor.subject(room, 28)

        class Slow(FakeSubscriber):
            def send(self, frame: ServerFrame) -> None:
                super().send(frame)
                if isinstance(frame, History):
                    self.fill()  # with the old text in its buffer

        late = Slow("Late", room)
        chat.subscriptions.enter(room, late, since=20)
        chat.catch_up.follow(room, late)
        await until(lambda: late.is_full)
        await chat.redactor.redact(room, subject)
        late.drain()
        chat.catch_up.follow(room, late)
        await until(lambda: room.is_live(late))
        assert last_text(late, 28) == "--"
        await chat.close()

    looping.run(scenario())


def test_what_cannot_be_redacted_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 3)
        for number in (0, 4):
            with pytest.raises(Refused) as refused:
                await chat.redactor.subject(room, number)
            assert refused.value.code == ErrorCode.BAD_CURSOR
        subject = await chat.redactor.subject(room, 2)
        path = tmp_path / "talk.txt"
        path.write_text(path.read_text().replace("Old: 1", "New: 1"))
        with pytest.raises(Refused) as refused:
            await chat.redactor.redact(room, subject)
        assert refused.value.code == ErrorCode.NOT_ALLOWED
        assert not chat.lost.done()
        await chat.close()

    looping.run(scenario())
