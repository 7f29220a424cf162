"""What a log holds when it is opened: by the index as far as it goes, and from there on by reading."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from besedka.serve.history import check, scan
from besedka.serve.history.body import Body
from besedka.serve.history.file import BLOCK_BYTES, Descriptor
from besedka.serve.history.index import Index, Record
from besedka.serve.history.repair import Torn
from besedka.serve.history.sidecar import Sidecar
from besedka.wire.line import FIRST_LINE, read_line

RECORDS_AT_ONCE: Final = 10_000
"""How many messages are indexed in one step."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found when a log was opened.

    Attributes:
        messages: how many there are.
        first_stamp: the time of the first one as the log tells it, empty if there is none.
        last_stamp: the same for the last one.
        torn: what was cut off its end.
        damaged_line: the number of the first line that is damaged, among those that were not indexed yet.
    """

    messages: int
    first_stamp: str
    last_stamp: str
    torn: Torn | None = None
    damaged_line: int | None = None


def restore(
    log: Descriptor, sidecar: Sidecar, torn: Torn | None, *, is_ours: bool, new_epoch: str = ""
) -> tuple[Body, str, Restored]:
    """Learn what a file holds, and its epoch; the index is made anew where it is of no use.

    Args:
        log: the file.
        sidecar: its index.
        torn: what was cut off.
        is_ours: whether the index may be written.
        new_epoch: of a log that is another one than it was.
    """
    body, epoch = Body(log), new_epoch
    index = sidecar.index
    end = _take_from_index(body, index) if index and not new_epoch else None
    if index and end is not None:
        epoch = index.epoch
    else:
        end = body.start = scan.first_start(log)
        epoch = new_epoch or _epoch_of(body)
        if is_ours:
            sidecar.create(epoch, body.start)
        else:
            sidecar.drop()
    damaged_line = _read_rest(body, end, sidecar if is_ours else None)
    ends = (*body.read(1, 1), *body.read(body.count, 1)) if body.count else ()
    stamps = [read_line(line).stamp for line in ends] or ["", ""]
    return body, epoch, Restored(body.count, stamps[0], stamps[1], torn, damaged_line)


def _take_from_index(body: Body, index: Index) -> int | None:
    """Take from the index what it knows. Returns where that ends; None if it is of no use."""
    (body.places, end), count = index.add_up(), index.count
    if end > body.size:
        # We only read, and somebody is writing just now: the index is ahead of the log.
        count, end = index.within(body.places, body.size)
        body.places = body.places.up_to(count)
    if end < body.size and not FIRST_LINE.match(body.file.read(end, BLOCK_BYTES)):
        if not count:
            return None  # what stands in front of the first message, or what is left of that
        # By hand a line was added that belongs to the last message.
        end, _ = index.where(body.places, count)
        count -= 1
        if index.is_writable:
            index.cut(count)
    body.start, body.count = index.start, count
    return end


def _read_rest(body: Body, offset: int, sidecar: Sidecar | None) -> int | None:
    """Note the messages that the index does not know yet. Returns the first damaged line among them."""
    damaged = None
    records: list[Record] = []
    for raw in scan.messages(body.file, offset, body.size, at_once=scan.SCAN_BYTES):
        if damaged is None and scan.is_damaged(raw):
            damaged = check.line_number(body.file, offset) + scan.line_of_damage(raw)
        body.count += 1
        body.places.note(body.count, offset)
        offset += len(raw)
        if sidecar:
            records.append(Record.of(raw, begins_batch=True))
            if len(records) == RECORDS_AT_ONCE:
                sidecar.add(records)
                records.clear()
    if sidecar:
        sidecar.add(records)
    return damaged


def _epoch_of(body: Body) -> str:
    """Of a log without an index: one that can be made again if it has words, else a new one."""
    first = next(scan.messages(body.file, body.start, body.size), b"")
    return hashlib.sha256(first).hexdigest()[:12] if first else secrets.token_hex(6)
