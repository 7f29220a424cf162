"""The sequencer of a node in a cluster: what is posted here is offered to the stream, and the stream decides the order.

`sequence` gives the committer the next batch of a room, whoever has posted it: the batches of other nodes come as they were received, those of this node when the stream has accepted it. An
offer whose answer is lost is made again with the same token, until something is received behind the same entry.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import tzinfo
from itertools import takewhile
from typing import Final, NamedTuple

from besedka.serve.chat.sequencer import OrderBroken, Stored
from besedka.serve.cluster.entry import ENTRY_BYTES_AT_MOST, Entry, Head, decode_entry, encode_entry
from besedka.serve.cluster.room_order import UNKNOWN, Received, RoomOrder
from besedka.serve.cluster.stream import Stream
from besedka.serve.room import Batch, Draft, Position, StampedBatch
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.log_line import read_line, show_line, stamp
from besedka.wire.message import Message, MessageId

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 0.3
"""Each offer is repeated so often: an election loses what it has not stored."""

OUT_OF_REACH_SECONDS: Final = 8.0
"""Without an answer of the stream for so long a node refuses what is posted. Most elections take less."""

RETRY_SECONDS: Final = 2.0
"""The pause that a poster is asked for then."""

BEHIND_SECONDS: Final = 2.0
"""An entry that is not in the log by then keeps a node from being ready."""

FINISH_SECONDS: Final = 1.0
"""How long a node that stops waits for the stream: longer than a decision takes, shorter than an election."""

CLOCK_SECONDS: Final = 60
"""The clock of another node may be ahead by so much: no message is older than the one before it."""

RECEIVED_BYTES_AT_MOST: Final = 16 * 1024 * 1024
"""Entries that wait to be applied; above that a node receives no more, until half of it is applied."""

_EPOCH_DIGITS: Final = 12


class _Arrived(NamedTuple):
    """The size of an entry that waits to be applied, and when it came."""

    size: int
    at: float


class _Offer(NamedTuple):
    """A room's drafts on their way to the stream."""

    token: str
    drafts: Sequence[Draft]


class _Room:
    """A room's order, with its offer and whoever waits for news of it."""

    __slots__ = ("at", "base", "count", "news", "offer", "order")

    def __init__(self) -> None:
        self.order = RoomOrder()
        self.news = asyncio.Event()
        self.offer: _Offer | None = None
        self.at = 0
        # How many messages the log holds, as the entries say that were applied here; -1 if none of them is known.
        self.count = UNKNOWN
        # How many it held at the first look: entries up to that one are in it already when they come again.
        self.base = UNKNOWN


class ClusterSequencer:
    """Decides the order together with the other nodes.

    Args:
        stream: the stream.
        besedka_id: identifies the cluster.
        clock: unix seconds.
        zone: of the log's times.
        received_to: the number of the last entry that is in this node's logs.
        keeps_names: whether names are held here: whoever has not shown that one is theirs is shown as unverified.

    Attributes:
        conflicts: how many offers of this node came behind those of others, and were made again.
        go_on: called when more entries can be taken in again.
    """

    def __init__(
        self,
        stream: Stream,
        besedka_id: str,
        *,
        clock: Callable[[], float],
        zone: tzinfo | None,
        received_to: int,
        keeps_names: bool,
    ) -> None:
        self._stream = stream
        self._id = besedka_id
        self._clock = clock
        self._zone = zone
        self._wake: Callable[[str], None] = lambda _: None
        self._keeps_names = keeps_names
        self._probing: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[str, _Room] = {}
        # The entries that wait to be applied, in the order of the stream.
        self._waiting: dict[int, _Arrived] = {}
        self._waiting_bytes = 0
        self._is_full = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._received_to = received_to
        self._progress = asyncio.Event()
        self._is_closed = False
        self._ends_at = math.inf
        self.conflicts = 0
        self.go_on: Callable[[], None] = lambda: None

    def start(self, wake: Callable[[str], None]) -> None:
        """Call a function with the name of each room in which others post, from now on."""
        self._wake = wake

    def epoch_of(self, room: str) -> str:
        """The epoch of a room's log: the same on all nodes."""
        return hashlib.sha256(f"{self._id}\n{room}".encode()).hexdigest()[:_EPOCH_DIGITS]

    @property
    def applied_to(self) -> int:
        """All entries up to this one are in this node's logs."""
        return next(iter(self._waiting), self._received_to + 1) - 1

    async def all_applied(self) -> None:
        """Wait until all entries that were received are in the logs."""
        await self._is_idle.wait()

    @property
    def lag(self) -> int:
        """How many entries are received and not applied yet."""
        return len(self._waiting)

    def unready(self) -> str:
        """Why this node cannot serve now, as `Sequencer.unready`."""
        if self.silence_seconds > OUT_OF_REACH_SECONDS:
            return "cluster out of reach"
        oldest = next(iter(self._waiting.values()), None)
        is_behind = oldest is not None and self._loop.time() - oldest.at > BEHIND_SECONDS
        return "behind the cluster" if is_behind else ""

    @property
    def silence_seconds(self) -> float:
        """How long the stream has not been heard of; idle it is heard of each second."""
        return self._loop.time() - self._stream.answered_at

    def finish(self) -> None:
        """Have the last offers decided soon, as `Sequencer.finish`."""
        self._ends_at = min(self._ends_at, self._loop.time() + FINISH_SECONDS)

    def close(self) -> None:
        """Receive no more, and offer no more: what comes is received by the next start."""
        self._is_closed = True
        self._ends_at = self._loop.time()

    # Receiving.

    def receive(self, name: str, number: int, data: bytes) -> bool:
        """Take in an entry. Returns whether more can be taken in.

        Raises:
            EntryInvalid: if it is none.
        """
        if self._is_closed:
            return False
        room = self._rooms.setdefault(name, _Room())
        room.order.receive(Received(number, decode_entry(data), len(data)))
        self._waiting[number] = _Arrived(len(data), self._loop.time())
        self._is_idle.clear()
        self._waiting_bytes += len(data)
        self._received_to = number
        self._progress.set()
        room.news.set()
        self._wake(name)
        self._is_full = self._waiting_bytes > RECEIVED_BYTES_AT_MOST
        return not self._is_full

    def is_waiting(self, name: str) -> bool:
        """Whether entries of a room wait to be applied."""
        room = self._rooms.get(name)
        return room is not None and bool(room.order.received)

    # The order.

    async def sequence(self, name: str, count: int, drafts: Sequence[Draft]) -> Batch | None:
        """The next batch of a room, as `Sequencer.sequence`.

        Raises:
            OrderBroken: if the log is not what the stream says.
            Refused: `out_of_reach`.
        """
        room = self._rooms.setdefault(name, _Room())
        if room.base == UNKNOWN:
            room.base = count
        if room.count not in {UNKNOWN, count} and not room.count < count == room.base:
            raise OrderBroken(name, count, room.count)
        if not room.order.received and drafts:
            await self._offer(name, room, count, drafts)
        self._skip_applied(room, count)
        if not room.order.received:
            return None
        first, *others = room.order.received
        if first.entry.head.first > count + 1:
            raise OrderBroken(name, count, first.entry.head.first - 1)
        offer = room.offer
        if offer:
            if first.entry.head.by == offer.token:
                return Batch(offer.drafts, first.entry.head.at, _stamp_of(first.entry))
            self.conflicts += 1
        taken = [first]
        for received in others:
            if offer and received.entry.head.by == offer.token:
                break
            taken.append(received)
        return _batch_of(taken, count, keeps_names=self._keeps_names)

    def unproven(self, name: str, count: int) -> Sequence[Stored]:
        """The entries that were received again and should be in the log, as `Sequencer.unproven`."""
        room = self._rooms.setdefault(name, _Room())
        if room.base == UNKNOWN:
            room.base = count
        received_again = takewhile(
            lambda received: received.entry.head.first <= room.base, room.order.received
        )
        return [Stored(received.entry.head.first, received.entry.messages) for received in received_again]

    async def again(self, name: str) -> AsyncIterator[Batch]:
        """All batches of a room that this node has applied, as `Sequencer.again`.

        Raises:
            Refused: `out_of_reach`.
        """
        room = self._rooms[name]
        end = (
            room.order.received[0].sequence - 1
            if room.order.received
            else max(room.order.applied, self._received_to)
        )
        begun, sequence, count = self._loop.time(), 0, 0
        while True:
            try:
                found = await self._stream.next_of(name, sequence + 1)
            except TimeoutError:
                self._check_reach(begun)
                continue
            if found is None or found[0] > end:
                break
            begun, (sequence, data) = self._loop.time(), found
            entry = decode_entry(data)
            yield _batch_of([Received(sequence, entry, len(data))], count, keeps_names=self._keeps_names)
            count, room.at = entry.last, entry.head.at
        room.order.applied, room.count, room.base = sequence, count, UNKNOWN

    def stored(self, name: str, first: int, count: int) -> None:
        """Note what is stored, as `Sequencer.stored`.

        Raises:
            OrderBroken: if it stands elsewhere than all others have it.
        """
        room = self._rooms[name]
        expected = room.order.received[0].entry.head.first
        if first < expected or first > room.order.received[0].entry.last:
            raise OrderBroken(name, first - 1, expected - 1)
        self._skip_applied(room, count)
        if room.count != count:
            raise OrderBroken(name, count, room.count)

    def _skip_applied(self, room: _Room, count: int) -> None:
        """Note the entries as applied whose messages are in the log."""
        while room.order.received and room.order.received[0].entry.last <= count:
            received = room.order.received[0]
            room.order.note_applied(received)
            room.at, room.count = received.entry.head.at, received.entry.last
            self._waiting_bytes -= self._waiting.pop(received.sequence).size
            if room.offer and received.entry.head.by == room.offer.token:
                room.offer = None
        if not self._waiting:
            self._is_idle.set()
        if self._is_full and self._waiting_bytes <= RECEIVED_BYTES_AT_MOST // 2:
            self._is_full = False
            self.go_on()

    # Offering.

    async def _offer(self, name: str, room: _Room, count: int, drafts: Sequence[Draft]) -> None:
        """Offer drafts until an entry of the room is received.

        Raises:
            Refused: `out_of_reach`.
        """
        begun = self._loop.time()
        await self._locate(name, room, count, begun)
        if room.order.received:
            return
        token = secrets.token_hex(8)
        entry, offered = self._entry(name, room, count, drafts, token)
        room.offer = _Offer(token, offered)
        data = encode_entry(entry)
        try:
            while not room.order.received:
                await self._stream.offer(name, data, room.order.applied)
                await self._news(room)
                self._check_reach(begun)
        except BaseException:
            # It may be stored all the same, and is one of others then.
            room.offer = None
            raise

    async def _locate(self, name: str, room: _Room, count: int, begun: float) -> None:
        """Find out behind which entry the next one is to be offered, unless something is received meanwhile.

        Raises:
            OrderBroken: if the room has other messages than its log.
        """
        while not room.order.received and (not room.order.is_known or room.count != count):
            with suppress(TimeoutError):
                last, data = await self._stream.last_of(name)
                if room.order.received:
                    return
                if room.order.found(last, self._received_to):
                    room.count = decode_entry(data).last if last else 0
                    if room.count != count:
                        raise OrderBroken(name, count, room.count)
                else:
                    self._progress.clear()
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await self._progress.wait()
            self._check_reach(begun)

    async def _news(self, room: _Room) -> None:
        room.news.clear()
        if not room.order.received:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await room.news.wait()

    def _check_reach(self, begun: float) -> None:
        """Check that the stream has answered in time; ask it whether it is there.

        Raises:
            Refused: `out_of_reach`; `going_down`.
        """
        if self._loop.time() >= self._ends_at:
            raise Refused(ErrorCode.GOING_DOWN)
        silence = self._loop.time() - max(begun, self._stream.answered_at)
        if silence > OUT_OF_REACH_SECONDS:
            raise Refused(ErrorCode.OUT_OF_REACH, wait=RETRY_SECONDS)
        if silence > AGAIN_SECONDS and (self._probing is None or self._probing.done()):
            self._probing = self._loop.create_task(self._stream.probe())

    def _entry(
        self, name: str, room: _Room, count: int, drafts: Sequence[Draft], token: str
    ) -> tuple[Entry, Sequence[Draft]]:
        """An entry of as many drafts as fit into one."""
        at = int(self._clock())
        if at < room.at < at + CLOCK_SECONDS:
            at = room.at
        batch = Batch(drafts, at, stamp(at, self._zone))
        messages: list[bytes] = []
        size = 0
        for line in batch.lines():
            message = f"{line}\n".encode()
            size += len(message)
            if messages and size > ENTRY_BYTES_AT_MOST:
                break
            messages.append(message)
        offered = drafts[: len(messages)]
        head = Head(
            token,
            count + 1,
            at,
            self.epoch_of(name),
            {place: draft.message.key for place, draft in enumerate(offered) if draft.message.key},
            [place for place, draft in enumerate(offered) if not draft.verified],
        )
        return Entry(head, messages), offered


def _batch_of(taken: Sequence[Received], count: int, *, keeps_names: bool) -> StampedBatch:
    """The messages of entries behind the first ``count`` ones of the room, which are in the log already."""
    drafts: list[Draft] = []
    positions: list[Position] = []
    for received in taken:
        head = received.entry.head
        for place, raw in enumerate(received.entry.messages):
            number = head.first + place
            if number <= count:
                continue
            line, key, is_verified = (
                read_line(show_line(raw)),
                head.keys.get(place, ""),
                place not in head.unverified,
            )
            message = Message("", line.user, line.text, key=key, unverified=keeps_names and not is_verified)
            drafts.append(Draft(message, is_verified, identity=(line.user, key)))
            positions.append(Position(MessageId(number), head.at, line.stamp))
    return StampedBatch.of(drafts, positions)


def _stamp_of(entry: Entry) -> str:
    return read_line(show_line(entry.messages[0])).stamp
