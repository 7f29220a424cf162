"""The messages of a node's logs that the stream lacks, and the same as entries.

Each node's log of a room is a beginning of what the stream had. So what the stream lacks of it is what stands behind the stream's last entry of the room.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import tzinfo
from itertools import accumulate
from pathlib import Path
from typing import Final

from besedka.serve.cluster.jetstream.stream import STREAM, Stream
from besedka.serve.cluster.order.batches import batch_of, import_of, piece_of
from besedka.serve.cluster.order.entry import ENTRY_BYTES_AT_MOST, Entry, Head, decode_entry
from besedka.serve.cluster.order.room_order import Received
from besedka.serve.history import (
    Flag,
    ReadableLog,
    holds_piece,
    may_have_been,
    piece_at,
    room_names,
    room_path,
)
from besedka.wire.log_line import moment, read_line, show_line
from besedka.wire.validation import DEFAULT_ROOM

MESSAGES_AT_MOST: Final = 4_096
"""The most messages of an entry; its bytes are bounded, too."""


class Differs(Exception):  # noqa: N818 - says what a log does
    """A log holds other messages than the stream.

    Attributes:
        first: the id of the first message of the stream's last entry, which is another one in the log.
    """

    def __init__(self, first: int) -> None:
        super().__init__(f"message {first} is another one")
        self.first = first


def log_paths(history: Path) -> dict[str, Path]:
    """The logs of a node, by their rooms; the default room's may be missing."""
    return {DEFAULT_ROOM: history, **{room: room_path(history, room) for room in room_names(history)}}


def written_logs(history: Path) -> dict[str, Path]:
    """The logs of a node that hold anything, by their rooms."""
    return {room: path for room, path in log_paths(history).items() if path.exists() and path.stat().st_size}


async def lacking_of(stream: Stream, room: str, log: ReadableLog) -> range:
    """The ids of a log's messages behind the last one that the stream has of the room.

    Raises:
        Differs: if the stream's last entry holds other messages than the log.
        ClusterUnusable: if the stream does not answer.
    """
    _, ids = await behind(stream, room, log)
    return ids


async def behind(stream: Stream, room: str, log: ReadableLog) -> tuple[int, range]:
    """The number of the stream's last entry of a room, and the ids of the log's messages behind it; raises as `lacking_of`."""
    number, data = await last_of(stream, room)
    if not number:
        return number, all_of(log)
    entry = decode_entry(data)
    if not _holds(log, entry):
        raise Differs(entry.head.first)
    return number, range(entry.last + 1, log.count + 1)


def _holds(log: ReadableLog, entry: Entry) -> bool:
    """Whether a log has the messages of an entry; also if it is too short to tell."""
    if log.count <= entry.last:
        return True
    if entry.head.piece:
        return holds_piece(log, piece_of(entry))
    here = log.raw(entry.head.first, entry.last)
    return all(may_have_been(*pair) for pair in zip(here, entry.messages, strict=True))


def entries_of(log: ReadableLog, ids: range, zone: tzinfo | None) -> Iterator[Entry]:
    """Messages of a log as entries; from the first one on that Besedka would not write so, with all that stands between them.

    Raises:
        HistoryUnusable: if one of them cannot be in an entry.
    """
    first, offset = ids.start, log.body.index.end_of(ids.start - 1)
    while first < ids.stop:
        extents = log.extents(first, min(ids.stop, first + MESSAGES_AT_MOST) - 1)
        sizes = accumulate(map(len, extents))
        count = max(1, sum(size <= ENTRY_BYTES_AT_MOST for size in sizes))
        entry = _entry(log, first, count, zone)
        is_behind = [extent.start for extent in extents[:count]] == [
            offset,
            *(extent.stop for extent in extents[: count - 1]),
        ]
        if not entry or not is_behind:
            break
        yield entry
        first, offset = first + count, extents[count - 1].stop
    while offset < log.body.size:
        piece = piece_at(log, log.body, offset, first)
        head = Head(secrets.token_hex(8), first, 0, log.epoch)
        yield import_of(head, piece, more=piece.end < log.body.size)
        first, offset = piece.next, piece.end


def _entry(log: ReadableLog, first: int, count: int, zone: tzinfo | None) -> Entry | None:
    """Messages as an entry; None if Besedka would not write them so."""
    messages = log.raw(first, first + count - 1)
    flags = log.flags(first, count)
    unverified = [place for place, flag in enumerate(flags) if Flag.UNVERIFIED in flag]
    at = moment(read_line(show_line(messages[-1])).stamp, zone)
    entry = Entry(Head(secrets.token_hex(8), first, at, log.epoch, {}, unverified), messages)
    if sum(map(len, messages)) > ENTRY_BYTES_AT_MOST:
        return None
    batch = batch_of([Received(0, entry, 0)], first - 1, keeps_names=False)
    return entry if [f"{line}\n".encode() for line in batch.lines()] == messages else None


async def last_of(stream: Stream, room: str) -> tuple[int, bytes]:
    """The stream's last entry of a room, with its number, as `Stream.last_of`.

    Raises:
        ClusterUnusable: if the stream does not answer for longer than an election takes.
    """
    return await stream.until_answered(lambda: stream.surely(lambda: stream.last_of(room), STREAM))


def all_of(log: ReadableLog) -> range:
    """The ids of all messages of a log."""
    return range(1, log.count + 1)
