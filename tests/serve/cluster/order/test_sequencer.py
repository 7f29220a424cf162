"""The sequencer of a node, without a stream: received entries are applied once, in their order."""

from __future__ import annotations

from datetime import UTC

import pytest

from besedka.serve.chat.sequencer import OrderBroken
from besedka.serve.cluster.jetstream.connection import Connection
from besedka.serve.cluster.jetstream.stream import Stream
from besedka.serve.cluster.order.entry import Entry, Head, encode_entry
from besedka.serve.cluster.order.sequencer import ClusterSequencer
from besedka.serve.room import Batch
from tests import looping


def entry(first: int, count: int) -> bytes:
    """The bytes of an entry of so many messages."""
    lines = [f"[2026-12-02 10:00:00] Anna: message {first + number}\n".encode() for number in range(count)]
    return encode_entry(Entry(Head(f"by {first}", first, 1_790_000_000, "e"), lines))


@pytest.mark.parametrize("strange", [0, 1])
def test_an_external_edit_is_not_taken_for_the_entry_that_waits(strange: int) -> None:
    async def scenario() -> None:
        sequencer = ClusterSequencer(
            Stream(Connection()),
            "0123456789abcdef",
            clock=lambda: 1_790_000_000.0,
            zone=UTC,
            received_to=0,
            keeps_names=True,
        )
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
