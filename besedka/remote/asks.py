"""What one may ask of a chat beside talking: what is in its log, rooms of one's own, talks of two, invitations, another device, order.

All of it raises `TransportClosed` if there is no connection, or it is lost meanwhile; and `AskRefused` if the server does not do it: it
tells why.
"""

from __future__ import annotations

import secrets
from typing import Any, TypeVar

from besedka.remote.errors import not_besedka, understanding
from besedka.remote.events import Found, Heard
from besedka.remote.log import Log
from besedka.remote.questions import Questions
from besedka.wire.frames import (
    FOUND_MESSAGES,
    INVITATION_SECONDS,
    Act,
    AddDevice,
    DeviceLink,
    Done,
    Invitation,
    Invite,
    ListHistory,
    ListRooms,
    Moderate,
    OpenDirect,
    OpenPrivate,
    Request,
    RoomEntry,
    RoomOpened,
    Rooms,
    Search,
    Uninvite,
)
from besedka.wire.frames import Found as FoundWord

A = TypeVar("A")


class Asks:
    """Asks over one connection.

    Args:
        questions: of the connection.
        log: of its room.
        url: of the chat.
        room: the room.
    """

    def __init__(self, questions: Questions, log: Log, url: str, room: str) -> None:
        self._questions = questions
        self._log = log
        self._url = url
        self._room = room

    async def page(self, first: int, limit: int) -> list[Heard]:
        """Messages from this id on, at most so many, read again from the log.

        Raises:
            TransportClosed: if there is no connection; ask again when it is back.
        """
        found: list[Heard] = []
        before = first + limit
        # Where messages are long a page has only the last of those that were asked for.
        while before > first:
            frame = ListHistory(before=before, room=self._room, limit=before - first)
            answer = await self._questions.page(frame)
            with understanding(self._url):
                page = self._log.read(answer)
            if not page:
                break
            if page[0].id >= before:
                raise not_besedka(self._url, f"a page before {before} begins with {page[0].id}")
            found = [*page, *found]
            before = page[0].id
        return found

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat, by name.

        Raises:
            TransportClosed: if there is no connection; ask again when it is back.
            AskRefused: if the server does not answer; it tells why.
        """
        answer: Rooms = await self._questions.ask(ListRooms(key=_key()))
        return answer.rooms

    async def search(self, text: str, before: int = 0, limit: int = FOUND_MESSAGES) -> Found:
        """Messages of the room that hold a text, in capitals or small letters; the newest ones, at most so many.

        The server looks only so long at a time: ask again with `Found.before` for what is older, until that is 0.

        Args:
            text: what to look for.
            before: look only at messages older than this id; 0: at all.
            limit: how many to find; the server gives 100 at most.

        Raises:
            TransportClosed: if there is no connection; ask again when it is back.
            AskRefused: if the server does not search for it; it tells why.
        """
        key = _key()
        frame = Search(text=text, room=self._room, before=before, limit=limit, key=key)
        answer: FoundWord = await self._questions.ask(frame)
        if before and answer.before >= before:
            raise not_besedka(self._url, f"a search before {before} goes on before {answer.before}")
        with understanding(self._url):
            return Found(self._log.read_found(answer), answer.before)

    async def private(self, room: str) -> RoomOpened:
        """Make a private room, and be its owner. Enter it by a connection of its own."""
        return await self._ask(OpenPrivate(room, key=_key()), RoomOpened)

    async def direct(self, user: str) -> RoomOpened:
        """The talk with one person alone. Enter it by a connection of its own."""
        return await self._ask(OpenDirect(user, key=_key()), RoomOpened)

    async def invite(self, room: str, uses: int = 1, seconds: int = INVITATION_SECONDS) -> Invitation:
        """An invitation into a private room that one owns, for so many people and so long."""
        return await self._ask(Invite(room, uses, seconds, key=_key()), Invitation)

    async def uninvite(self, room: str, user: str = "") -> Done:
        """Take back all invitations into a private room that one owns; or have somebody be no member of it."""
        return await self._ask(Uninvite(room, user, key=_key()), Done)

    async def add_device(self, user: str, secret: str) -> DeviceLink:
        """What another device needs to be the same person; the secret is one's own."""
        return await self._ask(AddDevice(user, secret, key=_key()), DeviceLink)

    async def moderate(self, act: Act, **fields: Any) -> Done:
        """Keep order; fields as `Moderate` has them."""
        return await self._ask(Moderate(act, key=_key(), **fields), Done)

    async def _ask(self, frame: Request, kind: type[A]) -> A:
        answer = await self._questions.ask(frame)
        if not isinstance(answer, kind):
            raise not_besedka(self._url, f"{type(answer).__name__} is no answer")
        return answer


def _key() -> str:
    return secrets.token_hex(16)
