"""What the server knows of people, and the small files that hold it: the loop's side of `people`.

Tables change in the loop's thread; files are read and written by one worker thread. A change is written within a second, or, where
somebody waits for it, before he is answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from besedka.serve.errors import AuditLost, RecordUnusable
from besedka.serve.history.file import reason
from besedka.serve.people.admission import Admission
from besedka.serve.people.attendance import Attendance
from besedka.serve.people.devices import DeviceLinks
from besedka.serve.people.guests import Guest
from besedka.serve.people.invitations import Invitations
from besedka.serve.people.names import KnownNames
from besedka.serve.people.order import Deed, Order
from besedka.serve.people.presence import People
from besedka.serve.people.rooms import PrivateRooms
from besedka.serve.people.table import Table
from besedka.serve.register.audit import Audit
from besedka.serve.register.records import Record
from besedka.serve.settings import Settings
from besedka.wire.line import stamp
from besedka.wire.refusals import Code, Refused

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often changes are written, and other hands' changes looked for."""

LAPSE_SECONDS: Final = 3600.0
"""How often names are looked for that have lapsed."""

_DAY: Final = 24 * 3600


class Register:
    """What is known of people.

    Args:
        settings: where the files are, how names are held.
        clock: unix seconds.

    Attributes:
        names: whose which name is.
        rooms: who belongs where.
        invitations: who may come to belong there.
        devices: links by which a name is taken along.
        people: who is present.
        attendance: by which connections.
        order: what is in force to keep it.
        admission: who may enter.
        guests: all connections.
        keeping: held by who keeps order: one thing is done after the other.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._settings = settings
        self.names = KnownNames(settings.names, self._stamp(clock()))
        self.rooms = PrivateRooms()
        self.invitations = Invitations()
        self.devices = DeviceLinks()
        self.people = People(self.names)
        self.attendance = Attendance()
        self.order = Order(settings.zone)
        self.admission = Admission(self.names, self.rooms, self.invitations, self.order)
        self.guests: set[Guest] = set()
        self.keeping = asyncio.Lock()
        self._files = ThreadPoolExecutor(1, thread_name_prefix="besedka-people")
        self._loop = asyncio.get_running_loop()
        self._saving = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        folder = settings.people_folder
        self._audit = Audit(folder)
        # Where names are open, nobody can be held to be the one who was invited.
        tables: dict[str, Table[Any]] = {
            "known_names.txt": self.names,
            "private_rooms.txt": self.rooms,
            "invitations.txt": self.invitations,
        }
        self._records = (
            {Record(folder / name): table for name, table in tables.items()} if self.names.is_kept else {}
        )

    async def start(self) -> None:
        """Read the files, and look after them from now on.

        Raises:
            RecordUnusable: if one is there and cannot be read.
            FolderInUse: if they are another server's.
        """
        for deed in await self._in_thread(self._audit.open):
            self.order.take(deed)
        for record, table in self._records.items():
            table.adopt(await self._in_thread(lambda: table.parse(record.read())))  # noqa: B023 - waited for
            _tell_strange(record.path, table)
        self._lapse()
        self._watching = self._loop.create_task(self._watch())

    async def close(self, *, is_disk_lost: bool = False) -> None:
        """Write what is not written yet, unless the disk is one that nothing should wait for."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._watching and not is_disk_lost:
            for person in self.people.present():
                self.names.touch(person.name, person.claim, self._stamp(self._clock()))
            await self._write_all()
        self._files.shutdown(wait=False)
        self._audit.close()

    async def note(self, deed: Deed) -> None:
        """Have something that is done to keep order on disk, and in force.

        Raises:
            Refused: `storage_full`, `not_stored`; then it is not done.
        """
        try:
            await self._in_thread(self._audit.write, deed)
        except AuditLost as error:
            log.error("nothing was done to keep order: %s", error)  # noqa: TRY400 - the sentence is enough
            raise Refused(Code.STORAGE_FULL if error.is_full else Code.NOT_STORED) from None
        self.order.take(deed)

    async def save(self) -> None:
        """Wait until all that has changed is on disk.

        Raises:
            Refused: `not_stored`, if it cannot be written; what was changed stays changed, and is written when it can be.
        """
        if not await self._write_all():
            raise Refused(Code.NOT_STORED)

    async def _watch(self) -> None:
        lapse_at = self._loop.time() + LAPSE_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._loop.time() >= lapse_at:
                lapse_at = self._loop.time() + LAPSE_SECONDS
                self._lapse()
            await self._write_all()

    async def _write_all(self) -> bool:
        """Take what other hands have changed, and write what has changed here. Returns whether all of it is written."""
        is_written = True
        async with self._saving:
            for record, table in self._records.items():
                try:
                    await self._look(record, table)
                    await self._write(record, table)
                except RecordUnusable as error:
                    log.error("%s; what it said before is kept", error)  # noqa: TRY400 - the sentence is enough
                except OSError as error:
                    is_written = False
                    log.error("%s cannot be written: %s", record.path, reason(error))  # noqa: TRY400
        return is_written

    async def _look(self, record: Record, table: Table[Any]) -> None:
        news = await self._in_thread(record.news)
        if news is not None:
            table.adopt(await self._in_thread(table.parse, news))
            log.info("%s was changed by other hands, and read again", record.path)
            _tell_strange(record.path, table)

    async def _write(self, record: Record, table: Table[Any]) -> None:
        if not table.is_changed:
            return
        text, touched = table.snapshot(), table.take_touched()
        try:
            await self._in_thread(lambda: record.write(text()))
        except OSError:
            table.touch_again(touched)
            raise

    def _lapse(self) -> None:
        now = self._clock()
        for person in self.people.present():
            self.names.touch(person.name, person.claim, self._stamp(now))
        if self._settings.claim_days:
            for known in self.names.lapse(self._stamp(now - self._settings.claim_days * _DAY)):
                log.info(
                    "the name %s was not used for %d days, and is free",
                    ascii(known.name),
                    self._settings.claim_days,
                )

    def _stamp(self, at: float) -> str:
        return stamp(at, self._settings.zone)

    def _in_thread(self, act: Callable[..., Any], *arguments: object) -> asyncio.Future[Any]:
        return self._loop.run_in_executor(self._files, act, *arguments)


def _tell_strange(path: Path, table: Table[Any]) -> None:
    if table.strange:
        lines = ", ".join(map(str, table.strange[:10]))
        log.warning("%s: not understood, and left as they are: lines %s", path, lines)
