"""The messages of the stream about people: rows, acts of moderation, and the heads behind them. Pure.

A node that changes something offers the rows that change, the entries of the audit log, and behind them a new head, together: all are stored, or none.
"""

from __future__ import annotations

import hashlib
from typing import Final, TypeAlias
from urllib.parse import quote

import msgspec

from besedka.serve.cluster.errors import EntryInvalid

SUBJECTS: Final = "besedka.people."
"""In front of all their subjects."""

HEAD: Final = f"{SUBJECTS}head"
"""The subject of heads. The last one decides what the next one stands behind."""

_DIGITS: Final = 32


class RowEntry(msgspec.Struct, frozen=True, tag="row", omit_defaults=True):
    """A row of a table, or its removal.

    Attributes:
        table: the name of the table's file.
        fields: the row, as in its file.
        removed: whether it was removed.
    """

    table: str
    fields: list[str]
    removed: bool = False

    def subject(self, key: str) -> str:
        """The subject of a row with this key: a later one replaces it."""
        digest = hashlib.sha256(f"{self.table}\n{key}".encode()).hexdigest()[:_DIGITS]
        return f"{SUBJECTS}row.{quote(self.table.removesuffix('.txt'), safe='')}.{digest}"


class RemarkEntry(msgspec.Struct, frozen=True, tag="remark"):
    """A remark of a table that all nodes need.

    Attributes:
        table: the name of the table's file.
        key: says what it is about: there is one remark of each key.
        line: the remark, as in the file.
    """

    table: str
    key: str
    line: str

    @property
    def subject(self) -> str:
        """Its subject."""
        digest = hashlib.sha256(f"{self.table}\n{self.key}".encode()).hexdigest()[:_DIGITS]
        return f"{SUBJECTS}remark.{digest}"


class ActEntry(msgspec.Struct, frozen=True, tag="act"):
    """An entry of the audit log.

    Attributes:
        line: the entry, as in its file.
    """

    line: str

    @staticmethod
    def subject(number: int) -> str:
        """The subject of the entry of this number: none replaces it."""
        return f"{SUBJECTS}act.{number}"


class HeadEntry(msgspec.Struct, frozen=True, tag="head", omit_defaults=True):
    """The end of what was changed together.

    Attributes:
        by: the token of the offer; each offer has another one.
        acts: how many entries the audit log has.
        before: the tokens of the offers before it, the last one first.
    """

    by: str
    acts: int
    before: list[str] = []


PeopleEntry: TypeAlias = RowEntry | RemarkEntry | ActEntry | HeadEntry

_decoder: Final = msgspec.json.Decoder(PeopleEntry)
encode_people_entry: Final = msgspec.json.Encoder().encode
"""The bytes of a message in the stream."""


def decode_people_entry(data: bytes) -> PeopleEntry:
    """Parse a message.

    Raises:
        EntryInvalid: if it is none.
    """
    try:
        entry: PeopleEntry = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise EntryInvalid(f"a message about people cannot be read: {error}") from error
    return entry
