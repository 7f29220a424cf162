"""The agreement with other nodes on what is written about people; a single server has none, and decides alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from besedka.serve.people.agreed_rows import RowKey, Taken
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.table import Table


class Agreement(Protocol):
    """Agrees with others on changes, before they are written."""

    def note_recorded(self, entries: Sequence[AuditEntry]) -> None:
        """Note the entries of the audit log that this node's file has at the start."""

    def is_shared(self, table: Table[Any]) -> bool:
        """Whether the rows of a table are shared."""

    def unit(self, row_keys: Iterable[RowKey]) -> AbstractContextManager[None]:
        """A block that waits until changes are agreed and written.

        Raises:
            Refused: at its end, if another node was faster and they do not hold any more; then they are taken back.
        """

    def look(self, table: Table[Any]) -> None:
        """Take the differences in a table that was edited by hand as changes of this node."""

    def reached(self) -> int:
        """How far the changes of others are in the tables by now, for `written`."""

    async def agree(self) -> None:
        """Agree on all changes in flight; those that do not hold are taken back.

        Raises:
            Refused: `out_of_reach`, `going_down`.
        """

    def written(self, reached: int) -> None:
        """Note that everything up to there is in the files."""

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Agree on entries of the audit log; they are in this node's file then.

        Raises:
            Refused: `out_of_reach`, `going_down`.
        """

    def finish(self) -> None:
        """Have the last changes decided soon, because the server stops."""


class Listener(Protocol):
    """The directory, as an agreement sees it."""

    async def write_audit(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log on which all have agreed.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """

    def take_act(self, entry: AuditEntry) -> None:
        """Put in force what was recorded at another node."""

    def take_changes(self, taken: Sequence[Taken]) -> None:
        """Act on changes that another node has made."""


AgreementMaker = Callable[[Mapping[str, Table[Any]], Listener], Agreement]
"""Makes the agreement about tables, given by the names of their files."""
