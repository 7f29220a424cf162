"""Redaction: a tombstone is written over a message's text, in place.

It takes as many bytes as the text, so nothing else in the log moves: ids, offsets, the time and the name of the message stay, and so does
the end of its last line. Wherever a crash interrupts this, the log has the same messages; the text of one of them is the old one, the
tombstone, or begins as the one and ends as the other, and no line of it can begin another message. `finished` completes it at the next
start: for that the redaction is recorded on disk before it begins.

`besedka/serve/chat/redaction.py` has it done, for a moderator.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from besedka.serve.errors import HistoryChanged, HistoryLost, StorageFull
from besedka.serve.files import file_system
from besedka.serve.files.descriptor import FULL, reason
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.index import IndexDamaged
from besedka.serve.history.log_state import SHOWN_BYTES, LogState, shown_line
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.record import Record
from besedka.serve.history.reindexing import repaired
from besedka.wire.log_line import FIRST_LINE, read_line, show_line, tombstone


@dataclass(frozen=True, slots=True)
class Subject:
    """The identity of a message, which its redaction does not change.

    Attributes:
        number: its id.
        epoch: the epoch of its log.
        stamp: its time, as in the log.
        user: the name of its poster.
        size: its size in the log, in bytes, with all line ends.
    """

    number: int
    epoch: str
    stamp: str
    user: str
    size: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message in the log.

    Attributes:
        number: its id.
        raw: its bytes.
        record: its record in the index.
    """

    number: int
    raw: bytes
    record: Record

    def cover(self, body: LogState) -> None:
        """Write the tombstone to the log, then its checksum to the index; both are on disk on return.

        Raises:
            OSError: from the system.
        """
        data = covered(self.raw)
        if data != self.raw:
            begin, end = _text(self.raw)
            body.file.overwrite(self.record.begin + begin, data[begin:end])
            file_system.sync(body.file)
        if not self.record.fits(data):
            record = Record.of(data, self.record.end, self.record.flags)
            body.index.change(self.number, [record])


def covered(raw: bytes) -> bytes:
    """A message with a tombstone in place of its text; the same message if it has one already."""
    begin, end = _text(raw)
    if begin == end:
        return raw
    # In a log that another program wrote, a text may begin on the line after the name; the blank keeps the first line a message.
    return raw[:begin] + b" " + tombstone(end - begin - 1).encode() + raw[end:]


def text_of(raw: bytes) -> bytes:
    """The bytes of a message that a tombstone takes."""
    begin, end = _text(raw)
    return raw[begin + 1 : end]


def find(body: LogState, number: int) -> Message | None:
    """A message of a log; None if it is not there."""
    if not 1 <= number <= body.count:
        return None
    record = body.index.record(number)
    raw = body.file.read(record.begin, record.length)
    return Message(number, raw, record) if len(raw) == record.length and FIRST_LINE.match(raw) else None


def find_as_written(path: Path, body: LogState, number: int) -> Message:
    """A message of the log at ``path``, checked against its record.

    Raises:
        HistoryChanged: it was changed, or the file was replaced.
        IndexDamaged: its record is missing or unsound.
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
    """The identity of a message."""
    begin, _ = _text(message.raw)
    head = read_line(show_line(message.raw[:begin]))
    return Subject(message.number, epoch, head.stamp, head.user, len(message.raw))


def redact(readable: ReadableLog, edits: ExternalEdits, body: LogState, wanted: Subject) -> int:
    """Redact a message, as `ChatHistory.redact` does.

    Args:
        readable: the log.
        edits: detects changes by another program; an earlier edit elsewhere in the file stays detectable.
        body: the state of the log.
        wanted: the message.
    """
    message = find_as_written(readable.path, body, wanted.number)
    if subject(message, body.index.epoch) != wanted:
        raise HistoryChanged(readable.path, wanted.number)
    return _covered(readable, edits, body, message)


def _covered(readable: ReadableLog, edits: ExternalEdits, body: LogState, message: Message) -> int:
    """Redact a message. Returns the size of its text, in bytes."""
    data = covered(message.raw)
    if data != message.raw or not message.record.fits(data):
        try:
            is_known = edits.is_unchanged()
            message.cover(body)
            if is_known:
                edits.note_own_change()
        except OSError as error:
            if error.errno in FULL and _is_untouched(message, body):
                raise StorageFull(readable.path, len(data)) from error
            raise HistoryLost(readable.path, reason(error)) from error
        readable.latest = readable.latest.with_line(
            message.number, shown_line(data[:SHOWN_BYTES], len(data), message.number, readable.path.name)
        )
    return len(text_of(message.raw))


def cover(readable: ReadableLog, edits: ExternalEdits, body: LogState, number: int, size: int) -> int:
    """Redact a message whatever its text is now, as `ChatHistory.cover` does for each."""
    message = find(body, number) if body.file.is_at(readable.path) else None
    # A line end that an editor had removed is in the records of some nodes only.
    if message is None or abs(len(message.raw) - size) > len(b"\n"):
        raise HistoryChanged(readable.path, number)
    return _covered(readable, edits, body, message)


def holds(body: LogState, wanted: Subject) -> bool:
    """Whether a log holds a message with its text.

    Raises:
        OSError: from the system.
    """
    message = find(body, wanted.number)
    return (
        message is not None
        and subject(message, body.index.epoch) == wanted
        and covered(message.raw) != message.raw
    )


def may_have_been(raw: bytes, original: bytes) -> bool:
    """Whether bytes of a log are this message, or the remains of it: with its tombstone, or with a part of that, which a crash has left."""
    if raw == original:
        return True
    if len(raw) != len(original) or not FIRST_LINE.match(original):
        return False
    return all(byte in pair for byte, *pair in zip(raw, original, covered(original), strict=True))


def finished(body: LogState, path: Path, wanted: Subject) -> LogState:
    """Finish an interrupted redaction in a log that has no readers yet; if the message is not there, nothing is done.

    Raises:
        OSError: from the system.
    """
    try:
        _finish(body, wanted)
    except IndexDamaged:
        body = repaired(body, path)
        _finish(body, wanted)
    return body


def _finish(body: LogState, wanted: Subject) -> None:
    message = find(body, wanted.number)
    if message and subject(message, body.index.epoch) == wanted:
        message.cover(body)


def _is_untouched(message: Message, body: LogState) -> bool:
    return body.file.read(message.record.begin, len(message.raw)) == message.raw


def _text(raw: bytes) -> tuple[int, int]:
    """The offsets of a message's text: from the blank before it to its end, without the last line end."""
    head = FIRST_LINE.match(raw)
    if head is None:
        raise ValueError(f"not a message of the log: {raw[:80]!r}")
    end = len(raw) - (2 if raw.endswith(b"\r\n") else raw.endswith(b"\n"))
    return head.end(), end
