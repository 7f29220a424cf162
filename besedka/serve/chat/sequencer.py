"""The sequencer decides the order of a room's messages, and their time.

It gives no ids: a message's id is its number in the log, which `besedka/serve/history/log_state.py` counts for each batch that is appended;
`besedka/serve/room/batch.py` gives them to the messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Protocol

from besedka.serve.room import Batch, Draft
from besedka.wire.log_line import stamp


class Sequencer(Protocol):
    """Orders drafts after all messages posted in a room before."""

    async def sequence(self, room: str, drafts: Sequence[Draft]) -> Batch:
        """The drafts as a batch, in their order and with their time. The log gives the ids, when the batch is appended.

        Raises:
            Refused: if the order cannot be decided now; nothing was posted.
        """


class LocalSequencer:
    """The sequencer of a single server: drafts keep the order of their arrival, with its own clock.

    Args:
        clock: unix seconds.
        zone: of the log's times.
    """

    def __init__(self, clock: Callable[[], float], zone: tzinfo | None) -> None:
        self._clock = clock
        self._zone = zone

    async def sequence(self, room: str, drafts: Sequence[Draft]) -> Batch:  # noqa: ARG002 - one clock for all rooms
        """The drafts as a batch."""
        at = self._clock()
        return Batch(drafts, int(at), stamp(at, self._zone))
