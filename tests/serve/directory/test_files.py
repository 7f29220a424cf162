"""The files about people are in step with what the server knows, whatever happens while they are written."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from besedka.serve.directory import files
from besedka.serve.directory.files import Files
from besedka.serve.directory.table_file import TableFile
from besedka.serve.files import descriptor
from besedka.serve.files.descriptor import Descriptor, Identity
from besedka.serve.people.invitations import Invitations
from besedka.serve.people.memberships import PrivateRooms
from besedka.serve.people.names import Known, KnownNames, Names
from besedka.serve.people.read_marks import WRITE_SECONDS, ReadMark, ReadMarks
from besedka.serve.people.table import SPARE_LINES, Table
from besedka.serve.repeated_error import LASTING_SECONDS
from besedka.wire.errors import ErrorCode, Refused
from tests import looping

THEN = "2026-01-01 00:00:00"
ANNA, BORIS = "a" * 64, "b" * 64
NAMES, ROOMS, INVITATIONS = "known_names.txt", "private_rooms.txt", "invitations.txt"
MARKS = "read_marks.txt"

Scene = Callable[["Kept"], Awaitable[None]]


class Kept:
    """Tables and their files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.names = KnownNames(Names.CLAIMED, THEN)
        self.rooms = PrivateRooms()
        self.invitations = Invitations()
        self.marks = ReadMarks()
        tables: dict[str, Table[Any]] = {
            NAMES: self.names,
            ROOMS: self.rooms,
            INVITATIONS: self.invitations,
            MARKS: self.marks,
        }
        self.files = Files(folder, tables, lambda: None)

    async def claim(self, name: str, claim: str = ANNA) -> None:
        """Have somebody claim a name, and wait until it is on disk."""
        self.names.take(name, claim, THEN)
        await self.files.store([(self.names, name)])


def play(folder: Path, scene: Scene) -> None:
    async def all_of_it() -> None:
        kept = Kept(folder)
        await kept.files.read()
        try:
            await scene(kept)
        finally:
            kept.files.close()

    looping.run(all_of_it())


def names_in(folder: Path) -> set[str]:
    """The names in the file, as the next server reads it."""
    return {*KnownNames.parse((folder / NAMES).read_text()).rows}


class Syncs:
    """Lets a test do something while a file is synced.

    Attributes:
        during: what is done in the next sync of a file whose path ends so.
        inodes: of which files syncs were begun, in order.
    """

    def __init__(self) -> None:
        self.during: dict[str, Callable[[], object]] = {}
        self.inodes: list[int] = []
        self._really = os.fdatasync

    def __call__(self, number: int) -> None:
        path = str(Path(f"/proc/self/fd/{number}").readlink())
        self.inodes.append(os.fstat(number).st_ino)
        for name in [*self.during]:
            if path.endswith(name):
                self.during.pop(name)()
        self._really(number)


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Syncs]:
    made = Syncs()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", made)
        yield made


def hold(begun: threading.Event, go_on: threading.Event) -> None:
    begun.set()
    assert go_on.wait(60)


def fail(number: int, *_: object) -> None:
    raise OSError(number, os.strerror(number))


def test_what_was_being_written_when_its_writer_was_cancelled_is_written_later(
    tmp_path: Path, syncs: Syncs
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def be_slow_and_fail() -> None:
        begun.set()
        go_on.wait(60)
        fail(errno.ENOSPC)

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        syncs.during[NAMES] = be_slow_and_fail
        kept.names.take("Boris", BORIS, THEN)
        writing = asyncio.create_task(kept.files.reconcile())
        await asyncio.to_thread(begun.wait, 60)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        go_on.set()
        await kept.files.reconcile()

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna", "Boris"}


def test_who_goes_while_waiting_takes_nobody_elses_answer_away(tmp_path: Path, syncs: Syncs) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        syncs.during[NAMES] = lambda: hold(begun, go_on)
        one = asyncio.create_task(kept.claim("Boris", BORIS))
        await asyncio.to_thread(begun.wait, 60)
        other = asyncio.create_task(kept.files.store([(kept.names, "Boris")]))
        await asyncio.sleep(0)
        one.cancel()
        go_on.set()
        await other
        assert names_in(tmp_path) == {"Anna", "Boris"}

    play(tmp_path, scene)


def test_a_change_to_the_same_row_meanwhile_is_not_waited_for_by_who_waits_for_the_first(
    tmp_path: Path, syncs: Syncs
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        syncs.during[NAMES] = lambda: hold(begun, go_on)
        first = asyncio.create_task(kept.claim("Boris", BORIS))
        await asyncio.to_thread(begun.wait, 60)
        # Now the next write fails, whatever it is about.
        kept.names.put(Known("Boris", BORIS, THEN, "2026-01-01 01:00:00"))
        second = asyncio.create_task(kept.files.store([(kept.names, "Boris")]))
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(os, "write", lambda *_: fail(errno.ENOSPC))
            go_on.set()
            await first
            with pytest.raises(Refused) as refused:
                await second
            assert refused.value.code is ErrorCode.STORAGE_FULL
        await kept.files.store([(kept.names, "Boris")])

    play(tmp_path, scene)


def test_a_start_syncs_what_a_killed_server_may_have_left_unsynced(
    tmp_path: Path, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may be welcomed by a claim that was read: it must be on disk, and so must the name of its file."""
    play(tmp_path, lambda kept: kept.claim("Boris", BORIS))
    with (tmp_path / NAMES).open("a") as unsynced:
        unsynced.write(f"Anna\t{ANNA}\t{THEN}\t{THEN}\n")
    monkeypatch.setattr(os, "fsync", syncs)
    syncs.inodes.clear()

    async def scene(kept: Kept) -> None:
        assert kept.names.holder("Anna")

    play(tmp_path, scene)
    assert {(tmp_path / NAMES).stat().st_ino, tmp_path.stat().st_ino} <= {*syncs.inodes}


def test_many_who_wait_share_a_sync(tmp_path: Path, syncs: Syncs) -> None:
    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        count = len(syncs.inodes)
        await asyncio.gather(*(kept.claim(f"Name {number}", f"{number:064}") for number in range(500)))
        assert len(syncs.inodes) - count <= 2

    play(tmp_path, scene)
    assert len(names_in(tmp_path)) == 501


async def come(kept: Kept, number: int, *, gathers: bool = True) -> None:
    kept.names.take(f"Name {number}", f"{number:064}", THEN)
    await kept.files.store([(kept.names, f"Name {number}")], gathers=gathers)


def test_who_comes_in_a_crowd_waits_for_the_others(
    tmp_path: Path, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "GATHER_SECONDS", 60)
    monkeypatch.setattr(files, "BURST_SECONDS", 600)

    async def scene(kept: Kept) -> None:
        await come(kept, 0)
        count = len(syncs.inodes)
        async with asyncio.TaskGroup() as crowd:
            for number in range(1, 100):
                crowd.create_task(come(kept, number))
                await looping.settle()
            await looping.jump(60)  # as long as somebody has come meanwhile, it is waited once more
            await looping.jump(60)
        assert len(syncs.inodes) - count <= 3

    play(tmp_path, scene)


def test_who_comes_alone_waits_for_nobody_and_who_asks_for_something_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "GATHER_SECONDS", 600)
    monkeypatch.setattr(files, "BURST_SECONDS", 600)

    async def scene(kept: Kept) -> None:
        await come(kept, 0)
        patient = asyncio.create_task(come(kept, 1))
        await asyncio.sleep(0)
        await come(kept, 2, gathers=False)
        await patient

    play(tmp_path, scene)


def test_what_others_add_while_we_sync_is_noticed(tmp_path: Path, syncs: Syncs) -> None:
    def add() -> None:
        with (tmp_path / NAMES).open("a") as file:
            file.write("Vera\n")

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        syncs.during[NAMES] = add
        await kept.claim("Boris", BORIS)
        await kept.files.reconcile()
        assert kept.names.holder("Vera")

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna", "Boris", "Vera"}


def replaced(folder: Path) -> None:
    (folder / "edited").write_text("# mine\nVera\n")
    (folder / "edited").replace(folder / NAMES)


@pytest.mark.parametrize(
    "change",
    [replaced, lambda folder: (folder / NAMES).unlink(), lambda folder: (folder / NAMES).write_text("")],
    ids=["replaced", "removed", "emptied"],
)
def test_what_is_acknowledged_is_in_the_file_that_replaced_the_log_meanwhile(
    tmp_path: Path, syncs: Syncs, change: Callable[[Path], object]
) -> None:
    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        syncs.during[NAMES] = lambda: change(tmp_path)
        await kept.claim("Boris", BORIS)
        assert "Boris" in names_in(tmp_path)
        # As before: whoever takes a line out by hand sets the name free; a file that is gone or empty says nothing.
        assert names_in(tmp_path) == ({"Boris", "Vera"} if change is replaced else {"Anna", "Boris"})

    play(tmp_path, scene)


def test_others_who_write_all_the_time_keep_nobody_out(tmp_path: Path) -> None:
    is_over = threading.Event()

    def add() -> None:
        number = 0
        while not is_over.is_set() and number < 500:
            with (tmp_path / NAMES).open("a") as file:
                file.write(f"Foreigner {number}\n")
            number += 1

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        adding = asyncio.create_task(asyncio.to_thread(add))
        for number in range(20):
            await kept.claim(f"Name {number}", f"{number:064}")
        is_over.set()
        await adding

    play(tmp_path, scene)
    assert {f"Name {number}" for number in range(20)} <= names_in(tmp_path)


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_after_an_error_of_the_disk_nothing_is_synced_again_but_a_fresh_file(
    tmp_path: Path, syncs: Syncs, call: str
) -> None:
    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        inode, count = (tmp_path / NAMES).stat().st_ino, len(syncs.inodes)
        with pytest.MonkeyPatch.context() as broken:
            if call == "write":
                really = os.write
                failing = iter([True])
                broken.setattr(
                    os,
                    "write",
                    lambda number, data: fail(errno.EIO) if next(failing, False) else really(number, data),
                )
            else:
                syncs.during[NAMES] = lambda: fail(errno.EIO)
            await kept.claim("Boris", BORIS)
        assert (tmp_path / NAMES).stat().st_ino != inode
        await kept.claim("Cora", "c" * 64)
        assert syncs.inodes[count:].count(inode) == (call == "fdatasync")

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna", "Boris", "Cora"}


def test_half_a_line_that_cannot_be_cut_off_is_gone_with_the_file(tmp_path: Path) -> None:
    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        really = os.write

        def write_half(number: int, data: bytes) -> int:
            really(number, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "no space")

        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(os, "write", write_half)
            broken.setattr(os, "ftruncate", lambda *_: fail(errno.EIO))
            with pytest.raises(Refused) as refused:
                await kept.claim("Boris", BORIS)
            assert refused.value.code is ErrorCode.STORAGE_FULL
        await kept.files.store([(kept.names, "Boris")])
        assert not KnownNames.parse((tmp_path / NAMES).read_text()).strange

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna", "Boris"}


def test_a_change_in_several_files_is_never_in_the_last_of_them_only(tmp_path: Path, syncs: Syncs) -> None:
    async def scene(kept: Kept) -> None:
        loop = asyncio.get_running_loop()
        await kept.claim("Anna")
        kept.rooms.open_private("plans", "Anna", ANNA)
        offers = [
            kept.invitations.make("room", "plans", "Anna", 0, uses=1, seconds=1_000_000_000)[1]
            for _ in range(2)
        ]
        await kept.files.reconcile()

        def use(number: int) -> None:
            kept.rooms.add_member("plans", f"Name{number}", f"{number:064}")
            kept.invitations.use(offers[number])

        def use_another() -> None:
            asyncio.run_coroutine_threadsafe(later(), loop).result(60)

        async def later() -> None:
            use(1)

        def look() -> None:
            used = 2 - len(Invitations.parse((tmp_path / INVITATIONS).read_text()).rows)
            members = PrivateRooms.parse((tmp_path / ROOMS).read_text()).rows
            assert len(members) - 1 >= used

        syncs.during |= {ROOMS: use_another, INVITATIONS: look}
        use(0)
        await kept.files.reconcile()
        assert not syncs.during
        await kept.files.reconcile()

    play(tmp_path, scene)
    assert not Invitations.parse((tmp_path / INVITATIONS).read_text()).rows


def test_what_is_written_for_a_change_does_not_grow_with_the_file(tmp_path: Path) -> None:
    async def scene(kept: Kept) -> None:
        for number in range(5_000):
            by = f"Anna {number % 100}"
            kept.invitations.make("room", f"room{number}", by, 0, uses=1, seconds=1_000)
        await kept.files.reconcile()
        path = tmp_path / INVITATIONS
        inode, size = path.stat().st_ino, path.stat().st_size
        for number in range(10):
            _, offer = kept.invitations.make("room", f"room{number}", "Boris", 0, uses=1, seconds=1_000)
            await kept.files.store([(kept.invitations, offer.token)])
        assert path.stat().st_ino == inode
        assert (path.stat().st_size - size) / 10 < 200

    play(tmp_path, scene)


def test_a_file_is_rewritten_without_what_counts_no_more_and_by_the_next_server_too(tmp_path: Path) -> None:
    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        for number in range(3 * SPARE_LINES):
            kept.names.put(Known("Anna", ANNA, THEN, f"2026-01-01 {number // 60:02}:{number % 60:02}:00"))
            await kept.files.reconcile()
        assert len((tmp_path / NAMES).read_text().split("\n")) < SPARE_LINES + 10
        assert kept.names.superfluous < SPARE_LINES + 2

    play(tmp_path, scene)
    path, line = tmp_path / NAMES, f"Anna\t{ANNA}\t{THEN}\t{THEN}\n"
    path.write_text(f"# mine\n{line * 200}")

    async def start(kept: Kept) -> None:
        assert kept.names.superfluous == 0

    play(tmp_path, start)
    assert [one for one in path.read_text().split("\n") if not one.startswith("# begun")] == [
        "# mine",
        line[:-1],
        "",
    ]


def test_a_link_that_somebody_lays_meanwhile_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    behind = tmp_path / "elsewhere" / "names"
    behind.write_text("")

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        (tmp_path / NAMES).unlink()
        (tmp_path / NAMES).symlink_to(behind)
        with pytest.raises(Refused) as refused:
            await kept.claim("Boris", BORIS)
        assert refused.value.code is ErrorCode.NOT_STORED
        (tmp_path / NAMES).unlink()
        await kept.claim("Boris", BORIS)

    play(tmp_path, scene)
    assert behind.read_text() == ""
    assert {*KnownNames.parse((tmp_path / NAMES).read_text()).rows} == {"Anna", "Boris"}


def test_an_error_of_ours_leaves_nobody_waiting_and_is_raised_to_whoever_looks_after_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: TableFile, *, at_once: bool) -> bool:  # noqa: ARG001 - as the method has it
        raise ZeroDivisionError

    async def scene(kept: Kept) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(TableFile, "take", broken)
            with pytest.raises(Refused) as refused:
                async with asyncio.timeout(5):
                    await kept.claim("Anna")
            assert refused.value.code is ErrorCode.NOT_STORED
        with pytest.raises(ZeroDivisionError):
            await kept.files.reconcile()
        await kept.files.reconcile()

    play(tmp_path, scene)
    # Nothing is lost by it: the next batch holds the change.
    assert names_in(tmp_path) == {"Anna"}


@pytest.mark.parametrize("is_awaited", [True, False])
def test_what_is_still_being_written_when_the_files_are_closed_leaves_no_error(
    tmp_path: Path, syncs: Syncs, caplog: pytest.LogCaptureFixture, is_awaited: bool
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        may_end.wait(60)

    async def scene() -> None:
        kept = Kept(tmp_path)
        await kept.files.read()
        await kept.claim("Boris", BORIS)
        syncs.during[NAMES] = hang
        kept.names.take("Anna", ANNA, THEN)
        kept.rooms.open_private("plans", "Anna", ANNA)
        changes = [(kept.names, "Anna")]
        writing = asyncio.ensure_future(kept.files.store(changes) if is_awaited else kept.files.reconcile())
        await looping.until(begun.is_set)
        writing.cancel()
        kept.files.close()
        may_end.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    looping.run(scene())
    gc.collect()
    assert not caplog.records


class DeadDisk:
    """A disk on which nothing about people can be looked at or written, as long as it is dead.

    Attributes:
        tries: how often something was to be written while it was dead.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.tries = 0
        self.is_dead = True
        really_exchange, really_at, really_write = descriptor.exchange, Identity.at, Descriptor.write

        def exchange(path: Path, pieces: Iterable[bytes]) -> Descriptor:
            self._fail()
            return really_exchange(path, pieces)

        def write(opened: Descriptor, data: bytes) -> None:
            self._fail()
            really_write(opened, data)

        def at(path: Path) -> Identity | None:
            if self.is_dead:
                fail(errno.EIO)
            return really_at(path)

        patch.setattr("besedka.serve.directory.records.exchange", exchange)
        patch.setattr(Descriptor, "write", write)
        self._patch, self._at = patch, at

    def be_unreadable(self) -> None:
        """From now on it cannot be looked at either."""
        self._patch.setattr(Identity, "at", self._at)

    def _fail(self) -> None:
        if self.is_dead:
            self.tries += 1
            fail(errno.EIO)


async def pass_seconds(kept: Kept, seconds: int) -> None:
    """Look after the files once a second, as a server does."""
    for _ in range(seconds):
        await looping.jump(1)
        await kept.files.reconcile()


def test_a_file_that_cannot_be_written_is_tried_ever_more_seldom_and_reported_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def scene(kept: Kept) -> None:
        with monkeypatch.context() as patch:
            disk = DeadDisk(patch)
            kept.names.take("Anna", ANNA, THEN)
            await kept.files.reconcile()
            await pass_seconds(kept, 31)
            # At once, and after 1, 2, 4, 8 and 16 seconds more. What the test itself takes may add another try.
            assert 6 <= disk.tries <= 8
            before = disk.tries
            await pass_seconds(kept, 300)
            assert 9 <= disk.tries - before <= 13
            # Requests are answered, and a change that is waited for is tried at once.
            before = disk.tries
            with pytest.raises(Refused) as refused:
                await kept.claim("Boris", BORIS)
            assert refused.value.code is ErrorCode.NOT_STORED
            assert disk.tries == before + 1
            disk.is_dead = False
            await pass_seconds(kept, 30)
        await pass_seconds(kept, 30)

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna", "Boris"}
    path = tmp_path / NAMES
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} cannot be written: input/output error",
        f"{path} can be used again",
    ]
    assert not any(record.exc_info for record in caplog.records)


def test_a_file_that_can_neither_be_read_nor_written_does_not_fill_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        with monkeypatch.context() as patch:
            disk = DeadDisk(patch)
            disk.be_unreadable()
            kept.names.take("Boris", BORIS, THEN)
            await pass_seconds(kept, 100)
            disk.is_dead = False
            await pass_seconds(kept, 30)
        await pass_seconds(kept, 10)

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna", "Boris"}
    reported = [record.getMessage() for record in caplog.records if NAMES in record.getMessage()]
    assert len([line for line in reported if "cannot be read" in line]) == 1
    assert (
        len([line for line in reported if "cannot be written" in line or "could not be written" in line]) <= 2
    )
    assert reported[-1].endswith("can be used again")
    assert sum("can be used again" in line for line in reported) == 1


def test_a_file_that_is_not_believed_is_reported_once_an_hour_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path = tmp_path / NAMES

    async def scene(kept: Kept) -> None:
        def reports() -> int:
            return caplog.text.count("every user of this machine can change it")

        await kept.claim("Anna")
        path.write_text(f"Eve\t{BORIS}\n")
        path.chmod(0o666)
        await pass_seconds(kept, 100)
        assert reports() == 1
        await looping.jump(LASTING_SECONDS)
        await pass_seconds(kept, 100)
        assert reports() == 2
        assert not kept.names.holder("Eve")
        with pytest.raises(Refused):
            await kept.claim("Cora")
        path.chmod(0o600)
        await pass_seconds(kept, 31)
        assert kept.names.holder("Eve")
        await kept.claim("Boris")
        assert caplog.text.count("can be used again") == 1

    play(tmp_path, scene)
    assert names_in(tmp_path) >= {"Eve", "Boris", "Cora"}


def test_the_last_write_of_a_server_does_not_wait_for_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(kept: Kept) -> None:
        with monkeypatch.context() as patch:
            DeadDisk(patch)
            kept.names.take("Anna", ANNA, THEN)
            await kept.files.reconcile()
            await pass_seconds(kept, 40)
        await kept.files.reconcile(at_once=True)

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna"}


def test_an_error_of_ours_while_a_batch_is_written_is_no_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    async def scene(kept: Kept) -> None:
        await kept.claim("Anna")
        with monkeypatch.context() as patch:
            patch.setattr(KnownNames, "appendix", broken)
            with pytest.raises(Refused) as refused:
                await kept.claim("Boris", BORIS)
            assert refused.value.code is ErrorCode.NOT_STORED
            with pytest.raises(ZeroDivisionError):
                await kept.files.reconcile()

    play(tmp_path, scene)


def test_read_marks_are_written_once_in_several_seconds_and_at_the_end_and_nobody_waits_for_them(
    tmp_path: Path, syncs: Syncs
) -> None:
    path = tmp_path / MARKS

    async def scene(kept: Kept) -> None:
        def stored() -> int:
            again = ReadMarks()
            again.merge(path.read_text())
            return again.of(ANNA, "main", "e")

        kept.marks.move(ReadMark(ANNA, "main", "e", 1))
        await kept.files.reconcile()
        assert stored() == 1
        inode = path.stat().st_ino
        assert path.stat().st_mode & 0o777 == 0o600
        begun = syncs.inodes.count(inode)
        for number in range(2, 2 + 3 * int(WRITE_SECONDS)):
            kept.marks.move(ReadMark(ANNA, "main", "e", number))
            # Others wait for their own file.
            await kept.claim(f"Name {number}", BORIS)
            await pass_seconds(kept, 1)
        assert 2 <= syncs.inodes.count(inode) - begun <= 3
        kept.marks.move(ReadMark(ANNA, "main", "e", 1_000))
        await kept.files.reconcile(at_once=True)
        assert stored() == 1_000

    play(tmp_path, scene)


@pytest.mark.parametrize("damage", ["bytes", "link", "folder", "written by others"])
def test_read_marks_that_cannot_be_read_keep_no_server_from_starting_and_are_left_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / MARKS
    line = f"{ANNA}\tmain\te\t7\n".encode()
    match damage:
        case "bytes":
            path.write_bytes(b"\xff\xfe" + line)
        case "link":
            (tmp_path / "elsewhere").write_bytes(line)
            path.symlink_to(tmp_path / "elsewhere")
        case "folder":
            path.mkdir()
        case _:
            path.write_bytes(line)
            path.chmod(0o666)
    before = path.lstat()

    async def scene(kept: Kept) -> None:
        assert kept.marks.of(ANNA, "main", "e") == 0
        await kept.claim("Anna")
        kept.marks.move(ReadMark(ANNA, "main", "e", 3))
        await pass_seconds(kept, 60)
        assert kept.marks.of(ANNA, "main", "e") == 3
        assert path.lstat() == before
        if damage == "written by others":
            path.chmod(0o600)
            await pass_seconds(kept, 60)
            kept.marks.move(ReadMark(ANNA, "main", "e", 8))
            await pass_seconds(kept, 60)
            assert path.read_bytes().startswith(line)

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna"}
    assert 1 <= sum(MARKS in record.getMessage() for record in caplog.records) <= 3


def test_a_disk_without_space_for_marks_keeps_nobody_from_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    really = descriptor.exchange
    is_full = True

    def exchange(path: Path, pieces: Iterable[bytes]) -> Descriptor:
        if is_full and path.name == MARKS:
            fail(errno.ENOSPC)
        return really(path, pieces)

    monkeypatch.setattr("besedka.serve.directory.records.exchange", exchange)

    async def scene(kept: Kept) -> None:
        nonlocal is_full
        kept.marks.move(ReadMark(ANNA, "main", "e", 3))
        await kept.files.reconcile()
        await kept.claim("Anna")
        assert not (tmp_path / MARKS).exists()
        is_full = False
        await pass_seconds(kept, 40)
        assert f"{ANNA}\tmain\te\t3" in (tmp_path / MARKS).read_text()

    play(tmp_path, scene)
    assert names_in(tmp_path) == {"Anna"}
    assert "no space left" in caplog.text
