"""Events that wait to be read, with bounds of their number and of the memory that they take. Pure.

A message is a line or 64 KiB, and a character takes up to four bytes: a number alone bounds nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from sys import getsizeof
from typing import Final, Generic, TypeVar

import msgspec

from besedka.remote.room.events import Event, ReceivedMessage

E = TypeVar("E", bound=Event)

MESSAGE_BYTES: Final = 512
"""Memory of a message beside its text and its author; approximately also that of any other event beside its texts."""


def held_bytes(event: Event) -> int:
    """The memory that an event takes, in bytes."""
    if isinstance(event, ReceivedMessage):
        return MESSAGE_BYTES + getsizeof(event.text) + getsizeof(event.user)
    return MESSAGE_BYTES + _bytes_of(event)


def _bytes_of(value: object) -> int:
    if isinstance(value, msgspec.Struct):
        return sum(_bytes_of(getattr(value, field)) for field in value.__struct_fields__)
    if isinstance(value, list):
        return getsizeof(value) + sum(map(_bytes_of, value))
    return getsizeof(value)


class Backlog(Generic[E]):
    """Events in their order.

    Args:
        number_at_most: their number from which on it is full.
        bytes_at_most: the memory that they take from which on it is full.
    """

    def __init__(self, number_at_most: int, bytes_at_most: int) -> None:
        self._number_at_most = number_at_most
        self._bytes_at_most = bytes_at_most
        self._events: deque[tuple[E, int]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[E]:
        return (event for event, _ in self._events)

    @property
    def held_bytes(self) -> int:
        """The memory that its events take, in bytes."""
        return self._bytes

    @property
    def is_full(self) -> bool:
        """Whether no more should be added."""
        return len(self._events) >= self._number_at_most or self._bytes >= self._bytes_at_most

    @property
    def is_overfull(self) -> bool:
        """Whether its events take more memory than they should, and are not only one."""
        return len(self._events) > 1 and self._bytes > self._bytes_at_most

    def add(self, event: E) -> None:
        """Add an event, also if there are too many: what one frame has brought is not torn apart."""
        size = held_bytes(event)
        self._events.append((event, size))
        self._bytes += size

    def add_newest(self, event: E) -> None:
        """Add an event, and drop the oldest ones instead of holding too many."""
        while self._events and self.is_full:
            self.take()
        self.add(event)

    def take(self) -> E:
        """Remove and return the oldest event."""
        event, size = self._events.popleft()
        self._bytes -= size
        return event

    def take_newest(self) -> E:
        """Remove and return the newest event."""
        event, size = self._events.pop()
        self._bytes -= size
        return event

    def clear(self) -> None:
        """Remove all events."""
        self._events.clear()
        self._bytes = 0

    def change(self, is_it: Callable[[E], bool], changed: Callable[[E], E]) -> None:
        """Replace the events for which something holds by what a function makes of them."""
        for index, (event, size) in enumerate(self._events):
            if is_it(event):
                new = changed(event)
                self._events[index] = (new, held_bytes(new))
                self._bytes += held_bytes(new) - size
