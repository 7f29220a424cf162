"""Finding the entry that holds a message, by halving: entries of a room are in the order of their messages."""

from __future__ import annotations

from besedka.serve.cluster.jetstream.stream import Stream
from besedka.serve.cluster.order.batches import size_of
from besedka.serve.cluster.order.entry import Target, decode_entry
from besedka.serve.cluster.order.redaction.fixed import FixedEntries
from besedka.serve.history import Subject


async def locate(stream: Stream, fixed: FixedEntries, room: str, subject: Subject) -> Target | None:
    """Find the entry of a message that is to be redacted; None if there is none.

    It takes about as many questions as the number of entries has binary digits.

    Args:
        stream: the order.
        fixed: the entries in which texts were redacted before.
        room: the room.
        subject: the message. Its size is that in the order, if this node's log has another one.

    Raises:
        TimeoutError: if the stream does not answer.
    """
    number = subject.number
    begin, found = 1, None
    end, _ = await stream.last_of(room)
    while begin <= end:
        middle = (begin + end) // 2
        following = await stream.next_of(room, middle)
        entry = decode_entry(following[1]) if following and following[0] <= end else None
        if following and entry and entry.head.first <= number:
            begin, found = following[0] + 1, (following[0], entry)
        else:
            end = middle - 1
    sequence, entry = found or (0, None)
    if entry is None or entry.last < number:
        sequence, entry = 0, await fixed.holding(room, number)
    return Target(number, size_of(entry, number), entry.head.first, sequence) if entry else None
