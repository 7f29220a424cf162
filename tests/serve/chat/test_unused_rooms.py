"""Rooms in which nothing was said lapse, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.chat.unused_rooms import SILENT_SECONDS
from besedka.serve.people.names import claim_of
from besedka.serve.room import Room
from besedka.wire.frames import Kind
from tests import looping
from tests.serve.faking import TENANT, FakeSubscriber, draft, running

ANNA, BORIS, EVE = (claim_of(name) for name in ("Anna", "Boris", "Eve"))


async def said(chat: Chat, name: str) -> None:
    """Say something in a room, which is closed afterwards."""
    opening = chat.rooms.open(name, TENANT)
    room = opening if isinstance(opening, Room) else await opening
    chat.committer.post(room, draft("Anna", "something"), FakeSubscriber("Anna", room))
    await chat.committer.finish()
    chat.rooms.close_later(room)
    await looping.jump(120)
    assert not chat.rooms.is_open(name)


async def private(chat: Chat, name: str, claim: str) -> None:
    await chat.directory.private.enter(name, "Name", claim)
    chat.directory.rooms.open_private(name, "Name", claim)


def test_a_private_room_lapses_with_the_names_of_its_members_unless_something_was_said_in_it(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            rooms, names = chat.directory.rooms, chat.directory.names
            for name, claim in (("Anna", ANNA), ("Boris", BORIS)):
                names.take(name, claim, "2026-11-20 17:00:00")
            for name in ("silent", "talkative", "shared"):
                await private(chat, name, ANNA)
            rooms.add_member("shared", "Boris", BORIS)
            await said(chat, "talkative")
            await chat.unused.give_up_unused()
            assert rooms.of(ANNA) == ["silent", "talkative", "shared"]
            names.release("Anna")
            await chat.unused.give_up_unused()
            assert rooms.of(ANNA) == ["talkative", "shared"]
            assert rooms.kind("silent") is Kind.PRIVATE
        async with running(tmp_path) as chat:
            rooms = chat.directory.rooms
            assert rooms.of(ANNA) == ["talkative", "shared"]
            assert rooms.kind("silent") is Kind.PRIVATE
            chat.directory.names.release("Boris")
            await chat.unused.give_up_unused()
            assert rooms.of(ANNA) == ["talkative"]

    looping.run(scenario())


def test_a_direct_room_lapses_after_a_day_unless_something_was_said_in_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            rooms = chat.directory.rooms
            silent = rooms.open_direct(("Anna", ANNA), ("Boris", BORIS))
            talkative = rooms.open_direct(("Anna", ANNA), ("Eve", EVE))
            await said(chat, talkative)
            await chat.unused.give_up_unused()
            await looping.jump(SILENT_SECONDS - 1)
            await chat.unused.give_up_unused()
            assert rooms.of(ANNA) == [silent, talkative]
            await looping.jump(2)
            opening = chat.rooms.open(silent, TENANT)
            room = opening if isinstance(opening, Room) else await opening
            await chat.unused.give_up_unused()
            assert rooms.of(ANNA) == [silent, talkative]  # somebody may be in it
            chat.rooms.close_later(room)
            await looping.jump(120)
            await chat.unused.give_up_unused()
            assert rooms.of(ANNA) == [silent, talkative]  # its day begins anew
            await looping.jump(SILENT_SECONDS)
            await chat.unused.give_up_unused()
            assert rooms.of(ANNA) == [talkative]
            assert rooms.count_made(Kind.DIRECT, ANNA) == 1
            assert rooms.open_direct(("Boris", BORIS), ("Anna", ANNA)) == silent

    looping.run(scenario())


def test_where_there_are_too_many_empty_private_rooms_lapse_those_of_the_greediest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            rooms, names = chat.directory.rooms, chat.directory.names
            for name, claim in (("Anna", ANNA), ("Boris", BORIS), ("Eve", EVE)):
                names.take(name, claim, "2026-11-20 17:00:00")
            for number in range(4):
                await private(chat, f"eves-{number}", EVE)
            await private(chat, "annas", ANNA)
            for name in ("boriss", "talkative"):
                await private(chat, name, BORIS)
            await said(chat, "talkative")
            await chat.unused.give_up_unused()
            monkeypatch.setattr("besedka.serve.people.room_quotas.PRIVATE_ROOMS_KEPT", 4)
            await chat.unused.give_up_unused()
            assert rooms.count(Kind.PRIVATE) == 7  # none of them is old enough
            await looping.jump(SILENT_SECONDS)
            await chat.unused.give_up_unused()
            assert rooms.count(Kind.PRIVATE) == 4
            assert (len(rooms.of(EVE)), rooms.of(ANNA), rooms.of(BORIS)) == (
                1,
                ["annas"],
                ["boriss", "talkative"],
            )
            monkeypatch.setattr("besedka.serve.people.room_quotas.PRIVATE_ROOMS_KEPT", 0)
            await chat.unused.give_up_unused()
            assert rooms.names() == ["talkative"]

    looping.run(scenario())


def test_a_room_of_which_the_last_scan_knows_no_log_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            for name in ("silent", "talkative"):
                await private(chat, name, ANNA)
            await said(chat, "talkative")

            async def knows_nothing(names: Iterable[str]) -> list[str]:
                return [*names]

            monkeypatch.setattr(chat.rooms, "silent", knows_nothing)
            await chat.unused.give_up_unused()
            assert chat.directory.rooms.of(ANNA) == ["talkative"]

    looping.run(scenario())


def test_without_names_that_are_held_no_private_room_lapses(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as chat:
            chat.directory.names.is_kept = False
            await private(chat, "silent", ANNA)
            await chat.unused.give_up_unused()
            assert chat.directory.rooms.of(ANNA) == ["silent"]

    looping.run(scenario())
