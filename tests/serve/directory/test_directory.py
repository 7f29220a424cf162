"""The directory of people in a running server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from besedka.serve.directory import Directory
from besedka.serve.limits.rate_limits import RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.names import Names, claim_of
from besedka.serve.people.read_marks import ReadMark
from besedka.serve.people.written_times import span
from besedka.serve.settings import Settings
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Act
from tests import looping


def test_a_name_that_cannot_be_had_costs_the_address_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        directory = Directory(Settings(history=tmp_path / "talk.txt"), lambda: 1_800_000_000.0)
        sources = Sources(RateLimits())
        limiter = sources.limiter(sources.admit("192.0.2.1"))
        directory.sign_in("Anna", "", "somebody without a secret", limiter)
        for number in range(300):
            with pytest.raises(Refused) as refused:
                directory.sign_in("Anna", f"secret {number}", "", limiter)
            assert refused.value.code is ErrorCode.NAME_TAKEN
        for number in range(200):
            directory.sign_in(f"Name {number}", f"secret {number}", "", limiter)
        with pytest.raises(Refused) as refused:
            directory.sign_in("One more", "secret", "", limiter)
        assert refused.value.code is ErrorCode.TOO_MANY_NAMES
        await directory.close()

    looping.run(scenario())


HOUR, DAY = 3600, 24 * 3600
BEGUN = 1_800_000_000
ANNA = "a" * 64


class Clocks:
    """A wall clock and a monotonic one.

    Attributes:
        wall: unix seconds.
        ticks: seconds of the monotonic one.
    """

    def __init__(self, wall: float = BEGUN) -> None:
        self.wall = wall
        self.ticks = 0.0

    def go_on(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds


@asynccontextmanager
async def running(folder: Path, clocks: Clocks) -> AsyncIterator[Directory]:
    settings = Settings(history=folder / "talk.txt", utc=True)
    directory = Directory(settings, lambda: clocks.wall, lambda: clocks.ticks)
    await directory.start()
    yield directory
    await directory.close()


async def up(folder: Path, clocks: Clocks, seconds: float) -> None:
    """Run for so long; nobody comes."""
    async with running(folder, clocks) as directory:
        for _ in range(int(seconds // HOUR)):
            clocks.go_on(HOUR)
            directory.look_after_names()


async def claimed(folder: Path, clocks: Clocks) -> None:
    """Anna comes, claims her name, and goes."""
    async with running(folder, clocks) as directory:
        sources = Sources(RateLimits())
        limiter = sources.limiter(sources.admit("127.0.0.1"))
        directory.sign_out(directory.sign_in("Anna", ANNA, "", limiter))


async def is_held(folder: Path, clocks: Clocks) -> bool:
    async with running(folder, clocks) as directory:
        return directory.names.holder("Anna") is not None


def test_one_start_with_a_wrong_clock_sets_no_name_free(tmp_path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        await claimed(tmp_path, clocks)
        await up(tmp_path, clocks, 30 * DAY)
        for wrong in (400 * DAY, 40_000 * DAY, -20_000 * DAY):
            clocks.wall += wrong
            await up(tmp_path, clocks, 6 * DAY)
            assert await is_held(tmp_path, clocks)
            clocks.wall -= wrong
            await up(tmp_path, clocks, 10 * DAY)
            assert await is_held(tmp_path, clocks)

    looping.run(scenario())


def test_after_a_summer_a_name_is_held_for_a_week_of_uptime_and_then_free(tmp_path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        await claimed(tmp_path, clocks)
        clocks.wall += 100 * DAY
        for _ in range(13):
            await up(tmp_path, clocks, 12 * HOUR)
            clocks.wall += 12 * HOUR
        assert await is_held(tmp_path, clocks)
        await up(tmp_path, clocks, 14 * HOUR)
        assert not await is_held(tmp_path, clocks)

    looping.run(scenario())


def test_who_was_seen_by_a_wrong_clock_holds_the_name_no_longer_than_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks(BEGUN + 40_000 * DAY)
        await claimed(tmp_path, clocks)
        clocks.wall = BEGUN
        await up(tmp_path, clocks, (8 + 89) * DAY)
        assert await is_held(tmp_path, clocks)
        await up(tmp_path, clocks, 9 * DAY)
        assert not await is_held(tmp_path, clocks)

    looping.run(scenario())


def test_a_week_in_1970_makes_nobody_unseen(tmp_path: Path) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        await claimed(tmp_path, clocks)
        await up(tmp_path, clocks, 30 * DAY)
        clocks.wall -= BEGUN
        await up(tmp_path, clocks, 20 * DAY)
        clocks.wall += BEGUN
        await up(tmp_path, clocks, 20 * DAY)
        assert await is_held(tmp_path, clocks)

    looping.run(scenario())


def test_where_there_are_too_many_names_those_of_people_who_came_once_give_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But neither names that were used a short while ago, nor those of present people, members and moderators."""
    monkeypatch.setattr("besedka.serve.people.names.NAMES_AT_MOST", 4)

    async def scenario() -> None:
        clocks = Clocks()
        async with running(tmp_path, clocks) as directory:
            sources = Sources(RateLimits())
            limiter = sources.limiter(sources.admit("127.0.0.1"))

            def come(name: str) -> None:
                directory.sign_out(directory.sign_in(name, f"the secret of {name}", "", limiter))

            for name in ("Once", "Member", "Moderator", "Other"):
                come(name)
            directory.rooms.open_private("plans", "Member", claim_of("the secret of Member"))
            claim = claim_of("the secret of Moderator")
            directory.moderation.apply(
                AuditEntry("2027-01-15 08:00:00", "operator", Act.APPOINT, user="Moderator", claim=claim)
            )
            with pytest.raises(Refused) as refused:
                come("New")
            assert refused.value.code is ErrorCode.TOO_MANY_NAMES
            for _ in range(30 * 24):
                clocks.go_on(HOUR)
                directory.look_after_names()
            come("Other")
            come("New")
            assert {row.name for row in directory.names.rows()} == {"Member", "Moderator", "Other", "New"}

    looping.run(scenario())


def test_whom_the_operator_has_invited_has_a_name_though_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also from an address that has used up its share."""
    monkeypatch.setattr("besedka.serve.people.names.NAMES_AT_MOST", 2)
    monkeypatch.setattr("besedka.serve.limits.rate_limits.NAMES_OF_SOURCE_AT_MOST", 2)

    async def scenario() -> None:
        async with running(tmp_path, Clocks()) as directory:
            sources = Sources(RateLimits())
            limiter = sources.limiter(sources.admit("192.0.2.1"))
            for name in ("One", "Two"):
                directory.sign_in(name, f"the secret of {name}", "", limiter)
            token, _ = directory.invitations.make("name", "Late", "operator", BEGUN, uses=1, seconds=HOUR)
            for name, invite in (("Late", ""), ("Other", token)):
                with pytest.raises(Refused) as refused:
                    directory.sign_in(name, "the secret of Late", "", limiter, invite)
                assert refused.value.code is ErrorCode.TOO_MANY_NAMES
            assert directory.sign_in("Late", "the secret of Late", "", limiter, token).is_verified

    looping.run(scenario())


def test_where_no_name_is_held_no_uptime_is_written(tmp_path: Path) -> None:
    async def scenario() -> None:
        await up(tmp_path, Clocks(), DAY)
        assert not (tmp_path / "uptime.txt").exists()

    looping.run(scenario())


def test_a_claim_behind_a_clock_that_was_set_back_is_later_than_all_that_was_said_before(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        sources = Sources(RateLimits())
        limiter = sources.limiter(sources.admit("127.0.0.1"))
        async with running(tmp_path, clocks) as directory:
            clocks.go_on(0.5)
            session = directory.sign_in("Anna", "", "a guest", limiter)
            clocks.go_on(0.4)
            directory.sign_out(session)
            said = clocks.wall
            clocks.wall -= HOUR
            directory.sign_in("Anna", ANNA, "", limiter)
            known = directory.names.holder("Anna")
            assert known
            assert span(known.first).earliest > said

    looping.run(scenario())


def test_the_marks_of_a_person_whose_names_have_lapsed_go_and_the_next_holder_gets_none(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        clocks = Clocks()
        await claimed(tmp_path, clocks)
        claim = claim_of(ANNA)
        async with running(tmp_path, clocks) as directory:
            directory.read_marks.move(ReadMark(claim, "main", "e", 7))
        async with running(tmp_path, clocks) as directory:
            assert directory.read_marks.of(claim, "main", "e") == 7
        assert claim in (tmp_path / "read_marks.txt").read_text()
        await up(tmp_path, clocks, 100 * DAY)
        assert not await is_held(tmp_path, clocks)
        async with running(tmp_path, clocks) as directory:
            assert directory.read_marks.of(claim, "main", "e") == 0
            assert not [*directory.read_marks.rows()]

    looping.run(scenario())


def test_where_no_name_is_held_no_marks_are_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        directory = Directory(Settings(history=tmp_path / "talk.txt", names=Names.OPEN), lambda: BEGUN)
        await directory.start()
        directory.read_marks.move(ReadMark(claim_of(ANNA), "main", "e", 7))
        await directory.close()
        assert not (tmp_path / "read_marks.txt").exists()

    looping.run(scenario())
