"""A small text file as a table: one line a row, fields parted by TABs, lines with ``#`` for people. Pure.

Other hands may change the file while the server runs. So a table knows which rows it has changed since it was last written, and
takes everything else as it finds it (`merge`). Lines that it does not understand, and remarks, stay where they are: in front.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[R]):
    """What a file says: rows by their keys, the lines that are none, and the numbers of those that should be one."""

    rows: dict[str, R]
    remarks: list[str]
    strange: list[int]


class Table(Generic[R]):
    """Rows by their keys.

    Attributes:
        remarks: the lines that are no rows, in order.
        strange: the numbers of lines that are neither rows nor remarks, as the file was read last.
    """

    def __init__(self, remark: str) -> None:
        self.remarks = [f"# {line}" for line in remark.split("\n")]
        self.strange: list[int] = []
        self._rows: dict[str, R] = {}
        self._touched: set[str] = set()

    @staticmethod
    @abstractmethod
    def key(row: R) -> str:
        """By what a row is known; of two rows with the same key the later one counts."""

    @staticmethod
    @abstractmethod
    def read(fields: list[str]) -> R:
        """The row that these fields are.

        Raises:
            ValueError, IndexError, Refused: if they are none.
        """

    @staticmethod
    @abstractmethod
    def write(row: R) -> Iterable[str]:
        """The fields of a row, without TABs and line ends."""

    @abstractmethod
    def rebuild(self) -> None:
        """The rows were exchanged: find out anew what depends on them."""

    @property
    def is_changed(self) -> bool:
        """Whether it has changed since `take_touched`."""
        return bool(self._touched)

    def misread(self) -> Iterator[str]:
        """The first fields of the lines that are no rows and no remarks: somebody meant something by them."""
        return (line.split("\t")[0] for line in self.remarks if not line.startswith("#"))

    def rows(self) -> Iterator[R]:
        """All rows, in order."""
        return iter(self._rows.values())

    def put(self, row: R) -> None:
        """Add a row, or put it in the place of the one with its key."""
        self._rows[self.key(row)] = row
        self._touched.add(self.key(row))

    def drop(self, key: str) -> None:
        """Remove a row."""
        del self._rows[key]
        self._touched.add(key)

    def text(self) -> str:
        """The whole file."""
        return self.snapshot()()

    def snapshot(self) -> Callable[[], str]:
        """What gives the whole file as it is now, also later and in another thread."""
        remarks, rows = [*self.remarks], [*self._rows.values()]

        def text() -> str:
            lines = (*remarks, *("\t".join(self.write(row)) for row in rows))
            return "".join(f"{line}\n" for line in lines)

        return text

    def take_touched(self) -> set[str]:
        """The keys of rows that were changed here; from now on they count as written."""
        touched, self._touched = self._touched, set()
        return touched

    def touch_again(self, touched: set[str]) -> None:
        """They could not be written after all."""
        self._touched |= touched

    def merge(self, text: str) -> None:
        """Take what the file says now, but for the rows that were changed here and are not written yet."""
        self.adopt(self.parse(text))

    @classmethod
    def parse(cls, text: str) -> Parsed[R]:
        """What a file says; may be asked in another thread."""
        rows: dict[str, R] = {}
        remarks: list[str] = []
        strange: list[int] = []
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
            fields = line.removesuffix("\r").split("\t")
            if not line.strip():
                continue
            is_remark = line.startswith("#")
            try:
                # Somebody's name may begin with # as well; what has fields is a row, if it can be one.
                row = None if is_remark and len(fields) == 1 else cls.read(fields)
            except (ValueError, IndexError):
                row = None
            if row is not None:
                rows[cls.key(row)] = row
                continue
            remarks.append(line)
            if not is_remark:
                strange.append(number)
        return Parsed(rows, remarks, strange)

    def adopt(self, parsed: Parsed[R]) -> None:
        """Take what `parse` has found in the file, but for the rows that were changed here and are not written yet."""
        found = parsed.rows
        for key in self._touched:
            if key in self._rows:
                found[key] = self._rows[key]
            else:
                found.pop(key, None)
        if found or parsed.remarks:
            self.remarks = parsed.remarks
        self.strange = parsed.strange
        self._rows = found
        self.rebuild()
