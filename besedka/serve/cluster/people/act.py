"""An entry of the audit log on its way to this node's file."""

from __future__ import annotations

import asyncio

from besedka.serve.people.audit_entry import AuditEntry


class Act:
    """Such an entry.

    Attributes:
        sequence: the number of its message; 0 before it is known.
        entry: the entry.
        is_written: whether the file has it.
        is_in_force: whether it has taken effect here.
        recorded: done when it is in the file, or could not be written; of an act of another node None.
    """

    def __init__(
        self, entry: AuditEntry, recorded: asyncio.Future[None] | None = None, *, is_written: bool = False
    ) -> None:
        self.sequence = 0
        self.entry = entry
        self.is_written = is_written
        self.is_in_force = is_written
        self.recorded = recorded
