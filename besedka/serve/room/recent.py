"""Recent broadcasts, for subscribers that pull: encoded once for all of them, joined as each needs it. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from besedka.serve.room.broadcast import Broadcast, Encode

RECENT_MESSAGES: Final = 1_000
"""How many recent messages a room keeps encoded, while it has subscribers that pull."""

RECALLED_BYTES: Final = 64 * 1024
"""Approximate size of one recall."""


class RecentBroadcasts:
    """The last messages of a room, as they were broadcast."""

    def __init__(self) -> None:
        # By the id of their first message, oldest first: where a broadcast ends, the next one begins.
        self._broadcasts: OrderedDict[int, Broadcast] = OrderedDict()
        self._messages = 0

    def keep(self, broadcast: Broadcast) -> None:
        """Append a broadcast of messages that follow the ones kept so far."""
        self._broadcasts[broadcast.first] = broadcast
        self._messages += len(broadcast.frames)
        while self._messages > RECENT_MESSAGES and len(self._broadcasts) > 1:
            _, oldest = self._broadcasts.popitem(last=False)
            self._messages -= len(oldest.frames)

    def clear(self) -> None:
        """Forget all broadcasts."""
        self._broadcasts.clear()
        self._messages = 0

    def recall(self, cursor: int, encode: Encode) -> tuple[bytes, int]:
        """The messages from an id on, encoded, and their number; none if no broadcast that is kept starts at the id."""
        parts: list[bytes] = []
        size = count = 0
        while size < RECALLED_BYTES and (broadcast := self._broadcasts.get(cursor + count)):
            parts.append(broadcast.encoded(encode))
            size += len(parts[-1])
            count += len(broadcast.frames)
        return b"".join(parts), count
