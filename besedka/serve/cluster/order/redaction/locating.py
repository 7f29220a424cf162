"""Finding the entry that holds a message, by halving: entries of a room are in the order of their messages."""

from __future__ import annotations

from besedka.serve.cluster.jetstream.stream import Stream
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
        subject: the message.

    Raises:
        TimeoutError: if the stream does not answer.
    """
    number, size = subject.number, subject.size
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
    if found and found[1].last >= number:
        return Target(number, size, found[1].head.first, found[0])
    replaced = await fixed.holding(room, number)
    return Target(number, size, replaced.head.first, 0) if replaced else None
