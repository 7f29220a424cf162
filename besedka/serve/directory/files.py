"""The small files about people, kept in step with what the server knows: one thread reads and writes them.

Tables change in the event loop's thread. Awaited changes are written by group commit: the next batch gathers while one is
being written, and all its waiters share one write and one sync. Other changes, and external edits, are handled once a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from besedka.serve.directory.agreement import Agreement
from besedka.serve.directory.audit import Audit
from besedka.serve.directory.table_file import TableFile
from besedka.serve.errors import AuditLost
from besedka.serve.limits.descriptors import SPARE_DESCRIPTORS
from besedka.serve.log_event import event
from besedka.serve.people.audit_entry import UNTIL, AuditEntry
from besedka.serve.people.table import Table
from besedka.serve.repeated_error import RepeatedError
from besedka.serve.threads import Threads
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)

BURST_SECONDS: Final = 0.1
"""A change that follows the last batch within this time is one of many: its batch gathers first, and for at most this time. A lone
change is written at once."""

GATHER_SECONDS: Final = 0.004
"""A batch stops gathering when nothing has come for this time. Thousands of newcomers cost some dozens of syncs, and a tenth of a
second at the first join goes unnoticed."""

CLOSE_SECONDS: Final = 0.5
"""How long the end of the server waits until the files are closed: a write that is in progress takes milliseconds, or hangs."""

Change = tuple[Table[Any], str]
"""A table, and the key of a row of it that was put or dropped."""


class Files:
    """All files about people.

    Args:
        folder: their folder.
        tables: their contents, by file name. A change to several of them is written in this order.
        adopted: called after a table has taken an external edit.
        agreement: with other nodes; None if there are none.
    """

    def __init__(
        self,
        folder: Path,
        tables: Mapping[str, Table[Any]],
        adopted: Callable[[], None],
        agreement: Agreement | None = None,
    ) -> None:
        self._audit = Audit(folder)
        self._agreement = agreement
        self._adopted = adopted
        self._table_files = {
            table: TableFile(folder / name, table, self._in_thread, self._note_edit)
            for name, table in tables.items()
        }
        self._thread = Threads(1, "besedka-people")
        self._loop = asyncio.get_running_loop()
        self._unrecorded = RepeatedError(log)
        self._writing = asyncio.Lock()
        self._committing: asyncio.Task[None] | None = None
        self._reconciling: set[asyncio.Task[None]] = set()
        # The number of calls that have waited for a batch; and whether one of the present calls must not wait for others.
        self._waited = 0
        self._urgent = asyncio.Event()
        self._written_at = float("-inf")

    async def read(self) -> list[AuditEntry]:
        """Read all files, and return the audit entries.

        Raises:
            RecordUnusable: if one of them exists and cannot be read.
            FolderInUse: if another server uses the folder.
        """
        entries: list[AuditEntry] = await self._in_thread(self._audit.open)
        for table_file in self._table_files.values():
            await table_file.open()
        return entries

    async def record(self, *entries: AuditEntry) -> None:
        """Append entries to the audit log.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        if self._agreement:
            await self._agreement.record(entries)
        else:
            await self.write_audit(*entries)

    async def write_audit(self, *entries: AuditEntry) -> None:
        """Append entries to this server's file, as others have agreed on them, if there are any.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        try:
            await self._in_thread(self._audit.write, *entries)
        except AuditLost as error:
            self._unrecorded.note("not recorded: %s", error)
            raise Refused(ErrorCode.STORAGE_FULL if error.is_full else ErrorCode.NOT_STORED) from None
        for entry in entries:
            _log_act(entry)

    def is_stored(self, changes: Iterable[Change]) -> bool:
        """Whether these rows are on disk; a table without a file counts as stored."""
        return all(table.is_stored(key) for table, key in changes if table in self._table_files)

    async def store(self, changes: Iterable[Change], *, gathers: bool = False) -> None:
        """Wait until these rows are on disk.

        Args:
            changes: the rows.
            gathers: whether the batch may wait for others, if many come.

        Raises:
            Refused: `storage_full`, `not_stored`, `out_of_reach`. The changes stay in memory, and are written when possible. Or as
                another node was faster, whose change excludes them; then they are taken back.
        """
        if self._agreement is None:
            await self._store(changes, gathers=gathers)
            return
        row_keys = [*changes]
        with self._agreement.unit(row_keys):
            await self._store(row_keys, gathers=gathers)

    async def _store(self, changes: Iterable[Change], *, gathers: bool) -> None:
        outcomes = [
            self._table_files[table].outcome(key) for table, key in changes if table in self._table_files
        ]
        awaited = {outcome for outcome in outcomes if outcome}
        if not awaited:
            return
        self._waited += 1
        if not gathers:
            self._urgent.set()
        self._start_commit()
        # Others may wait for the same batch.
        for outcome in awaited:
            code = await asyncio.shield(outcome)
            if code:
                raise Refused(code)

    async def reconcile(self, *, at_once: bool = False) -> None:
        """Take external edits, and write all changes, if possible.

        Args:
            at_once: whether to try also a file for which the next try was put off, because a write has failed.

        Raises:
            Exception: if an unexpected error has ended this, or the writing of a batch since the last call.
        """
        if self._committing and self._committing.done():
            committed, self._committing = self._committing, None
            committed.result()
        reconciling = self._loop.create_task(self._reconcile(at_once=at_once))
        self._reconciling.add(reconciling)
        reconciling.add_done_callback(self._reconciling.discard)
        # A cancelled caller does not interrupt a write.
        await asyncio.shield(reconciling)

    def close(self) -> None:
        """Close the files. On a disk that does not answer they are closed when it does, and nobody waits for that."""
        for task in (self._committing, *self._reconciling):
            if task:
                task.cancel()
        # In the thread: a file that is being written must not be closed, nor its descriptor become another file's.
        self._thread.run(self._close)
        self._thread.close()
        self._thread.join(CLOSE_SECONDS)

    # Inside.

    def _close(self) -> None:
        self._audit.close()
        for table_file in self._table_files.values():
            table_file.close()

    def _start_commit(self) -> None:
        """Start to write batches, unless that is in progress."""
        if self._committing is None or self._committing.done():
            self._committing = self._loop.create_task(self._commit())

    async def _commit(self) -> None:
        while any(table_file.is_awaited for table_file in self._table_files.values()):
            await self._gather()
            async with self._writing:
                await self._write()

    async def _gather(self) -> None:
        """In a burst, wait for more changes."""
        begun, waited = self._loop.time(), 0
        is_burst = begun - self._written_at < BURST_SECONDS
        while is_burst and waited != self._waited and not self._urgent.is_set():
            waited = self._waited
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._urgent.wait()
            is_burst = self._loop.time() - begun < BURST_SECONDS

    async def _reconcile(self, *, at_once: bool) -> None:
        async with self._writing:
            for table_file in self._table_files.values():
                await table_file.reload()
            await self._write(at_once=at_once)

    async def _write(self, *, at_once: bool = False) -> None:
        """Write all changes, then compact the files that need it. After any failure all waiters get an outcome."""
        try:
            await self._write_all(at_once=at_once)
        except BaseException:
            for table_file in self._table_files.values():
                table_file.give_up()
            raise

    async def _write_all(self, *, at_once: bool) -> None:
        self._urgent.clear()
        # All batches are made at once, so that a change to several files reaches them in order.
        taken = [table_file for table_file in self._table_files.values() if table_file.take(at_once=at_once)]
        if self._agreement:
            await self._write_agreed(self._agreement, taken)
        else:
            for table_file in taken:
                await table_file.write()
        self._written_at = self._loop.time() if taken else self._written_at
        for table_file in taken:
            if table_file.table.is_bloated:
                await table_file.compact()

    async def _write_agreed(self, agreement: Agreement, taken: Iterable[TableFile]) -> None:
        """Write batches after all nodes have agreed on those that are shared."""
        shared = [
            table_file for table_file in self._table_files.values() if agreement.is_shared(table_file.table)
        ]
        reached = agreement.reached()
        batches = [table_file for table_file in taken if table_file in shared]
        if batches:
            try:
                await agreement.agree()
            except Refused as refusal:
                for table_file in batches:
                    table_file.refuse(refusal.code)
        for table_file in taken:
            table_file.refresh()
            await table_file.write()
        if not any(table_file.has_failed for table_file in shared):
            agreement.written(reached)

    def _note_edit(self, table: Table[Any]) -> None:
        if self._agreement and self._agreement.is_shared(table):
            self._agreement.look(table)
        self._adopted()

    def _in_thread(self, act: Callable[..., Any], *arguments: object) -> asyncio.Future[Any]:
        return self._thread.run(SPARE_DESCRIPTORS.use, act, *arguments)


def _log_act(entry: AuditEntry) -> None:
    """Log an act without its reason, which is a text of its moderator's."""
    details = {
        "user": entry.user,
        "room": entry.room,
        "message": entry.id,
        "seconds": entry.seconds,
        "until": datetime.fromtimestamp(entry.until, UTC).strftime(UNTIL) if entry.until else "",
        "addresses": list(entry.addresses),
    }
    given = {name: value for name, value in details.items() if value}
    log.info(
        "%s: %s%s",
        ascii(entry.actor),
        entry.act,
        "".join(f" {name}={value!a}" for name, value in given.items()),
        extra=event("act", act=str(entry.act), actor=entry.actor, **given),
    )
