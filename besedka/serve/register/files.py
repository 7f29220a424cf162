"""The small files about people, kept in step with what the server knows: one thread reads and writes them.

Tables change in the loop's thread. Changes that somebody waits for are written by group commit: while one batch is on its way to the
disk the next gathers, and all who wait for it share one write and one sync. All others are written within a second, when it is
also looked for what other hands have changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from besedka.serve.errors import AuditLost
from besedka.serve.people.deeds import Deed
from besedka.serve.people.table import Table
from besedka.serve.register.audit import Audit
from besedka.serve.register.journal import Journal
from besedka.serve.threads import started
from besedka.wire.refusals import Code, Refused

log = logging.getLogger(__name__)

CROWD_SECONDS: Final = 0.1
"""Whoever comes within so long after another's batch was written is one of many: their batch gathers before it is written. Whoever
comes alone does not wait for others."""

GATHER_SECONDS: Final = 0.004
"""How long a batch gathers after the last one who came, and `CROWD_SECONDS` in all: five thousand newcomers shall cost some dozen
syncs, and nobody notices a tenth of a second when they come in for the first time."""

Change = tuple[Table[Any], str]
"""A row of a table, by its key, that was put or dropped."""


class Files:
    """All of them.

    Args:
        folder: where they are.
        tables: what they hold, by their names; in the order in which a change that is in several of them is written.
        adopted: is called when a table says what other hands have written.
    """

    def __init__(self, folder: Path, tables: Mapping[str, Table[Any]], adopted: Callable[[], None]) -> None:
        self._audit = Audit(folder)
        self._journals = {
            table: Journal(folder / name, table, self._in_thread, adopted) for name, table in tables.items()
        }
        self._thread = started(1, "besedka-people")
        self._loop = asyncio.get_running_loop()
        self._writing = asyncio.Lock()
        self._committing: asyncio.Task[None] | None = None
        self._agreeing: set[asyncio.Task[None]] = set()
        # How many have waited for a batch, and whether one of them shall not wait for others.
        self._comers = 0
        self._hurry = asyncio.Event()
        self._written_at = float("-inf")

    async def read(self) -> list[Deed]:
        """Read all, and return what was done to keep order.

        Raises:
            RecordUnusable: if one is there and cannot be read.
            FolderInUse: if they are another server's.
        """
        deeds: list[Deed] = await self._in_thread(self._audit.open)
        for journal in self._journals.values():
            await journal.open()
        return deeds

    async def note(self, deed: Deed) -> None:
        """Have something that is done to keep order on disk.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        try:
            await self._in_thread(self._audit.write, deed)
        except AuditLost as error:
            log.error("nothing was done to keep order: %s", error)  # noqa: TRY400 - the sentence is enough
            raise Refused(Code.STORAGE_FULL if error.is_full else Code.NOT_STORED) from None

    def is_stored(self, changes: Iterable[Change]) -> bool:
        """Whether these rows are on disk as they are here; what is kept in no file counts as stored."""
        return all(table.is_stored(key) for table, key in changes if table in self._journals)

    async def store(self, changes: Iterable[Change], *, gathers: bool = False) -> None:
        """Wait until these rows are on disk as they are here.

        Args:
            changes: which ones.
            gathers: whether to wait for others who come with theirs, if many do.

        Raises:
            Refused: `storage_full`, `not_stored`; they stay changed here, and are written when they can be.
        """
        outcomes = [self._journals[table].outcome(key) for table, key in changes if table in self._journals]
        awaited = {outcome for outcome in outcomes if outcome}
        if not awaited:
            return
        self._comers += 1
        if not gathers:
            self._hurry.set()
        self._begin()
        # Others wait for the same.
        for outcome in awaited:
            code = await asyncio.shield(outcome)
            if code:
                raise Refused(code)

    async def agree(self) -> None:
        """Take what other hands have changed, and write what has changed here, if it can be."""
        agreeing = self._loop.create_task(self._agree())
        self._agreeing.add(agreeing)
        agreeing.add_done_callback(self._agreeing.discard)
        # What was begun is done also if nobody waits for it any more.
        await asyncio.shield(agreeing)

    def close(self) -> None:
        """Let go of them."""
        self._thread.shutdown(wait=False)
        self._audit.close()
        for journal in self._journals.values():
            journal.close()

    # Inside.

    def _begin(self) -> None:
        """Have written what somebody waits for, unless that is being done."""
        if self._committing is None or self._committing.done():
            self._committing = self._loop.create_task(self._commit())

    async def _commit(self) -> None:
        while any(journal.is_awaited for journal in self._journals.values()):
            await self._gather()
            async with self._writing:
                await self._write()

    async def _gather(self) -> None:
        """Where many come, wait for more of them."""
        begun, comers = self._loop.time(), 0
        is_crowd = begun - self._written_at < CROWD_SECONDS
        while is_crowd and comers != self._comers and not self._hurry.is_set():
            comers = self._comers
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._hurry.wait()
            is_crowd = self._loop.time() - begun < CROWD_SECONDS

    async def _agree(self) -> None:
        async with self._writing:
            for journal in self._journals.values():
                await journal.look()
            await self._write()

    async def _write(self) -> None:
        """Write all that has changed up to now, and what is worthwhile to be rewritten."""
        self._hurry.clear()
        # A change that is in several files must not be in the last of them only.
        taken = [journal for journal in self._journals.values() if journal.take()]
        for journal in taken:
            await journal.write()
        self._written_at = self._loop.time() if taken else self._written_at
        for journal in taken:
            if journal.table.is_bloated:
                await journal.compact()

    def _in_thread(self, act: Callable[..., Any], *arguments: object) -> asyncio.Future[Any]:
        return self._loop.run_in_executor(self._thread, act, *arguments)
