"""Redacting: a tombstone is written over a message's text, in place.

It takes as many bytes as the text did, so nothing else in the log moves: ids, offsets, the time and the name of the message stay,
and so does the end of its last line. Wherever a crash cuts this off, the log has the same messages, one of them with a text that
is the old one, the tombstone, or begins as the one and ends as the other; no line of it can begin another message. `finish` does
the rest at the next start: it needs to be told what was being done, and so that is noted on disk before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from besedka.serve.errors import HistoryChanged
from besedka.serve.history.body import Body
from besedka.serve.history.index import IndexDamaged, Record
from besedka.wire.log_line import FIRST_LINE, read_line, show_line, tombstone


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
        raw: its bytes.
        record: what the index knows of it.
    """

    number: int
    raw: bytes
    record: Record

    def cover(self, body: Body) -> None:
        """Write the tombstone, in the log first and then its checksum in the index; all of it is on disk when this returns.

        Raises:
            OSError: as the system says it.
        """
        data = covered(self.raw)
        if data != self.raw:
            begin, end = _text(self.raw)
            body.file.overwrite(self.record.begin + begin, data[begin:end])
            body.file.sync()
        if not self.record.fits(data):
            record = Record.of(data, self.record.end, self.record.flags)
            body.index.change(self.number, [record])


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


def find(body: Body, number: int) -> Message | None:
    """A message of a log; None if it is not there."""
    if not 1 <= number <= body.count:
        return None
    record = body.index.record(number)
    raw = body.file.read(record.begin, record.length)
    return Message(number, raw, record) if len(raw) == record.length and FIRST_LINE.match(raw) else None


def find_as_written(path: Path, body: Body, number: int) -> Message:
    """A message of the log at ``path``, which nobody has changed from outside.

    Raises:
        HistoryChanged: it was changed, or the file was replaced.
        IndexDamaged: the index does not tell where it stands.
    """
    try:
        message = find(body, number) if body.file.is_at(path) else None
    except IndexDamaged:
        raise
    except OSError:
        message = None
    if message is None or not message.record.fits(message.raw):
        raise HistoryChanged(path, number)
    return message


def subject(message: Message, epoch: str) -> Subject:
    """What a message is known by."""
    begin, _ = _text(message.raw)
    head = read_line(show_line(message.raw[:begin]))
    return Subject(message.number, epoch, head.stamp, head.user, len(message.raw))


def finish(body: Body, wanted: Subject) -> None:
    """Redact a message of a log that nobody has looked at yet, unless it is done; if it is not there, nothing is done.

    Raises:
        OSError: as the system says it.
    """
    message = find(body, wanted.number)
    if message and subject(message, body.index.epoch) == wanted:
        message.cover(body)


def _text(raw: bytes) -> tuple[int, int]:
    """Where the text of a message begins, with the blank in front of it, and where it ends, before the last line end."""
    head = FIRST_LINE.match(raw)
    if head is None:
        raise ValueError(f"not a message of the log: {raw[:80]!r}")
    end = len(raw) - (2 if raw.endswith(b"\r\n") else raw.endswith(b"\n"))
    return head.end(), end
