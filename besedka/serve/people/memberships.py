"""The members of private rooms, and the direct rooms. Pure.

A member is a claim, not a name: claiming a lapsed name gives no access to its former holder's rooms. A room that was private once stays
so, with or without members: an entry of the audit log says so (`PrivateRooms.note_recorded`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Final

from besedka.serve.people.room_looks import RoomLooks
from besedka.serve.people.table import Table
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Kind
from besedka.wire.skeletons import skeletons
from besedka.wire.validation import clean_room, stored_name

DIRECT: Final = "direct-"
"""Prefix of the names of direct rooms, reserved for them."""

MEMBERS_AT_MOST: Final = 10_000
"""Members of a private room."""

REMARK: Final = (
    "Who belongs to which private room: the room, as what, the name, the claim (see known_names.txt)."
)

_DIRECT_LOOKS: Final = tuple(skeletons(DIRECT))
_CLAIM: Final = re.compile(r"[0-9a-f]{64}")


class Role(StrEnum):
    """A member's role in a room that is not open.

    In a direct room: *direct* has opened it, *asked* was asked into it, and is a *member* once they have answered.
    """

    OWNER = "owner"
    MEMBER = "member"
    DIRECT = "direct"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's membership in a room.

    Attributes:
        room: the room's name.
        role: the role in it.
        name: the person's name when they became a member.
        claim: the person's claim.
    """

    room: str
    role: Role
    name: str
    claim: str


class PrivateRooms(Table[Membership]):
    """All rooms that are not open, and their members.

    Attributes:
        looks: the private ones, by what they look like; nothing looks like a direct one (`looks_direct`).
    """

    is_shared: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(REMARK)
        # The rooms of which an entry of the audit log says that they are private, and those whose entry is being written.
        self._recorded: set[str] = set()
        self._reserved: Counter[str] = Counter()
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
            return Membership(clean_room(room), Role(role), stored_name(name), claim)
        except Refused as refusal:
            raise ValueError(fields) from refusal

    @staticmethod
    def write(row: Membership) -> Iterable[str]:
        return (row.room, row.role, row.name, row.claim)

    def rebuild(self) -> None:
        self._members: dict[str, dict[str, Membership]] = {}
        self._of: dict[str, dict[str, Membership]] = {}
        for row in self.rows():
            self._index(row)
        # A line that is not understood was probably meant to make its room private.
        for room in self.misread():
            with suppress(Refused):
                self._members.setdefault(clean_room(room), {})
        self.looks = RoomLooks(room for room in self._members if not room.startswith(DIRECT))

    def take_agreed(self, key: str, row: Membership | None) -> None:
        before = self._rows.get(key)
        if row:
            self._add(row, is_awaited=False)
        elif before:
            self.remove_member(before.room, before.claim)
            if not self._members[before.room]:
                self._forget(before.room)

    def settle(
        self, mine: Membership | None, base: Membership | None, theirs: Membership | None
    ) -> Membership | None:
        if mine is None or theirs is None:
            return None
        # Whoever was made an owner is one; of two who ask each other the first is asking.
        return mine if base is None and mine.role is Role.OWNER else theirs

    def clash(self, mine: Membership, theirs: Membership) -> Refused | None:
        is_made_twice = mine.role is theirs.role is Role.OWNER and mine.claim != theirs.claim
        return (
            Refused(ErrorCode.ROOM_TAKEN, room=mine.room)
            if is_made_twice and mine.room == theirs.room
            else None
        )

    def kind(self, room: str) -> Kind:
        """The kind of a room."""
        if not (room in self._members or room in self._recorded or room in self._reserved):
            return Kind.OPEN
        return Kind.DIRECT if room.startswith(DIRECT) else Kind.PRIVATE

    # The record.

    def note_recorded(self, room: str) -> None:
        """Note that an entry of the audit log says that a room is private."""
        self._recorded.add(room)

    def is_recorded(self, room: str) -> bool:
        """Whether there is such an entry."""
        return room in self._recorded

    def unrecorded(self) -> list[str]:
        """The rooms with members that have no such entry."""
        return [*({row.room for row in self.rows()} - self._recorded)]

    @contextmanager
    def reserved(self, room: str) -> Iterator[None]:
        """Keep everybody out of a room while its entry is written: nobody may enter it as an open room meanwhile."""
        self._reserved[room] += 1
        try:
            yield
        finally:
            self._reserved[room] -= 1
            self._reserved += Counter()  # without those at 0

    # Members.

    def has_members(self, room: str) -> bool:
        """Whether anybody may enter a room that is not open."""
        return bool(self._members.get(room))

    def membership(self, room: str, claim: str) -> Membership | None:
        """A person's membership in a room that is not open, if any."""
        return self._members.get(room, {}).get(claim)

    def members(self, room: str) -> list[Membership]:
        """All members of a room."""
        return [*self._members.get(room, {}).values()]

    def peer(self, room: str, claim: str) -> Membership | None:
        """The other member of a direct room."""
        if self.kind(room) is not Kind.DIRECT:
            return None
        return next((row for row in self.members(room) if row.claim != claim), None)

    def names(self) -> list[str]:
        """The names of all rooms that have members, or may have had some."""
        return [*self._members]

    def of(self, claim: str) -> list[str]:
        """The rooms that a person is a member of."""
        return [*self._of.get(claim, ())]

    def count(self, kind: Kind) -> int:
        """The number of private rooms, or of direct rooms."""
        private = len(self.looks)
        return private if kind is Kind.PRIVATE else len(self._members) - private

    def count_made(self, kind: Kind, claim: str) -> int:
        """The number of private rooms that a person owns, or of direct rooms that they have opened."""
        role = Role.OWNER if kind is Kind.PRIVATE else Role.DIRECT
        return sum(row.role is role for row in self._of.get(claim, {}).values())

    def check_private(self, room: str) -> None:
        """Check that a private room may be created, if no log has its name, and there is a place for it (`room_quotas`).

        One without members and without a log may be created anew: it was private, but nothing was said in it.

        Raises:
            Refused: `room_taken`, `bad_room`.
        """
        if room in self._members or room in self._reserved:
            raise Refused(ErrorCode.ROOM_TAKEN, room=room)
        if room.startswith(DIRECT):
            raise reserved(room)

    def open_private(self, room: str, name: str, claim: str) -> None:
        """Create a private room.

        Raises:
            Refused: as `check_private`.
        """
        self.check_private(room)
        self.entrust(room, name, claim)

    def entrust(self, room: str, name: str, claim: str) -> None:
        """Make a person an owner of a private room: its creator, or whom the operator chooses."""
        self._add(Membership(room, Role.OWNER, name, claim))

    def open_direct(self, first: tuple[str, str], second: tuple[str, str]) -> str:
        """Open the direct room of two people, given by their names and claims, the requester first. Returns its name."""
        room = direct_room(first[1], second[1])
        if room not in self._members:
            self._add(Membership(room, Role.DIRECT, *first))
            self._add(Membership(room, Role.ASKED, *second))
        return room

    def answer(self, room: str, claim: str) -> None:
        """Note that a person who was asked into a direct room has answered."""
        row = self.membership(room, claim)
        if row and row.role is Role.ASKED:
            answered = replace(row, role=Role.MEMBER)
            self.put(answered, is_awaited=False)
            self._index(answered)

    def add_member(self, room: str, name: str, claim: str) -> None:
        """Make a person a member of a private room.

        Raises:
            Refused: `too_many_rooms` if it has too many.
        """
        if self.membership(room, claim) is None:
            if len(self._members.get(room, ())) >= MEMBERS_AT_MOST:
                why = {
                    Language.RU: f"в частной комнате — до {MEMBERS_AT_MOST} человек",
                    Language.EN: f"a private room may have {MEMBERS_AT_MOST} members",
                }
                raise Refused(ErrorCode.TOO_MANY_ROOMS, why=why)
            self._add(Membership(room, Role.MEMBER, name, claim))

    def remove_member(self, room: str, claim: str) -> None:
        """End a person's membership."""
        row = self.membership(room, claim)
        if row:
            self.drop(self.key(row))
            del self._members[room][claim]
            del self._of[claim][room]

    def give_up(self, room: str) -> list[str]:
        """End all memberships in a room in which nothing was said, which gives its place back. Returns the keys of their rows.

        A private one stays so (`check_private`).
        """
        left = self.members(room)
        for row in left:
            self.remove_member(room, row.claim)
        self._forget(room)
        return [self.key(row) for row in left]

    def _forget(self, room: str) -> None:
        self._members.pop(room, None)
        self.looks.discard(room)

    def rename_room(self, room: str, to: str) -> list[str]:
        """Move all memberships of a room to another one; if that is empty, end them. Returns the keys of all their rows."""
        moved = []
        for row in self.members(room):
            moved.append(self.key(row))
            self.drop(self.key(row))
            if to:
                renamed = replace(row, room=to)
                self.put(renamed)
                moved.append(self.key(renamed))
        self.rebuild()
        return moved

    def _add(self, row: Membership, *, is_awaited: bool = True) -> None:
        self.put(row, is_awaited=is_awaited)
        self._index(row)
        if not row.room.startswith(DIRECT):
            self.looks.add(row.room)

    def _index(self, row: Membership) -> None:
        self._members.setdefault(row.room, {})[row.claim] = row
        self._of.setdefault(row.claim, {})[row.room] = row


def direct_room(first: str, second: str) -> str:
    """The name of the direct room of two claims: the same in either order, and by 64 bits different from all others."""
    claims = "".join(sorted((first, second)))
    return DIRECT + hashlib.sha256(claims.encode()).hexdigest()[:16]


def looks_direct(room: str) -> bool:
    """Whether a room's name begins like that of a direct room."""
    return any(look.startswith(_DIRECT_LOOKS) for look in skeletons(room))


def looks_taken(room: str) -> Refused:
    """The refusal of a new room whose name looks like that of another one, whatever kind of room that is."""
    why = {
        Language.RU: "оно похоже на название другой комнаты; можно такое, которое отличается не только похожими буквами",
        Language.EN: "it looks like the name of another room; it must differ by more than letters that look alike",
    }
    return Refused(ErrorCode.BAD_ROOM, room=room, why=why)


def reserved(room: str) -> Refused:
    """The refusal of a name that is reserved for direct rooms."""
    why = {
        Language.RU: f"с {DIRECT} начинаются только названия личных переписок",
        Language.EN: f"only the names of direct rooms begin with {DIRECT}",
    }
    return Refused(ErrorCode.BAD_ROOM, room=room, why=why)
