"""The order in which a stream of gRPC writes: a client that keeps a cursor misses nothing, whatever it is told in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from besedka.proto import frames as proto
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.chat import Chat
from besedka.serve.doors.grpc.converse import ConverseStream, ConverseSubscriber
from besedka.serve.limits.rate_limits import RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.room import Room
from besedka.wire.frames import Chat as ChatFrame
from besedka.wire.frames import History, Join, ListHistory, Redacted, Say
from besedka.wire.log_line import read_line
from tests import looping
from tests.looping import until
from tests.serve.chat.test_chat import started
from tests.serve.chat.test_redaction import Held, redact
from tests.serve.faking import FakeSubscriber, draft, services


class Client:
    """The other end of a stream: reads when it may, and keeps a cursor as the client library does.

    Attributes:
        ids: the messages that it has shown.
        texts: their texts, as they are now.
        keys: its own messages that it knows to be stored, with their keys.
        may_read: whether it reads.
    """

    def __init__(self, chat: Chat, since: int) -> None:
        self.ids: list[int] = []
        self.texts: dict[int, str] = {}
        self.keys: dict[int, str] = {}
        self.may_read = asyncio.Event()
        self.may_read.set()
        self._cursor = since
        sources = Sources(RateLimits(rate=0))
        self.stream = ConverseStream(
            services(chat), sources.limiter(sources.admit("127.0.0.1")), self._written
        )

    @property
    def member(self) -> ConverseSubscriber:
        ((_, member),) = self.stream.subscriptions()
        return member

    async def _written(self, data: bytes) -> None:
        await self.may_read.wait()
        for frame in proto.server_frames(pb.ConverseResponse.FromString(data), 0):
            if isinstance(frame, History):
                self.texts |= {frame.first + n: read_line(one).text for n, one in enumerate(frame.messages)}
            if isinstance(frame, Redacted):
                self.texts[frame.id] = frame.text
            if isinstance(frame, ChatFrame):
                if frame.id > self._cursor:
                    self.ids.append(frame.id)
                    self.texts[frame.id] = frame.text
                    self._cursor = frame.id
                if frame.key:
                    self.keys[frame.id] = frame.key


@asynccontextmanager
async def following(chat: Chat, since: int) -> AsyncIterator[Client]:
    """A client that has joined as Anna, and whose stream runs."""
    client = Client(chat, since)
    running = asyncio.create_task(client.stream.run())
    client.stream.session.receive_frame(Join(user="Anna", room="main", since=since))
    yield client
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await chat.close()


async def post(chat: Chat, room: Room, name: str, key: str = "") -> None:
    """Store a message."""
    head = room.head
    chat.committer.post(room, draft(name, "x", key), FakeSubscriber(name))
    await until(lambda: room.head > head)


def test_a_resent_message_overtakes_no_page_that_was_read_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 98)
        await post(chat, room, "Boris")
        await post(chat, room, "Anna", "hers")
        held = Held(monkeypatch, "read_with_flags")
        async with following(chat, 50) as client:
            await asyncio.to_thread(held.has_read.wait, 5)
            fetching = client.member.fetching
            assert fetching
            # When the page is read, and the stream has not looked at it yet.
            again = Say(text="x", room="main", key="hers", after=50)
            fetching.add_done_callback(lambda _: client.stream.session.receive_frame(again))
            held.may_go_on.set()
            await until(lambda: client.ids[-1:] == [100])
            assert client.ids == [*range(51, 101)]
            assert client.keys == {100: "hers"}

    looping.run(scenario())


def test_a_resent_message_overtakes_no_broadcast_that_is_not_written_yet(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        async with following(chat, 100) as client:
            await until(lambda: room.is_live(client.member))
            client.may_read.clear()
            # Two responses, of which the first is being written when the broadcast comes.
            for _ in range(2):
                client.stream.session.receive_frame(ListHistory(room="main", before=5, limit=1))
                await client.stream.session.answered()
            chat.committer.post(room, draft("Boris", "x"), FakeSubscriber("Boris"))
            chat.committer.post(room, draft("Anna", "x", "hers"), FakeSubscriber("Anna"))
            await until(lambda: room.head == 102)
            client.stream.session.receive_frame(Say(text="x", room="main", key="hers", after=100))
            client.may_read.set()
            await until(lambda: client.ids[-1:] == [102])
            assert client.ids == [101, 102]
            assert client.keys == {102: "hers"}

    looping.run(scenario())


def test_a_resent_message_that_was_delivered_is_acknowledged_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 98)
        await post(chat, room, "Anna", "hers")
        await post(chat, room, "Boris")
        async with following(chat, 99) as client:
            await until(lambda: client.ids == [100])
            client.stream.session.receive_frame(Say(text="x", room="main", key="hers", after=50))
            await until(lambda: client.keys)
            assert client.keys == {99: "hers"}
            assert client.ids == [100]

    looping.run(scenario())


def test_a_page_that_had_to_wait_is_written_without_what_was_redacted_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        held = Held(monkeypatch, "read_with_flags")
        async with following(chat, 20) as client:
            await asyncio.to_thread(held.has_read.wait, 5)
            fetching = client.member.fetching
            assert fetching
            client.may_read.clear()
            client.stream.session.receive_frame(ListHistory(room="main", before=5, limit=1))
            held.may_go_on.set()  # one reads at a time
            await client.stream.session.answered()
            await until(fetching.done)
            await redact(chat, room, 30)
            client.may_read.set()
            await until(lambda: client.ids[-1:] == [100])
            assert client.ids == [*range(21, 101)]
            assert client.texts[29] == "28"
            assert client.texts[30] == "--"

    looping.run(scenario())


def test_an_answer_that_had_to_wait_is_followed_by_the_redaction_of_what_it_holds(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room = await started(tmp_path, 100)
        async with following(chat, 100) as client:
            await until(lambda: room.is_live(client.member))
            client.may_read.clear()
            for _ in range(2):
                client.stream.session.receive_frame(ListHistory(room="main", before=31, limit=2))
                await client.stream.session.answered()
            await redact(chat, room, 30)
            client.may_read.set()
            await until(lambda: client.texts.get(30) == "--")
            assert client.texts[29] == "28"
            await post(chat, room, "Boris")
            await until(lambda: client.ids == [101])
            assert client.texts[30] == "--"

    looping.run(scenario())
