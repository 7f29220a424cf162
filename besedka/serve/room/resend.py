"""The resend rule: a message that is said again after a reconnect is the one that the log already has.

The server knows recent messages by their keys. Where it has forgotten (it was restarted), the log decides: a message by
that name, with that text, later than the last one that its sender had seen when he said it first, and not yet matched on
this connection, *is* that message. It may have been redacted meanwhile: then a tombstone of the same length is that message,
so that what was taken away does not come back with its sender. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from hashlib import sha256

from besedka.wire.log_line import tombstone, written_bytes
from besedka.wire.message import Message


class PostedBefore:
    """What one name has said in a room later than an id, for one connection; each message is matched once.

    Attributes:
        after: the id; for what was said later, ask anew.
    """

    def __init__(self, after: int, messages: Iterable[tuple[int, Message]]) -> None:
        self.after = after
        self._by_text: defaultdict[bytes, list[tuple[int, str]]] = defaultdict(list)
        for number, line in messages:
            self._by_text[_digest(line.text)].append((number, line.stamp))

    def take(self, text: str, after: int, is_other: Callable[[int], bool]) -> tuple[int, Message] | None:
        """The first message with this text, later than ``after``, that is no other for certain and not matched yet."""
        for found in (text, tombstone(written_bytes(text))):
            candidates = self._by_text.get(_digest(found), [])
            for place, (number, stamp) in enumerate(candidates):
                if number > after and not is_other(number):
                    del candidates[place]
                    return number, Message(stamp, "", found)
        return None


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
