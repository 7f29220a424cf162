"""The index of a log, as far as there is one: a help, not a need. Without it the log is read from the start next time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from besedka.serve.history.file import FULL, reason
from besedka.serve.history.index import Index, Record, index_path

log = logging.getLogger(__name__)


class Sidecar:
    """It stands beside the log.

    Args:
        path: of the log.

    Attributes:
        index: None if there is none, or none that is of use.
    """

    __slots__ = ("_path", "index")

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self.index: Index | None = None
        try:
            self.index = Index(index_path(path), read_only=read_only)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.warning("the index of %s is of no use: %s", path, error)

    def create(self, epoch: str, start: int) -> None:
        """Begin another one, of a log whose first message begins at ``start``."""
        self.drop()
        try:
            self.index = Index.create(index_path(self._path), epoch, start)
        except OSError as error:
            log.warning("no index for %s: %s", self._path, reason(error))

    def add(self, records: Sequence[Record], *, sync: bool = False) -> None:
        """Add to the index if there is one.

        Raises:
            OSError: if there is no room; then there is none for the log either.
        """
        if self.index is None or not records:
            return
        try:
            self.index.add(records, sync=sync)
        except ValueError as error:
            log.warning("no index for %s: %s", self._path, error)
            self.drop()
        except OSError as error:
            if error.errno in FULL:
                raise
            log.warning("no index for %s any more: %s", self._path, reason(error))
            self.drop()

    def cut(self, count: int) -> None:
        """Forget what is behind the first ``count`` messages.

        Raises:
            OSError: as the system says it.
        """
        if self.index:
            self.index.cut(count)

    def drop(self) -> None:
        """Go on without one."""
        if self.index:
            self.index.close()
        self.index = None
