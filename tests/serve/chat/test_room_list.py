"""The list of rooms: its pages are the whole list, whatever their size; the folder is scanned seldom."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.chat import room_list
from besedka.serve.chat.room_list import (
    LOOKED_AT_BYTES,
    LOOKED_AT_MOST,
    SCAN_SECONDS,
    SORTED_BYTES,
    RoomPage,
    WrittenRooms,
    names_after,
    page_of,
)
from besedka.serve.chat.workers import Workers
from besedka.serve.history import RoomFiles, room_files
from besedka.serve.history.room_files import SETTLED_SECONDS
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import ROOMS_LISTED_BYTES, RoomEntry, encode, listed_bytes
from besedka.wire.frames import Rooms as RoomsFrame
from tests import looping
from tests.looping import jump

NAMES = st.lists(st.text("abc", min_size=1, max_size=3), unique=True).map(sorted)


def entry(name: str, _: bool) -> RoomEntry:
    return RoomEntry(name, 0)


@given(NAMES, NAMES, NAMES, st.integers(1, 5))
def test_the_pages_together_are_the_whole_list(
    own: list[str], written: list[str], is_open: list[str], limit: int
) -> None:
    listed, after = list[str](), ""
    while True:
        page = page_of(names_after(after, own, written, reversed(is_open)), entry, limit)
        assert len(page.entries) <= limit
        listed += [entry.name for entry in page.entries]
        after = page.next
        if not after:
            break
    assert listed == [*own, *sorted({*written, *is_open})]


@given(NAMES, NAMES, st.text("abc", max_size=3))
def test_a_name_is_a_cursor_too(own: list[str], written: list[str], after: str) -> None:
    listed = [name for _, name in names_after(after, own, written, [])]
    assert listed == ([*own, *written] if not after else [name for name in written if name > after])


def test_a_page_has_a_bound_in_bytes() -> None:
    names = [f"{number:04}{'가' * 28}" for number in range(1_000)]
    page = page_of(((name, name) for name in names), entry, len(names))
    assert 0 < len(page.entries) < len(names)
    assert page.next == page.entries[-1].name
    frame = encode(RoomsFrame(page.entries))
    size = sum(map(listed_bytes, page.entries))
    assert size <= ROOMS_LISTED_BYTES < size + 200
    assert abs(len(frame) - size) < 100


def test_the_price_of_a_page_has_its_bytes_and_the_rooms_that_were_looked_at_and_sorted_for_it() -> None:
    assert page_of([], entry, 10).cost == 0
    entries = [RoomEntry("name", 0)]
    size = listed_bytes(entries[0])
    assert RoomPage(entries).cost == size
    assert RoomPage(entries, examined=1_000).cost == size + 1_000 * LOOKED_AT_BYTES
    assert RoomPage(entries, sorted=1_000).cost == size + 1_000 * SORTED_BYTES


def test_a_page_looks_at_a_bounded_number_of_rooms_that_it_may_not_show() -> None:
    looked_at = list[str]()

    def hidden(name: str, _: bool) -> None:
        looked_at.append(name)

    names = [f"{number:06}" for number in range(3 * LOOKED_AT_MOST)]
    page = page_of(((name, name) for name in names), hidden, 10)
    assert page == RoomPage([], names[LOOKED_AT_MOST - 1], LOOKED_AT_MOST + 1)
    assert len(looked_at) == LOOKED_AT_MOST + 1


# The scan of the folder.


def test_a_scan_finds_the_logs_with_content_and_no_other_files(tmp_path: Path) -> None:
    log = tmp_path / "talk.txt"
    for name in (
        "talk.txt",
        "talk.b.txt",
        "talk.a.txt",
        "talk.A.txt",
        "talk.a.txt.index",
        "talk.-.txt",
        "other.c.txt",
    ):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "talk.txt.txt").write_text("x\n")
    (tmp_path / "talk.new.txt").touch()
    files = room_files(log, RoomFiles())
    assert (files.written, files.empty) == (["a", "b", "txt"], ["new"])


def test_a_folder_that_has_not_changed_is_not_scanned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "talk.txt"
    (tmp_path / "talk.a.txt").write_text("x\n")
    (tmp_path / "talk.b.txt").touch()
    now = tmp_path.stat().st_mtime
    os.utime(tmp_path, (now, now - 1.5 * SETTLED_SECONDS))
    monkeypatch.setattr("time.time", lambda: now)
    first = room_files(log, RoomFiles())
    with monkeypatch.context() as patch:
        patch.setattr("os.scandir", None)
        assert room_files(log, first) is first
        (tmp_path / "talk.b.txt").write_text("x\n")
        second = room_files(log, first)
        assert (second.written, second.empty) == (["a", "b"], [])
    (tmp_path / "talk.c.txt").write_text("x\n")
    assert room_files(log, second).written == ["a", "b", "c"]


def test_a_folder_that_has_just_changed_is_scanned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "talk.txt"
    changed = tmp_path.stat().st_mtime_ns
    monkeypatch.setattr("time.time", lambda: changed / 1e9 + SETTLED_SECONDS / 2)
    first = room_files(log, RoomFiles())
    (tmp_path / "talk.a.txt").write_text("x\n")
    os.utime(tmp_path, ns=(changed, changed))  # within one tick of its clock
    assert room_files(log, first).written == ["a"]


def test_the_folder_is_scanned_at_most_once_in_a_second_also_if_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans, found = 0, list[Iterable[str]]()

    def scan(history: Path, before: RoomFiles) -> RoomFiles:
        nonlocal scans
        scans += 1
        return room_files(history, before)

    monkeypatch.setattr(room_list, "room_files", scan)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "talk.zoo.txt").write_text("x\n")

    async def scenario() -> None:
        workers = Workers()
        rooms = WrittenRooms(folder / "talk.txt", workers, found.append)
        asking = [asyncio.ensure_future(rooms.names()) for _ in range(10)]
        await asyncio.sleep(0)
        asking.pop().cancel()
        assert await asyncio.gather(*asking) == [["zoo"]] * 9
        assert await rooms.names() == ["zoo"]
        assert (scans, found) == (1, [{"zoo"}])
        rooms.note("new")
        rooms.note("zoo")
        assert await rooms.names() == ["new", "zoo"]
        await jump(SCAN_SECONDS)
        assert await rooms.names() == ["zoo"]
        assert scans == 2
        shutil.rmtree(folder)
        await jump(SCAN_SECONDS)
        refusals = await asyncio.gather(*(rooms.names() for _ in range(3)), return_exceptions=True)
        assert [refusal.code for refusal in refusals if isinstance(refusal, Refused)] == [
            ErrorCode.ROOM_UNAVAILABLE
        ] * 3
        assert len(set(map(id, refusals))) == 3
        assert scans == 3
        workers.stop()
        with pytest.raises(Refused):
            await rooms.names()
        workers.close()

    looping.run(scenario())
