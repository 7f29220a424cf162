"""A table and its file, on the event loop's side: writes changes in batches, and reports the outcome of each change to its waiters."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from besedka.serve.directory.records import Record, RecordChanged, RecordGone
from besedka.serve.errors import RecordUnusable
from besedka.serve.files.descriptor import FULL, reason
from besedka.serve.people.table import Batch, Table
from besedka.serve.repeated_error import LASTING_SECONDS
from besedka.wire.errors import ErrorCode

log = logging.getLogger(__name__)

TRIES: Final = 5
"""Attempts to write a batch while others keep changing the file."""

RETRY_SECONDS: Final = 1.0
"""Pause before changes that could not be written, and that nothing waits for, are tried again; each further pause is twice as long."""

LONGEST_RETRY_SECONDS: Final = 30.0
"""Longest of these pauses. A disk that is repaired or has space again is noticed within it, and a dead one is hardly bothered."""

STRANGE_LINES_LOGGED: Final = 10
"""Most line numbers in a warning about lines that are not understood."""


class InThread(Protocol):
    """Runs a function in the thread that reads and writes these files."""

    def __call__(self, act: Callable[..., Any], *arguments: object) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True)
class _Flight:
    """A batch in flight, and its outcome: None if it was stored, else the error code."""

    batch: Batch[Any]
    outcome: asyncio.Future[ErrorCode | None]


class TableFile:
    """One table with its file. Only one task at a time may call `reload`, `write` or `compact`.

    Args:
        path: the file.
        table: its content.
        in_thread: runs blocking calls.
        adopted: called with the table after it has taken an external edit.
    """

    def __init__(
        self, path: Path, table: Table[Any], in_thread: InThread, adopted: Callable[[Table[Any]], None]
    ) -> None:
        self.table = table
        self._record = Record(path)
        self._in_thread = in_thread
        self._adopted = adopted
        self._flight: _Flight | None = None
        self._next: asyncio.Future[ErrorCode | None] | None = None
        # The troubles that last, each with the time when it was logged.
        self._logged: dict[str, float] = {}
        # After a failed write: the pause before the next try, and its end.
        self._pause = 0.0
        self._retry_at = float("-inf")
        # The end of the interval after the last write.
        self._write_at = float("-inf")
        # After a failed rewrite: the number of lines at which to try again.
        self._compact_at = 0

    # Its life.

    async def open(self) -> None:
        """Read the file, and compact it if that is worthwhile.

        Raises:
            RecordUnusable: if it exists and cannot be read, and the server cannot do without it.
        """
        try:
            text = await self._in_thread(self._record.open, self.table.torn)
        except RecordUnusable as error:
            if not self.table.is_dispensable:
                raise
            self._report_unusable(error)
            return
        self.table.adopt(await self._in_thread(self.table.parse, text))
        self._log_strange_lines()
        if self.table.is_bloated:
            await self.compact()

    def close(self) -> None:
        """Close the file."""
        self._record.close()

    # Waiting.

    @property
    def is_awaited(self) -> bool:
        """Whether the next batch is awaited."""
        return self._next is not None

    def outcome(self, key: str) -> asyncio.Future[ErrorCode | None] | None:
        """The outcome of the batch with the last change of a row: None if stored, else an error code. Returns None if it is stored already."""
        if self.table.is_waiting(key):
            self._next = self._next or asyncio.get_running_loop().create_future()
            return self._next
        return None if self.table.is_stored(key) or self._flight is None else self._flight.outcome

    # Reading and writing.

    async def reload(self) -> None:
        """Read the file again if it was edited."""
        try:
            await self._reload()
        except RecordUnusable as error:
            self._report_unusable(error)
        except OSError as error:
            self._report(f"{self._record.path} cannot be read: {reason(error)}")
        else:
            if self._record.is_usable and not self._pause:
                self._report_end()

    def take(self, *, at_once: bool = False) -> bool:
        """Make a batch of all pending changes, for `write`. Returns whether there is one.

        After a failed write there is none before the pause has ended, and of some tables none before an interval has, unless a change is
        awaited.

        Args:
            at_once: whether not to wait for either, because there will be no other try.
        """
        is_due = asyncio.get_running_loop().time() >= max(self._retry_at, self._write_at)
        if self.table.is_changed and (is_due or at_once or self.is_awaited):
            outcome, self._next = self._next, None
            future = outcome or asyncio.get_running_loop().create_future()
            self._flight = _Flight(self.table.take_changes(), future)
        return self._flight is not None

    @property
    def has_failed(self) -> bool:
        """Whether changes could not be written, and wait for the next try."""
        return bool(self._pause)

    def refresh(self) -> None:
        """Have the batch hold its rows as they are now."""
        if self._flight:
            self._flight = replace(self._flight, batch=self.table.refreshed(self._flight.batch))

    def refuse(self, code: ErrorCode) -> None:
        """Put off the batch, and report to its waiters why it was not written."""
        if self._flight:
            self.table.give_back(self._flight.batch)
            self._land(self._flight, code)
            self._put_off()

    async def write(self) -> None:
        """Write the batch, and resolve its outcome. After an error of the disk its changes are pending again.

        Raises:
            Exception: an error of the server, which trying again would not mend.
        """
        flight, code = self._flight, ErrorCode.NOT_STORED
        if flight is None:
            return
        try:
            await self._store(flight.batch)
        except RecordUnusable as error:
            self._fail(f"{error}; what it said before is kept, and nothing is written over it")
        except OSError as error:
            code = ErrorCode.STORAGE_FULL if error.errno in FULL else code
            self._fail(f"{self._record.path} cannot be written: {reason(error)}")
        else:
            self._land(flight, None)
            return
        finally:
            # Also after a cancellation, or an error of the server: the next batch holds these changes again.
            if self._flight:
                self.table.give_back(flight.batch)
                self._land(flight, code)

    def give_up(self) -> None:
        """Report to all waiters that nothing was stored."""
        if self._flight:
            self.table.give_back(self._flight.batch)
            self._land(self._flight, ErrorCode.NOT_STORED)
        outcome, self._next = self._next, None
        if outcome:
            outcome.set_result(ErrorCode.NOT_STORED)

    async def compact(self) -> None:
        """Rewrite the file without its superseded lines; a failure is logged once, and harms nobody."""
        if self.table.entries <= self._compact_at:
            return
        try:
            await self._rewrite()
        except (RecordChanged, RecordGone):
            pass  # the next reload or the next batch handles it
        except (OSError, RecordUnusable) as error:
            why = reason(error) if isinstance(error, OSError) else error
            if not self._compact_at:
                log.warning(
                    "%s cannot be replaced by a compact copy, and grows with each change: %s",
                    self._record.path,
                    why,
                )
            self._compact_at = 2 * self.table.entries
        else:
            self._compact_at = 0

    # Inside.

    async def _reload(self) -> None:
        read_if_edited = await self._in_thread(self._record.read_if_edited)
        if read_if_edited is not None:
            self.table.adopt(await self._in_thread(self.table.parse, read_if_edited))
            log.info("%s was edited, and is read again", self._record.path)
            self._adopted(self.table)
            self._log_strange_lines()
            # Its editor may have mended what kept it from being written.
            self._retry_at = float("-inf")

    async def _store(self, batch: Batch[Any]) -> None:
        has_looked = False
        for _ in range(TRIES):
            try:
                if self._record.is_to_be_rewritten:
                    await self._rewrite()
                else:
                    await self._append(batch, must_be_known=not has_looked)
            except RecordChanged:
                await self._reload()
                has_looked = True
            except RecordGone:
                pass  # the next round rewrites it
            else:
                return
        raise RecordUnusable(self._record.path, "it is being edited all the time")

    async def _append(self, batch: Batch[Any], *, must_be_known: bool) -> None:
        append, data = self._record.append, self.table.appendix(batch)
        await self._in_thread(lambda: append(data, must_be_known=must_be_known))
        self.table.appended(batch)

    async def _rewrite(self) -> None:
        snapshot = self.table.snapshot()
        await self._in_thread(self._record.rewrite, snapshot.pieces)
        self.table.rewritten(snapshot)

    def _land(self, flight: _Flight, code: ErrorCode | None) -> None:
        self._flight = None
        if code is None:
            self._pause, self._retry_at = 0.0, float("-inf")
            self._write_at = asyncio.get_running_loop().time() + self.table.write_seconds
            self._report_end()
        if not flight.outcome.done():
            flight.outcome.set_result(code)

    def _fail(self, trouble: str) -> None:
        """After a failed write: report it, and put off the next try."""
        self._report(trouble)
        self._put_off()

    def _put_off(self) -> None:
        self._pause = min(2 * self._pause or RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        self._retry_at = asyncio.get_running_loop().time() + self._pause

    def _report_unusable(self, error: RecordUnusable) -> None:
        self._report(f"{error}; what it said before is kept, and nothing is written over it")

    def _report(self, trouble: str) -> None:
        """Log a trouble at once, and then seldom, until the file can be used again."""
        now = asyncio.get_running_loop().time()
        if now >= self._logged.get(trouble, float("-inf")) + LASTING_SECONDS:
            self._logged[trouble] = now
            log.error(trouble)

    def _report_end(self) -> None:
        """Log that the troubles that were reported are over, if there are any."""
        if self._logged:
            self._logged.clear()
            log.info("%s can be used again", self._record.path)

    def _log_strange_lines(self) -> None:
        if self.table.strange:
            lines = ", ".join(map(str, self.table.strange[:STRANGE_LINES_LOGGED]))
            log.warning("%s: not understood, and left as it is, in lines: %s", self._record.path, lines)
