"""A table and its file: what changes is appended, batch by batch, and whoever waits is told about their own change. The loop's side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from besedka.serve.errors import RecordUnusable
from besedka.serve.history.file import FULL, reason
from besedka.serve.people.table import Batch, Table
from besedka.serve.register.records import Record, RecordChanged, RecordGone
from besedka.wire.refusals import Code

log = logging.getLogger(__name__)

TRIES: Final = 5
"""How often a batch is written that other hands have got ahead of."""

STRANGE_TOLD: Final = 10
"""How many lines that are not understood are told by their numbers."""


class InThread(Protocol):
    """Has something done in the thread that reads and writes the files about people."""

    def __call__(self, act: Callable[..., Any], *arguments: object) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class _Flight:
    """A batch on its way, and what came of it: None if it is on disk, else why it is not."""

    batch: Batch[Any]
    outcome: asyncio.Future[Code | None]


class Journal:
    """One table with its file. `look`, `write` and `compact` are called by one task at a time.

    Args:
        path: of the file.
        table: what it holds.
        in_thread: where the file is read and written.
        adopted: is called when the table says what other hands have written.
    """

    def __init__(
        self, path: Path, table: Table[Any], in_thread: InThread, adopted: Callable[[], None]
    ) -> None:
        self.table = table
        self._record = Record(path)
        self._in_thread = in_thread
        self._adopted = adopted
        self._flight: _Flight | None = None
        self._next: asyncio.Future[Code | None] | None = None
        self._trouble = ""
        # A file that cannot be rewritten may grow to so many lines before that is tried again.
        self._patient_until = 0

    # Its life.

    async def open(self) -> None:
        """Read the file, and rewrite it if that is worthwhile.

        Raises:
            RecordUnusable: if it is there and cannot be read.
        """
        text = await self._in_thread(self._record.open, self.table.torn)
        self.table.adopt(await self._in_thread(self.table.parse, text))
        self._tell_strange()
        if self.table.is_bloated:
            await self.compact()

    def close(self) -> None:
        """Let go of the file."""
        self._record.close()

    # Waiting.

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for a batch that is not on its way yet."""
        return self._next is not None

    def outcome(self, key: str) -> asyncio.Future[Code | None] | None:
        """What will have become of the last change of a row: None if it is on disk, else why it is not. None if it is there now."""
        if self.table.is_waiting(key):
            self._next = self._next or asyncio.get_running_loop().create_future()
            return self._next
        return None if self.table.is_stored(key) or self._flight is None else self._flight.outcome

    # Reading and writing.

    async def look(self) -> None:
        """Take what other hands have changed."""
        try:
            await self._look()
        except RecordUnusable as error:
            self._tell(f"{error}; what it said before is kept, and nothing is written over it")
        except OSError as error:
            self._tell(f"{self._record.path} cannot be read: {reason(error)}")

    def take(self) -> bool:
        """Have what has changed be the next batch to `write`. Returns whether there is any."""
        if self.table.is_changed:
            outcome, self._next = self._next, None
            future = outcome or asyncio.get_running_loop().create_future()
            self._flight = _Flight(self.table.take_changes(), future)
        return self._flight is not None

    async def write(self) -> None:
        """Write the batch that was taken, and tell whoever waits for it."""
        flight, code = self._flight, Code.NOT_STORED
        if flight is None:
            return
        try:
            await self._store(flight.batch)
        except RecordUnusable as error:
            self._tell(f"{error}; what it said before is kept, and nothing is written over it")
        except OSError as error:
            code = Code.STORAGE_FULL if error.errno in FULL else code
            self._tell(f"{self._record.path} cannot be written: {reason(error)}")
        except Exception:
            log.exception("%s cannot be written", self._record.path)
        else:
            self._land(flight, None)
            return
        finally:
            # Also where nobody waits for it any more: it is written later.
            if self._flight:
                self.table.give_back(flight.batch)
                self._land(flight, code)

    async def compact(self) -> None:
        """Rewrite the file without the lines that count no more. What cannot be, can wait."""
        if self.table.entries <= self._patient_until:
            return
        try:
            await self._rewrite()
        except RecordChanged:
            pass  # it is read first
        except (OSError, RecordUnusable) as error:
            why = reason(error) if isinstance(error, OSError) else error
            if not self._patient_until:
                log.warning(
                    "%s cannot be rewritten without its superfluous lines, and grows with each change: %s",
                    self._record.path,
                    why,
                )
            self._patient_until = 2 * self.table.entries
        else:
            self._patient_until = 0

    # Inside.

    async def _look(self) -> None:
        news = await self._in_thread(self._record.news)
        if news is not None:
            self.table.adopt(await self._in_thread(self.table.parse, news))
            log.info("%s was changed by other hands, and read again", self._record.path)
            self._adopted()
            self._tell_strange()
            self._trouble = ""

    async def _store(self, batch: Batch[Any]) -> None:
        has_looked = False
        for _ in range(TRIES):
            try:
                if self._record.is_to_be_rewritten:
                    await self._rewrite()
                else:
                    await self._append(batch, whatever_is_there=has_looked)
            except RecordChanged:
                await self._look()
                has_looked = True
            except RecordGone:
                pass  # now it is to be rewritten
            else:
                return
        raise RecordUnusable(self._record.path, "other hands change it all the time")

    async def _append(self, batch: Batch[Any], *, whatever_is_there: bool) -> None:
        record = self._record
        await self._in_thread(lambda: record.append(batch.data, whatever_is_there=whatever_is_there))
        self.table.appended(batch)

    async def _rewrite(self) -> None:
        snapshot = self.table.snapshot()
        await self._in_thread(self._record.rewrite, snapshot.pieces)
        self.table.rewritten(snapshot)

    def _land(self, flight: _Flight, code: Code | None) -> None:
        self._flight = None
        self._trouble = self._trouble if code else ""
        if not flight.outcome.done():
            flight.outcome.set_result(code)

    def _tell(self, trouble: str) -> None:
        """Have a trouble stand in the log once, as long as it lasts."""
        if self._trouble != trouble:
            self._trouble = trouble
            log.error(trouble)

    def _tell_strange(self) -> None:
        if self.table.strange:
            lines = ", ".join(map(str, self.table.strange[:STRANGE_TOLD]))
            log.warning("%s: not understood, and left as they are: lines %s", self._record.path, lines)
