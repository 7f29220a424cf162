"""The chat in a loop: what happens between the parts."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from besedka.serve.chat import Chat, open_rooms
from besedka.serve.chat.committer import FULL_SECONDS
from besedka.serve.chat.notices import NOTICE_SECONDS
from besedka.serve.chat.open_rooms import GRACE_SECONDS, IDLE_SECONDS
from besedka.serve.errors import StartError
from besedka.serve.exposition import Exposition
from besedka.serve.history import LATEST_MESSAGES, ChatHistory, Hits, Query
from besedka.serve.history.resent import Step
from besedka.serve.limits.rate_limits import SEARCH_FRAMES, RateLimits
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.limits.sources import Sources
from besedka.serve.people.person import Person
from besedka.serve.room import Room
from besedka.serve.session.post import Posting
from besedka.serve.settings import Settings
from besedka.serve.threads import Threads
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import History, RoomEntry, Search, ServerFrame, System
from besedka.wire.validation import DEFAULT_ROOM
from tests import looping
from tests.looping import jump, settle, until
from tests.serve.faking import TENANT, FakeSubscriber, draft, services, unlimited


async def started(directory: Path, messages: int = 0) -> tuple[Chat, Room]:
    history = directory / "talk.txt"
    history.write_text("".join(f"[2025-01-01 00:00:00] Old: {number}\n" for number in range(messages)))
    chat = Chat(Settings(history=history))
    await chat.start()
    room = chat.rooms.open(DEFAULT_ROOM, TENANT)
    assert isinstance(room, Room)
    return chat, room


def test_one_who_can_take_more_right_after_a_page_is_not_left_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 2000)

        class FullForAMoment(FakeSubscriber):
            def send(self, frame: ServerFrame) -> None:
                super().send(frame)
                if isinstance(frame, History):
                    self.fill()
                    asyncio.get_running_loop().call_soon(self._resume)

            def _resume(self) -> None:
                self.drain()
                chat.catch_up.follow(room, self)

        member = FullForAMoment("Anna", room)
        chat.subscriptions.enter(room, member, since=0)
        chat.catch_up.follow(room, member)
        await until(lambda: room.is_live(member))
        assert member.ids == list(range(1, 2001))
        await chat.close()

    looping.run(scenario())


def test_where_more_is_said_than_is_written_at_a_time_the_next_batch_gathers(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path)

        class Answers(FakeSubscriber):
            def _written(self, data: bytes) -> None:
                super()._written(data)
                if self.ids == [1]:
                    asyncio.get_running_loop().call_soon(say, "a moment later")

        member = Answers()

        def say(text: str) -> None:
            chat.committer.post(room, draft("Anna", text, ""), member)

        chat.subscriptions.enter(room, member)
        chat.catch_up.follow(room, member)
        say("one")
        await asyncio.sleep(0)
        say("while one is written")
        await until(lambda: member.ids == [1, 2, 3])
        assert b"besedka_batch_messages_count 2.0" in Exposition(chat.metrics).text()
        await chat.close()

    looping.run(scenario())


def test_what_was_accepted_is_stored_and_delivered_before_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path)
        member = FakeSubscriber()
        chat.subscriptions.enter(room, member)
        chat.catch_up.follow(room, member)
        for _ in range(100):
            chat.committer.post(room, draft("Anna", "x", ""), member)
        await chat.finish()
        assert member.ids == list(range(1, 101))
        with pytest.raises(Refused, match="going down"):
            chat.committer.post(room, draft("Anna", "x", ""), member)
        await chat.close()

    looping.run(scenario())


def test_a_history_that_cannot_be_written_ends_the_chat_and_nothing_of_the_batch_is_delivered(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        directory = tmp_path / "sub"
        directory.mkdir()
        chat, room = await started(directory)
        member = FakeSubscriber()
        chat.subscriptions.enter(room, member)
        chat.catch_up.follow(room, member)
        directory.rename(tmp_path / "elsewhere")
        directory.touch()
        chat.committer.post(room, draft("Anna", "x", ""), member)
        assert "not a directory" in str(await chat.lost)
        await until(lambda: bool(member.refusals))
        assert member.ids == []
        assert [refusal.code for refusal in member.refusals] == [ErrorCode.NOT_STORED]
        assert await chat.unready() == "history lost"
        await chat.close()

    looping.run(scenario())


def test_those_who_wait_for_space_go_on_when_what_filled_it_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path)
        begun, may_fail = threading.Event(), threading.Event()

        def write(*_: object) -> int:
            begun.set()
            assert may_fail.wait(60)
            raise OSError(errno.ENOSPC, "No space left on device")

        class Importing(FakeSubscriber):
            keeps_order = True

        monkeypatch.setattr(os, "write", write)
        poster = Importing()
        chat.committer.post(room, draft("Anna", "finds no room", ""), poster)
        await asyncio.to_thread(begun.wait, 60)
        while not room.gathering.is_full:
            chat.committer.post(room, draft("Anna", "x" * 5_000, ""), poster)
        space = chat.committer.space(room)
        may_fail.set()
        async with asyncio.timeout(60):
            await space
        assert not room.gathering
        monkeypatch.undo()
        await chat.close()

    looping.run(scenario())


def test_all_start_again_when_the_history_was_replaced(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 20)
        member = FakeSubscriber()
        chat.subscriptions.enter(room, member)
        chat.catch_up.follow(room, member)
        assert member.ids == list(range(11, 21))
        (tmp_path / "talk.txt").unlink()
        chat.committer.post(room, draft("Anna", "x", ""), member)
        await until(lambda: member.starts == 1 and room.is_live(member))
        assert member.ids == [*range(11, 21), 1]
        assert (tmp_path / "talk.txt").read_text().endswith("Anna: x\n")
        await chat.close()

    looping.run(scenario())


def test_where_the_history_was_replaced_posters_receive_each_of_their_messages(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 20)
        member = FakeSubscriber()
        chat.subscriptions.enter(room, member)
        chat.catch_up.follow(room, member)
        (tmp_path / "talk.txt").write_text("[2025-01-01 00:00:00] Hand: one\n" * 5)
        for number in range(2 * LATEST_MESSAGES):
            chat.committer.post(room, draft("Anna", "x", f"k{number}"), member)
        await until(lambda: member.starts == 1 and room.is_live(member))
        keys = [key for frame in member.heard if isinstance(frame, History) for key in frame.keys.values()]
        assert keys == [f"k{number}" for number in range(2 * LATEST_MESSAGES)]
        await chat.close()

    looping.run(scenario())


def test_messages_that_another_program_has_added_are_delivered_in_their_place(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 5)
        member = FakeSubscriber()
        chat.subscriptions.enter(room, member)
        chat.catch_up.follow(room, member)
        with (tmp_path / "talk.txt").open("a") as by_hand:
            by_hand.write("[2025-01-01 00:00:00] Hand: one\n[2025-01-01 00:00:00] Hand: two\n")
        chat.committer.post(room, draft("Anna", "x", ""), member)
        await until(lambda: member.ids[-1] == 8)
        assert member.ids == list(range(1, 9))
        assert member.starts == 0
        await chat.close()

    looping.run(scenario())


def test_what_is_said_again_after_a_restart_is_found_in_the_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path)
        member = FakeSubscriber()
        chat.subscriptions.enter(room, member)
        for text in ("+1", "two\nlines", "+1"):
            chat.committer.post(room, draft("Anna", text, ""), member)
        await chat.close()
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        room = await open_room(chat, DEFAULT_ROOM)
        member = FakeSubscriber()

        async def find(text: str, key: str, after: int = 0, user: str = "Anna") -> int | None:
            message = await chat.resends.find(
                room, draft(user, text, key), after, room.dedup.has_key, asker=NAMELESS, pay=free
            )
            return message.id if message else None

        assert await find("+1", "a") == 1
        assert await find("+1", "b", after=3) is None
        assert await find("+1", "c") == 3
        assert await find("+1", "d") is None
        assert await find("two\nlines", "e") == 2
        assert await find("two", "f") is None
        assert room.dedup.knows("Anna", "a")
        for other in ("Ann", "nna", "Boris"):
            assert await find("two\nlines", "g", user=other) is None
        await chat.close()

    looping.run(scenario())


def test_a_room_whose_file_cannot_be_used_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        (tmp_path / "talk.broken.txt").mkdir()
        opening = chat.rooms.open("broken", TENANT)
        assert isinstance(opening, asyncio.Task)
        with pytest.raises(Refused) as refusal:
            await opening
        assert refusal.value.code is ErrorCode.ROOM_UNAVAILABLE
        await chat.close()

    looping.run(scenario())


def test_a_folder_that_cannot_be_listed_is_one_sentence_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    async def scenario() -> None:
        monkeypatch.setattr(open_rooms, "room_files", refuse)
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        with pytest.raises(StartError, match=r"talk\.txt: its folder cannot be read: permission denied"):
            await chat.start()
        await chat.close()

    looping.run(scenario())


def test_two_who_ask_for_a_new_room_at_once_get_the_same_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        first, second = chat.rooms.open("new", TENANT), chat.rooms.open("new", TENANT)
        assert isinstance(first, asyncio.Task)
        assert first is second
        assert await first is chat.rooms.open("new", TENANT)
        await chat.close()

    looping.run(scenario())


def test_rooms_that_nobody_entered_or_all_have_left_give_back_their_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        never_entered, left_while_speaking = await open_room(chat, "one"), await open_room(chat, "two")
        member = FakeSubscriber()
        chat.subscriptions.enter(left_while_speaking, member)
        chat.committer.post(left_while_speaking, draft("Anna", "my last words", ""), member)
        chat.subscriptions.leave(left_while_speaking, member)
        await jump(GRACE_SECONDS)
        await until(lambda: not left_while_speaking.holds)
        await jump(IDLE_SECONDS - 1)
        assert await open_room(chat, "one") is never_entered
        assert await open_room(chat, "two") is left_while_speaking
        await jump(1)
        assert await open_room(chat, "one") is not never_entered
        assert await open_room(chat, "two") is not left_while_speaking
        assert "my last words" in (tmp_path / "talk.two.txt").read_text()
        await chat.close()

    looping.run(scenario())


def test_a_room_that_somebody_enters_in_time_stays_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        entered, held = await open_room(chat, "one"), await open_room(chat, "two")
        chat.rooms.close_later(entered)
        chat.rooms.close_later(held)
        chat.subscriptions.enter(entered, FakeSubscriber())
        chat.rooms.hold(held)
        await jump(GRACE_SECONDS)
        await jump(IDLE_SECONDS)
        assert chat.rooms.open("one", TENANT) is entered
        assert chat.rooms.open("two", TENANT) is held
        chat.rooms.release(held)
        await jump(IDLE_SECONDS)
        assert await open_room(chat, "two") is not held
        await chat.close()

    looping.run(scenario())


def test_a_deserted_room_makes_place_for_another_but_none_that_somebody_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("besedka.serve.chat.open_rooms.ROOMS_AT_MOST", 4)
    monkeypatch.setattr("besedka.serve.chat.open_rooms.RESERVED_ROOMS", 0)

    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        held, entered, deserted = [await open_room(chat, name) for name in ("held", "entered", "deserted")]
        await jump(GRACE_SECONDS)
        chat.rooms.hold(held)
        chat.subscriptions.enter(entered, FakeSubscriber())
        other = await open_room(chat, "other")
        assert [entry.name for entry in (await chat.rooms.list.page("")).entries] == [
            "entered",
            "held",
            "main",
            "other",
        ]
        chat.subscriptions.enter(other, FakeSubscriber())
        with pytest.raises(Refused) as refusal:
            await open_room(chat, "deserted")
        assert refusal.value.code is ErrorCode.TOO_MANY_ROOMS
        chat.rooms.release(held)
        assert await open_room(chat, "deserted") is not deserted
        assert chat.rooms.open("entered", TENANT) is entered
        await chat.close()

    looping.run(scenario())


def test_a_room_that_was_just_opened_waits_for_those_who_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("besedka.serve.chat.open_rooms.ROOMS_AT_MOST", 2)
    monkeypatch.setattr("besedka.serve.chat.open_rooms.RESERVED_ROOMS", 0)

    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        one = await open_room(chat, "one")
        with pytest.raises(Refused):
            await open_room(chat, "two")
        member = FakeSubscriber("Anna", one)
        chat.subscriptions.enter(one, member)
        chat.committer.post(one, draft("Anna", "I am here", ""), member)
        await chat.finish()
        assert (tmp_path / "talk.one.txt").read_text().endswith("I am here\n")
        await chat.close()

    looping.run(scenario())


def test_the_list_has_logs_and_open_rooms_and_how_many_are_in_them(tmp_path: Path) -> None:
    (tmp_path / "talk.zoo.txt").write_text("[2025-01-01 00:00:00] Old: one\n")

    async def scenario() -> None:
        chat, room = await started(tmp_path)
        chat.subscriptions.enter(room, FakeSubscriber())
        chat.subscriptions.enter(room, FakeSubscriber("Unseen", is_seen=False))
        await open_room(chat, "new")
        expected = [RoomEntry("main", 1), RoomEntry("new", 0), RoomEntry("zoo", 0)]
        assert (await chat.rooms.list.page("")).entries == expected
        assert (await chat.rooms.list.page("", after="main", limit=1)).entries == expected[1:2]
        await chat.close()
        with pytest.raises(Refused):
            await chat.rooms.list.page("")

    looping.run(scenario())


def test_what_is_said_again_does_not_wait_for_all_who_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    may_go_on = threading.Event()
    really_search, really_look = ChatHistory.search, ChatHistory.resent

    def search(history: ChatHistory, query: Query, *how: Any) -> Hits:
        order.append("search")
        assert may_go_on.wait(60)
        return really_search(history, query, *how)

    def resent(history: ChatHistory, *what: Any) -> Step:
        order.append("again")
        return really_look(history, *what)

    monkeypatch.setattr(ChatHistory, "search", search)
    monkeypatch.setattr(ChatHistory, "resent", resent)

    async def scenario() -> None:
        chat, room = await started(tmp_path, 30)
        reader = chat.log_reader
        searching = [asyncio.ensure_future(reader.search(room, Search("1"), NAMELESS)) for _ in range(10)]
        await settle()
        again = asyncio.ensure_future(
            chat.resends.find(room, draft("Old", "x"), 0, room.dedup.has_key, asker=NAMELESS, pay=free)
        )
        await settle()
        may_go_on.set()
        await again
        assert order in (["search", "again"], ["search", "again", "search"])
        searching.pop().cancel()
        for hits in await asyncio.gather(*searching):
            assert hits.ids == [2, *range(11, 21), 22]
        assert not room.holds
        await chat.close()

    looping.run(scenario())


def test_a_resent_message_is_looked_for_no_longer_when_its_poster_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each step takes one block.
    monkeypatch.setattr("besedka.serve.chat.resends.SEARCH_SECONDS", 0.0)
    paid: list[float] = []

    async def pay(seconds: float) -> None:
        paid.append(seconds)
        if len(paid) == 2:
            raise Refused(ErrorCode.NOT_JOINED)

    async def scenario() -> None:
        chat, room = await started(tmp_path, 5_000)
        with pytest.raises(Refused):
            await chat.resends.find(room, draft("Anna", "x"), 0, room.dedup.has_key, asker=NAMELESS, pay=pay)
        assert len(paid) == 2
        assert not room.holds
        await chat.close()

    looping.run(scenario())


def test_a_search_that_meets_another_log_begins_anew_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 30)
        member = FakeSubscriber("Anna", room)
        chat.subscriptions.enter(room, member)
        really_search = ChatHistory.search
        has_looked, may_go_on = threading.Event(), threading.Event()

        def search(history: ChatHistory, *how: Any) -> Hits:
            hits = really_search(history, *how)
            has_looked.set()
            assert may_go_on.wait(60)
            return hits

        monkeypatch.setattr(ChatHistory, "search", search)
        searching = asyncio.ensure_future(
            chat.log_reader.search(room, Search("1", before=12, limit=20), NAMELESS)
        )
        await asyncio.to_thread(has_looked.wait, 60)
        (tmp_path / "talk.txt").write_text("[2025-01-01 00:00:00] Hand: 1\n")
        chat.committer.post(room, draft("Anna", "x", ""), member)
        await until(lambda: member.starts == 1)
        may_go_on.set()
        hits = await searching
        assert (hits.ids, hits.before) == ([1], 0)
        assert hits.lines == ["[2025-01-01 00:00:00] Hand: 1"]
        await chat.close()

    looping.run(scenario())


def hold_threads(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Hold all work that threads are given from now on, until this event is set."""
    may_go_on, really_run = threading.Event(), Threads.run

    def run(threads: Threads, act: Any, *arguments: Any) -> Any:
        return really_run(threads, lambda: may_go_on.wait(60) and act(*arguments))

    monkeypatch.setattr(Threads, "run", run)
    return may_go_on


@pytest.mark.parametrize("kind", ["before", "after", "from a time"])
def test_a_page_whose_asker_has_gone_is_charged_because_it_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 500)
        may_go_on = hold_threads(monkeypatch)
        reader, sources = chat.log_reader, Sources(RateLimits(rate=100))
        limiter = sources.limiter(sources.admit("192.0.2.1"))

        def page() -> Coroutine[Any, Any, History]:
            if kind == "before":
                return reader.page(room, 501, 500, asker=TENANT, limiter=limiter)
            if kind == "after":
                return reader.page_after(room, 0, 500, asker=TENANT, limiter=limiter)
            return reader.page_since(room, 1, 500, asker=TENANT, limiter=limiter)

        begun = chat.clock.now()
        limiter.charge_frames(begun, 400)
        assert not limiter.delay(begun)
        asking = asyncio.ensure_future(page())
        await settle()
        asking.cancel()
        await settle()
        assert limiter.delay(begun) >= 20 / 200 - 1e-6
        may_go_on.set()
        await until(lambda: not room.holds)
        await chat.close()

    looping.run(scenario())


def test_a_resent_message_whose_poster_has_gone_is_charged_for_the_search_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 500)
        may_go_on = hold_threads(monkeypatch)
        sources = Sources(RateLimits(rate=100))
        limiter = sources.limiter(sources.admit("192.0.2.1"))
        posting = Posting(
            services(chat).pipeline,
            room,
            Person("Anna"),
            FakeSubscriber("Anna", room),
            limiter=limiter,
            check=lambda: None,
        )
        begun = chat.clock.now()
        limiter.charge_frames(begun, 400)
        assert not limiter.delay(begun)
        outcome = posting.post("once more", "key", after=0)
        assert isinstance(outcome, Coroutine)
        posted = asyncio.ensure_future(outcome)
        await settle()
        posted.cancel()
        await settle()
        assert posted.cancelled()
        # A message costs no frame beside its own.
        assert limiter.delay(begun) >= (SEARCH_FRAMES - 1) / 200 - 1e-6
        may_go_on.set()
        await until(lambda: not room.holds)
        await chat.close()

    looping.run(scenario())


def test_pages_asked_for_at_the_end_are_refused_not_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_read, may_go_on = ChatHistory.read_with_flags, threading.Event()

    def read(history: ChatHistory, first: int, count: int) -> Any:
        page = really_read(history, first, count)
        assert may_go_on.wait(60)
        return page

    monkeypatch.setattr(ChatHistory, "read_with_flags", read)

    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        pages = [
            asyncio.ensure_future(chat.log_reader.page(room, 50, 10, asker=TENANT, limiter=unlimited()))
            for _ in range(20)
        ]
        await settle()
        await chat.close()
        may_go_on.set()
        for page in await asyncio.gather(*pages, return_exceptions=True):
            assert isinstance(page, History) or (
                isinstance(page, Refused) and page.code is ErrorCode.GOING_DOWN
            )

    looping.run(scenario())


NAMELESS = Tenant(None)


async def free(_: float) -> None:
    """Nothing is charged."""


async def open_room(chat: Chat, name: str) -> Room:
    room = chat.rooms.open(name, TENANT)
    return room if isinstance(room, Room) else await room


def test_five_thousand_who_enter_at_once_are_announced_in_a_few_frames(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path)
        crowd = [FakeSubscriber(f"p{number}", room) for number in range(5_000)]
        begun = asyncio.get_running_loop().time()
        for number, member in enumerate(crowd):
            chat.subscriptions.enter(room, member)
            chat.catch_up.follow(room, member)
            if number % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: any(frame.clients_count == 5_000 for frame in notices_to(crowd[0])))
        seconds = asyncio.get_running_loop().time() - begun
        assert len(notices_to(crowd[0])) <= 4 * seconds + 2
        assert {len(notices_to(member)) for member in crowd} <= set(range(1, len(notices_to(crowd[0])) + 1))
        assert sum(len(notices_to(member)) for member in crowd) <= len(crowd) * (4 * seconds + 2)
        await chat.close()

    def notices_to(member: FakeSubscriber) -> list[System]:
        return [frame for frame in member.heard if isinstance(frame, System)]

    looping.run(scenario())


class Faulty(FakeSubscriber):
    """A member to whom no page can be sent, because of an error of the server's own."""

    def send(self, frame: ServerFrame) -> None:
        if isinstance(frame, History):
            raise ZeroDivisionError
        super().send(frame)


@pytest.mark.parametrize("since", [0, 1_995], ids=["from the log", "from memory"])
def test_an_error_while_a_subscriber_reads_on_breaks_its_session_off_and_the_others_read_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, since: int
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 2000)
        faulty, member = Faulty("Boris", room), FakeSubscriber("Anna", room)
        for one in (faulty, member):
            chat.subscriptions.enter(room, one, since=since)
            chat.catch_up.follow(room, one)
        await until(lambda: room.is_live(member) and faulty.breaks)
        assert member.ids == list(range(since + 1, 2001))
        assert (faulty.breaks, member.breaks) == (1, 0)
        await chat.close()

    looping.run(scenario())
    (record,) = caplog.records
    assert record.exc_info


def test_an_error_of_a_subscriber_after_an_external_edit_does_not_cost_the_chat_its_history(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 5)
        faulty, member = FakeSubscriber("Boris", room), FakeSubscriber("Anna", room)
        for one in (faulty, member):
            chat.subscriptions.enter(room, one, since=5)
            chat.catch_up.follow(room, one)
        faulty.__class__ = Faulty
        with (tmp_path / "talk.txt").open("a") as by_hand:
            by_hand.write("[2025-01-01 00:00:00] Hand: one\n")
        chat.committer.post(room, draft("Anna", "x", ""), member)
        await until(lambda: member.ids == [6, 7])
        await chat.finish()
        assert faulty.breaks == 1
        assert not chat.lost.done()
        await chat.close()

    looping.run(scenario())


def test_a_subscriber_that_was_behind_gets_the_presence_when_it_is_live_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 3)
        slow, anna = FakeSubscriber("Slow", room), FakeSubscriber("Anna", room)
        for member in (slow, anna):
            chat.subscriptions.enter(room, member)
            chat.catch_up.follow(room, member)
        await until(
            lambda: any(isinstance(frame, System) and frame.clients_count == 2 for frame in slow.heard)
        )
        slow.fill()
        chat.subscriptions.leave(room, anna)
        await jump(NOTICE_SECONDS)
        slow.drain()
        chat.catch_up.follow(room, slow)
        last = slow.heard[-1]
        assert isinstance(last, System)
        assert (last.clients_count, last.users) == (1, ["Slow"])
        await chat.close()

    looping.run(scenario())


def test_a_full_disk_is_no_line_of_the_log_for_each_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path)
        member = FakeSubscriber("Anna", room)
        chat.subscriptions.enter(room, member)

        def write(number: int, data: bytes) -> int:  # noqa: ARG001 - none of it
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as full:
            full.setattr(os, "write", write)
            for number in range(20):
                member.refusals.clear()
                chat.committer.post(room, draft("Anna", str(number), ""), member)
                await until(lambda: member.refusals)
        await chat.close()

    looping.run(scenario())
    assert sum("not stored in room" in line for line in caplog.messages) == 1


def test_a_full_disk_makes_the_chat_unready_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path)
        assert await chat.unready() == ""
        really_write = os.write

        def write(number: int, data: bytes) -> int:
            if b"too much" in bytes(data):
                raise OSError(errno.ENOSPC, "No space left on device")
            return really_write(number, data)

        monkeypatch.setattr(os, "write", write)
        member = FakeSubscriber("Anna", room)
        chat.subscriptions.enter(room, member)
        chat.committer.post(room, draft("Anna", "too much", ""), member)
        await until(lambda: bool(member.refusals))
        assert await chat.unready() == "disk full"
        await jump(FULL_SECONDS)
        assert await chat.unready() == ""
        await chat.finish()
        assert await chat.unready() == "going down"
        await chat.close()

    looping.run(scenario())


class Fault:
    """A step that fails by an error of the server's own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *_: object, **__: object) -> Any:
        raise ZeroDivisionError(self.name)


STEPS = (
    "committer.finish",
    "directory.finish",
    "_workers.stop",
    "_notices.close",
    "catch_up.close",
    "rooms.stop",
    "directory.close",
    "_workers.close",
)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_end_that_fails_leaves_no_log_open_and_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    owner, _, method = step.rpartition(".")

    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        with monkeypatch.context() as failing:
            failing.setattr(getattr(chat, owner), method, Fault(step))
            with pytest.raises(ZeroDivisionError, match=step):
                await chat.close()
        if step != "directory.close":  # what fails here closes nothing of its own
            again = Chat(Settings(history=tmp_path / "talk.txt"))
            await again.start()
            await again.close()
        else:
            ChatHistory.open(tmp_path / "talk.txt").close()
        if step in {"directory.close", "_workers.close"}:
            closed = getattr(getattr(chat, owner), method)()  # else its threads do not end
            await (closed or asyncio.sleep(0))

    looping.run(scenario())


def test_of_several_steps_that_fail_the_first_is_raised_and_the_others_are_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        chat, _ = await started(tmp_path)
        monkeypatch.setattr(chat.committer, "finish", Fault("first"))
        monkeypatch.setattr(chat.rooms, "stop", Fault("second"))
        with pytest.raises(ZeroDivisionError, match="first"):
            await chat.close()

    looping.run(scenario())
    (record,) = caplog.records
    assert record.exc_info
    assert str(record.exc_info[1]) == "second"


def test_a_log_that_cannot_be_closed_keeps_no_other_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, main = await started(tmp_path)
        await open_room(chat, "other")
        monkeypatch.setattr(chat.rooms.history(main), "close", Fault("main"))
        with pytest.raises(ZeroDivisionError, match="main"):
            await chat.close()
        ChatHistory.open(tmp_path / "talk.other.txt").close()

    looping.run(scenario())
