"""The small files about people, kept in step with what the server knows: one thread reads and writes them.

Tables change in the loop's thread. A change is written within a second, or, where somebody waits for it, before he is answered; what
other hands have changed is taken as soon.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from besedka.serve.errors import AuditLost, RecordUnusable
from besedka.serve.history.file import reason
from besedka.serve.people.deeds import Deed
from besedka.serve.people.table import Table
from besedka.serve.register.audit import Audit
from besedka.serve.register.records import Record
from besedka.serve.threads import started
from besedka.wire.refusals import Code, Refused

log = logging.getLogger(__name__)


class Files:
    """All of them.

    Args:
        folder: where they are.
        tables: what they hold, by their names.
        adopted: is called when a table says what other hands have written.
    """

    def __init__(self, folder: Path, tables: Mapping[str, Table[Any]], adopted: Callable[[], None]) -> None:
        self._adopted = adopted
        self._audit = Audit(folder)
        self._records = {Record(folder / name): table for name, table in tables.items()}
        self._thread = started(1, "besedka-people")
        self._loop = asyncio.get_running_loop()
        self._saving = asyncio.Lock()
        self._troubles: dict[Record, str] = {}

    async def read(self) -> list[Deed]:
        """Read all, and return what was done to keep order.

        Raises:
            RecordUnusable: if one is there and cannot be read.
            FolderInUse: if they are another server's.
        """
        deeds: list[Deed] = await self._in_thread(self._audit.open)
        for record, table in self._records.items():
            table.adopt(await self._in_thread(lambda: table.parse(record.read())))  # noqa: B023 - waited for
            _tell_strange(record.path, table)
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

    async def agree(self) -> bool:
        """Take what other hands have changed, and write what has changed here. Returns whether all of it is written."""
        is_written = True
        async with self._saving:
            for record, table in self._records.items():
                try:
                    await self._look(record, table)
                    await self._write(record, table)
                except RecordUnusable as error:
                    self._tell(
                        record, f"{error}; what it said before is kept, and nothing is written over it"
                    )
                except OSError as error:
                    self._tell(record, f"{record.path} cannot be written: {reason(error)}")
                else:
                    self._troubles.pop(record, None)
                is_written = is_written and not table.is_changed
        return is_written

    def close(self) -> None:
        """Let go of them."""
        self._thread.shutdown(wait=False)
        self._audit.close()

    async def _look(self, record: Record, table: Table[Any]) -> None:
        news = await self._in_thread(record.news)
        if news is not None:
            table.adopt(await self._in_thread(table.parse, news))
            log.info("%s was changed by other hands, and read again", record.path)
            self._adopted()
            _tell_strange(record.path, table)

    async def _write(self, record: Record, table: Table[Any]) -> None:
        if not table.is_changed:
            return
        text, touched = table.snapshot(), table.take_touched()
        try:
            await self._in_thread(lambda: record.write(text()))
        except BaseException:
            # Also where nobody waits for it any more: it is written at the end.
            table.touch_again(touched)
            raise

    def _tell(self, record: Record, trouble: str) -> None:
        """Have a trouble stand in the log once, as long as it lasts."""
        if self._troubles.get(record) != trouble:
            self._troubles[record] = trouble
            log.error(trouble)

    def _in_thread(self, act: Callable[..., Any], *arguments: object) -> asyncio.Future[Any]:
        return self._loop.run_in_executor(self._thread, act, *arguments)


def _tell_strange(path: Path, table: Table[Any]) -> None:
    if table.strange:
        lines = ", ".join(map(str, table.strange[:10]))
        log.warning("%s: not understood, and left as they are: lines %s", path, lines)
