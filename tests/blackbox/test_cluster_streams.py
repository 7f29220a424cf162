"""The steps of a node at real servers of NATS: of several writers at once one wins, what is deleted is gone, and what is received is taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from besedka.serve.cluster.jetstream.bucket import Bucket, Value
from besedka.serve.cluster.jetstream.connection import Connection
from besedka.serve.cluster.jetstream.consumer import Consumer
from besedka.serve.cluster.jetstream.stream import STREAM, Stream, subject_of
from besedka.serve.cluster.presence.names_in_use import BUCKET, SUBJECTS, names_bucket
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


def test_a_value_is_removed_once(nats: NatsServers) -> None:
    async def work(bucket: Bucket) -> None:
        revision = await bucket.put("key", b"one", 0)
        assert [await bucket.remove(revision) for _ in range(2)] == [True, False]
        assert await bucket.get("key") is None

    with_bucket(nats, work)


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
