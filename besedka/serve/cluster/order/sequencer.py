"""The sequencer of a node in a cluster: what is posted here is offered to the stream, and the stream decides the order.

`sequence` gives the committer the next batch of a room, whoever has posted it: the batches of other nodes come as they were received, those of this node when the stream has accepted it. An
offer whose answer is lost is made again with the same token, until something is received behind the same entry.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import tzinfo
from functools import partial
from itertools import takewhile
from typing import Final, NamedTuple

from besedka.serve.chat.sequencer import Import, OrderBroken, Redaction, Step, Stored
from besedka.serve.cluster.jetstream.stream import STREAM, Stream
from besedka.serve.cluster.order.batches import batch_of, entry_of, own_batch, piece_of, redaction_of
from besedka.serve.cluster.order.entry import Entry, Head, decode_entry, encode_entry
from besedka.serve.cluster.order.reach import Reach
from besedka.serve.cluster.order.redaction.fixed import FIXED
from besedka.serve.cluster.order.redaction.redactions import RedactionOrder
from besedka.serve.cluster.order.room_order import UNKNOWN, Received
from besedka.serve.cluster.order.room_rights import OpenToAll, RoomRights
from besedka.serve.cluster.order.room_state import Offer, RoomState
from besedka.serve.room import Batch, Draft
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 0.3
"""Each offer is repeated so often: an election loses what it has not stored."""

TRIES: Final = 10
"""After so many repetitions without any entry of the room its last one is looked for again."""

BEHIND_SECONDS: Final = 2.0
"""An entry that is not in the log by then keeps a node from being ready."""

CLOCK_SECONDS: Final = 60
"""The clock of another node may be ahead by so much: no message is older than the one before it."""

RECEIVED_BYTES_AT_MOST: Final = 16 * 1024 * 1024
"""Entries that wait to be applied; above that a node receives no more, until half of it is applied."""

_EPOCH_DIGITS: Final = 12


class _Arrived(NamedTuple):
    """The size of an entry that waits to be applied, and when it came."""

    size: int
    at: float


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
        reach: whether the stream can be reached.
        redactions: those that are wanted here, and those that were done.
        conflicts: how many offers of this node came behind those of others, and were made again.
        go_on: called when more entries can be taken in again.
        rights: what must be known about people before an entry is applied.
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
        self.reach = Reach(stream)
        self.redactions = RedactionOrder(stream, self.reach)
        self._id = besedka_id
        self._token = f"{secrets.token_hex(4)}-"
        self._clock = clock
        self._zone = zone
        self._wake: Callable[[str], None] = lambda _: None
        self._keeps_names = keeps_names
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[str, RoomState] = {}
        # The entries that wait to be applied, in the order of the stream.
        self._waiting: dict[int, _Arrived] = {}
        self._waiting_bytes = 0
        self._is_full = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._received_to = received_to
        self._progress = asyncio.Event()
        self._is_closed = False
        self.conflicts = 0
        self.rights: RoomRights = OpenToAll()
        # Rooms that are not woken before the rights in them are known.
        self._late: dict[str, asyncio.Task[None]] = {}
        self.go_on: Callable[[], None] = lambda: None

    def start(self, wake: Callable[[str], None]) -> None:
        """Call a function with the name of each room in which others post, from now on."""
        self._wake = self.redactions.wake = wake

    def epoch_of(self, room: str) -> str:
        """The epoch of a room's log: the same on all nodes; that of the log that was taken over, if it was."""
        if (known := self._rooms.get(room)) and known.epoch:
            return known.epoch
        return hashlib.sha256(f"{self._id}\n{room}".encode()).hexdigest()[:_EPOCH_DIGITS]

    @property
    def applied_to(self) -> int:
        """All entries up to this one are in this node's logs, and what they redact is nowhere else."""
        waiting = next(iter(self._waiting), self._received_to + 1)
        return min(waiting, self.redactions.replacer.oldest or waiting) - 1

    async def all_applied(self) -> None:
        """Wait until all entries that were received are in the logs."""
        await self._is_idle.wait()

    @property
    def lag(self) -> int:
        """How many entries are received and not applied yet."""
        return len(self._waiting)

    def unready(self) -> str:
        """Why this node cannot serve now, as `Sequencer.unready`."""
        if self.reach.is_lost:
            return "cluster out of reach"
        oldest = next(iter(self._waiting.values()), None)
        is_behind = oldest is not None and self._loop.time() - oldest.at > BEHIND_SECONDS
        return "behind the cluster" if is_behind else ""

    @property
    def silence_seconds(self) -> float:
        """How long the stream has not been heard of; idle it is heard of each second."""
        return self.reach.silence_seconds

    def finish(self) -> None:
        """Have the last offers decided soon, as `Sequencer.finish`."""
        self.reach.end()
        self.redactions.refuse(Refused(ErrorCode.GOING_DOWN))

    def close(self) -> None:
        """Receive no more, and offer no more: what comes is received by the next start."""
        self._is_closed = True
        self.reach.end(0.0)

    # Receiving.

    def receive(self, name: str, number: int, data: bytes) -> bool:
        """Take in an entry. Returns whether more can be taken in.

        Raises:
            EntryInvalid: if it is none.
        """
        if self._is_closed:
            return False
        room, entry = self._rooms.setdefault(name, RoomState()), decode_entry(data)
        room.order.receive(Received(number, entry, len(data)))
        room.epoch = entry.head.epoch
        self._waiting[number] = _Arrived(len(data), self._loop.time())
        self._is_idle.clear()
        self._waiting_bytes += len(data)
        self._received_to = number
        self._progress.set()
        room.news.set()
        if self.rights.has(entry.head.people):
            self._wake(name)
        elif name not in self._late:
            self._late[name] = self._loop.create_task(self._wake_later(name, entry.head.people))
        self._is_full = self._waiting_bytes > RECEIVED_BYTES_AT_MOST
        return not self._is_full

    async def _wake_later(self, name: str, people: int) -> None:
        """Have a room opened, and its entries stored, when the rights in it are known."""
        while not (self._is_closed or self.rights.has(people)):
            with suppress(Refused):
                await self.rights.wait_for(people)
                break
            await asyncio.sleep(AGAIN_SECONDS)
        del self._late[name]
        if not self._is_closed:
            self._wake(name)

    def is_waiting(self, name: str) -> bool:
        """Whether entries of a room wait to be applied, or redactions to be ordered."""
        room = self._rooms.get(name)
        return bool((room and room.order.received) or self.redactions.wanted(name))

    # The order.

    async def sequence(self, name: str, count: int, drafts: Sequence[Draft]) -> Step | None:
        """The next step in a room, as `Sequencer.sequence`.

        Raises:
            OrderBroken: if the log is not what the stream says.
            Refused: `out_of_reach`.
        """
        room = self._rooms.setdefault(name, RoomState())
        if room.base == UNKNOWN:
            room.base = count
        if room.count not in {UNKNOWN, count} and not room.is_ahead(count):
            raise OrderBroken(name, count, room.count)
        if not room.order.received and (drafts or self.redactions.wanted(name)):
            await self._offer(name, room, count, drafts)
        self._skip_applied(room, count)
        if not room.order.received:
            return None
        if room.order.received[0].entry.head.first > count + 1:
            await self._fill_hole(name, room, count)
        first = room.order.received[0].entry
        if not self.rights.has(first.head.people):
            await self.rights.wait_for(first.head.people)
        return self._batch(room, count) if first.is_batch else _step_of(first)

    def _batch(self, room: RoomState, count: int) -> Batch:
        """The next batch of a room: the drafts that were offered, or as many entries of others as come before them."""
        first, offer = room.order.received[0], room.offer
        if offer:
            if first.entry.head.by == offer.token:
                room.end = first.entry.last
                return own_batch(first.entry, offer.drafts, is_fixed=not first.sequence)
            self.conflicts += 1
        taken = room.order.run(offer.token if offer else "")
        room.end = taken[-1].entry.last
        return batch_of(taken, count, keeps_names=self._keeps_names)

    async def _fill_hole(self, name: str, room: RoomState, count: int) -> None:
        """Take in the entry behind a room's first messages, which was deleted from the stream because a text in it was redacted.

        Raises:
            OrderBroken: if there is none: the log lacks messages.
            Refused: `out_of_reach`.
        """
        entry = await self._fixed(name, count + 1)
        if entry is None:
            raise OrderBroken(name, count, room.order.received[0].entry.head.first - 1)
        room.order.insert(Received(0, entry, 0))

    async def _fixed(self, name: str, number: int) -> Entry | None:
        """The entry with a message that is missing in the order, because a text in it was redacted; None if there is none.

        Raises:
            Refused: `out_of_reach`.
        """
        ask = partial(self.redactions.fixed.holding, name, number)
        return await self.reach.answered(lambda: self._stream.surely(ask, FIXED))

    async def _next(self, name: str, begin: int) -> tuple[int, bytes] | None:
        """A room's first entry from a number on, as `Stream.next_of`; whoever says that there is none must be followed by a majority.

        Raises:
            Refused: `out_of_reach`.
        """
        ask = partial(self._stream.next_of, name, begin)
        return await self.reach.answered(ask) or await self.reach.answered(
            lambda: self._stream.surely(ask, STREAM)
        )

    async def _last(self, name: str) -> tuple[int, bytes]:
        """A room's last entry, as `Stream.last_of`.

        Raises:
            TimeoutError: if nobody answers whom a majority follows: another one may know less.
        """
        return await self._stream.surely(partial(self._stream.last_of, name), STREAM)

    def unproven(self, name: str, count: int) -> Sequence[Stored]:
        """The entries that were received again and should be in the log, as `Sequencer.unproven`."""
        room = self._rooms.setdefault(name, RoomState())
        if room.base == UNKNOWN:
            room.base = count
        received_again = takewhile(
            lambda received: received.entry.head.first <= room.base and received.entry.is_batch,
            room.order.received,
        )
        return [Stored(received.entry.head.first, received.entry.messages) for received in received_again]

    async def again(self, name: str) -> AsyncIterator[Step]:
        """All steps of a room that this node has done, as `Sequencer.again`.

        Raises:
            OrderBroken: if the stream lacks messages.
            Refused: `out_of_reach`.
        """
        room = self._rooms.setdefault(name, RoomState())
        waiting = next((received.sequence for received in room.order.received if received.sequence), 0)
        end = waiting - 1 if waiting else max(room.order.applied, self._received_to)
        sequence, count, last = 0, 0, None
        while True:
            found = await self._next(name, sequence + 1)
            if found is None or found[0] > end:
                break
            sequence, entry = found[0], decode_entry(found[1])
            while entry.head.first > count + 1:
                fixed = await self._fixed(name, count + 1)
                if fixed is None:
                    raise OrderBroken(name, count, entry.head.first - 1)
                yield self._step(fixed, count)
                count = fixed.last
            yield self._step(entry, count)
            count, last = entry.last, entry
        # Only now: a log that is made in part is not what all have.
        if last:
            room.note(last)
        room.order.applied, room.count, room.base = sequence, count, UNKNOWN

    def _step(self, entry: Entry, count: int) -> Step:
        """An entry as the step behind the first ``count`` messages of a room."""
        if entry.is_batch:
            return batch_of([Received(0, entry, 0)], count, keeps_names=self._keeps_names)
        return _step_of(entry)

    def stored(self, name: str, first: int, count: int, epoch: str) -> None:
        """Note what is stored, as `Sequencer.stored`.

        Raises:
            OrderBroken: if it stands elsewhere than all others have it, or in another log.
        """
        room = self._rooms[name]
        entry = room.order.received[0].entry
        if first < entry.head.first or first > entry.last:
            raise OrderBroken(name, first - 1, entry.head.first - 1)
        if epoch != entry.head.epoch:
            raise OrderBroken(name, count, count)
        # A line of an external edit that came meanwhile must not be taken for the next entry, which may be waiting already.
        if count != room.end:
            raise OrderBroken(name, count, room.end)
        self._skip_applied(room, count)

    def give_up(self, name: str, drafts: Sequence[Draft]) -> bool:
        """Note that nobody waits any more for drafts that could not be stored, as `Sequencer.give_up`."""
        room = self._rooms[name]
        offer, room.offer = room.offer, None
        keys = {draft.message.key for draft in drafts}
        heads = [received.entry.head for received in room.order.received]
        return any(
            (offer and head.by == offer.token) or not keys.isdisjoint(head.keys.values()) for head in heads
        )

    async def check(self, name: str, count: int, epoch: str) -> Stored | None:
        """Compare a log with what the stream says of its room, as `Sequencer.check`. What waits to be stored there is compared then.

        Raises:
            OrderBroken: if it is another one.
            Refused: `out_of_reach`.
        """
        room = self._rooms.setdefault(name, RoomState())
        expected, last, entry = room.count, 0, None
        if (expected == UNKNOWN or room.is_ahead(count)) and not room.order.received:
            last, data = await self.reach.answered(partial(self._last, name))
            if not last:
                return None  # the cluster does not know this room
            entry = decode_entry(data)
            expected, room.epoch = entry.last, entry.head.epoch
        if room.order.received or last > self._received_to:
            return None
        if count != expected:
            raise OrderBroken(name, count, expected)
        if epoch != room.epoch:
            raise OrderBroken(name, count, count)
        return Stored(entry.head.first, entry.messages) if entry and entry.is_batch else None

    def done(self, name: str, count: int) -> None:
        """Note a redaction or an import as done, as `Sequencer.done`.

        Raises:
            OrderBroken: if the log lacks messages.
        """
        room = self._rooms[name]
        received = room.order.received[0]
        if count < received.entry.last:
            raise OrderBroken(name, count, received.entry.last)
        self._note_applied(room, received)
        self._settle()
        head = received.entry.head
        if not received.entry.is_redaction:
            return
        self.redactions.note_applied(name, received.sequence, head, is_own=head.by.startswith(self._token))

    def _skip_applied(self, room: RoomState, count: int) -> None:
        """Note the batches as applied whose messages are in the log; all other steps are done again."""
        while room.order.received:
            received = room.order.received[0]
            if not received.entry.is_batch or received.entry.last > count:
                break
            self._note_applied(room, received)
            if room.offer and received.entry.head.by == room.offer.token:
                room.offer = None
        self._settle()

    def _note_applied(self, room: RoomState, received: Received) -> None:
        room.order.note_applied(received)
        room.note(received.entry)
        if received.sequence:
            self._waiting_bytes -= self._waiting.pop(received.sequence).size

    def _settle(self) -> None:
        """Note how much waits to be applied."""
        if not self._waiting:
            self._is_idle.set()
        if self._is_full and self._waiting_bytes <= RECEIVED_BYTES_AT_MOST // 2:
            self._is_full = False
            self.go_on()

    # Offering.

    async def _offer(self, name: str, room: RoomState, count: int, drafts: Sequence[Draft]) -> None:
        """Offer the redactions that are wanted, or drafts, until an entry of the room is received.

        Raises:
            Refused: `out_of_reach`.
        """
        begun = self._loop.time()
        try:
            await self._locate(name, room, count, begun)
            if room.order.received:
                return
            room.check_whole(name)
            data = encode_entry(self._entry(name, room, count, drafts))
            while not await self._offer_behind(name, room, data, begun):
                await self._look_again(name, room, count)
        except BaseException as error:
            # It may be stored all the same, and is one of others then.
            room.offer = None
            if isinstance(error, Refused):
                self.redactions.wanted(name).refuse(error)
            raise

    async def _offer_behind(self, name: str, room: RoomState, data: bytes, begun: float) -> bool:
        """Offer an entry behind the last one of a room several times. Returns whether an entry of the room was received.

        Raises:
            Refused: `out_of_reach`.
        """
        for _ in range(TRIES):
            if room.order.received:
                break
            await self._stream.offer(name, data, room.order.applied)
            await self._news(room)
            await self.reach.check(begun)
        return bool(room.order.received)

    async def _look_again(self, name: str, room: RoomState, count: int) -> None:
        """Look whether a room has a later entry than was known of, which this node has applied all the same.

        Raises:
            OrderBroken: if the room has other messages than its log.
        """
        with suppress(TimeoutError):
            last, data = await self._last(name)
            if (
                not room.order.received
                and last > room.order.applied
                and room.order.found(last, self._received_to)
            ):
                room.note(decode_entry(data))
        if room.count != count:
            raise OrderBroken(name, count, room.count)

    async def _locate(self, name: str, room: RoomState, count: int, begun: float) -> None:
        """Find out behind which entry the next one is to be offered, unless something is received meanwhile.

        Raises:
            OrderBroken: if the room has other messages than its log.
        """
        while not room.order.received and (not room.order.is_known or room.count != count):
            self._progress.clear()
            is_found = False
            with suppress(TimeoutError):
                last, data = await self._last(name)
                if room.order.received:
                    return
                is_found = room.order.found(last, self._received_to)
                if is_found and last:
                    room.note(decode_entry(data))
                elif is_found:
                    room.count = 0
            if is_found and room.count != count:
                raise OrderBroken(name, count, room.count)
            if not is_found:
                # Nobody has answered, or the entry is on its way.
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await self._progress.wait()
            await self.reach.check(begun)

    async def _news(self, room: RoomState) -> None:
        room.news.clear()
        if not room.order.received:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await room.news.wait()

    def _entry(self, name: str, room: RoomState, count: int, drafts: Sequence[Draft]) -> Entry:
        """An entry of the redactions that are wanted, or of as many drafts as fit into one."""
        at = int(self._clock())
        if at < room.at < at + CLOCK_SECONDS:
            at = room.at
        head = Head(
            f"{self._token}{secrets.token_hex(8)}",
            count + 1,
            at,
            self.epoch_of(name),
            people=self.rights.needed(name),
        )
        if wanted := self.redactions.wanted(name):
            return redaction_of(head, wanted.targets)
        entry, offered = entry_of(head, drafts, self._zone)
        room.offer = Offer(head.by, offered)
        return entry


def _step_of(entry: Entry) -> Step:
    """A redaction or an import as a step."""
    if entry.head.piece:
        return Import(piece_of(entry), entry.head.epoch)
    return Redaction({target.id: target.size for target in entry.head.targets})
