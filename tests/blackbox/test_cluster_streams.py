"""A node's use of real NATS servers: one of several concurrent writers wins, deleted entries are gone, and no entry is skipped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from besedka.serve.cluster.jetstream.bucket import Bucket, Value
from besedka.serve.cluster.jetstream.connection import Connection
from besedka.serve.cluster.jetstream.consumer import Consumer
from besedka.serve.cluster.jetstream.stream import STREAM, Stream, subject_of
from besedka.serve.cluster.order.batches import without_text
from besedka.serve.cluster.order.entry import Entry, Head, Target, encode_entry
from besedka.serve.cluster.order.redaction.fixed import FixedEntries
from besedka.serve.cluster.order.redaction.locating import locate
from besedka.serve.cluster.people.people_entry import SUBJECTS as PEOPLE_SUBJECTS
from besedka.serve.cluster.people.people_stream import PEOPLE_STREAM, ensure_people
from besedka.serve.cluster.people.shared_people import SharedPeople
from besedka.serve.cluster.presence.names_in_use import BUCKET, SUBJECTS, names_bucket
from besedka.serve.history import Subject
from besedka.serve.people.agreed_rows import Taken
from besedka.serve.people.audit_entry import OPERATOR, AuditEntry
from besedka.serve.people.invitations import Invitations
from besedka.wire.frames import Act
from tests import looping
from tests.clustering import NatsServers
from tests.looping import until

pytestmark = pytest.mark.xdist_group("cluster")

TAKERS = 20


def with_connection(nats: NatsServers, work: Callable[[Connection], Awaitable[None]]) -> None:
    """Do something over a connection."""

    async def do() -> None:
        connection = await Connection.open(nats.urls)
        try:
            await work(connection)
        finally:
            await connection.close()

    looping.run(do())


def with_bucket(nats: NatsServers, work: Callable[[Bucket], Awaitable[None]]) -> None:
    """Do something with the bucket of names, which is made."""

    async def do(connection: Connection) -> None:
        bucket = names_bucket(connection)
        made_at = await bucket.ensure()
        assert await bucket.ensure() == made_at
        await work(bucket)

    with_connection(nats, do)


def test_a_value_is_set_only_behind_the_one_that_was_expected(nats: NatsServers) -> None:
    async def work(bucket: Bucket) -> None:
        assert (bucket.name, bucket.subjects) == (BUCKET, f"{SUBJECTS}>")
        assert await bucket.get("key") is None
        first = await bucket.put("key", b"one", 0)
        assert await bucket.get("key") == Value(first, b"one")
        assert await bucket.put("key", b"none expected", 0) == 0
        second = await bucket.put("key", b"two", first)
        assert await bucket.put("key", b"an older one expected", first) == 0
        assert await bucket.get("key") == Value(second, b"two")
        assert await bucket.get("another key") is None

    with_bucket(nats, work)


def test_a_value_is_removed_once_and_not_if_another_has_followed_it(nats: NatsServers) -> None:
    async def work(bucket: Bucket) -> None:
        first = await bucket.put("key", b"one", 0)
        second = await bucket.put("key", b"two", first)
        assert not await bucket.remove(first)
        assert await bucket.get("key") == Value(second, b"two")
        assert await bucket.remove(second)
        assert not await bucket.remove(second)
        assert await bucket.get("key") is None
        assert await bucket.put("key", b"three", 0)

    with_bucket(nats, work)


def test_one_of_many_who_set_a_value_at_once_is_the_first(nats: NatsServers) -> None:
    async def work(bucket: Bucket) -> None:
        takers = [b"taker %d" % number for number in range(TAKERS)]
        revisions = await asyncio.gather(*(bucket.put("key", taker, 0) for taker in takers))
        [winner] = [(revision, taker) for revision, taker in zip(revisions, takers, strict=True) if revision]
        assert await bucket.get("key") == Value(*winner)

    with_bucket(nats, work)


def test_a_node_whose_offer_was_refused_knows_the_entry_that_is_there(nats: NatsServers) -> None:
    """It may be its own: an election loses answers."""

    async def work(connection: Connection) -> None:
        stream = Stream(connection)
        assert await stream.ensure("UTC", may_make=True)
        await stream.offer("main", b"stored", 0)
        signs = connection.signs(STREAM)
        decided_at = [signs.decided_at]
        for _ in range(2):
            signs.acknowledged = None
            await stream.offer("main", b"stored", 0)
            await until(lambda: signs.acknowledged)
            assert signs.acknowledged
            assert signs.acknowledged.number == 1
            decided_at.append(signs.decided_at)
        begun, accepted, refused = decided_at
        assert begun < accepted == refused

    with_connection(nats, work)


def test_an_entry_may_be_erased_any_number_of_times(nats: NatsServers) -> None:
    async def work(connection: Connection) -> None:
        stream = Stream(connection)
        assert await stream.ensure("UTC", may_make=True)
        for number, data in enumerate((b"first", b"second", b"third")):
            assert await connection.publish(subject_of("main"), data, number) == number + 1
        for number in (1, 1, 3, 3, 9):  # one of them is the last one, and one was never there
            await stream.erase(STREAM, number)
        assert await stream.find(STREAM, {"seq": 1}) is None
        assert await stream.find(STREAM, {"seq": 2}) == (2, b"second")
        assert await stream.find(STREAM, {"seq": 3}) is None

    with_connection(nats, work)


def test_an_entry_that_cannot_be_taken_in_ends_the_receiving(nats: NatsServers) -> None:
    taken: list[int] = []

    def receive(_: str, number: int, __: bytes) -> bool:
        taken.append(number)
        if number == 2:
            raise KeyError("nobody expects this")
        return True

    async def work(connection: Connection) -> None:
        stream = Stream(connection)
        state = await stream.ensure("UTC", may_make=True)
        assert state
        for number in range(3):
            await connection.publish(subject_of("main"), b"data", number)
        with pytest.raises(KeyError):
            await Consumer(stream, STREAM, state.id, 0, receive).run()
        assert taken == [1, 2]

    with_connection(nats, work)


def test_what_is_heard_of_one_stream_says_nothing_of_another(nats: NatsServers) -> None:
    async def work(connection: Connection) -> None:
        stream = Stream(connection)
        assert await stream.ensure("UTC", may_make=True)
        order, names = connection.signs(STREAM), connection.signs(BUCKET)
        known = order.answered_at, order.decided_at
        bucket = names_bucket(connection)
        await bucket.ensure()
        assert names.answered_at > known[0]
        await bucket.put("key", b"value", 0)
        assert (order.answered_at, order.decided_at) == known

    with_connection(nats, work)


@pytest.mark.parametrize("is_redacted", [False, True])
def test_a_message_is_redacted_with_the_size_that_all_have(nats: NatsServers, is_redacted: bool) -> None:
    lines = [f"[2026-12-02 10:00:00] Anna: message {number}\n".encode() for number in (8, 9, 10)]

    async def work(connection: Connection) -> None:
        stream = Stream(connection)
        state = await stream.ensure("UTC", may_make=True)
        assert state
        fixed = FixedEntries(stream)
        await fixed.ensure(state)
        entry = Entry(Head("by", 1, 1_790_000_000, "e"), lines)
        await connection.publish(subject_of("main"), encode_entry(entry), 0)
        if is_redacted:
            await fixed.put("main", without_text(entry, 1), 0)
            await stream.erase(STREAM, 1)
        subject = Subject(3, "e", "2026-12-02 10:00:00", "Anna", 999)
        assert await locate(stream, fixed, "main", subject) == Target(3, len(lines[2]), 1, 1 - is_redacted)
        assert await locate(stream, fixed, "main", replace(subject, number=4)) is None

    with_connection(nats, work)


class People:
    """The people of a node without files, which receives its stream only when it is told to."""

    def __init__(self, stream: Stream) -> None:
        self.invitations = Invitations()
        self.shared = SharedPeople(stream, None, {"invitations.txt": self.invitations}, self)
        self.written: list[str] = []
        self.done: list[str] = []
        self._stream = stream
        self.received = 0

    async def receive(self) -> None:
        """Receive what is in the stream by now."""
        question = {"next_by_subj": f"{PEOPLE_SUBJECTS}>"}
        while found := await self._stream.find(PEOPLE_STREAM, {"seq": self.received + 1, **question}):
            self.received = found[0]
            self.shared.receive("", *found)

    async def write_audit(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log."""
        self.written.append(entry.user)

    def take_act(self, entry: AuditEntry) -> None:
        """Put an act of another node in force."""
        self.done.append(entry.user)

    def take_changes(self, taken: Sequence[Taken]) -> None:
        """Act on changes that another node has made."""

    def kick(self, user: str) -> asyncio.Task[None]:
        """Begin to record an act."""
        entry = AuditEntry("2026-12-02 10:00:00", OPERATOR, Act.KICK, user=user)
        return asyncio.ensure_future(self.shared.record([entry]))

    def agree(self) -> asyncio.Task[None]:
        """Begin to agree on what was changed."""

        async def do() -> None:
            batch = self.invitations.take_changes()
            await self.shared.agree()
            self.invitations.appended(batch)

        return asyncio.ensure_future(do())


def test_an_accepted_offer_whose_head_was_replaced_before_it_was_received_is_not_offered_again(
    nats: NatsServers,
) -> None:
    async def work(connection: Connection) -> None:
        stream = Stream(connection)
        state = await stream.ensure("UTC", may_make=True)
        assert state
        await ensure_people(stream, state.id, keeps_names=True)
        here, there = People(stream), People(stream)
        for node in (here, there):
            await node.shared.begin()
        writing = [asyncio.ensure_future(node.shared.keep_acts()) for node in (here, there)]

        async def one_behind_the_other(
            here_done: asyncio.Task[None], begin: Callable[[], asyncio.Task[None]]
        ) -> None:
            """Let the second node go on before the first one has received that its offer was accepted."""
            before = there.received
            while there.received == before:
                await there.receive()
            there_done = begin()
            while not there_done.done():
                await there.receive()
            await here.receive()
            await asyncio.gather(here_done, there_done)

        await one_behind_the_other(here.kick("Anna"), lambda: there.kick("Boris"))
        assert (here.written, there.written) == (["Anna", "Boris"], ["Anna", "Boris"])
        assert (here.done, there.done) == (["Boris"], ["Anna"])
        assert there.received == 4

        # Two uses of an invitation: the row with the first one is replaced, too.
        def use() -> asyncio.Task[None]:
            offer = there.invitations.get(token)
            assert offer
            assert offer.uses == 1
            there.invitations.use(offer)
            return there.agree()

        _, offer = here.invitations.make("room", "lab", "Anna", 0.0, uses=2, seconds=600)
        token = offer.token
        made = here.agree()
        while not made.done():
            await here.receive()
        await there.receive()
        here.invitations.use(offer)
        await one_behind_the_other(here.agree(), use)
        assert (here.invitations.get(token), there.invitations.get(token)) == (None, None)
        assert there.received == 10
        for task in writing:
            task.cancel()

    with_connection(nats, work)


def test_a_node_waits_for_what_others_know_about_people_unless_it_cannot_come(nats: NatsServers) -> None:
    async def work(connection: Connection) -> None:
        stream = Stream(connection)
        state = await stream.ensure("UTC", may_make=True)
        assert state
        await ensure_people(stream, state.id, keeps_names=True)
        here, there = People(stream), People(stream)
        for node in (here, there):
            await node.shared.begin()
        kicking = there.kick("Anna")
        writing = asyncio.ensure_future(there.shared.keep_acts())
        while not kicking.done():
            await there.receive()
        waiting = asyncio.ensure_future(here.shared.wait_for(2))
        await there.shared.wait_for(2)
        assert not waiting.done()
        await here.receive()
        await waiting
        # Of a stream that is no more.
        await here.shared.wait_for(3)
        writing.cancel()

    with_connection(nats, work)
