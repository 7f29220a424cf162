"""The names that a person ignores in one chat, on disk; the chat itself learns nothing of it.

One small file in the state folder for all chats, one line for each name: the URL of the chat and the name, separated by a TAB. Terminals that
run at the same time add to each other's names; each sees those of the others from its next start on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from besedka.home import read_rows, write_rows

_FIELDS: Final = 2


class IgnoredNames:
    """The ignored names of one chat, in whatever case. What cannot be stored holds for the session.

    Args:
        path: the file; None if nothing can be stored.
        url: the chat's URL.
        failed: called with the error when the file cannot be read or written.
    """

    def __init__(self, path: Path | None, url: str, failed: Callable[[OSError], None]) -> None:
        self._path = path
        self._url = url
        self._failed = failed
        self._names: dict[str, str] = {}
        try:
            self._names = {name.casefold(): name for where, name in self._stored() if where == url}
        except OSError as error:
            failed(error)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.casefold() in self._names

    @property
    def names(self) -> list[str]:
        """The names, as they were given."""
        return [*self._names.values()]

    def add(self, name: str) -> None:
        """Ignore a name from now on."""
        self._names[name.casefold()] = name
        self._store(name, is_ignored=True)

    def remove(self, name: str) -> bool:
        """Ignore a name no longer; False if it was not ignored."""
        was_ignored = self._names.pop(name.casefold(), None) is not None
        if was_ignored:
            self._store(name, is_ignored=False)
        return was_ignored

    def _stored(self) -> list[list[str]]:
        return read_rows(self._path, fields=_FIELDS) if self._path else []

    def _store(self, name: str, *, is_ignored: bool) -> None:
        if self._path is None:
            return
        try:
            others = [
                row for row in self._stored() if row[0] != self._url or row[1].casefold() != name.casefold()
            ]
            write_rows(self._path, [*others, *([[self._url, name]] if is_ignored else [])])
        except OSError as error:
            self._failed(error)
