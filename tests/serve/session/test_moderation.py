"""Moderation, by its parts: acts of the operator that are refused before anything is recorded."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.limits.networks import Network
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.invitations import INVITATIONS_OF_ROOM_AT_MOST
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.settings import Settings
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Act, Done, Invitation, Moderate
from besedka.wire.skeletons import skeletons
from tests import looping
from tests.serve.faking import moderator


@pytest.mark.parametrize("looks", ["Anna", "anna", "Аnna"])
def test_nobody_is_admitted_to_a_name_that_is_somebodys(tmp_path: Path, looks: str) -> None:
    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        chat.directory.names.take("Anna", claim_of("her secret"), chat.clock.stamp())
        keeping = moderator(chat)
        with pytest.raises(Refused) as refused:
            await keeping.command(Moderate(Act.ADMIT, user=looks))
        assert refused.value.code is ErrorCode.NAME_CLAIMED
        assert not list(chat.directory.invitations.rows())
        assert not (tmp_path / "audit.txt").read_text()
        # Once the name is free again, it can be somebody else's.
        await keeping.command(Moderate(Act.RELEASE, user="Anna"))
        assert isinstance(await keeping.command(Moderate(Act.ADMIT, user=looks)), Invitation)
        await chat.close()

    looping.run(scenario())


def test_an_invitation_by_the_operator_that_is_refused_is_not_recorded_and_one_that_is_not_recorded_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        keeping = moderator(chat)
        for _ in range(INVITATIONS_OF_ROOM_AT_MOST):
            await keeping.command(Moderate(Act.ADMIT, user="Anna"))
        with pytest.raises(Refused) as refused:
            await keeping.command(Moderate(Act.ADMIT, user="Anna"))
        assert refused.value.code is ErrorCode.NOT_ALLOWED
        assert len((tmp_path / "audit.txt").read_text().splitlines()) == INVITATIONS_OF_ROOM_AT_MOST

        async def full(*_: object) -> None:
            raise Refused(ErrorCode.STORAGE_FULL)

        monkeypatch.setattr(chat.directory, "record", full)
        with pytest.raises(Refused):
            await keeping.command(Moderate(Act.ADMIT, user="Boris"))
        assert not any(row.what == "Boris" for row in chat.directory.invitations.rows())
        await chat.close()

    looping.run(scenario())


class Comer(LiveSession):
    """A session that may fail to disconnect."""

    door = "/ws"

    def __init__(self, person: Person, *, is_broken: bool = False) -> None:
        self.person = person
        self.is_broken = is_broken
        self.ending: CloseCode | None = None
        self.is_cut_off = False

    @property
    def network(self) -> Network | None:
        return None

    def people(self) -> Iterable[Person]:
        return (self.person,)

    def memberships(self) -> Iterable[tuple[str, str]]:
        return ()

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:  # noqa: ARG002 - only how is looked at
        if self.is_broken:
            raise ZeroDivisionError
        self.ending = ending

    def abort(self) -> None:
        self.is_cut_off = True
        raise ZeroDivisionError("nor can it be cut off")

    def remove_from_room(self, room: str, refusal: Refused) -> None:
        raise AssertionError(room) from refusal


@pytest.mark.parametrize(("act", "ending"), [(Act.KICK, CloseCode.KICKED), (Act.BAN, CloseCode.BANNED)])
def test_who_comes_while_it_is_noted_is_meant_too_and_an_error_spares_nobody(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    act: Act,
    ending: CloseCode,
) -> None:
    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        sessions = [Comer(Person("Boris"), is_broken=number == 3) for number in range(7)]
        for session in sessions[:-1]:
            chat.directory.sessions.add(session)
        note = chat.directory.record

        async def slowly(entry: AuditEntry, *_: object) -> None:
            await note(entry)
            chat.directory.sessions.add(sessions[-1])

        monkeypatch.setattr(chat.directory, "record", slowly)
        await moderator(chat).command(Moderate(act, user="Boris"))
        assert [session.ending for session in sessions] == [*[ending] * 3, None, *[ending] * 3]
        assert [session.is_cut_off for session in sessions] == [session.is_broken for session in sessions]
        assert [record.exc_info is not None for record in caplog.records] == [True, True]
        await chat.close()

    looping.run(scenario())


def test_who_many_are_banned_among_is_found_by_what_is_known_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(name: str) -> frozenset[str]:
        asked.append(name)
        return skeletons(name)

    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        sessions = [Comer(Person(f"Person {number}")) for number in range(100)]
        for session in sessions:
            chat.directory.sessions.add(session)
        for module in (
            "session.act_target",
            "people.acts_in_force",
            "people.restrictions",
            "people.person",
            "people.names",
        ):
            monkeypatch.setattr(f"besedka.serve.{module}.skeletons", counted)
        await moderator(chat).command(Moderate(Act.BAN, user="Person 7"))
        await moderator(chat).command(Moderate(Act.MUTE, user="Person 8"))
        room = await chat.rooms.for_operator("main")
        for session in sessions[10:]:
            chat.directory.moderation.check_post(
                chat.clock.wall(), chat.clock.now(), room.name, session.person
            )
        assert [session.ending for session in sessions].count(CloseCode.BANNED) == 1
        assert len(asked) < 20
        await chat.close()

    looping.run(scenario())


def test_a_kick_that_cannot_be_recorded_takes_effect_and_says_so_and_a_ban_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        egor = Comer(Person("Egor"))
        chat.directory.sessions.add(egor)
        with monkeypatch.context() as full:
            full.setattr(Descriptor, "write", fail)
            with pytest.raises(Refused) as refused:
                await moderator(chat).command(Moderate(Act.BAN, user="Egor"))
            assert refused.value.code is ErrorCode.STORAGE_FULL
            assert egor.ending is None
            done = await moderator(chat).command(Moderate(Act.KICK, user="Egor"))
        assert isinstance(done, Done)
        assert done.text == "Egor was disconnected; this could not be recorded in audit.txt"
        assert egor.ending is CloseCode.KICKED
        assert not (tmp_path / "audit.txt").read_text()
        await chat.close()

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    looping.run(scenario())
