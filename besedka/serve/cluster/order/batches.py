"""Entries of the stream as the committer takes them, and the entries that this node offers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import groupby

from msgspec import structs

from besedka.serve.cluster.order.entry import ENTRY_BYTES_AT_MOST, Entry, EntryKind, Extent, Head, Target
from besedka.serve.cluster.order.room_order import Received
from besedka.serve.history import Flag, Piece, covered, messages_of
from besedka.serve.room import Batch, Draft, Position, StampedBatch
from besedka.wire.log_line import read_line, show_line, stamp
from besedka.wire.message import Message, MessageId


def entry_of(head: Head, drafts: Sequence[Draft], zone: tzinfo | None) -> tuple[Entry, Sequence[Draft]]:
    """An entry of as many drafts as fit into one, and these.

    Args:
        head: its token, place, time and epoch.
        drafts: what was posted.
        zone: of the log's times.
    """
    messages: list[bytes] = []
    size = 0
    for line in Batch(drafts, head.at, stamp(head.at, zone)).lines():
        message = f"{line}\n".encode()
        size += len(message)
        if messages and size > ENTRY_BYTES_AT_MOST:
            break
        messages.append(message)
    offered = drafts[: len(messages)]
    keys = {place: draft.message.key for place, draft in enumerate(offered) if draft.message.key}
    unverified = [place for place, draft in enumerate(offered) if not draft.verified]
    return Entry(structs.replace(head, keys=keys, unverified=unverified), messages), offered


def redaction_of(head: Head, targets: Iterable[Target]) -> Entry:
    """An entry that redacts messages.

    Args:
        head: its token, place, time and epoch.
        targets: the messages.
    """
    return Entry(structs.replace(head, kind=EntryKind.REDACT, targets=[*targets]), ())


def import_of(head: Head, piece: Piece, *, more: bool) -> Entry:
    """An entry of a piece of a log that is taken over.

    Args:
        head: its token, place, time and epoch.
        piece: the piece.
        more: whether another one follows.
    """
    flags = [(len([*run]), int(flag)) for flag, run in groupby(piece.flags)]
    place = Extent(piece.offset, len(piece.flags), flags, more)
    return Entry(structs.replace(head, kind=EntryKind.IMPORT, piece=place), [piece.data])


def piece_of(imported: Entry) -> Piece:
    """The piece of a log in an import.

    Raises:
        ValueError: if it is none.
    """
    place = imported.head.piece
    if place is None:
        raise ValueError("not an import")
    flags = [Flag(flag) for count, flag in place.flags for _ in range(count)]
    return Piece(place.offset, imported.head.first, imported.messages[0], flags)


def without_text(entry: Entry, number: int) -> Entry:
    """An entry with the tombstone of one of its messages."""
    place = number - entry.head.first
    if not entry.head.piece:
        messages = [*entry.messages]
        messages[place] = covered(messages[place])
        return Entry(entry.head, messages)
    [data] = entry.messages
    begin, end = messages_of(data)[place]
    return Entry(entry.head, [data[:begin] + covered(data[begin:end]) + data[end:]])


def size_of(entry: Entry, number: int) -> int:
    """The size of one of an entry's messages in the log, in bytes with all line ends."""
    place = number - entry.head.first
    if not entry.head.piece:
        return len(entry.messages[place])
    [data] = entry.messages
    begin, end = messages_of(data)[place]
    return end - begin


def own_batch(entry: Entry, drafts: Sequence[Draft], *, is_fixed: bool) -> Batch:
    """The drafts that were offered in an entry.

    Args:
        entry: the entry, as the stream has it.
        drafts: the drafts.
        is_fixed: whether texts in it were redacted before it came back.
    """
    if is_fixed:
        texts = [read_line(show_line(raw)).text for raw in entry.messages]
        drafts = [
            replace(draft, message=structs.replace(draft.message, text=text))
            for draft, text in zip(drafts, texts, strict=True)
        ]
    return Batch(drafts, entry.head.at, read_line(show_line(entry.messages[0])).stamp)


def batch_of(taken: Sequence[Received], count: int, *, keeps_names: bool) -> StampedBatch:
    """The messages of entries behind the first ``count`` ones of the room, which are in the log already."""
    drafts: list[Draft] = []
    positions: list[Position] = []
    for received in taken:
        head = received.entry.head
        for place, raw in enumerate(received.entry.messages):
            number = head.first + place
            if number <= count:
                continue
            line, key, is_verified = (
                read_line(show_line(raw)),
                head.keys.get(place, ""),
                place not in head.unverified,
            )
            message = Message("", line.user, line.text, key=key, unverified=keeps_names and not is_verified)
            drafts.append(Draft(message, is_verified, identity=(line.user, key)))
            positions.append(Position(MessageId(number), head.at, line.stamp))
    return StampedBatch.of(drafts, positions)
