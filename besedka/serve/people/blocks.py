"""Blocks between people: no direct messages come from a person who is blocked. Pure.

A block is between claims, as a membership is: it outlives a change of names. `direct` honours it; `besedka/serve/session/requests.py`
makes and lifts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from besedka.serve.people.table import Table
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.validation import stored_name

BLOCKS_OF_ONE_AT_MOST: Final = 1_000
"""People whom one person may block: more than anybody blocks by hand."""

REMARK: Final = (
    "Who has blocked whom: the claim of one, the claim and the name of the other (see known_names.txt)."
)

_CLAIM: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Block:
    """A block.

    Attributes:
        by: the claim of the person who has blocked the other.
        claim: the claim of the person who is blocked.
        name: their name at that time.
    """

    by: str
    claim: str
    name: str


class Blocks(Table[Block]):
    """All blocks."""

    is_shared: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__(REMARK)
        self.rebuild()

    @staticmethod
    def key(row: Block) -> str:
        return f"{row.by}\t{row.claim}"

    @staticmethod
    def read(fields: list[str]) -> Block:
        by, claim, name = fields
        if not (_CLAIM.fullmatch(by) and _CLAIM.fullmatch(claim)):
            raise ValueError(fields)
        try:
            return Block(by, claim, stored_name(name))
        except Refused as refusal:
            raise ValueError(name) from refusal

    @staticmethod
    def write(row: Block) -> Iterable[str]:
        return (row.by, row.claim, row.name)

    def rebuild(self) -> None:
        self._of: dict[str, dict[str, Block]] = {}
        for row in self.rows():
            self._of.setdefault(row.by, {})[row.claim] = row

    def take_agreed(self, key: str, row: Block | None) -> None:
        before = self._rows.get(key)
        if row:
            self.put(row, is_awaited=False)
            self._of.setdefault(row.by, {})[row.claim] = row
        elif before:
            self.unblock(before)

    def settle(self, mine: Block | None, base: Block | None, theirs: Block | None) -> Block | None:  # noqa: ARG002
        return mine

    def has_blocked(self, by: str, claim: str) -> bool:
        """Whether one person has blocked another."""
        return claim in self._of.get(by, ())

    def of(self, by: str) -> list[Block]:
        """The people whom a person has blocked, in the order in which they did it."""
        return [*self._of.get(by, {}).values()]

    def block(self, by: str, claim: str, name: str) -> str:
        """Block a person. Returns the key of the row.

        Raises:
            Refused: `not_allowed` if too many are blocked.
        """
        limit, row = BLOCKS_OF_ONE_AT_MOST, Block(by, claim, name)
        if not self.has_blocked(by, claim) and len(self._of.get(by, ())) >= limit:
            why = {
                Language.RU: f"заблокировать можно до {limit} человек",
                Language.EN: f"one person may block {limit} others",
            }
            raise Refused(ErrorCode.NOT_ALLOWED, why=why)
        self.put(row)
        self._of.setdefault(by, {})[claim] = row
        return self.key(row)

    def unblock(self, row: Block) -> str:
        """End a block. Returns the key of the row."""
        self.drop(self.key(row))
        del self._of[row.by][row.claim]
        return self.key(row)
