"""What a crash may leave at the end of a log, and how it is mended before the log is used.

Only the end is ever cut: bytes that no whole, stored message can hold, and that therefore nobody has been told of. What
looks damaged in front of a sound message is left as it is. What is cut off is kept in a file beside the log.

- The index knows more messages than the log holds: the log ends in the middle of one, which is cut off whole.
- The last batch, or what stands behind the index, holds NULs: a file system made the file longer and never wrote it.
- The last line has no end. If the log has an index, a crash tore it, and it is cut off. If it has none, another program or
  a person wrote it: it gets its end, unless it is damaged.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from besedka.serve.history.file import BLOCK_BYTES, Descriptor, write_beside
from besedka.serve.history.index import LENGTH_AT_MOST, Index, Places, Record
from besedka.serve.history.scan import first_start, is_damaged
from besedka.wire.line import FIRST_LINE

TAIL_BYTES: Final = 4 * 1024 * 1024
"""How far back from the end a crash may have left NULs: more than any batch."""


@dataclass(frozen=True, slots=True)
class Torn:
    """What was cut off a log's end.

    Attributes:
        size: how many bytes.
        kept: the file in which they are.
    """

    size: int
    kept: Path


def repair(log: Descriptor, path: Path, index: Index | None) -> tuple[Index | None, Torn | None]:
    """Mend the end of a log.

    Returns:
        The index, cut back to what the log holds, or None if it does not belong to this log; and what was cut off.
    """
    if index is not None and _starts_there(log, index):
        is_ours, torn = _repair_by_index(log, path, index)
        if is_ours:
            return index, torn
    if _needs_only_an_end(log):
        _end_last_line(log)
    return None, _cut_off(log, path, _sound_end(log, 0))


def belongs(log: Descriptor, index: Index) -> bool:
    """Whether an index is that of this log, as it is now: nothing is mended."""
    if not _starts_there(log, index):
        return False
    places, end = index.add_up()
    count = index.count if end <= log.size else index.within(places, log.size)[0]
    first_of_batch, _ = index.last_batch(places, count)
    return _belongs(log, log.size, index, places, {1, first_of_batch - 1, count})


def _repair_by_index(log: Descriptor, path: Path, index: Index) -> tuple[bool, Torn | None]:
    """The same by an index. Returns whether it belongs to this log at all, and what was cut off."""
    places, end = index.add_up()
    count, whole = (index.count, end) if end <= log.size else index.within(places, log.size)
    first_of_batch, batch_start = index.last_batch(places, count)
    sound = _sound_end(log, batch_start)
    if not _belongs(log, sound, index, places, {1, first_of_batch - 1}):
        return False, None
    if sound >= whole and count and not _begins_and_ends(log, *index.where(places, count)):
        # A crash may have torn the index, too: without its last batch it is as good as its records before.
        index.cut(first_of_batch - 1)
        return _repair_by_index(log, path, index)
    count, whole = index.within(places, min(sound, end))
    if count < index.count and _holds_another(log, whole):
        return False, None
    if whole < end and _lacks_only_its_end(log, index, count, whole):
        _end_last_line(log)
        count, sound = count + 1, log.size
        whole = sound
    if count < index.count:
        index.cut(count)
    return True, _cut_off(log, path, sound if sound > end else whole)


def _starts_there(log: Descriptor, index: Index) -> bool:
    """Whether the first message of the log is where the index says; one that is torn, or not there yet, may be."""
    start = first_start(log)
    return start in {index.start, log.size} and index.start <= start


def _belongs(log: Descriptor, sound: int, index: Index, places: Places, numbers: set[int]) -> bool:
    """Whether the log has messages where the index says that these are; one of them as it was written.

    Those that are not in the sound part of the log say nothing.
    """
    known = [index.where(places, number) for number in numbers if 1 <= number <= index.count]
    there = [(offset, record) for offset, record in known if offset + record.length <= sound]
    fits = any(record.fits(log.read(offset, record.length)) for offset, record in there)
    return not there or (fits and all(_begins_and_ends(log, *place) for place in there))


def _begins_and_ends(log: Descriptor, offset: int, record: Record) -> bool:
    """Whether a message stands there; perhaps not as it was written."""
    raw = log.read(offset, record.length)
    return FIRST_LINE.match(raw) is not None and raw.endswith(b"\n")


def _holds_another(log: Descriptor, whole: int) -> bool:
    """Whether a message begins behind the one that should be torn: then it is the index that is wrong."""
    return FIRST_LINE.search(log.read(whole, LENGTH_AT_MOST), 1) is not None


def _lacks_only_its_end(log: Descriptor, index: Index, count: int, whole: int) -> bool:
    """Whether behind the first ``count`` messages stands the next one, but for its last LF (an editor took it)."""
    rest = log.read(whole, log.size - whole)
    record = next(index.records(count + 1), None)
    return bool(rest) and record is not None and record.fits(rest + b"\n")


def _end_last_line(log: Descriptor) -> None:
    log.write(b"\n")
    log.sync()


def _cut_off(log: Descriptor, path: Path, end: int) -> Torn | None:
    size = log.size
    if end >= size:
        return None
    kept = path.with_name(
        f"{path.name}.torn-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns() % 10**9:09}-{os.getpid()}"
    )
    write_beside(kept, log.read(end, size - end))
    log.cut(end)
    log.sync()
    return Torn(size - end, kept)


def _sound_end(log: Descriptor, trusted: int) -> int:
    """Where the sound part of a log ends, of which the first ``trusted`` bytes are not looked at."""
    end = log.size
    start = max(trusted, end - TAIL_BYTES)
    tail = log.read(start, end - start)
    nul = tail.find(b"\0")
    if nul >= 0 and not _goes_on(tail[nul:]):
        tail = tail[: _message_start(tail, nul)]
    if tail.endswith(b"\n") or not tail:
        return start + len(tail)
    line = tail.rfind(b"\n") + 1
    return start + line if line else _line_start(log, start, trusted)


def _goes_on(behind: bytes) -> bool:
    """Whether a whole message stands behind the damage: then it is not the end that is damaged."""
    found = FIRST_LINE.search(behind)
    return found is not None and b"\n" in behind[found.start() :]


def _message_start(tail: bytes, position: int) -> int:
    """Where the message begins that is damaged at this position."""
    line = tail.rfind(b"\n", 0, position) + 1
    if not tail.startswith(b"\t", line):
        return line
    starts = [match.start() for match in FIRST_LINE.finditer(tail, 0, position)]
    return starts[-1] if starts else line


def _line_start(log: Descriptor, end: int, trusted: int) -> int:
    """Where a line begins that is longer than the tail."""
    while end > trusted:
        start = max(trusted, end - BLOCK_BYTES)
        found = log.read(start, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return trusted


def _needs_only_an_end(log: Descriptor) -> bool:
    size = log.size
    tail = log.read(max(0, size - TAIL_BYTES), TAIL_BYTES)
    last = tail[tail.rfind(b"\n") + 1 :]
    return bool(last) and not is_damaged(last)
