"""The record of private rooms: an entry is on disk before a room is private, and nobody comes in while it is written."""

from __future__ import annotations

import asyncio

import pytest

from besedka.serve.directory.private_record import PrivateRecord
from besedka.serve.people.audit_entry import OPERATOR, AuditEntry, Event
from besedka.serve.people.memberships import PrivateRooms
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Kind
from tests import looping

STAMP = "2026-11-20 17:00:00"
ANNA, BORIS = "a" * 64, "b" * 64


class Disk:
    """An audit log that writes when it is told to.

    Attributes:
        batches: what it was told to write, batch by batch.
        fault: what it refuses a batch with.
    """

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.fault: ErrorCode | None = None
        self.may_write = asyncio.Event()

    async def record(self, *entries: AuditEntry) -> None:
        assert all(entry.act is Event.PRIVATE for entry in entries)
        self.batches.append([entry.room for entry in entries])
        await self.may_write.wait()
        if self.fault:
            raise Refused(self.fault)


def test_while_its_entry_is_written_nobody_enters_a_room_or_creates_it() -> None:
    async def scenario() -> None:
        disk, rooms = Disk(), PrivateRooms()
        record = PrivateRecord(rooms, disk.record, lambda: STAMP)
        entering = asyncio.ensure_future(record.enter("plans", "Anna", ANNA))
        await looping.until(lambda: bool(disk.batches))
        assert rooms.kind("plans") is Kind.PRIVATE
        with pytest.raises(Refused) as refused:
            rooms.check_private("plans")
        assert refused.value.code is ErrorCode.ROOM_TAKEN
        assert not rooms.is_recorded("plans")
        disk.may_write.set()
        await entering
        rooms.open_private("plans", "Anna", ANNA)
        assert rooms.is_recorded("plans")

    looping.run(scenario())


def test_a_room_that_cannot_be_recorded_is_as_open_as_before() -> None:
    async def scenario() -> None:
        disk, rooms = Disk(), PrivateRooms()
        disk.fault = ErrorCode.STORAGE_FULL
        disk.may_write.set()
        record = PrivateRecord(rooms, disk.record, lambda: STAMP)
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                await record.enter("plans", "Anna", ANNA)
            assert refused.value.code is ErrorCode.STORAGE_FULL
            assert rooms.kind("plans") is Kind.OPEN
        disk.fault = None
        await record.enter("plans", "Anna", ANNA)
        assert rooms.kind("plans") is Kind.PRIVATE

    looping.run(scenario())


def test_rooms_that_are_created_together_share_a_write_and_none_waits_for_another_failure() -> None:
    async def scenario() -> None:
        disk, rooms = Disk(), PrivateRooms()
        record = PrivateRecord(rooms, disk.record, lambda: STAMP)
        entering = [asyncio.ensure_future(record.enter(f"room{n}", "Anna", ANNA)) for n in range(5)]
        await looping.until(lambda: bool(disk.batches))
        disk.may_write.set()
        await asyncio.gather(*entering)
        assert len(disk.batches) <= 2
        assert sorted(room for batch in disk.batches for room in batch) == [f"room{n}" for n in range(5)]

    looping.run(scenario())


def test_rooms_that_have_members_and_no_entry_get_one_once() -> None:
    async def scenario() -> None:
        disk, rooms = Disk(), PrivateRooms()
        disk.may_write.set()
        record = PrivateRecord(rooms, disk.record, lambda: STAMP)
        rooms.merge(f"plans\towner\tAnna\t{ANNA}\nplans\tmember\tBoris\t{BORIS}\nnot understood\n")
        for _ in range(2):
            await record.enter_all()
        assert disk.batches == [["plans"]]
        rooms.merge("# nothing\n")
        assert rooms.kind("plans") is Kind.PRIVATE
        assert not rooms.has_members("plans")

    looping.run(scenario())


def test_an_entry_names_the_creator() -> None:
    async def scenario() -> None:
        written: list[AuditEntry] = []

        async def note(*entries: AuditEntry) -> None:
            written.extend(entries)

        rooms = PrivateRooms()
        record = PrivateRecord(rooms, note, lambda: STAMP)
        await record.enter("plans", "Anna", ANNA)
        rooms.merge(f"tea\towner\tBoris\t{BORIS}\n")
        await record.enter_all()
        assert [(entry.actor, entry.by, entry.room) for entry in written] == [
            ("Anna", ANNA, "plans"),
            (OPERATOR, "", "tea"),
        ]

    looping.run(scenario())
