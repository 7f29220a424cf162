"""Rooms that look alike, when several come at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event

import pytest

from besedka.serve.chat import Chat, open_rooms
from besedka.serve.room import Room
from besedka.serve.settings import Settings
from besedka.wire.errors import ErrorCode, Refused
from tests import looping
from tests.looping import TIMEOUT_SECONDS, jump
from tests.serve.faking import TENANT

TWINS = ("board", "b\u043eard", "bo\u0430rd")  # two of them with a Cyrillic letter


async def started(folder: Path) -> Chat:
    chat = Chat(Settings(history=folder / "talk.txt"))
    await chat.start()
    return chat


async def opened(chat: Chat, name: str) -> Room:
    found = chat.rooms.open(name, TENANT)
    return found if isinstance(found, Room) else await asyncio.shield(found)


def list_of_rooms(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("talk.*.txt"))


def test_of_rooms_that_look_alike_and_are_opened_at_once_the_first_one_comes_into_being(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        chat = await started(tmp_path)
        found = await asyncio.gather(*(opened(chat, name) for name in TWINS), return_exceptions=True)
        assert isinstance(found[0], Room)
        assert [isinstance(other, Refused) and other.code for other in found[1:]] == [ErrorCode.BAD_ROOM] * 2
        assert list_of_rooms(tmp_path) == ["talk.board.txt"]
        await chat.close()

    looping.run(scenario())


@pytest.mark.parametrize("name", TWINS[:2], ids=["the same", "a look-alike"])
def test_a_private_room_that_looks_like_one_that_is_being_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """From the first moment on, when it is still looked up on the disk whether the room has a log."""
    may_look = Event()

    def look_slowly(*_: object) -> bool:
        assert may_look.wait(TIMEOUT_SECONDS)
        return False

    async def scenario() -> None:
        chat = await started(tmp_path)
        monkeypatch.setattr(open_rooms, "has_log", look_slowly)
        opening = asyncio.ensure_future(opened(chat, TWINS[0]))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            async with chat.rooms.claimed(name):
                pytest.fail("it was claimed")
        assert refused.value.code in {ErrorCode.BAD_ROOM, ErrorCode.ROOM_TAKEN}
        may_look.set()
        assert (await opening).name == TWINS[0]
        await chat.close()

    looping.run(scenario())


def test_a_room_that_stayed_empty_and_was_closed_keeps_no_name_from_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat = await started(tmp_path)
        for name in (*TWINS, *TWINS):
            room = await opened(chat, name)
            chat.rooms.hold(room)
            chat.rooms.release(room)
            await jump(120)
        await chat.close()

    looping.run(scenario())
    assert list_of_rooms(tmp_path) == []


def test_a_name_that_was_refused_is_no_room(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat = await started(tmp_path)
        room = await opened(chat, TWINS[0])
        with pytest.raises(Refused):
            await opened(chat, TWINS[1])
        chat.rooms.hold(room)
        chat.rooms.release(room)
        await jump(120)
        assert isinstance(await opened(chat, TWINS[2]), Room)
        await chat.close()

    looping.run(scenario())
