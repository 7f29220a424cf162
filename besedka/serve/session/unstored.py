"""The order of messages that were refused for now after they had been accepted: no later one may be stored before them. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

KEYS_AT_MOST: Final = 256
"""More than a client of ours has in flight."""

REMEMBERED_SECONDS: Final = 30.0
"""Messages in flight arrive sooner; and a client may have given one up, and is to be able to post again."""


class Unstored:
    """The keys of a poster's messages that were refused for now, in their order.

    The poster sends all of them again, in order, behind what was in flight. Any of them may have been stored after all: its order was asked for, and
    the answer came too late.
    """

    __slots__ = ("_keys", "_until")

    def __init__(self) -> None:
        self._keys: deque[str] = deque(maxlen=KEYS_AT_MOST)
        self._until = 0.0

    def note(self, key: str, now: float) -> None:
        """Note that a message was refused.

        Args:
            key: its key; without one it cannot be recognised.
            now: seconds of a monotonic clock.
        """
        if key:
            self._keys.append(key)
            self._until = now + REMEMBERED_SECONDS

    def is_behind(self, key: str, is_known: Callable[[str], bool], now: float) -> bool:
        """Whether a message must wait until an earlier one has come again; then it is noted, too.

        Args:
            key: its key.
            is_known: whether the message with a key is stored, or about to be.
            now: as in `note`.
        """
        if not (key and self._keys):
            return False
        while self._keys and is_known(self._keys[0]):
            self._keys.popleft()
        if self._keys and key != self._keys[0] and now < self._until:
            self.note(key, now)
            return True
        # What follows the first one that comes again follows it in order.
        self._keys.clear()
        return False
