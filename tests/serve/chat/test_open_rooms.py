"""Rooms that are closed to make space, where something other than a subscriber keeps them open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from besedka.serve.chat import Chat, open_rooms
from besedka.serve.limits.networks import Network
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room
from besedka.serve.settings import Settings
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from tests import looping

MANY, FEW = (Tenant(IPv4Address(f"192.0.2.{number}")) for number in (7, 8))


class Download(LiveSession):
    """A session that holds a room until it is removed from it."""

    door = "/ws"

    def __init__(self, room: Room, hold: ExitStack) -> None:
        self._room = room
        self._hold = hold
        self.refusal: Refused | None = None

    @property
    def network(self) -> Network | None:
        return MANY.network

    def people(self) -> Iterable[Person]:
        return ()

    def memberships(self) -> Iterable[tuple[str, str]]:
        return ((self._room.name, ""),)

    def remove_from_room(self, room: str, refusal: Refused) -> None:
        assert room == self._room.name
        self.refusal = refusal
        asyncio.get_running_loop().call_soon(self._hold.close)

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        raise AssertionError(ending, refusal)

    def abort(self) -> None:
        raise AssertionError


def test_a_room_that_downloads_hold_is_closed_when_they_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_rooms, "ROOMS_AT_MOST", 5)
    monkeypatch.setattr(open_rooms, "RESERVED_ROOMS", 0)

    async def scenario() -> None:
        chat = Chat(Settings(history=tmp_path / "talk.txt"))
        await chat.start()
        downloads = []
        for number in range(4):
            room = await opened(chat, f"held-{number}", MANY)
            hold = ExitStack()
            hold.enter_context(chat.rooms.held(room, MANY))
            downloads.append(Download(room, hold))
            chat.directory.sessions.add(downloads[-1])
        with pytest.raises(Refused) as refused:
            await opened(chat, "few", FEW)
        assert refused.value.code is ErrorCode.TOO_MANY_ROOMS
        removed = [download.refusal.code for download in downloads if download.refusal]
        assert removed == [ErrorCode.TOO_MANY_ROOMS]
        assert (await opened(chat, "few", FEW)).name == "few"
        assert len([download for download in downloads if download.refusal]) == 1
        for download in downloads:
            chat.directory.sessions.discard(download)
        await chat.close()

    looping.run(scenario())


async def opened(chat: Chat, name: str, tenant: Tenant) -> Room:
    room = chat.rooms.open(name, tenant)
    return room if isinstance(room, Room) else await room
