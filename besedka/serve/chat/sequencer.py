"""The sequencer decides the order of a room's messages, and their time.

It gives no ids: a message's id is its number in the log, which `besedka/serve/history/log_state.py` counts for each batch that is appended;
`besedka/serve/room/batch.py` gives them to the messages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple, Protocol

from besedka.serve.history import Piece, Subject
from besedka.serve.room import Batch, Draft
from besedka.wire.log_line import stamp


class OrderBroken(Exception):  # noqa: N818 - the log is not what the order says
    """A room's log does not hold what it should.

    Attributes:
        room: the room.
    """

    def __init__(self, room: str, count: int, expected: int) -> None:
        is_as_long = count == expected
        super().__init__(
            f"the log of room {room} was changed by another program"
            if is_as_long
            else f"the log of room {room} holds {count} messages, and should hold {expected}"
        )
        self.room = room


class Stored(NamedTuple):
    """Messages that should be in a log.

    Attributes:
        first: the id of the first one.
        messages: the bytes of each, with its line ends.
    """

    first: int
    messages: Sequence[bytes]


class Redaction(NamedTuple):
    """Messages whose texts are replaced by tombstones, all at one place of the order.

    Attributes:
        sizes: the size of each in the log, in bytes with all line ends, by their ids.
    """

    sizes: Mapping[int, int]


class Import(NamedTuple):
    """A piece of a log that is taken over from another server.

    Attributes:
        piece: the piece.
        epoch: of that log.
    """

    piece: Piece
    epoch: str


Step = Batch | Redaction | Import
"""One step of the order of a room."""


class RedactionOrder(Protocol):
    """Has redactions done by all servers, at one place of the order."""

    async def check(self, room: str) -> None:
        """Check that a redaction can be ordered now, before it is recorded.

        Raises:
            Refused: if not.
        """

    async def order(self, room: str, subject: Subject) -> None:
        """Have a message redacted that was recorded as such; the committer does it before this returns.

        Raises:
            Refused: if it cannot be ordered now: it is done later; `not_stored` if no other server has the message.
        """

    def finish(self, room: str, subject: Subject) -> None:
        """Have a message redacted that was recorded as such before this server started, as soon as that is possible."""


class Sequencer(Protocol):
    """Orders drafts after all messages posted in a room before."""

    @property
    def redactions(self) -> RedactionOrder | None:
        """Has redactions done by all servers; None if there are no others, and each is done at once."""

    def start(self, wake: Callable[[str], None]) -> None:
        """Call a function with the name of each room in which others post, from now on."""

    def epoch_of(self, room: str) -> str:
        """The epoch of a room's log that has no message yet; empty if it may have any."""

    def is_waiting(self, room: str) -> bool:
        """Whether batches of others wait to be stored in a room."""

    async def sequence(self, room: str, count: int, drafts: Sequence[Draft]) -> Step | None:
        """The next step in a room: a batch of the drafts, or of the first of them, with their time; or what others have ordered before them.

        The log gives the ids, when a batch is appended; `stored` follows, or `done` for all other steps.

        Args:
            room: the room.
            count: the number of messages in its log.
            drafts: what was posted here, none if only batches of others wait.

        Returns:
            The step; None if there is nothing to be stored.

        Raises:
            OrderBroken: if the log holds more or less than what was ordered before.
            Refused: if the order cannot be decided now; nothing was posted.
        """

    def unready(self) -> str:
        """Why the order cannot be decided now, in a word or two; empty if it can."""

    def finish(self) -> None:
        """Have the order of what was posted decided soon, because the server stops: `sequence` refuses the rest with `going_down`."""

    def unproven(self, room: str, count: int) -> Sequence[Stored]:
        """The messages that should be in a log already, because they were ordered before this server started.

        Args:
            room: the room.
            count: the number of messages in its log.
        """

    def again(self, room: str) -> AsyncIterator[Step]:
        """All steps of a room that were done, from the first one on: its log is made anew.

        Raises:
            OrderBroken: if some cannot be had any more.
            Refused: if they cannot be had now.
        """

    def stored(self, room: str, first: int, count: int, epoch: str) -> None:
        """Note that the batch is stored, before it is delivered.

        Args:
            room: the room.
            first: the id that the log gave to its first message.
            count: the number of messages in the log now.
            epoch: the epoch of the log now.

        Raises:
            OrderBroken: if it stands elsewhere than it should, or in another log.
        """

    def give_up(self, room: str, drafts: Sequence[Draft]) -> bool:
        """Note that nobody waits any more for drafts that could not be stored here.

        Returns:
            Whether other servers have any of them: these are stored like those of others, as soon as that is possible.
        """

    async def check(self, room: str, count: int, epoch: str) -> Stored | None:
        """Check a log that another program may have changed.

        Args:
            room: the room.
            count: the number of messages in the log.
            epoch: the epoch of the log; empty if a message in it is another one.

        Returns:
            Its last messages, if they are still to be compared.

        Raises:
            OrderBroken: if it is not what was ordered before.
            Refused: if that cannot be known now.
        """

    def done(self, room: str, count: int) -> None:
        """Note that a redaction or an import is in the log, before subscribers are told of it.

        Args:
            room: the room.
            count: the number of messages in the log now.

        Raises:
            OrderBroken: if it lacks some.
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

    @property
    def redactions(self) -> None:
        """Each is done at once."""
        return

    def start(self, wake: Callable[[str], None]) -> None:
        """There are no others."""

    def epoch_of(self, room: str) -> str:  # noqa: ARG002 - each log has its own
        """Any."""
        return ""

    def is_waiting(self, room: str) -> bool:  # noqa: ARG002 - there are no others
        """Never."""
        return False

    async def sequence(self, room: str, count: int, drafts: Sequence[Draft]) -> Batch:  # noqa: ARG002 - one clock for all rooms
        """The drafts as a batch."""
        at = self._clock()
        return Batch(drafts, int(at), stamp(at, self._zone))

    def unready(self) -> str:
        """It always can."""
        return ""

    def finish(self) -> None:
        """It is decided at once."""

    def unproven(self, room: str, count: int) -> Sequence[Stored]:  # noqa: ARG002
        """None: the log is the order."""
        return ()

    def again(self, room: str) -> AsyncIterator[Step]:
        """A log that nobody else has cannot be made anew.

        Raises:
            OrderBroken: always.
        """
        raise OrderBroken(room, 0, 0)

    def stored(self, room: str, first: int, count: int, epoch: str) -> None:
        """Nothing is to be noted."""

    def give_up(self, room: str, drafts: Sequence[Draft]) -> bool:  # noqa: ARG002 - there are no others
        """Nobody has them."""
        return False

    async def check(self, room: str, count: int, epoch: str) -> None:
        """Whatever the log is, it is the order: nothing is to be compared."""

    def done(self, room: str, count: int) -> None:
        """Nothing is to be noted."""


SequencerMaker = Callable[[Callable[[], float], tzinfo | None], Sequencer]
"""Makes a sequencer for a clock, in unix seconds, and a zone of the log's times."""
