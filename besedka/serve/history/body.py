"""What is known of a log: the file, how far it is read, where its messages are; and how they are read by that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from besedka.serve.history import scan
from besedka.serve.history.file import Descriptor
from besedka.serve.history.index import Places
from besedka.serve.history.search import Block
from besedka.wire.line import MessageId, show_line

LATEST_MESSAGES: Final = 10
"""How many messages stay in memory, for newcomers."""

PAGE_BYTES: Final = 32 * 1024
"""A page ends after the message with which it grows past this: one who does not read has one of them in his buffer."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The last messages of a log, at one moment.

    Attributes:
        first: the id of the first of them.
        lines: their lines, oldest first.
    """

    first: int
    lines: tuple[str, ...]


class Body:
    """The file and where its messages are; exchanged as a whole when other hands have changed the file.

    Attributes:
        file: the log.
        size: how much of it is read.
        start: where the first message begins.
        count: how many messages there are.
        places: where they are.
    """

    __slots__ = ("count", "file", "places", "size", "start")

    def __init__(self, log_file: Descriptor) -> None:
        self.file = log_file
        self.size = log_file.size
        self.start = 0
        self.count = 0
        self.places = Places()

    def read(self, first: int, limit: int) -> list[str]:
        """The lines of up to ``limit`` messages from the id ``first`` on, as `ChatHistory.read` gives them."""
        first = max(first, 1)
        if first > self.count or limit < 1:
            return []
        number, offset = self.places.before(first)
        page: list[str] = []
        size = 0
        for raw in scan.messages(self.file, offset, self.size):
            if number >= first:
                page.append(show_line(raw))
                size += len(raw)
                if len(page) == limit or size > PAGE_BYTES:
                    break
            number += 1
        return page

    def backwards(self, before: int) -> Iterator[Block]:
        """The log in blocks, from the one with the message before this id to the first."""
        if before > 1:
            for number, offset, end in self.places.backwards(before - 1, self.size):
                yield Block(number, self.file.read(offset, end - offset))

    def add(self, batch: Sequence[bytes]) -> MessageId:
        """Messages were written behind those that are known. Returns the id of the first one."""
        first = MessageId(self.count + 1)
        for number, message in enumerate(batch, first):
            self.places.note(number, self.size)
            self.size += len(message)
        self.count += len(batch)
        return first

    def latest(self) -> Latest:
        """Its last messages."""
        first = max(1, self.count - LATEST_MESSAGES + 1)
        lines: list[str] = []
        # A page may end early because of its size.
        while page := self.read(first + len(lines), LATEST_MESSAGES):
            lines += page
        return Latest(first, tuple(lines))
