"""What was redacted in a room since it was opened, so that no old text is handed out that was read before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from besedka.wire.log_line import read_line, tombstone, write_line
from besedka.wire.message import Message


class Revisions:
    """Which messages have a tombstone, in the order in which they got it."""

    def __init__(self) -> None:
        # How many bytes the tombstones take, by the messages' ids.
        self._sizes: dict[int, int] = {}
        self._before = 0

    def __contains__(self, number: int) -> bool:
        return number in self._sizes

    @property
    def count(self) -> int:
        """How many there have been; by it one knows what was redacted while one was reading."""
        return self._before + len(self._sizes)

    def add(self, number: int, size: int) -> bool:
        """A message has a tombstone of so many bytes now. Returns whether that is news."""
        if number in self._sizes:
            return False
        self._sizes[number] = size
        return True

    def text(self, number: int) -> str:
        """The tombstone of a message."""
        return tombstone(self._sizes[number])

    def since(self, count: int) -> Iterator[int]:
        """The messages that were redacted after the first ``count``."""
        return islice(self._sizes, max(0, count - self._before), None)

    def corrected(self, ids: Iterable[int], lines: Sequence[str], since: int) -> list[str]:
        """Lines that were read when so many messages had been redacted, as they are now."""
        late = frozenset(self.since(since))
        if not late:
            return list(lines)
        return [
            self._corrected(number, line) if number in late else line
            for number, line in zip(ids, lines, strict=True)
        ]

    def clear(self) -> None:
        """The log is another one: ids mean other messages now."""
        self._before += len(self._sizes)
        self._sizes.clear()

    def _corrected(self, number: int, line: str) -> str:
        was = read_line(line)
        return write_line(Message(was.stamp, was.user, self.text(number)))
