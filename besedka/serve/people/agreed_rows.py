"""The rows about people that all nodes of a cluster have agreed on, and those that this node wants beyond them. Pure.

A change is made in a table first, and offered to the others then. If another node was faster with the same row, or with one that excludes it, the table
decides anew (`Table.settle`, `Table.clash`): the change is made on top of the other one, or it does not hold any more, and whoever waits for it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from besedka.serve.people.table import Table
from besedka.wire.errors import Refused

RowKey = tuple[Table[Any], str]
"""A table, and the key of a row."""


class RowChange(NamedTuple):
    """A row that was put or removed.

    Attributes:
        table: the name of its table's file.
        row: the row; a removed one as it was.
        is_removed: whether it was removed.
    """

    table: str
    row: Any
    is_removed: bool


class RemarkChange(NamedTuple):
    """A remark that all nodes need.

    Attributes:
        table: the name of its table's file.
        key: says what it is about.
        line: the remark, as in the file.
    """

    table: str
    key: str
    line: str


class Found(NamedTuple):
    """A row as the others have it when this node starts.

    Attributes:
        change: the row, or its removal; or a remark.
        is_new: whether this node has not written it down yet.
    """

    change: RowChange | RemarkChange
    is_new: bool


class Taken(NamedTuple):
    """A change of another node that was taken over.

    Attributes:
        table: the table.
        before: the row as it was here; None if there was none.
        after: the row as it is now; None if it was removed.
    """

    table: Table[Any]
    before: Any
    after: Any


class Unit:
    """Changes that hold together or not at all.

    Attributes:
        row_keys: the rows.
        refusal: why they do not hold; None as long as they do.
    """

    def __init__(self, row_keys: Iterable[RowKey]) -> None:
        self.row_keys = frozenset(row_keys)
        self.refusal: Refused | None = None


class AgreedRows:
    """The agreed rows.

    Args:
        tables: the tables that are shared, by the names of their files.
    """

    def __init__(self, tables: Mapping[str, Table[Any]]) -> None:
        self._tables = tables
        self._names = {table: name for name, table in tables.items()}
        self._rows: dict[Table[Any], dict[str, Any]] = {table: {} for table in tables.values()}
        self._remarks: dict[tuple[str, str], str] = {}
        self._units: set[Unit] = set()

    def is_shared(self, table: Table[Any]) -> bool:
        """Whether the rows of a table are shared."""
        return table in self._rows

    @contextmanager
    def unit(self, row_keys: Iterable[RowKey]) -> Iterator[None]:
        """A block that waits until changes are agreed and written, which hold together or not at all.

        Raises:
            Refused: at its end, if they did not hold.
        """
        unit = Unit(row_keys)
        self._units.add(unit)
        try:
            yield
        finally:
            self._units.remove(unit)
        if unit.refusal:
            raise unit.refusal

    def wanted(self) -> list[RowChange | RemarkChange]:
        """The changes on their way to the files that the others do not have."""
        remarks = [
            RemarkChange(name, key, line)
            for name, table in self._tables.items()
            for key, line in table.shared_remarks().items()
            if (name, key) not in self._remarks
        ]
        rows = [
            self._change(table, key, mine)
            for table, agreed in self._rows.items()
            for key in table.in_flight()
            if (mine := table.get(key)) != agreed.get(key)
        ]
        return [*remarks, *rows]

    def foreign(self, found: Iterable[Found]) -> str:
        """The file of a table that has a row which the others do not have; empty if there is none."""
        rows = {
            (change.table, self._tables[change.table].key(change.row)): change.row
            for change, _ in found
            if isinstance(change, RowChange) and not change.is_removed
        }
        return next(
            (
                name
                for name, table in self._tables.items()
                for row in table.rows()
                if rows.get((name, table.key(row))) != row
            ),
            "",
        )

    def find(self, found: Iterable[Found]) -> None:
        """Take over what the others have, at the start: a row that is new comes from them, another difference was made in the file by hand, and is wanted now."""
        for change, is_new in found:
            if isinstance(change, RemarkChange):
                self._take_remark(change)
                continue
            theirs = self._agree(change)
            if is_new:
                table = self._tables[change.table]
                key = table.key(change.row)
                self._take(table, key, change, table.get(key), theirs)
        for table in self._rows:
            self.look(table)

    def look(self, table: Table[Any]) -> None:
        """Want all differences in a table that was edited by hand."""
        agreed = self._rows[table]
        mine = {table.key(row): row for row in table.rows()}
        for key in {**agreed, **mine}:
            if mine.get(key) != agreed.get(key):
                table.change(key)

    def accepted(self, changes: Iterable[RowChange | RemarkChange]) -> None:
        """Note that all nodes have these changes of this node now."""
        for change in changes:
            if isinstance(change, RemarkChange):
                self._remarks[change.table, change.key] = change.line
            else:
                self._agree(change)

    def receive(self, changes: Sequence[RowChange | RemarkChange]) -> list[Taken]:
        """Take over changes of another node. Returns the rows that have changed here."""
        return [taken for change in changes if (taken := self._receive(change))]

    def _take_remark(self, change: RemarkChange) -> None:
        self._remarks[change.table, change.key] = change.line
        self._tables[change.table].take_remark(change.line)

    def _receive(self, change: RowChange | RemarkChange) -> Taken | None:
        if isinstance(change, RemarkChange):
            self._take_remark(change)
            return None
        table = self._tables[change.table]
        key = table.key(change.row)
        base, mine = self._rows[table].get(key), table.get(key)
        theirs = self._agree(change)
        if mine == base:
            self._take(table, key, change, mine, theirs)
        else:
            try:
                settled = table.settle(mine, base, theirs)
            except Refused as refusal:
                table.take_agreed(key, theirs)
                self._refuse((table, key), refusal)
            else:
                if settled != mine:
                    table.take_agreed(key, settled)
        if theirs is not None:
            self._refuse_clashing(table, theirs)
        after = table.get(key)
        return Taken(table, mine, after) if after != mine else None

    @staticmethod
    def _take(table: Table[Any], key: str, change: RowChange, mine: object, theirs: object) -> None:
        if mine != theirs:
            table.take_agreed(key, theirs)
        elif theirs is None:
            table.note_removed(change.row)

    def _agree(self, change: RowChange) -> Any:
        table = self._tables[change.table]
        key, agreed = table.key(change.row), self._rows[table]
        if change.is_removed:
            agreed.pop(key, None)
            return None
        agreed[key] = change.row
        return change.row

    def _refuse_clashing(self, table: Table[Any], theirs: object) -> None:
        """Take back new rows of this node that do not hold beside a row of another one."""
        agreed = self._rows[table]
        for key in table.unsettled():
            mine = table.get(key)
            if mine is None or mine == agreed.get(key):
                continue
            if refusal := table.clash(mine, theirs):
                table.take_agreed(key, agreed.get(key))
                self._refuse((table, key), refusal)

    def _refuse(self, row_key: RowKey, refusal: Refused) -> None:
        """Refuse the changes that hold only together with one that does not hold; it was taken back."""
        for unit in [unit for unit in self._units if row_key in unit.row_keys and unit.refusal is None]:
            unit.refusal = refusal
            for other in unit.row_keys:
                self._take_back(other, refusal)

    def _take_back(self, row_key: RowKey, refusal: Refused) -> None:
        table, key = row_key
        if not self.is_shared(table):
            return
        agreed = self._rows[table].get(key)
        if table.get(key) != agreed:
            table.take_agreed(key, agreed)
            self._refuse(row_key, refusal)

    def _change(self, table: Table[Any], key: str, mine: object) -> RowChange:
        name = self._names[table]
        return (
            RowChange(name, self._rows[table][key], is_removed=True)
            if mine is None
            else RowChange(name, mine, is_removed=False)
        )
