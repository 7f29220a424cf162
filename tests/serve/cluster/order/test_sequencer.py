"""The sequencer of a node, without a stream: received entries are applied once, in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import pytest

from besedka.serve.chat.sequencer import OrderBroken, Redaction
from besedka.serve.cluster.jetstream.connection import Connection
from besedka.serve.cluster.jetstream.stream import STREAM, Stream
from besedka.serve.cluster.order.entry import Entry, EntryKind, Head, Target, encode_entry
from besedka.serve.cluster.order.room_rights import PeoplesRights
from besedka.serve.cluster.order.sequencer import ClusterSequencer
from besedka.serve.room import Batch, Draft
from besedka.wire.message import Message
from tests import looping


def entry(first: int, count: int, people: int = 0) -> bytes:
    """The bytes of an entry of so many messages, whose node knew so much about people."""
    lines = [f"[2026-12-02 10:00:00] Anna: message {first + number}\n".encode() for number in range(count)]
    return encode_entry(Entry(Head(f"by {first}", first, 1_790_000_000, "e", people=people), lines))


def redaction(first: int) -> bytes:
    """The bytes of an entry that redacts the first of the messages before it."""
    head = Head("by redact", first, 1_790_000_000, "e", kind=EntryKind.REDACT, targets=[Target(1, 40, 1, 1)])
    return encode_entry(Entry(head, ()))


@pytest.mark.parametrize("strange", [0, 1])
def test_an_external_edit_is_not_taken_for_the_entry_that_waits(strange: int) -> None:
    async def scenario() -> None:
        sequencer = sequencer_of(Stream(Connection()), received_to=0)
        sequencer.receive("main", 1, entry(1, 10))
        batch = await sequencer.sequence("main", 0, ())
        assert isinstance(batch, Batch)
        assert len(batch.drafts) == 10
        # While these are written, somebody adds a line, and the next entry comes.
        sequencer.receive("main", 2, entry(11, 1))
        if strange:
            with pytest.raises(OrderBroken, match="holds 11 messages, and should hold 10"):
                sequencer.stored("main", 1, 10 + strange, "e")
        else:
            sequencer.stored("main", 1, 10, "e")
            assert isinstance(await sequencer.sequence("main", 10, ()), Batch)

    looping.run(scenario())


class Doubtful(Stream):
    """A stream whose answers are given one after the other: each names the leader, and the entry that is the room's last one for it.

    It accepts offers made behind the entry of the last answer.
    """

    def __init__(self, answers: Sequence[tuple[str, int, bytes]]) -> None:
        super().__init__(Connection())
        self._answers = [*answers]
        self.sequencer = sequencer_of(self)

    async def info(self, name: str = STREAM) -> dict[str, Any]:
        """The leader."""
        return {"cluster": {"leader": self._answers[0][0]}, "name": name}

    async def last_of(self, room: str) -> tuple[int, bytes]:  # noqa: ARG002
        """The last entry, for the leader of this moment."""
        _, number, data = self._answers[0]
        if len(self._answers) > 1:
            self._answers.pop(0)
        return number, data

    async def offer(self, room: str, data: bytes, behind: int) -> None:
        """Take an offer."""
        if len(self._answers) == 1 and behind == self._answers[0][1]:
            self.sequencer.receive(room, behind + 1, data)


def sequencer_of(stream: Stream, received_to: int = 9) -> ClusterSequencer:
    """A sequencer over a stream."""
    return ClusterSequencer(
        stream,
        "0123456789abcdef",
        clock=lambda: 1_790_000_000.0,
        zone=UTC,
        received_to=received_to,
        keeps_names=True,
    )


@pytest.mark.parametrize(
    "answers",
    [
        [("cut off", 5, entry(1, 1)), ("new", 9, entry(2, 1))],  # it knows less, and nobody follows it
        [
            ("a", 5, entry(2, 1)),
            ("a", 5, entry(2, 1)),
            ("a", 9, entry(2, 1)),
        ],  # it was wrong about the number
    ],
)
def test_a_wrong_answer_about_the_last_entry_is_not_the_last_word(
    answers: list[tuple[str, int, bytes]],
) -> None:
    async def scenario() -> None:
        stream = Doubtful(answers)
        draft = Draft(Message("", "Anna", "hello", key="k"), verified=True)
        batch = await stream.sequencer.sequence("main", 2, [draft])
        assert isinstance(batch, Batch)
        assert [found.message.text for found in batch.drafts] == ["hello"]

    looping.run_jumping(scenario())


@pytest.mark.parametrize("comes_again", [True, False])
def test_a_log_may_have_what_is_not_received_again_yet(*, comes_again: bool) -> None:
    """After a restart, by way of a server that has not caught up itself."""

    async def scenario() -> None:
        stream = Doubtful([("a", 6 if comes_again else 5, entry(3, 2) if comes_again else redaction(3))])
        sequencer = sequencer_of(stream, received_to=4)
        sequencer.receive("main", 5, redaction(3))
        assert isinstance(await sequencer.sequence("main", 4, ()), Redaction)
        sequencer.done("main", 4)
        if comes_again:
            assert await sequencer.check("main", 4, "e") is None
        else:
            with pytest.raises(OrderBroken, match="holds 4 messages, and should hold 2"):
                await sequencer.check("main", 4, "e")

    looping.run(scenario())


class Slow:
    """The people that are known: more when a test says so."""

    def __init__(self) -> None:
        self.head = 4
        self.news = asyncio.Event()

    def reached(self) -> int:
        """The number of the last head."""
        return self.head

    async def wait_for(self, number: int) -> None:
        """Wait for a head."""
        while self.head < number:
            await self.news.wait()

    def receive(self, head: int) -> None:
        """Receive a head."""
        self.head = head
        self.news.set()


def test_nothing_of_a_private_room_is_applied_before_it_is_known_as_one() -> None:
    async def scenario() -> None:
        sequencer, known = sequencer_of(Stream(Connection()), received_to=0), Slow()
        woken: list[str] = []
        sequencer.rights = PeoplesRights(known, lambda room: room == "cellar")
        sequencer.start(woken.append)
        for number, (room, people) in enumerate([("main", 0), ("cellar", 7), ("cellar", 7), ("lab", 4)], 1):
            sequencer.receive(room, number, entry({2: 2, 3: 3}.get(number, 1), 1, people))
        await looping.until(lambda: len(woken) == 2)
        assert woken == ["main", "lab"]
        applying = asyncio.ensure_future(sequencer.sequence("cellar", 1, ()))
        assert isinstance(await sequencer.sequence("main", 0, ()), Batch)
        assert not applying.done()
        known.receive(7)
        assert isinstance(await applying, Batch)
        await looping.until(lambda: len(woken) == 3)
        assert woken[2] == "cellar"
        assert [sequencer.rights.needed(room) for room in ("main", "cellar")] == [0, 7]

    looping.run(scenario())
