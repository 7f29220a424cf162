"""What one may ask of a chat beside talking: rooms of one's own, talks of two, invitations, another device, order.

All of it raises `CarrierEnded` if there is no connection, or it is lost meanwhile; and `AskRefused` if the server does not do it: it
tells why.
"""

from __future__ import annotations

import secrets
from typing import Any, TypeVar

from besedka.remote.errors import ConnectionFailed
from besedka.remote.questions import Questions
from besedka.wire.words import (
    INVITATION_SECONDS,
    Act,
    AddDevice,
    Ask,
    DeviceLink,
    Done,
    Invitation,
    Invite,
    Moderate,
    OpenDirect,
    OpenPrivate,
    Place,
    Uninvite,
)

A = TypeVar("A")


class Asks:
    """Asks over the connection of some questions."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def private(self, room: str) -> Place:
        """Make a private room, and be its owner. Enter it by a connection of its own."""
        return await self._ask(OpenPrivate(room, key=_key()), Place)

    async def direct(self, user: str) -> Place:
        """The talk with one person alone. Enter it by a connection of its own."""
        return await self._ask(OpenDirect(user, key=_key()), Place)

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

    async def _ask(self, word: Ask, kind: type[A]) -> A:
        answer = await self._questions.ask(word)
        if not isinstance(answer, kind):
            raise ConnectionFailed(f"what answers is not Besedka: {type(answer).__name__} is no answer")
        return answer


def _key() -> str:
    return secrets.token_hex(16)
