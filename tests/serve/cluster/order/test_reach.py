"""How long a node waits for a stream: what is heard of another one makes it no longer."""

from __future__ import annotations

import asyncio

import pytest

from besedka.serve.cluster.errors import Unanswered
from besedka.serve.cluster.jetstream.connection import ELSEWHERE_SECONDS, Connection
from besedka.serve.cluster.jetstream.stream import STREAM, Stream
from besedka.serve.cluster.order.reach import OUT_OF_REACH_SECONDS, Reach
from besedka.wire.errors import ErrorCode, Refused
from tests import looping


def now() -> float:
    """The time of the loop."""
    return asyncio.get_running_loop().time()


async def of_two() -> tuple[Connection, Reach]:
    """A connection that has heard of another stream now, and nothing of the order for too long."""
    connection = Connection()
    reach = Reach(Stream(connection))
    order = connection.signs(STREAM)
    order.answered_at = order.decided_at = order.answered_at - OUT_OF_REACH_SECONDS - 1
    connection.signs("BESEDKA_NAMES").note_accepted(7, order.answered_at + 9)
    return connection, reach


def test_the_order_is_out_of_reach_while_another_stream_answers() -> None:
    async def scenario() -> None:
        connection, reach = await of_two()
        assert reach.is_lost
        with pytest.raises(Refused) as refused:
            await reach.check(connection.signs(STREAM).decided_at)
        assert refused.value.code is ErrorCode.OUT_OF_REACH
        connection.signs(STREAM).note_accepted(8, connection.signs("BESEDKA_NAMES").answered_at)
        assert not reach.is_lost
        await reach.check(connection.signs(STREAM).decided_at - 2 * OUT_OF_REACH_SECONDS)

    looping.run(scenario())


def test_a_question_that_nobody_answers_ends_while_the_order_goes_on() -> None:
    async def scenario() -> None:
        connection, reach = await of_two()
        asked = 0

        async def ask() -> None:
            nonlocal asked
            asked += 1
            connection.signs(STREAM).note_accepted(asked, now())
            raise Unanswered

        begun = now()
        with pytest.raises(Refused):
            await reach.answered(ask)
        assert ELSEWHERE_SECONDS < OUT_OF_REACH_SECONDS < now() - begun < 2 * OUT_OF_REACH_SECONDS

    looping.run_jumping(scenario())
