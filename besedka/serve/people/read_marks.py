"""Read marks: how far a person has read each room, so that all their devices know it. Pure.

A mark belongs to a claim, as a membership does: whoever claims a lapsed name has none of its former holder's. Marks of one log are merged by
their maximum, so they may come from any device, late, and twice. A mark of another epoch is void, because its id means another message.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Final

from besedka.serve.people.table import Table
from besedka.wire.errors import Refused
from besedka.wire.validation import clean_room

MARKS_OF_ONE_AT_MOST: Final = 200
"""Rooms in which one person has a mark: twice those of a connection. The mark that has not moved for longest gives way."""

MARKS_AT_MOST: Final = 100_000
"""Marks in all: they are kept in memory, and their file is read as a whole. At the limit the one that has not moved for longest gives way."""

WRITE_SECONDS: Final = 5.0
"""Shortest interval between two writes: a mark moves every few seconds while its person reads, and only the last one counts."""

REMARK: Final = (
    "How far who has read: the claim (see known_names.txt), the room, the epoch of its log, the id."
)

_CLAIM: Final = re.compile(r"[0-9a-f]{64}")
_EPOCH: Final = re.compile(r"[\x21-\x7e]{1,256}")
_ID: Final = re.compile(r"[1-9][0-9]{0,14}")

_ROOMS_CACHED: Final = 1_000
"""Names of rooms whose check is remembered while the file is read: many rows share each, and a check takes as long as all else."""


@dataclass(frozen=True, slots=True)
class ReadMark:
    """A person's mark in a room.

    Attributes:
        claim: the person's claim.
        room: the room's name.
        epoch: the epoch of the room's log.
        id: the last message that they have read.
    """

    claim: str
    room: str
    epoch: str
    id: int


class ReadMarks(Table[ReadMark]):
    """All marks, in the order in which they moved last."""

    moves_changed: ClassVar[bool] = True
    is_dispensable: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(REMARK)
        self.rebuild()

    @property
    def write_seconds(self) -> float:
        return WRITE_SECONDS

    @staticmethod
    def key(row: ReadMark) -> str:
        return f"{row.claim}\t{row.room}"

    @staticmethod
    def read(fields: list[str]) -> ReadMark:
        claim, room, epoch, number = fields
        if not (_CLAIM.fullmatch(claim) and _EPOCH.fullmatch(epoch) and _ID.fullmatch(number)):
            raise ValueError(fields)
        try:
            # Many rows share each of these.
            return ReadMark(sys.intern(claim), _room(room), sys.intern(epoch), int(number))
        except Refused as refusal:
            raise ValueError(room) from refusal

    @staticmethod
    def write(row: ReadMark) -> Iterable[str]:
        return (row.claim, row.room, row.epoch, str(row.id))

    def rebuild(self) -> None:
        # The keys of each person's rows, in the same order as the rows.
        self._of: dict[str, dict[str, None]] = {}
        for key, row in self._rows.items():
            self._of.setdefault(row.claim, {})[key] = None

    def of(self, claim: str, room: str, epoch: str) -> int:
        """The id of the last message that a person has read in a room; 0 if there is no mark in this log."""
        row = self._rows.get(f"{claim}\t{room}")
        return row.id if row and row.epoch == epoch else 0

    def move(self, row: ReadMark) -> bool:
        """Move a person's mark forward. Returns whether it has moved: in the same log it never moves back."""
        if self.of(row.claim, row.room, row.epoch) >= row.id:
            return False
        key, own = self.key(row), self._of.setdefault(row.claim, {})
        own.pop(key, None)
        own[key] = None
        self.put(row, is_awaited=False)
        if len(own) > MARKS_OF_ONE_AT_MOST:
            self._drop(next(iter(own)))
        elif len(self._rows) > MARKS_AT_MOST:
            self._drop(next(iter(self._rows)))
        return True

    def forget(self, claim: str) -> None:
        """Remove a person's marks."""
        for key in [*self._of.get(claim, ())]:
            self._drop(key)

    def keep(self, is_known: Callable[[str], bool]) -> None:
        """Remove the marks of all claims but those that are known."""
        for claim in [claim for claim in self._of if not is_known(claim)]:
            self.forget(claim)

    def rename_room(self, room: str, to: str) -> None:
        """Move all marks in a room to its new name; if that is empty, remove them."""
        rows = [row for row in self._rows.values() if row.room == room]
        for row in rows:
            self.drop(self.key(row))
            if to:
                self.put(replace(row, room=to), is_awaited=False)
        self.rebuild()

    def _drop(self, key: str) -> None:
        claim = self._rows[key].claim
        self.drop(key)
        del self._of[claim][key]
        if not self._of[claim]:
            del self._of[claim]


@lru_cache(_ROOMS_CACHED)
def _room(name: str) -> str:
    return sys.intern(clean_room(name))
