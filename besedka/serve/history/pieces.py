"""A log in pieces, byte for byte: so a node of a cluster gives its history to the others, and they write the same file.

A piece is whole messages with all that stands between them: lines that are not understood, a preamble, byte order marks, CRs. Only the last one may lack its line end. The flags of its messages, which are
only in the index, go with it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from besedka.serve.errors import HistoryChanged, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.files.descriptor import PartlyWritten, exchange
from besedka.serve.history.epoch import read_epoch
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.full_disk import append_error, cut_back, keep_torn_end
from besedka.serve.history.log_state import LogState
from besedka.serve.history.opening.loading import reread_log
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.record import Flag
from besedka.serve.history.redact import may_have_been
from besedka.serve.history.reindexing import with_epoch
from besedka.serve.history.scan import Kind, entries
from besedka.wire.log_line import ENTRY

PIECE_BYTES: Final = 256 * 1024
"""A piece ends behind the message that takes it past this size."""

PIECE_BYTES_AT_MOST: Final = 768 * 1024
"""A longer message, or preamble, cannot be taken over: NATS carries a megabyte, with the flags and all."""

FLAGS: Final = Flag.UNVERIFIED | Flag.VERIFIED | Flag.ANNOTATION
"""The flags that belong to a message; the others are about how it was written here."""


class Piece(NamedTuple):
    """A piece of a log.

    Attributes:
        offset: where it begins.
        first: the id of its first message, or of the first one behind it.
        data: its bytes.
        flags: of each of its messages.
    """

    offset: int
    first: int
    data: bytes
    flags: list[Flag]

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.offset + len(self.data)

    @property
    def next(self) -> int:
        """The id of the first message behind it."""
        return self.first + len(self.flags)


def piece_at(readable: ReadableLog, body: LogState, offset: int, first: int) -> Piece:
    """The piece of a log that begins at an offset, at which the message with the id ``first`` begins, or what stands in front of it.

    Raises:
        OSError: from the system.
        HistoryUnusable: if it cannot be given to others.
    """
    end = offset
    begins: list[int] = []
    for entry in entries(body.file, offset, body.size, at_once=2 * PIECE_BYTES):
        # The first piece has a message: else it would be no log.
        if end > offset and entry.end - offset > PIECE_BYTES and (offset or begins):
            break
        if entry.end - offset > PIECE_BYTES_AT_MOST:
            raise HistoryUnusable(
                readable.path,
                f"there is no end of a message between bytes {offset} and {entry.end}: "
                f"a cluster takes over pieces of up to {PIECE_BYTES_AT_MOST:,} bytes",
            )
        end = entry.end
        if entry.kind is Kind.MESSAGE:
            begins.append(entry.begin)
    records = [*body.index.records(first, min(body.count, first + len(begins) - 1))]
    # (A line end that was added later is in no record.)
    if [record.begin for record in records] != begins:
        raise HistoryUnusable(
            readable.path,
            f"it is damaged near byte {offset}, and only its index tells where messages begin there: "
            "remove the index to have them counted anew, and start again",
        )
    flags = [record.flags & FLAGS for record in records]
    return Piece(offset, first, body.file.read(offset, end - offset), flags)


def holds_piece(log: ReadableLog, piece: Piece) -> bool:
    """Whether a log holds all of a piece, or what redactions have left of it.

    Raises:
        OSError: from the system.
    """
    there = log.body.file.read(piece.offset, len(piece.data))
    return len(there) == len(piece.data) and _is_beginning(there, piece.data)


def messages_of(data: bytes) -> list[tuple[int, int]]:
    """Where the messages of a piece begin and end. Pure."""
    found = [*ENTRY.finditer(data)]
    ends = [*(mark.start() for mark in found[1:]), len(data)]
    return [(mark.start(), end) for mark, end in zip(found, ends, strict=True) if mark.lastgroup == "message"]


def write_piece(readable: ReadableLog, edits: ExternalEdits, piece: Piece, epoch: str) -> bool:
    """Write a piece of a log, as `ChatHistory.write_piece` does."""
    try:
        if edits.have_happened():
            edits.reread()
        torn = readable.body.torn
        if torn and not keep_torn_end(readable.body, readable.path):
            raise StorageFull(readable.path, len(piece.data))
        if torn:
            edits.note_own_change()
        is_changed = _write(readable, edits, piece)
        body = readable.body
        if body.index.epoch != epoch or read_epoch(readable.path).name != epoch:
            readable.exchange(with_epoch(body, readable.path, epoch))
            is_changed = True
        _set_flags(readable.body, piece)
    except OSError as error:
        raise append_error(error, readable.path, len(piece.data)) from error
    return is_changed


def _write(readable: ReadableLog, edits: ExternalEdits, piece: Piece) -> bool:
    """Write what the log lacks of a piece. Returns whether it lacked anything.

    Raises:
        HistoryChanged: if the log has something else there.
        OSError: from the system.
    """
    body, path = readable.body, readable.path
    there = body.file.read(piece.offset, min(max(0, body.size - piece.offset), len(piece.data)))
    if body.size < piece.offset or not _is_beginning(there, piece.data):
        raise HistoryChanged(path, piece.first)
    rest = piece.data[len(there) :]
    if not rest:
        return False
    if not body.size:
        # Its beginning alone may be no log, and would be refused after a crash.
        exchange(path.resolve(), [rest]).close()
        edits.reread(is_own=True)
    else:
        _append_rest(readable, edits, rest)
    if readable.body.size != piece.end or readable.count != piece.next - 1:
        raise HistoryLost(
            path, f"a piece of {len(piece.flags)} messages has made {readable.count} of {body.count}"
        )
    return True


def _append_rest(readable: ReadableLog, edits: ExternalEdits, rest: bytes) -> None:
    """Write the rest of a piece behind what is there."""
    body, path = readable.body, readable.path
    body.index.cut(body.count)
    try:
        body.file.write(rest)  # it is synced before it is reread
    except OSError as error:
        written = error.written if isinstance(error, PartlyWritten) else 0
        if cut_back(body, path, rest, written):
            edits.note_own_change()
        raise
    edits.note_own_change()
    readable.exchange(reread_log(body.file, path, body.index)[0])


def _is_beginning(there: bytes, data: bytes) -> bool:
    """Whether a log holds the beginning of a piece, or the remains of it after redactions."""
    if data.startswith(there):
        return True
    remains = bytearray(data[: len(there)])
    for begin, end in messages_of(data):
        if may_have_been(there[begin:end], data[begin:end]):
            remains[begin:end] = there[begin:end]
    return there == remains


def _set_flags(body: LogState, piece: Piece) -> None:
    if not piece.flags:
        return
    records = [*body.index.records(piece.first, piece.next - 1)]
    flagged = [
        record._replace(flags=record.flags & ~FLAGS | flags)
        for record, flags in zip(records, piece.flags, strict=True)
    ]
    if flagged != records:
        body.index.change(piece.first, flagged)
