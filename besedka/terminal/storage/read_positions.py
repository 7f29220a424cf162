"""The read positions of direct rooms on disk, so that messages posted while the user was away count as new.

One small file in the state folder for all chats, one line for each room: the id of the last message read, its epoch, the room and the
URL of the chat, separated by TABs; the most recently read rooms come last. Several terminals of one person merge their positions: none
moves a position back. A server decides how many rooms it has, but not how many positions of other chats are stored: what is too much is
dropped from the chat that has the most.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from besedka.home import read_rows, write_rows

ROOMS_AT_MOST: Final = 1_000
"""Rooms that are stored. Beyond that, the chat with the most of them loses the least recently read, and no other chat loses any."""

_FIELDS: Final = 4
_NUMBER: Final = re.compile(r"[0-9]{1,16}")

Row = tuple[str, str, str, str]

Position = tuple[int, str]
"""The id of the last message read, and its epoch."""


class ReadPositions:
    """The read positions of one chat.

    Args:
        path: the file.
        url: the chat's URL.
    """

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url
        self._positions: dict[str, Position] = {}
        self._changed: dict[str, Position] = {}

    def load(self) -> None:
        """Read the file.

        Raises:
            OSError: if it cannot be read.
        """
        stored = self._stored().items()
        self._positions = {room: position for (url, room), position in stored if url == self._url}

    def get(self, room: str) -> Position | None:
        """The read position of a room; None if it is unknown."""
        return self._positions.get(room)

    def set(self, room: str, position: Position) -> None:
        """Set the read position of a room; ignored while no message was read."""
        number, epoch = position
        if number and epoch and self._positions.get(room) != position:
            self._positions.pop(room, None)
            self._positions[room] = self._changed[room] = position

    def save(self) -> None:
        """Merge the changed positions into the file.

        Raises:
            OSError: if it cannot be read or written.
        """
        if not self._changed:
            return
        stored = self._stored()
        for room, (number, epoch) in self._changed.items():
            other_number, other_epoch = stored.pop((self._url, room), (0, ""))
            newest = max(number, other_number) if epoch == other_epoch else number
            stored[self._url, room] = (newest, epoch)
        rows = [(str(number), epoch, room, url) for (url, room), (number, epoch) in stored.items()]
        write_rows(self._path, within_shares(rows, ROOMS_AT_MOST))
        self._changed.clear()
        self._positions = dict([*self._positions.items()][-ROOMS_AT_MOST:])

    def _stored(self) -> dict[tuple[str, str], Position]:
        rows = read_rows(self._path, fields=_FIELDS, fits=lambda row: _NUMBER.fullmatch(row[0]) is not None)
        return {(url, room): (int(number), epoch) for number, epoch, room, url in rows}


def within_shares(rows: Sequence[Row], at_most: int) -> list[Row]:
    """The rows that are kept of these, in their order: each time that there is one too many, the chat that has the most loses its first one.

    Args:
        rows: the last field is the URL of the chat.
        at_most: the number of rows to keep.
    """
    counts = Counter(row[-1] for row in rows)
    excess = Counter[str]()
    for _ in range(len(rows) - at_most):
        (url, _), *_ = counts.most_common(1)
        counts[url] -= 1
        excess[url] += 1
    kept = []
    for row in rows:
        if excess[row[-1]]:
            excess[row[-1]] -= 1
        else:
            kept.append(row)
    return kept
