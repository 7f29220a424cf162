"""`RoomClient` against a started server; the same tests over WebSocket, gRPC and a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from besedka import (
    ConnectionFailed,
    JoinRefused,
    NotConnected,
    ReceivedMessage,
    RequestRefused,
    RoomClient,
    RoomEntry,
    SayRefused,
    SearchResults,
    connect,
)
from besedka.wire.message import MessageId
from tests import looping
from tests.remote.conftest import BY_EVERY_WAY
from tests.running import RunningServer, free_port

TIMEOUT_SECONDS = 60


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await scenario()

    looping.run(bounded())


async def take(messages: AsyncIterator[ReceivedMessage], count: int) -> list[ReceivedMessage]:
    return [await anext(messages) for _ in range(count)]


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.01)


@BY_EVERY_WAY
def test_a_posted_message_has_its_id_and_is_on_disk(chat_server: RunningServer, url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as chat:
            assert (chat.room, chat.name, chat.is_connected) == ("main", "Anna", True)
            assert await chat.say("one") == 1
            assert chat_server.lines[0].endswith("Anna: one")
            assert await chat.say("two\nlines") == 2
            assert await asyncio.gather(*(chat.post(f"{number}") for number in range(100))) == list(
                range(3, 103)
            )
            assert chat.waiting == 0

    run(scenario)


def test_followed_messages_have_author_and_time(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as anna:
            await anna.say("before")
            async with connect(url, "Boris") as boris:
                messages = boris.follow()
                await boris.say("mine")
                await anna.say("hers")
                old, own, other = await take(messages, 3)
        assert [(m.id, m.user, m.text, m.is_old, m.is_own) for m in (old, own, other)] == [
            (1, "Anna", "before", True, False),
            (2, "Boris", "mine", False, True),
            (3, "Anna", "hers", False, False),
        ]
        assert old.time
        assert own.time
        assert abs((own.time - old.time).total_seconds()) < TIMEOUT_SECONDS

    run(scenario)


def test_people_are_known_as_they_come_and_go(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as anna:
            async with connect(url, "Boris"):
                await until(lambda: anna.people == ["Anna", "Boris"] and anna.clients_count == 2)
            await until(lambda: anna.people == ["Anna"] and anna.clients_count == 1)

    run(scenario)


def test_reading_goes_on_from_a_cursor_of_another_process(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as chat:
            for number in range(1, 31):
                chat.post(f"{number}")
            await take(chat.follow(), 17)
            await until(lambda: chat.waiting == 0)
            epoch = chat.cursor[1]
        async with connect(url, "Anna", since=17, epoch=epoch) as chat:
            assert [message.id for message in await take(chat.follow(), 13)] == list(range(18, 31))
        async with connect(url, "Anna", since=17, epoch="another") as chat:
            assert [message.id for message in await take(chat.follow(), 10)] == list(range(21, 31))

    run(scenario)


@BY_EVERY_WAY
def test_a_restart_is_survived_without_gap_or_double(chat_server: RunningServer, url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as anna, connect(url, "Boris") as boris:
            heard = boris.follow()
            said: list[asyncio.Future[MessageId]] = []
            for end in (chat_server.stop, chat_server.kill):
                said += [anna.post(f"{len(said)} {number}") for number in range(50)]
                await asyncio.to_thread(end)
                said += [anna.post(f"{len(said)} {number}") for number in range(50)]
                await until(lambda: not anna.is_connected)
                assert anna.waiting >= 50
                await asyncio.to_thread(chat_server.start)
            assert await asyncio.gather(*said) == list(range(1, 201))
            assert [message.id for message in await take(heard, 200)] == list(range(1, 201))

    run(scenario)


def test_a_refused_message_fails_and_the_others_are_stored(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as chat:
            bad, good = chat.post(" "), chat.post("good")
            with pytest.raises(SayRefused, match="empty") as refusal:
                await bad
            assert refusal.value.code == "empty_text"
            assert await good == 1
            with pytest.raises(SayRefused, match="at most 5000"):
                await chat.say("x" * 5001)

    run(scenario)


def test_a_name_that_is_in_use_is_refused_but_not_to_its_owner(url: str) -> None:
    async def enter(name: str, secret: str = "") -> RoomClient:
        async with connect(url, name, secret=secret) as chat:
            return chat

    async def scenario() -> None:
        async with connect(url, "Anna", secret="hers"):
            with pytest.raises(JoinRefused) as refusal:
                await enter("Anna")
            assert refusal.value.code == "name_claimed"
            assert (await enter("Anna", "hers")).clients_count == 1
        with pytest.raises(JoinRefused, match="cannot be used"):
            await enter("a:b")

    run(scenario)


@pytest.mark.parametrize("options", [("--rate", "20")], ids=["slowly"])
def test_messages_posted_too_fast_wait_and_keep_their_order(chat_server: RunningServer, url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as chat:
            said = [chat.post(f"{number}") for number in range(260)]
            assert await asyncio.gather(*said) == list(range(1, 261))
        assert [line.split("Anna: ")[1] for line in chat_server.lines] == [
            str(number) for number in range(260)
        ]

    run(scenario)


@pytest.mark.parametrize("options", [("--rate", "0")], ids=["fast"])
def test_a_program_that_does_not_read_loses_nothing(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Idle") as idle, connect(url, "Anna") as anna:
            for _ in range(3):
                await asyncio.gather(*(anna.post("x" * 1_000) for _ in range(900)))
            messages = await take(idle.follow(), 2_700)
            assert [message.id for message in messages] == list(range(1, 2_701))

    run(scenario)


def test_rooms_are_listed(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna", "zoo") as zoo, connect(url, "Boris") as chat:
            await zoo.say("x")
            expected = [RoomEntry("main", 1), RoomEntry("zoo", 1)]
            assert await chat.rooms() == expected
            assert await asyncio.gather(*(chat.rooms() for _ in range(10))) == [expected] * 10

    run(scenario)


def test_a_cancelled_request_harms_no_other_and_not_the_connection(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as chat:
            asking = [asyncio.ensure_future(chat.rooms()) for _ in range(20)]
            said = chat.post("x")
            await asyncio.sleep(0)
            for one in asking[::2]:
                one.cancel()
            answers = await asyncio.gather(*asking, return_exceptions=True)
            assert answers[1::2] == [[RoomEntry("main", 1)]] * 10
            assert await said == 1
            assert chat.is_connected

    run(scenario)


def test_messages_are_searched_page_by_page(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as anna:
            await asyncio.gather(*(anna.post(f"Слово {number}") for number in range(1, 31)))
            async with connect(url, "Boris") as boris:
                await boris.say("слово чужое")
                found = await boris.search("СЛОВО", limit=3)
                assert [(m.id, m.user, m.text, m.is_old, m.is_own) for m in found.messages] == [
                    (29, "Anna", "Слово 29", True, False),
                    (30, "Anna", "Слово 30", True, False),
                    (31, "Boris", "слово чужое", False, True),
                ]
                assert found.before == 29
                assert found.messages[0].time
                ids: list[int] = []
                before = found.before
                while before:
                    found = await boris.search("слово", before)
                    ids, before = [message.id for message in found.messages] + ids, found.before
                assert ids == list(range(1, 29))
                asked = [boris.search(f"слово {number}", limit=1) for number in range(1, 10)]
                last = [found.messages[0].id for found in await asyncio.gather(*asked)]
                assert last == [19, 29, 30, *range(4, 10)]
                assert await boris.search("nothing") == SearchResults([], 0)
                with pytest.raises(RequestRefused, match="empty") as refusal:
                    await boris.search(" ")
                assert refusal.value.code == "bad_search"

    run(scenario)


def test_a_quiet_member_is_not_seen_and_may_post(url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as anna, connect(url, "Script", quiet=True) as script:
            assert (script.people, script.clients_count) == (["Anna"], 1)
            assert await script.say("done") == 1
            (message,) = await take(anna.follow(), 1)
            assert (message.user, anna.people) == ("Script", ["Anna"])

    run(scenario)


def test_a_member_without_a_name_only_reads(chat_server: RunningServer, url: str) -> None:
    async def scenario() -> None:
        async with connect(url, "Anna") as anna, connect(url, "") as reader:
            assert (reader.name, reader.clients_count) == ("", 1)
            await anna.say("one")
            messages = reader.follow()
            assert [(m.user, m.is_own) for m in await take(messages, 1)] == [("Anna", False)]
            with pytest.raises(SayRefused, match="without a name") as refusal:
                await reader.say("I?")
            assert refusal.value.code == "no_name"
            await asyncio.to_thread(chat_server.stop)
            await until(lambda: not reader.is_connected)
            for question in (reader.rooms(), reader.search("x")):
                with pytest.raises(NotConnected):
                    await question
            await asyncio.to_thread(chat_server.start)
            await anna.say("two")
            assert [message.text for message in await take(messages, 1)] == ["two"]
            assert reader.clients_count == 1

    run(scenario)


@pytest.mark.parametrize("scheme", ["ws", "grpc", "unix"])
def test_an_address_without_a_chat_fails_to_connect(scheme: str) -> None:
    there = "unix:/nowhere" if scheme == "unix" else f"{scheme}://127.0.0.1:{free_port()}"

    async def scenario() -> None:
        with pytest.raises(ConnectionFailed, match="cannot reach a chat at"):
            async with connect(there, "Anna"):
                raise AssertionError("there is a chat")

    run(scenario)
