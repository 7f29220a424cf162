"""A file whose messages are to be imported: a survey of it, and its messages as they will be written.

It is read twice: once to find problems before anything is written, once for its messages. Its size is taken only once, so bytes added
later do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from besedka.serve.errors import SourceUnusable
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.file_formats import looks_like
from besedka.serve.history.scan import Entry, Kind, behind_blank_lines, entries, line_ends
from besedka.wire.log_line import (
    FIRST_LINE,
    HEAD_BYTES_AT_MOST,
    as_posted,
    read_line,
    readable_line,
    show_line,
    without_half_a_line_end,
    write_line,
)
from besedka.wire.validation import show_controls

BATCH_BYTES: Final = 1024 * 1024
"""Bytes that are written and synced at once; a longer message is a batch of its own."""

MESSAGE_BYTES_AT_MOST: Final = 1 << 30
"""Longest message that can be imported: a message that is written is in memory as a whole, about four times."""

NUMBERS_AT_MOST: Final = 9
"""Runs of lines that are not understood whose line numbers are reported."""

_SAMPLE_BYTES: Final = 4096
_HEAD_BYTES: Final = HEAD_BYTES_AT_MOST + 64
_CONTROLS: Final = bytes((*(code for code in range(0x20) if code not in b"\t\n\r"), 0x7F))
_C1_CONTROLS: Final = re.compile(rb"\xc2[\x80-\x9f]")
_BLANK: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*")
_CR_ALONE: Final = re.compile(rb"\A[^\n]*\r(?:\xef\xbb\xbf)?\[\d{4}-")


@dataclass(slots=True)
class Survey:
    """A survey of a file.

    Attributes:
        messages: the number of messages.
        size: their size in bytes.
        lines: the number of lines that are not understood.
        firsts: the number of the first line, counted from 1, of each run of such lines.
        sample: the beginning of the first such line.
        open_line: the number of the last line, if it has no line end and so is possibly incomplete.
    """

    messages: int = 0
    size: int = 0
    lines: int = 0
    firsts: list[int] = field(default_factory=list)
    sample: str = ""
    open_line: int | None = None


class Batch(NamedTuple):
    """Messages to be written at once.

    Attributes:
        lines: of each message, as `write_line` returns them.
        controls: the number of control characters in them that are shown as pictures.
        number: the number of messages of the file up to here, those that are left out included.
    """

    lines: list[str]
    controls: int
    number: int


class Source:
    """A file to be imported.

    Args:
        name: its name in errors.
        text: the file, in UTF-8.
        end: the number of bytes that count; a server may be appending more.
    """

    def __init__(self, name: str, text: Descriptor, end: int) -> None:
        self._name = name
        self._text = text
        self._end = end

    @property
    def is_empty(self) -> bool:
        """Whether it has no content."""
        return self._text.size == 0

    def looks_like(self) -> str:
        """Its likely format, as a part of a sentence."""
        if _BLANK.fullmatch(self._text.read(0, _HEAD_BYTES)):
            return "a file of blank lines"
        return looks_like(self._text)

    def survey(self) -> Survey:
        """Survey the whole file.

        Raises:
            SourceUnusable: it cannot be imported.
        """
        if _CR_ALONE.match(self._text.read(0, _HEAD_BYTES)):
            raise SourceUnusable(
                self._name, "its lines end in CR, as on old Macs; have tr '\\r' '\\n' put LF there"
            )
        found, counted = Survey(), _Lines(self._text)
        for entry in self._entries():
            if self._is_message(entry):
                self._note_message(found, entry)
            else:
                self._note_strange(found, entry, counted)
        if self._end and self._text.read(self._end - 1, 1) != b"\n":
            found.open_line = counted.number_at(self._end)
        return found

    def batches(self, left_out: bytes | bytearray = b"") -> Iterator[Batch]:
        """The messages as they are to be written.

        Args:
            left_out: a byte for each message from the first one on; those that are not 0 are left out. It may be shorter.
        """
        number = 0
        for raws in self._raw_batches():
            kept = [raw for at, raw in enumerate(raws, number) if at >= len(left_out) or not left_out[at]]
            number += len(raws)
            pairs = [rewritten(raw) for raw in kept]
            yield Batch([line for line, _ in pairs], sum(controls for _, controls in pairs), number)

    def raw_messages(self) -> Iterator[bytes]:
        """The messages as they stand in the file."""
        for raws in self._raw_batches():
            yield from raws

    def _raw_batches(self) -> Iterator[list[bytes]]:
        batch: list[Entry] = []
        for entry in filter(self._is_message, self._entries()):
            if batch and entry.end - batch[0].begin > BATCH_BYTES:
                yield self._read(batch)
                batch = []
            batch.append(entry)
        if batch:
            yield self._read(batch)

    def _entries(self) -> Iterator[Entry]:
        return entries(self._text, 0, self._end)

    def _is_message(self, entry: Entry) -> bool:
        """Whether it is a message, and still one after its control characters, a byte each, have become pictures of three bytes."""
        if entry.kind is not Kind.MESSAGE:
            return False
        if entry.end - entry.begin <= HEAD_BYTES_AT_MOST // 3:
            return True
        head = FIRST_LINE.match(self._text.read(entry.begin, min(entry.end - entry.begin, _HEAD_BYTES)))
        return head is not None and FIRST_LINE.match(show_controls(show_line(head[0])).encode()) is not None

    def _note_message(self, found: Survey, entry: Entry) -> None:
        size = entry.end - entry.begin
        if size > MESSAGE_BYTES_AT_MOST:
            number = found.messages + 1
            raise SourceUnusable(
                self._name, f"message {number} has {size:,} bytes; {MESSAGE_BYTES_AT_MOST:,} can be imported"
            )
        found.messages += 1
        found.size += size

    def _note_strange(self, found: Survey, entry: Entry, counted: _Lines) -> None:
        begin = behind_blank_lines(self._text, entry)
        if begin == entry.end:
            return
        is_open = self._text.read(entry.end - 1, 1) != b"\n"
        found.lines += line_ends(self._text, begin, entry.end) + is_open
        if len(found.firsts) < NUMBERS_AT_MOST:
            found.firsts.append(counted.number_at(begin))
        if not found.sample:
            raw = self._text.read(begin, min(entry.end - begin, _SAMPLE_BYTES))
            found.sample = show_line(raw[: raw.find(b"\n") + 1] or raw)

    def _read(self, batch: list[Entry]) -> list[bytes]:
        begin = batch[0].begin
        raw = self._text.read(begin, batch[-1].end - begin)
        if len(batch) == 1:
            return [raw]
        return [raw[entry.begin - begin : entry.end - begin] for entry in batch]


class _Lines:
    """Counts lines, forwards only."""

    def __init__(self, text: Descriptor) -> None:
        self._text = text
        self._offset = 0
        self._number = 1

    def number_at(self, offset: int) -> int:
        """The number of the line that holds an offset, which must not be before that of the last call."""
        self._number += line_ends(self._text, self._offset, offset)
        self._offset = offset
        return self._number


def rewritten(raw: bytes) -> tuple[str, int]:
    """A message of another log as Besedka writes it, and the number of control characters shown as pictures.

    A tombstone in it becomes a text: nobody knows who wrote it.
    """
    head = FIRST_LINE.match(raw)
    raw = without_half_a_line_end(raw, head.end()) if head else raw
    controls = _controls_in(raw)
    message = read_line(readable_line(raw))
    line = write_line(msgspec.structs.replace(message, text=as_posted(message.text)))
    return (show_controls(line), controls) if controls else (line, 0)


def _controls_in(raw: bytes) -> int:
    plain = len(raw) - len(raw.translate(None, _CONTROLS))
    alone = raw.count(b"\r") - raw.count(b"\r\n")
    c1 = sum(1 for _ in _C1_CONTROLS.finditer(raw)) if b"\xc2" in raw else 0
    return plain + alone + c1
