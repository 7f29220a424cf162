"""Recent broadcasts, for subscribers that pull and are behind: encoded once for all of them, joined as each needs it. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from besedka.serve.room.broadcast import Broadcast, Encode

RECENT_BYTES: Final = 8 * 1024 * 1024
"""Approximate memory of the recent broadcasts of all rooms together: more than 10 000 usual messages."""

RECENT_OVERHEAD_BYTES: Final = 500
"""Approximate memory of a recent broadcast, beside its bytes."""

RECALLED_BYTES: Final = 64 * 1024
"""Most bytes that a recall joins; a single broadcast may be larger, and is not copied."""

_Key = tuple[Encode, int]  # the kind of door, and the id of the first message


class _Recent(NamedTuple):
    """A broadcast, encoded, and the number of its messages."""

    data: bytes
    messages: int


class RecentMemory:
    """The recent broadcasts of all rooms. If they take too much, the oldest are forgotten, and those who need them read the log.

    Args:
        limit: their approximate memory; `RECENT_BYTES` if None.

    Attributes:
        size: their approximate memory now.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.size = 0
        self._limit = RECENT_BYTES if limit is None else limit
        # Their sizes, the oldest first.
        self._sizes: OrderedDict[tuple[RecentBroadcasts, _Key], int] = OrderedDict()

    def add(self, room: RecentBroadcasts, key: _Key, data: bytes) -> None:
        """Count a broadcast that a room keeps, and have the oldest forgotten while these are too much."""
        size = self._sizes[room, key] = len(data) + RECENT_OVERHEAD_BYTES
        self.size += size
        while self.size > self._limit:
            oldest = next(iter(self._sizes))
            oldest[0].forget(oldest[1])

    def remove(self, room: RecentBroadcasts, key: _Key) -> None:
        """Count a broadcast no more."""
        self.size -= self._sizes.pop((room, key))


class RecentBroadcasts:
    """The recent messages of a room, as they were broadcast.

    Args:
        memory: the recent broadcasts of all rooms.
    """

    def __init__(self, memory: RecentMemory) -> None:
        self._memory = memory
        # Where a broadcast ends, the next one begins.
        self._kept: dict[_Key, _Recent] = {}

    def keep(self, broadcast: Broadcast, encodes: Iterable[Encode]) -> None:
        """Keep a broadcast of messages that follow the ones before, in these encodings."""
        for encode in encodes:
            data, key = broadcast.encoded(encode), (encode, broadcast.first)
            self._kept[key] = _Recent(data, len(broadcast.frames))
            self._memory.add(self, key, data)

    def forget(self, key: _Key) -> None:
        """Forget a broadcast."""
        del self._kept[key]
        self._memory.remove(self, key)

    def clear(self) -> None:
        """Forget all broadcasts."""
        for key in [*self._kept]:
            self.forget(key)

    def recall(self, cursor: int, encode: Encode) -> tuple[bytes, int]:
        """The messages from an id on, encoded, and their number; none if no broadcast that is kept starts at the id."""
        parts: list[bytes] = []
        size = count = 0
        while found := self._kept.get((encode, cursor + count)):
            size += len(found.data)
            if parts and size > RECALLED_BYTES:
                break
            parts.append(found.data)
            count += found.messages
        return b"".join(parts), count
