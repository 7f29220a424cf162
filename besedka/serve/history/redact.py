"""Redacting: a tombstone is written over a message's text, in place.

It takes as many bytes as the text did, so nothing else in the log moves: ids, offsets, the time and the name of the message stay,
and so does the end of its last line. Wherever a crash cuts this off, the log has the same messages, one of them with a text that
is the old one, the tombstone, or begins as the one and ends as the other; no line of it can begin another message. `finish` does
the rest at the next start: it needs to be told what was being done, and so that is noted on disk before.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from besedka.serve.errors import HistoryChanged
from besedka.serve.history.body import Body
from besedka.serve.history.file import Descriptor
from besedka.serve.history.index import Index, Places, Record
from besedka.serve.history.scan import first_start, messages
from besedka.wire.line import FIRST_LINE, read_line, show_line, tombstone


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is known by, whatever its text is.

    Attributes:
        number: its id.
        epoch: of its log.
        stamp: when it was said, as the log tells it.
        user: who said it.
        size: how many bytes it takes in the log, with all line ends.
    """

    number: int
    epoch: str
    stamp: str
    user: str
    size: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message where it stands.

    Attributes:
        number: its id.
        offset: where it begins in the log.
        raw: its bytes.
        record: what the index knows of it, if anything.
    """

    number: int
    offset: int
    raw: bytes
    record: Record | None

    @property
    def is_as_written(self) -> bool:
        """Whether nobody but us was on it, as far as can be seen."""
        return FIRST_LINE.match(self.raw) is not None and (self.record is None or self.record.fits(self.raw))

    def cover(self, log: Descriptor, path: Path, index: Index | None) -> None:
        """Write the tombstone, in the log first and then its checksum in the index; all of it is on disk when this returns.

        Raises:
            OSError: as the system says it.
        """
        data = covered(self.raw)
        if data != self.raw:
            begin, end = _text(self.raw)
            # What is written by the descriptor that appends is appended, wherever it should go.
            own = Descriptor(path, os.O_WRONLY)
            if not own.is_same_file(log):
                raise FileNotFoundError(errno.ENOENT, "the log was replaced", str(path))
            own.overwrite(self.offset + begin, data[begin:end])
            own.sync()
            own.close()
        if index and self.record and not self.record.fits(data):
            index.change(self.number, Record.of(data).crc)


def covered(raw: bytes) -> bytes:
    """A message with a tombstone in place of its text; of a message that has one it is the same message."""
    begin, end = _text(raw)
    if begin == end:
        return raw
    # A text may begin below the name, in a log by other hands; the blank is what makes it the first line of a message.
    return raw[:begin] + b" " + tombstone(end - begin - 1).encode() + raw[end:]


def text_of(raw: bytes) -> bytes:
    """The bytes in which the tombstone of a message stands."""
    begin, end = _text(raw)
    return raw[begin + 1 : end]


def find(log: Descriptor, index: Index | None, places: Places, number: int, end: int) -> Message | None:
    """A message of a log, of which the places of its messages are known, up to ``end``; None if it is not there."""
    if number < 1:
        return None
    if index and number <= index.count:
        offset, record = index.where(places, number)
        raw = log.read(offset, record.length)
        return Message(number, offset, raw, record) if len(raw) == record.length else None
    near, offset = places.before(number)
    return _scan(log, offset, end, near, number)


def find_as_written(path: Path, body: Body, index: Index | None, number: int) -> Message:
    """A message of the log at ``path``, on which nobody but us was.

    Raises:
        HistoryChanged: if other hands were on it, or have replaced the file.
    """
    try:
        is_same_file = body.file.is_same_file(Descriptor(path, os.O_RDONLY))
        message = find(body.file, index, body.places, number, body.size) if number <= body.count else None
    except OSError:
        raise HistoryChanged(path, number) from None
    if not is_same_file or message is None or not message.is_as_written:
        raise HistoryChanged(path, number)
    return message


def subject(message: Message, epoch: str) -> Subject:
    """What a message is known by."""
    begin, _ = _text(message.raw)
    head = read_line(show_line(message.raw[:begin]))
    return Subject(message.number, epoch, head.stamp, head.user, len(message.raw))


def finish(log: Descriptor, path: Path, index: Index | None, wanted: Subject) -> None:
    """Redact a message, of a log that nobody has looked at yet, unless it is done; if it is not there, nothing is done.

    Raises:
        OSError: as the system says it.
    """
    message = _find_again(log, index, wanted.number)
    epoch = index.epoch if index else wanted.epoch
    if message and _is_one(message.raw) and subject(message, epoch) == wanted:
        message.cover(log, path, index)


def _find_again(log: Descriptor, index: Index | None, number: int) -> Message | None:
    size = log.size
    if index is None:
        return _scan(log, first_start(log), size, 1, number)
    places, end = index.add_up()
    if number <= index.count:
        return find(log, index, places, number, size)
    return _scan(log, end, size, index.count + 1, number)


def _scan(log: Descriptor, offset: int, end: int, first: int, number: int) -> Message | None:
    """A message of a log, by reading from the one with the id ``first`` on."""
    found = messages(log, offset, end)
    offset += sum(map(len, islice(found, number - first)))
    raw = next(found, None)
    return None if raw is None else Message(number, offset, raw, None)


def _is_one(raw: bytes) -> bool:
    """Whether this is a message, and not a part of one, or more than one, as an index of another log may have it."""
    return FIRST_LINE.match(raw) is not None and FIRST_LINE.search(raw, 1) is None


def _text(raw: bytes) -> tuple[int, int]:
    """Where the text of a message begins, with the blank in front of it, and where it ends, before the last line end."""
    head = FIRST_LINE.match(raw)
    if head is None:
        raise ValueError(f"not a message of the log: {raw[:80]!r}")
    end = len(raw) - (2 if raw.endswith(b"\r\n") else raw.endswith(b"\n"))
    return head.end(), end
