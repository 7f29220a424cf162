"""Who belongs to which private room, and which talks of two there are. Pure.

A member is a claim, not a name: a name that lapses and is claimed by another lets nobody in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from besedka.serve.people.table import Table
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Kind
from besedka.wire.validation import clean_name, clean_room

DIRECT: Final = "direct-"
"""How the rooms of talks of two begin; no other room may."""

ROOMS_OF_OWNER_AT_MOST: Final = 50
"""Private rooms that one person may make."""

TALKS_OF_ONE_AT_MOST: Final = 500
"""Talks of two that one person may begin; into how many he is asked by others is not up to him."""

MEMBERS_AT_MOST: Final = 10_000
"""Members of a private room."""

REMARK: Final = (
    "Who belongs to which private room: the room, as what, the name, the claim (see known_names.txt)."
)

_CLAIM: Final = re.compile(r"[0-9a-f]{64}")


class Role(StrEnum):
    """What somebody is in a room that is not open."""

    OWNER = "owner"
    MEMBER = "member"
    DIRECT = "direct"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody belongs to a room.

    Attributes:
        room: its name.
        role: as what.
        name: his name when he became so.
        claim: who it is.
    """

    room: str
    role: Role
    name: str
    claim: str


class PrivateRooms(Table[Membership]):
    """All rooms that are not open, and who belongs to them."""

    def __init__(self) -> None:
        super().__init__(REMARK)
        self.rebuild()

    @staticmethod
    def key(row: Membership) -> str:
        return f"{row.room}\t{row.claim}"

    @staticmethod
    def read(fields: list[str]) -> Membership:
        room, role, name, claim = fields
        if not _CLAIM.fullmatch(claim):
            raise ValueError(claim)
        try:
            return Membership(clean_room(room), Role(role), clean_name(name), claim)
        except Refused as refusal:
            raise ValueError(fields) from refusal

    @staticmethod
    def write(row: Membership) -> Iterable[str]:
        return (row.room, row.role, row.name, row.claim)

    def rebuild(self) -> None:
        self._members: dict[str, dict[str, Membership]] = {}
        self._of: dict[str, dict[str, Membership]] = {}
        for row in self.rows():
            self._note(row)
        # A line that is not understood names a room that somebody meant to be private.
        for room in self.misread():
            with suppress(Refused):
                self._members.setdefault(clean_room(room), {})

    def kind(self, room: str) -> Kind:
        """What kind of room it is."""
        if room not in self._members:
            return Kind.OPEN
        return Kind.DIRECT if room.startswith(DIRECT) else Kind.PRIVATE

    def membership(self, room: str, claim: str) -> Membership | None:
        """What somebody is in a room that is not open, if anything."""
        return self._members.get(room, {}).get(claim)

    def members(self, room: str) -> list[Membership]:
        """All who belong to a room."""
        return [*self._members.get(room, {}).values()]

    def peer(self, room: str, claim: str) -> Membership | None:
        """The other one of a talk of two."""
        if self.kind(room) is not Kind.DIRECT:
            return None
        return next((row for row in self.members(room) if row.claim != claim), None)

    def of(self, claim: str) -> list[str]:
        """The rooms that somebody belongs to."""
        return [*self._of.get(claim, ())]

    def open_private(self, room: str, name: str, claim: str) -> None:
        """Make a private room.

        Raises:
            Refused: `room_taken`, `bad_room`, `not_allowed` if he has too many.
        """
        if room in self._members:
            raise Refused(ErrorCode.ROOM_TAKEN, room=room)
        if room.startswith(DIRECT):
            raise reserved(room)
        owned = sum(row.role is Role.OWNER for row in self._of.get(claim, {}).values())
        if owned >= ROOMS_OF_OWNER_AT_MOST:
            raise _too_many(
                f"частных комнат у одного — до {ROOMS_OF_OWNER_AT_MOST}",
                f"one person may make {ROOMS_OF_OWNER_AT_MOST} private rooms",
            )
        self._add(Membership(room, Role.OWNER, name, claim))

    def open_direct(self, one: tuple[str, str], other: tuple[str, str]) -> str:
        """The talk of two people, given by their names and claims, the one who asks first; made if there is none. Returns its room.

        Raises:
            Refused: `not_allowed` if he has begun too many.
        """
        room = direct_room(one[1], other[1])
        if room not in self._members:
            begun = sum(row.role is Role.DIRECT for row in self._of.get(one[1], {}).values())
            if begun >= TALKS_OF_ONE_AT_MOST:
                raise _too_many(
                    f"начать можно до {TALKS_OF_ONE_AT_MOST} разговоров вдвоём",
                    f"one person may begin {TALKS_OF_ONE_AT_MOST} talks of two",
                )
            self._add(Membership(room, Role.DIRECT, *one))
            self._add(Membership(room, Role.ASKED, *other))
        return room

    def add_member(self, room: str, name: str, claim: str) -> None:
        """Make somebody a member of a private room.

        Raises:
            Refused: `too_many_rooms` if it has too many.
        """
        if self.membership(room, claim) is None:
            if len(self._members.get(room, ())) >= MEMBERS_AT_MOST:
                raise Refused(ErrorCode.TOO_MANY_ROOMS, limit=MEMBERS_AT_MOST)
            self._add(Membership(room, Role.MEMBER, name, claim))

    def remove_member(self, room: str, claim: str) -> None:
        """Have somebody be a member no more."""
        row = self.membership(room, claim)
        if row:
            self.drop(self.key(row))
            del self._members[room][claim]
            del self._of[claim][room]

    def _add(self, row: Membership) -> None:
        self.put(row)
        self._note(row)

    def _note(self, row: Membership) -> None:
        self._members.setdefault(row.room, {})[row.claim] = row
        self._of.setdefault(row.claim, {})[row.room] = row


def direct_room(one: str, other: str) -> str:
    """The name of the room of two claims: the same whoever of them asks, and by 64 bits that of no other two."""
    claims = "".join(sorted((one, other)))
    return DIRECT + hashlib.sha256(claims.encode()).hexdigest()[:16]


def _too_many(russian: str, english: str) -> Refused:
    return Refused(ErrorCode.NOT_ALLOWED, why={Language.RU: russian, Language.EN: english})


def reserved(room: str) -> Refused:
    """Why a room that nobody made as a talk of two cannot be called like one."""
    why = {
        Language.RU: f"с {DIRECT} начинаются только разговоры вдвоём",
        Language.EN: f"only talks of two begin with {DIRECT}",
    }
    return Refused(ErrorCode.BAD_ROOM, room=room, why=why)
