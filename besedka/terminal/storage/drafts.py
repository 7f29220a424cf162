"""Drafts on disk: lines that were typed and not sent when a session ended, as when its window was closed.

One small file in the state folder for all chats, one line for each room: its URL, the room, and the draft as JSON, separated by TABs; the
latest come last. A draft belongs to the terminal that takes it: then it is in the file no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from besedka.home import read_rows, write_rows

DRAFTS_AT_MOST: Final = 100
"""Drafts that are stored, of all chats; the oldest ones are dropped."""

_FIELDS: Final = 3


class Drafts:
    """The drafts of one chat.

    Args:
        path: the file.
        url: the chat's URL.
    """

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url

    def take(self, room: str) -> str:
        """Remove the draft of a room from the file. Returns it; empty if there is none.

        Raises:
            OSError: if the file cannot be read or written.
        """
        stored = self._stored()
        draft = stored.pop((self._url, room), "")
        if draft:
            self._write(stored)
        return draft

    def keep(self, drafts: Mapping[str, str]) -> None:
        """Store drafts, by room.

        Raises:
            OSError: if the file cannot be read or written.
        """
        if not drafts:
            return
        stored = self._stored()
        for room, draft in drafts.items():
            stored.pop((self._url, room), None)
            stored[self._url, room] = draft
        self._write(stored)

    def _stored(self) -> dict[tuple[str, str], str]:
        rows = read_rows(self._path, fields=_FIELDS, fits=_is_draft)
        return {(url, room): json.loads(draft) for url, room, draft in rows}

    def _write(self, stored: Mapping[tuple[str, str], str]) -> None:
        rows = [(url, room, json.dumps(draft)) for (url, room), draft in stored.items()]
        write_rows(self._path, rows[-DRAFTS_AT_MOST:])


def _is_draft(row: Sequence[str]) -> bool:
    try:
        return isinstance(json.loads(row[-1]), str)
    except ValueError:
        return False
