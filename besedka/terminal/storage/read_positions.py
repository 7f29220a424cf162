"""How far one has read in one's talks of two, kept on disk: what is said there while one is away is new the next time.

One small file in the state folder for all chats, a line for each talk: the id of the last message that was read, its epoch, the room and
the chat, with TABs between them; those that were read last stand at the end. Several terminals of one person write it by turns,
and none of them takes back what another has read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from besedka.home import write_private

TALKS_AT_MOST: Final = 1_000
"""Talks that are known; those in which nothing was read for longest are forgotten."""

_FIELDS: Final = 4

Cursor = tuple[int, str]
"""The id of the last message that was read, and its epoch."""


class Reading:
    """How far one has read in one chat.

    Args:
        path: the file.
        url: the chat.
    """

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url
        self._read: dict[str, Cursor] = {}
        self._moved: dict[str, Cursor] = {}

    def load(self) -> None:
        """Take in what is kept.

        Raises:
            OSError: if it cannot be read.
        """
        self._read = {room: cursor for (url, room), cursor in self._kept().items() if url == self._url}

    def of(self, room: str) -> Cursor | None:
        """How far one has read in a talk; None if nobody knows."""
        return self._read.get(room)

    def move(self, room: str, cursor: Cursor) -> None:
        """One has read so far in it."""
        number, epoch = cursor
        if number and epoch and self._read.get(room) != cursor:
            self._read[room] = self._moved[room] = cursor

    def keep(self) -> None:
        """Keep it.

        Raises:
            OSError: if it cannot be kept.
        """
        if not self._moved:
            return
        kept = self._kept()
        for room, (number, epoch) in self._moved.items():
            other_number, other_epoch = kept.pop((self._url, room), (0, ""))
            read_to = max(number, other_number) if epoch == other_epoch else number
            kept[self._url, room] = (read_to, epoch)
        lines = [f"{number}\t{epoch}\t{room}\t{url}\n" for (url, room), (number, epoch) in kept.items()]
        write_private(self._path, "".join(lines[-TALKS_AT_MOST:]))
        self._moved.clear()

    def _kept(self) -> dict[tuple[str, str], Cursor]:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return {}
        lines = [line.split("\t") for line in text.split("\n")]
        return {
            (url, room): (int(number), epoch)
            for number, epoch, room, url in (line for line in lines if len(line) == _FIELDS)
            if number.isdecimal()
        }
