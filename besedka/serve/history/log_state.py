"""The state of a log in memory: the file, how far it has been read, and its index; and reading messages by it.

There is one numbering: a message's id is the number of its record in the index, and that record has its offset. There is always an
index: if none can be stored beside the log, it is a file without a name.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from itertools import accumulate
from typing import Final, NamedTuple

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.index import Index, StrangeLines
from besedka.serve.history.record import IS_ANNOTATION, Flag, Record
from besedka.serve.history.scan import crc_of
from besedka.serve.history.search import Block
from besedka.serve.history.torn_file import Torn
from besedka.wire.log_line import BOM, STAMP_CHARACTERS, MessageId, readable_line

LATEST_MESSAGES: Final = 10
"""Messages that newcomers are shown, without the annotations between and behind them; as much of it as `LATEST_BYTES` hold stays in memory."""

LATEST_ENTRIES: Final = 256
"""The most entries of the log that newcomers are shown with them: anybody may have added any number of annotations."""

LATEST_BYTES: Final = 16 * 1024
"""Memory of those of an open room: ten messages of 700 letters. If they are longer, newcomers read the others from the log."""

_SURELY_KEPT_CHARACTERS: Final = LATEST_BYTES // 10
"""Ten messages with so many characters in all take less, whatever they are: four bytes each, as many again for their UTF-8, and 80 for an object."""

PAGE_BYTES: Final = 32 * 1024
"""A page ends after the message that takes it past this size: a client that stopped reading has one page in its buffer."""

SHOWN_BYTES: Final = 32 * 1024
"""Longest part of a message that is sent. Besedka's own messages are shorter; the rest of a longer one is only in the file."""

STAMP_BYTES: Final = len(BOM) + len("[") + STAMP_CHARACTERS
"""The beginning of a message, up to the end of its time."""

_NONE_STRANGE: Final = StrangeLines()
_BLOCK_MESSAGES: Final = 400
_BLOCK_BYTES: Final = 48 * 1024
# Most of a log does not hold the text that is searched for, and is looked at in longer pieces.
_STRETCH_MESSAGES: Final = 4_000
_STRETCH_BYTES: Final = 256 * 1024
_RUN_BYTES_AT_MOST: Final = 2 * (PAGE_BYTES + SHOWN_BYTES)


class Latest(NamedTuple):
    """The last entries of a log, at one moment: from the first of its last `LATEST_MESSAGES` messages on, as many as `LATEST_BYTES` hold, perhaps none.

    Attributes:
        first: the id of the first of them.
        lines: their lines, oldest first.
        flags: the flags of each.
        messages: the ids of the last `LATEST_MESSAGES` messages, oldest first; fewer if the last `LATEST_ENTRIES` entries hold fewer.
    """

    first: int
    lines: tuple[str, ...]
    flags: tuple[Flag, ...] = ()
    messages: tuple[int, ...] = ()

    @classmethod
    def up_to(
        cls, last: int, lines: Sequence[str], flags: Sequence[Flag], messages: tuple[int, ...]
    ) -> Latest:
        """As many of these entries as may be kept.

        Args:
            last: the id of the last of them.
            lines: their lines, oldest first.
            flags: the flags of each.
            messages: the ids of the last messages.
        """
        kept = min(len(lines), last - newcomers_begin(messages, last) + 1)
        # To ask for their sizes takes longer than the rest, and few messages are so long.
        if sum(map(len, lines[-kept:])) > _SURELY_KEPT_CHARACTERS:
            sizes = map(sys.getsizeof, reversed(lines[-kept:]))
            kept = sum(size <= LATEST_BYTES for size in accumulate(sizes))
        begin = len(lines) - kept
        return cls(last - kept + 1, tuple(lines[begin:]), tuple(flags[begin:]), messages)

    def with_line(self, number: int, line: str) -> Latest:
        """A copy with another line for a message, if it is among them."""
        position = number - self.first
        if not 0 <= position < len(self.lines):
            return self
        return self._replace(lines=(*self.lines[:position], line, *self.lines[position + 1 :]))


def newcomers_begin(messages: Sequence[int], head: int) -> int:
    """The id at which newcomers begin to read.

    Args:
        messages: the ids of the last messages, as `Latest.messages`.
        head: the id of the last entry that was delivered.
    """
    tenth = messages[0] if len(messages) == LATEST_MESSAGES else 1
    return max(1, head - LATEST_ENTRIES + 1, min(tenth, head - LATEST_MESSAGES + 1))


class Page(NamedTuple):
    """Consecutive messages.

    Attributes:
        lines: their lines.
        flags: the flags of each.
    """

    lines: list[str]
    flags: list[Flag]


class LogState:
    """The file and the offsets of its messages; replaced as a whole after an external edit.

    Attributes:
        file: the log.
        index: the offsets and checksums of its messages.
        size: the number of bytes that have been read or written.
        count: the number of messages.
        strange: the lines after the last message that are not understood.
        ends_line: whether the last line has its line end.
        torn: the torn end of a crash, after `size`, as long as there is no room to keep it.
    """

    __slots__ = ("count", "ends_line", "file", "index", "size", "strange", "torn")

    def __init__(self, log_file: Descriptor, index: Index) -> None:
        self.file = log_file
        self.index = index
        self.size = 0
        self.count = 0
        self.strange = StrangeLines()
        self.ends_line = True
        self.torn: Torn | None = None

    def with_index(self, index: Index) -> LogState:
        """A copy with another index."""
        other = copy(self)
        other.index = index
        return other

    def read(self, first: int, limit: int) -> Page:
        """Up to ``limit`` messages from the id ``first`` on, as `ChatHistory.read` returns them.

        Raises:
            OSError: from the system; `IndexDamaged` if the index must be rebuilt.
        """
        first = max(first, 1)
        return self._read(first, _page(self.index.records(first, min(first + limit - 1, self.count))))

    def read_before(self, before: int, limit: int) -> tuple[MessageId, Page]:
        """The page before an id, and the id of its first message, as `ChatHistory.read_before` returns them."""
        before = min(before, self.count + 1)
        records = self.index.records(max(1, before - limit), before - 1)
        page = _page(reversed([*records]))[::-1]
        first = MessageId(before - len(page))
        return first, self._read(first, page)

    def first_since(self, since: str, last: int) -> MessageId:
        """The id of the first message, up to an id, whose time is this or later, as the log writes it; one more than that id if there is none.

        Where the log's times go back (a clock was wrong, an older log was imported) it is the first after some message that is earlier.
        """
        ids = range(1, min(last, self.count) + 1)
        return MessageId(1 + bisect_left(ids, since, key=self._stamp_of))

    def _stamp_of(self, number: int) -> str:
        head = self.file.read(self.index.record(number).begin, STAMP_BYTES)
        return head.removeprefix(BOM).removeprefix(b"[")[:STAMP_CHARACTERS].decode("ascii", "replace")

    def backwards(self, before: int, may_hold: Callable[[bytes], bool]) -> Iterator[Block]:
        """The log in blocks, from the one with the message before this id to the first.

        Args:
            before: the id.
            may_hold: whether some bytes of the log may hold what is looked for. Ten blocks at once that do not are one block without content.
        """
        last = before - 1
        while last > 0:
            first = self._start(last, _STRETCH_MESSAGES, _STRETCH_BYTES)
            begin, end = self.index.record(first).begin, self.index.end_of(last)
            if first == last or may_hold(self.file.read(begin, end - begin)):
                yield from self._blocks(first, last)
            else:
                yield Block(first, b"", tuple)
            last = first - 1

    def _blocks(self, first: int, last: int) -> Iterator[Block]:
        """Messages ``first`` to ``last`` in blocks, the last one first."""
        while last >= first:
            start = max(first, self._start(last, _BLOCK_MESSAGES, _BLOCK_BYTES))
            yield self._block(start, last)
            last = start - 1

    def span(self, first: int, last: int) -> range:
        """The offsets of messages ``first`` to ``last``, as `ChatHistory.span` returns them."""
        last = min(last, self.count)
        end = self.size if last == self.count else self.index.end_of(last)
        return range(self.index.end_of(min(first, last + 1) - 1), end)

    def occurrences(self, batch: Sequence[Record]) -> list[MessageId]:
        """The ids at which consecutive messages with these bytes begin; lines may have been added to the last one."""
        *whole, last = batch
        run = deque[Record](maxlen=len(whole))
        found = []
        for number, record in enumerate(self.index.records(1, self.count), 1):
            if self._begins_with(record, last) and all(map(_is_same, run, whole)) and len(run) == len(whole):
                found.append(MessageId(number - len(whole)))
            run.append(record)
        return found

    def extents(self, first: int, last: int) -> list[range]:
        """The offsets of each message, as `ChatHistory.extents` returns them."""
        records = self.index.records(first, min(last, self.count))
        return [range(record.begin, record.end) for record in records]

    def add(self, records: Sequence[Record]) -> MessageId:
        """Add messages that were appended to the file and the index. Returns the id of the first one."""
        first = MessageId(self.count + 1)
        self.size = records[-1].end
        self.strange = _NONE_STRANGE
        self.ends_line = True
        self.count += len(records)
        return first

    def latest(self) -> Latest:
        """The last entries, for newcomers."""
        messages = self._last_messages()
        _, page = self.read_before(self.count + 1, self.count - newcomers_begin(messages, self.count) + 1)
        return Latest.up_to(self.count, page.lines, page.flags, messages)

    def _last_messages(self) -> tuple[int, ...]:
        """The ids of the last messages, as `Latest.messages`."""
        messages = self._messages_among(LATEST_MESSAGES)
        return messages if len(messages) == LATEST_MESSAGES else self._messages_among(LATEST_ENTRIES)

    def _messages_among(self, entries: int) -> tuple[int, ...]:
        first = max(1, self.count - entries + 1)
        return message_ids(first, [*self.index.records(first, self.count)])

    def _begins_with(self, record: Record, message: Record) -> bool:
        if record.length <= message.length or record.head_crc != message.head_crc:
            return _is_same(record, message)
        return crc_of(self.file, record.begin, record.begin + message.length) == message.crc

    def _read(self, first: int, records: Sequence[Record]) -> Page:
        """Consecutive messages, given the id of the first."""
        lines = [
            shown_line(raw, record.length, number, self.file.name)
            for number, (record, raw) in enumerate(zip(records, self._bytes(records), strict=True), first)
        ]
        return Page(lines, [record.flags for record in records])

    def _bytes(self, records: Sequence[Record]) -> list[bytes]:
        """The bytes of consecutive messages, at most `SHOWN_BYTES` of each."""
        if not records:
            return []
        begin, end = records[0].begin, records[-1].end
        if end - begin > _RUN_BYTES_AT_MOST:
            return [self.file.read(record.begin, min(record.length, SHOWN_BYTES)) for record in records]
        run = self.file.read(begin, end - begin)
        starts = [(record.begin - begin, min(record.length, SHOWN_BYTES)) for record in records]
        return [run[start : start + length] for start, length in starts]

    def _start(self, last: int, messages: int, size: int) -> int:
        """The first message of at most so many that end with a message, and of at most so many bytes, unless that one has more."""
        first, end = max(1, last - messages + 1), self.index.end_of(last)
        if end - self.index.end_of(first - 1) <= size:
            return first
        older = range(first, last)
        return first + bisect_left(older, -size, key=lambda number: self.index.record(number).begin - end)

    def _block(self, first: int, last: int) -> Block:
        begin, end = self.index.record(first).begin, self.index.end_of(last)
        # If a single message is longer than a block, only the part of it that is sent is searched.
        size = end - begin if first < last else min(end - begin, SHOWN_BYTES)

        def spans() -> list[tuple[int, int]]:
            records = self.index.records(first, last)
            return [(record.begin - begin, record.end - begin) for record in records]

        return Block(first, self.file.read(begin, size), spans)


def message_ids(first: int, records: Sequence[Record], before: tuple[int, ...] = ()) -> tuple[int, ...]:
    """The ids of the last messages, as `Latest.messages`.

    Args:
        first: the id of the first of the last entries.
        records: the records of these entries.
        before: the ids of the last messages in front of them.
    """
    found = [number for number, record in enumerate(records, first) if not IS_ANNOTATION[record.flags]]
    ids = (*before, *found)[-LATEST_MESSAGES:]
    oldest = first + len(records) - LATEST_ENTRIES
    return ids if not ids or ids[0] >= oldest else tuple(number for number in ids if number >= oldest)


def _page(records: Iterable[Record]) -> list[Record]:
    """As many of these records as a page holds."""
    page: list[Record] = []
    size = 0
    for record in records:
        page.append(record)
        size += min(record.length, SHOWN_BYTES)
        if size > PAGE_BYTES:
            break
    return page


def _is_same(one: Record, other: Record) -> bool:
    return (one.length, one.crc) == (other.length, other.crc)


def shown_line(raw: bytes, length: int, number: int, name: str) -> str:
    """A message's lines, as they are sent; a long one is cut, with a note where to read the rest.

    Args:
        raw: its first bytes.
        length: its size in the log, in bytes.
        number: its id.
        name: the name of the log's file.
    """
    if length <= SHOWN_BYTES:
        return readable_line(raw)
    end = raw.rfind(b"\n") if raw.endswith(b"\n") else len(raw)
    kept = raw[:end]
    while kept and kept[-1] & 0xC0 == 0x80:  # noqa: PLR2004 - do not cut within a character
        kept = kept[:-1]
    kept = kept[:-1] if kept and kept[-1] >= 0xC0 else kept  # noqa: PLR2004 - its first byte
    rest = f"{length - len(kept):,}".replace(",", "\u202f")
    mark = f"[… {rest} more bytes: message {number} in {name}, or /history.txt?since={number - 1}]"
    return f"{readable_line(kept)}\n\t{mark}"
