"""A small text file as a table: one line per row, fields separated by TABs, lines with ``#`` for people. Pure.

A change is appended: a row, or the removal of one. Of several lines about the same thing the last one counts, so an appended line
overrides whatever stands above it, and the file is rewritten only when lines that count no more outweigh the rows::

    table   = *(row / removal / remark)
    row     = field *(TAB field)
    removal = "*removed" TAB row          ; no name, room or token begins with *
    remark  = "#" text

External edits are taken while the server runs. So a table knows which rows it has changed since it was last written, and takes
everything else as it finds it (`adopt`). Remarks, and lines that it does not understand, stay; a rewritten file has them in front.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final, Generic, TypeVar

R = TypeVar("R")

REMOVED: Final = "*removed"
"""The first field of a line that takes a row out."""

CHANGES: Final = (
    "# Changes since: of several lines about the same the last one counts, *removed takes it out."
)
"""The remark under which changes are appended. Below it, and only there, an unended last line is what a crash has torn."""

SPARE_LINES: Final = 50
"""Lines that count no more are left in a file, however few rows it has: a small file is not rewritten for each change."""

PIECE_LINES: Final = 500
"""A file is rewritten in pieces of so many lines: between them the loop's thread gets its turn."""

_NUL: Final = b"\0"


@dataclass(frozen=True, slots=True)
class Parsed(Generic[R]):
    """What a file says.

    Attributes:
        rows: by their keys.
        remarks: the lines that are neither rows nor removals, in order.
        strange: the numbers of those among them that should be one.
        entries: how many lines are rows or removals.
        has_changes: whether the remark `CHANGES` is there.
    """

    rows: dict[str, R]
    remarks: list[str] = field(default_factory=list)
    strange: list[int] = field(default_factory=list)
    entries: int = 0
    has_changes: bool = False


@dataclass(frozen=True, slots=True)
class Batch(Generic[R]):
    """Changes on their way to the file.

    Attributes:
        keys: of the rows that were changed, and of each whether its change is awaited.
        removed: those that were taken out.
        remarks: new ones.
        lines: all of it, as it is appended.
    """

    keys: dict[str, bool]
    removed: dict[str, R]
    remarks: list[str]
    lines: list[str]

    @property
    def data(self) -> bytes:
        """The bytes to append."""
        return "".join(f"{line}\n" for line in self.lines).encode()


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[R]):
    """A table at a moment, to be written as a whole in another thread."""

    remarks: list[str]
    rows: list[R]
    write: Callable[[R], Iterable[str]]

    def pieces(self) -> Iterator[bytes]:
        """The whole file, piece by piece."""
        lines = chain(self.remarks, ("\t".join(self.write(row)) for row in self.rows))
        while some := [*islice(lines, PIECE_LINES)]:
            yield "".join(f"{line}\n" for line in some).encode()


class Table(Generic[R]):
    """Rows by their keys.

    Attributes:
        remarks: the lines that are no rows, in order.
        strange: the numbers of lines that are neither rows nor remarks, as the file was read last.
        entries: how many lines of the file are rows or removals.
    """

    def __init__(self, remark: str) -> None:
        self.remarks = [f"# {line}" for line in remark.split("\n")]
        self.strange: list[int] = []
        self.entries = 0
        self._rows: dict[str, R] = {}
        self._has_changes = False
        # What was changed since the last batch: keys (with whether the change is awaited), removed rows, new remarks.
        self._changed: dict[str, bool] = {}
        self._removed: dict[str, R] = {}
        self._remarked: list[str] = []
        self._in_flight: Batch[R] | None = None

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
        """The fields of a row, without TABs and line ends; always as many."""

    @abstractmethod
    def rebuild(self) -> None:
        """The rows were exchanged: find out anew what depends on them."""

    @property
    def is_changed(self) -> bool:
        """Whether it has changed since `take_changes`."""
        return bool(self._changed)

    @property
    def superfluous(self) -> int:
        """How many lines of the file count no more."""
        return self.entries - len(self._rows)

    @property
    def is_bloated(self) -> bool:
        """Whether the lines that count no more outweigh the rows."""
        return self.superfluous > len(self._rows) + SPARE_LINES

    def is_stored(self, key: str) -> bool:
        """Whether the last change of a row that anybody may wait for is on disk."""
        return not (self.is_waiting(key) or (self._in_flight and self._in_flight.keys.get(key, False)))

    def is_waiting(self, key: str) -> bool:
        """Whether such a change is not even on its way to the disk."""
        return self._changed.get(key, False)

    def misread(self) -> Iterator[str]:
        """The first fields of the lines that are no rows and no remarks: somebody meant something by them."""
        return (line.split("\t")[0] for line in self.remarks if not line.startswith("#"))

    def has(self, key: str) -> bool:
        """Whether there is such a row."""
        return key in self._rows

    def rows(self) -> Iterator[R]:
        """All rows, in order."""
        return iter(self._rows.values())

    def put(self, row: R, *, is_awaited: bool = True) -> None:
        """Add a row, or put it in the place of the one with its key.

        Args:
            row: which one.
            is_awaited: whether somebody may wait until it is on disk; what nobody waits for is written within a second or two.
        """
        key = self.key(row)
        self._rows[key] = row
        self._change(key, is_awaited=is_awaited)

    def drop(self, key: str) -> None:
        """Remove a row."""
        self._removed[key] = self._rows.pop(key)
        self._change(key, is_awaited=True)

    def remark(self, line: str) -> None:
        """Add a remark; it is written with the next change."""
        self.remarks.append(line)
        self._remarked.append(line)

    # Writing.

    def take_changes(self) -> Batch[R]:
        """What was changed here; from now on it counts as on its way."""
        keys, self._changed = self._changed, {}
        removed, self._removed = self._removed, {}
        remarks, self._remarked = self._remarked, []
        rows = (self._line(key, removed) for key in keys)
        mark = () if self._has_changes else (CHANGES,)
        self._in_flight = Batch(keys, removed, remarks, [*mark, *remarks, *rows])
        return self._in_flight

    def give_back(self, batch: Batch[R]) -> None:
        """A batch could not be written after all."""
        self._in_flight = None
        for key, is_awaited in batch.keys.items():
            self._change(key, is_awaited=is_awaited)
        self._removed = {**batch.removed, **self._removed}
        self._remarked = [*batch.remarks, *self._remarked]

    def appended(self, batch: Batch[R]) -> None:
        """A batch stands at the end of the file, and is on disk."""
        self._in_flight = None
        self.entries += len(batch.keys)
        self._has_changes = True

    def snapshot(self) -> Snapshot[R]:
        """The whole file as it is now."""
        return Snapshot([*self.remarks], [*self._rows.values()], self.write)

    def rewritten(self, snapshot: Snapshot[R]) -> None:
        """The file is as a snapshot has it, on disk, and so is the batch that was on its way."""
        self._in_flight = None
        self.entries = len(snapshot.rows)
        self._has_changes = False

    def text(self) -> str:
        """The whole file."""
        return b"".join(self.snapshot().pieces()).decode()

    def _change(self, key: str, *, is_awaited: bool) -> None:
        self._changed[key] = is_awaited or self._changed.get(key, False)

    def _line(self, key: str, removed: dict[str, R]) -> str:
        if key in self._rows:
            return "\t".join(self.write(self._rows[key]))
        return "\t".join((REMOVED, *self.write(removed[key])))

    # Reading.

    @classmethod
    def parse(cls, text: str) -> Parsed[R]:
        """What a file says; may be asked in another thread."""
        rows: dict[str, R] = {}
        remarks: list[str] = []
        strange: list[int] = []
        entries, has_changes = 0, False
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
            if not line.strip():
                continue
            if line.rstrip("\r") == CHANGES:
                has_changes = True
                continue
            found = cls._entry(line.removesuffix("\r"))
            if found is None:
                remarks.append(line)
                strange += [] if line.startswith("#") else [number]
                continue
            entries += 1
            is_removed, row = found
            if is_removed:
                rows.pop(cls.key(row), None)
            else:
                rows[cls.key(row)] = row
        return Parsed(rows, remarks, strange, entries, has_changes)

    @classmethod
    def _entry(cls, line: str) -> tuple[bool, R] | None:
        """The row that a line is, and whether it takes it out; None if it is no row."""
        fields = line.split("\t")
        if line.startswith("#") and len(fields) == 1:
            return (
                None  # somebody's name may begin with # as well; what has fields is a row, if it can be one
            )
        is_removed = fields[0] == REMOVED
        try:
            return is_removed, cls.read(fields[is_removed:])
        except (ValueError, IndexError):
            return None

    def merge(self, text: str) -> None:
        """Take what the file says now, but for the rows that were changed here and are not written yet."""
        self.adopt(self.parse(text))

    def adopt(self, parsed: Parsed[R]) -> None:
        """Take what `parse` has found in the file, but for the rows that were changed here and are not written yet."""
        found = parsed.rows
        for key in {**self._changed, **(self._in_flight.keys if self._in_flight else {})}:
            if key in self._rows:
                found[key] = self._rows[key]
            else:
                found.pop(key, None)
        if found or parsed.remarks:
            self.remarks = parsed.remarks
        self._remarked = []
        self.strange = parsed.strange
        self.entries = parsed.entries
        self._has_changes = parsed.has_changes
        self._rows = found
        self.rebuild()

    @classmethod
    def torn(cls, data: bytes) -> int:
        """How many bytes at the end of a file are what a crash has left of the lines that were appended last.

        Only below `CHANGES` a line of ours can be torn; above it, and in a file without it, all lines are somebody's work.
        Nothing that anybody was told is among them: what is told is on disk as a whole.
        """
        kept = data.rstrip(_NUL)
        if not _is_text(kept[: _changes_at(kept)]):
            return 0  # a picture, or UTF-16, is none of ours
        nul = kept.find(_NUL)
        end = kept.rfind(b"\n", 0, nul if nul >= 0 else len(kept)) + 1
        is_torn = nul >= 0 or not cls._is_whole(kept[end:], is_below=_changes_at(kept) < len(kept))
        return len(data) - (end if is_torn else len(kept))

    @classmethod
    def _is_whole(cls, line: bytes, *, is_below: bool) -> bool:
        """Whether a last line without its end may be somebody's work, or as good as whole."""
        if CHANGES.encode().startswith(line):
            return not line
        if not is_below:
            return True
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return False
        entry = cls._entry(text)
        if entry is None:
            return text.startswith("#")
        is_removed, row = entry
        return not text.endswith("\t") and text.count("\t") + 1 == len([*cls.write(row)]) + is_removed


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return _NUL not in data


def _changes_at(data: bytes) -> int:
    """Where `CHANGES` stands last in a file; its length if nowhere."""
    at = max(data.rfind(f"{CHANGES}{end}".encode()) for end in ("\n", "\r\n"))
    return at if at >= 0 else len(data)
