"""The redactions in a room since it was opened, so that a text that was read earlier is not sent after its redaction. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from besedka.wire.log_line import read_line, tombstone, write_line
from besedka.wire.message import Message


class Redactions:
    """The redacted messages, in the order of their redaction."""

    def __init__(self) -> None:
        # The tombstones' sizes in bytes, by the messages' ids.
        self._sizes: dict[int, int] = {}
        self._before = 0

    def __contains__(self, number: int) -> bool:
        return number in self._sizes

    @property
    def count(self) -> int:
        """The number of redactions; a reader notes it to correct what is redacted meanwhile."""
        return self._before + len(self._sizes)

    def add(self, number: int, size: int) -> bool:
        """Record a message's tombstone of ``size`` bytes. Returns whether it is new."""
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
        """Lines that were read when the count of redactions was ``since``, as they are now."""
        late = frozenset(self.since(since))
        if not late:
            return list(lines)
        return [
            self._corrected(number, line) if number in late else line
            for number, line in zip(ids, lines, strict=True)
        ]

    def clear(self) -> None:
        """The log has been replaced, and with it the meaning of ids."""
        self._before += len(self._sizes)
        self._sizes.clear()

    def _corrected(self, number: int, line: str) -> str:
        was = read_line(line)
        return write_line(Message(was.stamp, was.user, self.text(number)))
