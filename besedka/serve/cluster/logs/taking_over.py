"""Taking over a history: a node that comes with logs which the cluster does not have gives them to it, before it serves anybody.

Each log goes into its room's subject in pieces, byte for byte, each behind the one before it (compare-and-set), the first one only if the room has no entry at all. All pieces but the last say that another one
follows: until it has come nobody stores anything in the room. A node that was killed on the way goes on where the stream ends, and so does another one with the same log, also at the same time.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable

from besedka.serve.chat import OpenRooms
from besedka.serve.cluster.jetstream.stream import Stream, subject_of
from besedka.serve.cluster.logs.lost_messages import last_of
from besedka.serve.cluster.order.batches import import_of, piece_of
from besedka.serve.cluster.order.entry import Entry, Head, decode_entry, encode_entry
from besedka.serve.cluster.order.room_rights import RoomRights
from besedka.serve.errors import ClusterUnusable
from besedka.serve.history import ChatHistory, Piece
from besedka.serve.log_event import event
from besedka.serve.room import Room
from besedka.wire.errors import Refused

log = logging.getLogger(__name__)


async def take_over(stream: Stream, rooms: OpenRooms, rights: RoomRights, names: Iterable[str]) -> None:
    """Give the cluster the logs of those rooms that it does not have.

    Args:
        stream: the stream.
        rooms: opens the rooms.
        rights: the rights in them.
        names: the rooms.

    Raises:
        ClusterUnusable, HistoryUnusable: if a log cannot be taken over.
    """
    for name in names:
        _, last = await _last(stream, name)
        if last is None or _has_more(last):
            room = await _opened(rooms, name)
            with rooms.held(room):
                await _give(stream, name, rooms.history(room), rights.needed(name))


async def _opened(rooms: OpenRooms, name: str) -> Room:
    try:
        return await rooms.for_server(name)
    except Refused as refusal:
        raise ClusterUnusable(f"the log of the room {name} cannot be opened to be taken over") from refusal


async def _give(stream: Stream, name: str, history: ChatHistory, people: int) -> None:
    """Give the cluster one log."""
    size, is_given = history.body.size, False
    while size:
        number, last = await _last(stream, name)
        if last and not _has_more(last):
            break  # another node has given the rest, or has begun the room
        behind = await _same(name, history, last) if last else None
        offset, first = (behind.end, behind.next) if behind else (0, 1)
        is_given = True
        accepted: int | None = number
        while accepted is not None and offset < size:
            piece = await asyncio.to_thread(history.piece, offset, first)
            head = Head(secrets.token_hex(8), piece.first, 0, history.epoch, people=people)
            entry = import_of(head, piece, more=piece.end < size)
            accepted = await _publish(stream, name, entry, accepted)
            offset, first = piece.end, piece.next
    if is_given:
        log.info(
            "the cluster has taken over the log of room %s, messages: %d",
            name,
            history.count,
            extra=event("taken_over", room=name, messages=history.count),
        )


async def _publish(stream: Stream, name: str, entry: Entry, behind: int) -> int | None:
    """Publish an entry. Returns its number; None if it is not known whether it was accepted, or another entry was before it."""
    try:
        return await stream.connection.publish(subject_of(name), encode_entry(entry), behind)
    except TimeoutError:
        return None


async def _same(name: str, history: ChatHistory, last: Entry) -> Piece:
    """The piece of this log that was given last.

    Raises:
        ClusterUnusable: if it is that of another log.
    """
    given = piece_of(last)
    if last.head.epoch == history.epoch and given.end < history.body.size:
        own = await asyncio.to_thread(history.piece, given.offset, given.first)
        if own == given:
            return own
    raise ClusterUnusable(
        f"it has begun to take over another log of the room {name} than {history.path}: start the node that has that one"
    )


async def _last(stream: Stream, name: str) -> tuple[int, Entry | None]:
    number, data = await last_of(stream, name)
    return number, decode_entry(data) if number else None


def _has_more(entry: Entry) -> bool:
    return entry.head.piece is not None and entry.head.piece.more
