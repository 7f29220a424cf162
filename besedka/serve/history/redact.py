"""Redacting: a tombstone is written over a message's text, in place.

It takes as many bytes as the text did, so nothing else in the log moves: ids, offsets, the time and the name of the message stay,
and so does the end of its last line. Wherever a crash cuts this off, the log has the same messages, one of them with a text that
is the old one, the tombstone, or begins as the one and ends as the other; no line of it can begin another message. `finished` does
the rest at the next start: it needs to be told what was being done, and so that is noted on disk before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from besedka.serve.errors import HistoryChanged, HistoryLost, StorageFull
from besedka.serve.history.body import TOLD_BYTES, Body, told_line
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.file import FULL, reason
from besedka.serve.history.index import IndexDamaged, Record
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.rebuilding import repaired
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


def redact(readable: ReadableLog, edits: ExternalEdits, body: Body, wanted: Subject) -> int:
    """Redact a message, as `ChatHistory.redact` does.

    Args:
        readable: the log.
        edits: notices when another program changes it; to what is done elsewhere in the file they are as blind after this as before.
        body: what is known of the log.
        wanted: the message.
    """
    message = find_as_written(readable.path, body, wanted.number)
    if subject(message, body.index.epoch) != wanted:
        raise HistoryChanged(readable.path, wanted.number)
    data = covered(message.raw)
    if data != message.raw:
        try:
            is_known = edits.is_as_left()
            message.cover(body)
            if is_known:
                edits.leave()
        except OSError as error:
            if error.errno in FULL and _is_untouched(message, body):
                raise StorageFull(readable.path, len(data)) from error
            raise HistoryLost(readable.path, reason(error)) from error
        readable.latest = readable.latest.with_line(
            message.number, told_line(data[:TOLD_BYTES], len(data), message.number, readable.path.name)
        )
    return len(text_of(message.raw))


def finished(body: Body, path: Path, wanted: Subject) -> Body:
    """A log that nobody has looked at yet, with a message redacted, unless it is done; if it is not there, nothing is done.

    Raises:
        OSError: as the system says it.
    """
    try:
        _finish(body, wanted)
    except IndexDamaged:
        body = repaired(body, path)
        _finish(body, wanted)
    return body


def _finish(body: Body, wanted: Subject) -> None:
    message = find(body, wanted.number)
    if message and subject(message, body.index.epoch) == wanted:
        message.cover(body)


def _is_untouched(message: Message, body: Body) -> bool:
    return body.file.read(message.record.begin, len(message.raw)) == message.raw


def _text(raw: bytes) -> tuple[int, int]:
    """Where the text of a message begins, with the blank in front of it, and where it ends, before the last line end."""
    head = FIRST_LINE.match(raw)
    if head is None:
        raise ValueError(f"not a message of the log: {raw[:80]!r}")
    end = len(raw) - (2 if raw.endswith(b"\r\n") else raw.endswith(b"\n"))
    return head.end(), end
