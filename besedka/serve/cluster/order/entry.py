"""An entry of the stream: one batch of one room, as all nodes append it. Pure.

A line of JSON says what it is; behind its LF come the log's lines as they are, byte for byte. Whoever offers an entry has decided everything in it: the
ids, the time, the epoch. The others append.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec

from besedka.serve.cluster.errors import EntryInvalid
from besedka.serve.history import messages_of
from besedka.wire.log_line import FIRST_LINE

VERSION: Final = 1
ENTRY_BYTES_AT_MOST: Final = 512 * 1024
"""A node takes in one entry at a time, and NATS carries at most a megabyte."""


FLAGS_BELOW: Final = 16
"""The flags of a message are a number below this."""


class EntryKind(StrEnum):
    """The kinds of entries."""

    LINES = "lines"
    REDACT = "redact"
    IMPORT = "import"


class Target(msgspec.Struct, frozen=True, array_like=True):
    """A message whose text is replaced by a tombstone, and the entry that holds it.

    Attributes:
        id: the message.
        size: its size in the log, in bytes with all line ends: a log in which it has another one is not what all have.
        first: the id of the first message of its entry.
        sequence: the number of that entry in the stream.
    """

    id: int
    size: int
    first: int
    sequence: int


class Extent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The extent of an import in the log that is taken over.

    Attributes:
        offset: where they begin.
        count: how many messages they hold.
        flags: the flags of these messages, as the index has them: pairs of how many are the same, and which.
        more: whether another piece follows. Until it has come nothing else is stored in the room.
    """

    offset: int
    count: int
    flags: list[tuple[int, int]] = []
    more: bool = False


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry without its lines.

    Attributes:
        by: the token of the offer; each offer has another one.
        first: the id of its first message: the room's count before it, plus one.
        at: the time of its messages, in unix seconds; 0 for an import, whose messages have their own.
        epoch: of the room's log.
        keys: the keys that posters gave to messages, by their place in the entry, from 0.
        unverified: the places of messages whose posters had not shown that the name is theirs.
        kind: what it does.
        targets: the messages that a redaction is of, all at once; none in an entry of another kind.
        piece: of an import.
        people: the number of the last head about people that its node knew, if the room is not open to everybody; otherwise 0.
        v: the version of this form.
    """

    by: str
    first: int
    at: int
    epoch: str
    keys: dict[int, str] = {}
    unverified: list[int] = []
    kind: EntryKind = EntryKind.LINES
    targets: list[Target] = []
    piece: Extent | None = None
    people: int = 0
    v: int = VERSION


class Entry(msgspec.Struct, frozen=True):
    """An entry.

    Attributes:
        head: what it says of its messages.
        messages: the lines of each message, with its last LF; a redaction has none, and an import has all its bytes as one.
    """

    head: Head
    messages: Sequence[bytes]

    @property
    def is_batch(self) -> bool:
        """Whether it adds messages that were posted."""
        return self.head.kind is EntryKind.LINES

    @property
    def is_redaction(self) -> bool:
        """Whether it changes messages that are there, and adds none."""
        return self.head.kind is EntryKind.REDACT

    @property
    def last(self) -> int:
        """The id of the room's last message behind it."""
        count = self.head.piece.count if self.head.piece else len(self.messages)
        return self.head.first + count - 1


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Head)


def encode_entry(entry: Entry) -> bytes:
    """The bytes of an entry in the stream."""
    return b"".join((_encoder.encode(entry.head), b"\n", *entry.messages))


def decode_entry(data: bytes) -> Entry:
    """Parse an entry.

    Raises:
        EntryInvalid: if it is none.
    """
    head, _, lines = data.partition(b"\n")
    try:
        decoded = _decoder.decode(head)
    except msgspec.MsgspecError as error:
        raise EntryInvalid(f"an entry cannot be read: {error}") from error
    if decoded.v != VERSION:
        raise EntryInvalid(f"an entry has version {decoded.v}, and this node reads {VERSION}")
    return _READERS[decoded.kind](decoded, lines)


def _batch(head: Head, lines: bytes) -> Entry:
    begins = [found.start() for found in FIRST_LINE.finditer(lines)]
    if not begins or begins[0] or not lines.endswith(b"\n") or head.first < 1:
        raise EntryInvalid("an entry holds no messages")
    places = {*head.keys, *head.unverified}
    if head.targets or head.piece or not places <= {*range(len(begins))}:
        raise EntryInvalid("an entry speaks of messages that it does not hold")
    messages = [lines[begin:end] for begin, end in pairwise([*begins, len(lines)])]
    return Entry(head, messages)


def _redaction(head: Head, lines: bytes) -> Entry:
    are_known = all(1 <= target.first <= target.id < head.first for target in head.targets)
    if lines or not head.targets or not are_known or head.keys or head.unverified or head.piece:
        raise EntryInvalid("a redaction is not of messages before it")
    return Entry(head, ())


def _import(head: Head, data: bytes) -> Entry:
    piece = head.piece
    if piece is None or not data or piece.offset < 0 or head.first < 1:
        raise EntryInvalid("an import says nothing of its place")
    are_flagged = sum(count for count, _ in piece.flags) == piece.count
    are_sound = all(count > 0 and 0 <= flags < FLAGS_BELOW for count, flags in piece.flags)
    if not are_flagged or not are_sound or len(messages_of(data)) != piece.count:
        raise EntryInvalid("an import holds other messages than it says")
    if head.targets or head.keys or head.unverified:
        raise EntryInvalid("an import says more than it can")
    return Entry(head, [data])


_READERS: Final = {EntryKind.LINES: _batch, EntryKind.REDACT: _redaction, EntryKind.IMPORT: _import}
