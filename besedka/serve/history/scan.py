"""Reading a log's bytes: where its messages begin and end, and where it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from besedka.serve.history.file import BLOCK_BYTES, Descriptor
from besedka.wire.line import FIRST_LINE

SCAN_BYTES: Final = 1024 * 1024
"""Read at once when a whole log is read: large enough that reading is not what takes the time."""

_BOM: Final = b"\xef\xbb\xbf"


def first_start(log: Descriptor) -> int:
    """Where the first message begins; the log's end if there is none."""
    offset = len(_BOM) if log.read(0, len(_BOM)) == _BOM else 0
    rest = b""
    while block := log.read(offset, SCAN_BYTES):
        data = rest + block
        found = FIRST_LINE.search(data)
        if found:
            return offset - len(rest) + found.start()
        # What comes before the first message is not looked at twice, but for its last line.
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        offset += len(block)
    return offset


def messages(log: Descriptor, offset: int, end: int, *, at_once: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Each message's bytes, from the one that begins at this offset to the log's (given) end."""
    rest = b""
    while offset < end:
        block = log.read(offset, min(at_once, end - offset))
        if not block:
            break
        offset += len(block)
        data = rest + block
        starts = [match.start() for match in FIRST_LINE.finditer(data)]
        for begin, behind in pairwise(starts):
            yield data[begin:behind]
        # The last message may go on in the next block.
        rest = data[starts[-1] :] if starts else data
    if rest:
        yield rest


def is_damaged(message: bytes) -> bool:
    """Whether it holds what no text file holds: a NUL, or bytes that are no UTF-8."""
    if b"\0" in message:
        return True
    if message.isascii():
        return False
    try:
        message.decode()
    except UnicodeDecodeError:
        return True
    return False


def line_of_damage(message: bytes) -> int:
    """Which line of a damaged message is damaged, counted from 0."""
    return next(number for number, line in enumerate(message.split(b"\n")) if is_damaged(line))
