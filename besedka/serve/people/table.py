"""A small text file as a table: one line per row, fields separated by TABs, lines with ``#`` for people. Pure.

A change is appended: a row, or the removal of one. The last line about a key counts, so an appended line overrides
everything above it. The file is rewritten only when superseded lines outweigh the rows::

    table   = *(row / removal / remark)
    row     = field *(TAB field)
    removal = "*removed" TAB row          ; no name, room or token begins with *
    remark  = "#" text

External edits count while the server runs: a table knows which of its rows are not written yet, and takes everything else
from the file (`adopt`). Remarks and lines that are not understood are kept; rewriting moves them to the top.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import ClassVar, Final, Generic, TypeVar

from besedka.wire.errors import Refused

R = TypeVar("R")

REMOVED: Final = "*removed"
"""The first field of a line that takes a row out."""

CHANGES: Final = (
    "# Changes since: of several lines about the same the last one counts, *removed takes it out."
)
"""The remark below which changes are appended. A last line without its LF may be a torn write of ours only below this remark."""

SPARE_LINES: Final = 50
"""Superseded lines that any file may hold, so that a small file is not rewritten for every change."""

PIECE_LINES: Final = 500
"""Lines per write when a file is rewritten: each write releases the interpreter to the event loop."""

_NUL: Final = b"\0"


@dataclass(frozen=True, slots=True)
class Parsed(Generic[R]):
    """The parsed content of a file.

    Attributes:
        rows: by their keys.
        remarks: the lines that are neither rows nor removals, in order.
        strange: the line numbers of remarks that do not begin with ``#``: they were meant to be rows.
        entries: the number of rows and removals.
        has_changes: whether the file holds the remark `CHANGES`.
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
        keys: of the changed rows, each with whether its change may be awaited.
        removed: the rows that were removed.
        remarks: new remarks.
        lines: the remarks, rows and removals, as they are appended.
    """

    keys: dict[str, bool]
    removed: dict[str, R]
    remarks: list[str]
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[R]):
    """A copy of a table that another thread can write as a whole."""

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
        strange: the numbers of lines that are neither rows nor remarks, when the file was read last.
        entries: the number of rows and removals in the file.
    """

    moves_changed: ClassVar[bool] = False
    """Whether a row that changes goes to the end, in the file too."""

    is_shared: ClassVar[bool] = False
    """Whether the nodes of a cluster have the same rows."""

    is_dispensable: ClassVar[bool] = False
    """Whether the server also starts if the file cannot be read."""

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
        """Identifies a row; of two rows with the same key the later one counts."""

    @staticmethod
    @abstractmethod
    def read(fields: list[str]) -> R:
        """Parse the fields of a row.

        Raises:
            ValueError, IndexError, Refused: if they are not a row.
        """

    @staticmethod
    @abstractmethod
    def write(row: R) -> Iterable[str]:
        """The fields of a row, without TABs and line ends; always the same number."""

    @abstractmethod
    def rebuild(self) -> None:
        """Recompute everything that depends on the rows, after they were replaced."""

    @property
    def write_seconds(self) -> float:
        """Shortest interval between two writes of changes that are not awaited, beside that of the looks for them."""
        return 0.0

    @property
    def is_changed(self) -> bool:
        """Whether it has changed since `take_changes`."""
        return bool(self._changed)

    @property
    def superfluous(self) -> int:
        """The number of superseded lines in the file."""
        return self.entries - len(self._rows)

    @property
    def is_bloated(self) -> bool:
        """Whether superseded lines outweigh the rows."""
        return self.superfluous > len(self._rows) + SPARE_LINES

    def is_stored(self, key: str) -> bool:
        """Whether a row is on disk, apart from changes that are not awaited."""
        return not (self.is_waiting(key) or (self._in_flight and self._in_flight.keys.get(key, False)))

    def is_waiting(self, key: str) -> bool:
        """Whether a row has a change that is in no batch yet, and may be awaited."""
        return self._changed.get(key, False)

    def misread(self) -> Iterator[str]:
        """The first fields of the lines that are neither rows nor remarks."""
        return (line.split("\t")[0] for line in self.remarks if not line.startswith("#"))

    def has(self, key: str) -> bool:
        """Whether there is such a row."""
        return key in self._rows

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self._rows)

    def rows(self) -> Iterator[R]:
        """All rows, in order."""
        return iter(self._rows.values())

    def put(self, row: R, *, is_awaited: bool = True) -> None:
        """Add a row, or put it in the place of the one with its key.

        Args:
            row: the row.
            is_awaited: whether a caller may wait until it is on disk. Other changes are written with the next batch.
        """
        key = self.key(row)
        self._place(self._rows, row)
        self._change(key, is_awaited=is_awaited)

    def drop(self, key: str) -> None:
        """Remove a row."""
        self._removed[key] = self._rows.pop(key)
        self._change(key, is_awaited=True)

    def get(self, key: str) -> R | None:
        """The row of a key, if there is one."""
        return self._rows.get(key)

    # Rows that several nodes share (`besedka/serve/people/agreed_rows.py`).

    def take_agreed(self, key: str, row: R | None) -> None:
        """Take a row as all nodes have it, or its removal; it is written with the next change."""
        if row is not None:
            self.put(row, is_awaited=False)
        elif key in self._rows:
            self.drop(key)
        self.rebuild()

    def note_removed(self, row: R) -> None:
        """Note that others have removed a row, which may never have been here."""

    def shared_remarks(self) -> Mapping[str, str]:
        """The remarks that all nodes need, by what they are about."""
        return {}

    def take_remark(self, line: str) -> None:
        """Take a remark as all nodes have it."""

    def settle(self, mine: R | None, base: R | None, theirs: R | None) -> R | None:  # noqa: ARG002 - for others
        """The row that holds where this node and another one have changed the same one at the same time; None: it is removed.

        Args:
            mine: the row as this node has it.
            base: the row as both had it.
            theirs: the row as the other node has it, which came first.

        Raises:
            Refused: if this node's change does not hold any more.
        """
        return mine if theirs is not None else None

    def clash(self, mine: R, theirs: R) -> Refused | None:  # noqa: ARG002 - for others
        """Why a new row of this node does not hold beside another one that another node was faster with; None if it does."""
        return None

    def unsettled(self) -> list[str]:
        """The keys of all rows that were changed and are not written yet."""
        return [*dict.fromkeys([*self.in_flight(), *self._changed])]

    def in_flight(self) -> list[str]:
        """The keys of the rows that are in a batch."""
        return [*self._in_flight.keys] if self._in_flight else []

    def change(self, key: str) -> None:
        """Note that a row was changed by other means; nothing waits for it."""
        self._change(key, is_awaited=False)

    def remark(self, line: str) -> None:
        """Add a remark; it is written with the next change."""
        self.remarks.append(line)
        self._remarked.append(line)

    # Writing.

    def take_changes(self) -> Batch[R]:
        """Put everything that has changed into a batch; end it by `appended`, `rewritten` or `give_back`."""
        keys, self._changed = self._changed, {}
        removed, self._removed = self._removed, {}
        remarks, self._remarked = self._remarked, []
        self._in_flight = Batch(keys, removed, remarks, [*remarks, *self._lines(keys, removed)])
        return self._in_flight

    def refreshed(self, batch: Batch[R]) -> Batch[R]:
        """A batch in flight with its rows as they are now, in its place."""
        removed = {**batch.removed, **self._removed}
        self._in_flight = replace(batch, lines=[*batch.remarks, *self._lines(batch.keys, removed)])
        return self._in_flight

    def appendix(self, batch: Batch[R]) -> bytes:
        """The bytes to append for a batch, to the file as it was read or written last."""
        mark = [] if self._has_changes else [CHANGES]
        return "".join(f"{line}\n" for line in (*mark, *batch.lines)).encode()

    def give_back(self, batch: Batch[R]) -> None:
        """The batch could not be written; its changes are pending again."""
        self._in_flight = None
        for key, is_awaited in batch.keys.items():
            self._change(key, is_awaited=is_awaited)
        self._removed = {**batch.removed, **self._removed}
        self._remarked = [*batch.remarks, *self._remarked]

    def appended(self, batch: Batch[R]) -> None:
        """The batch was appended to the file and synced."""
        self._in_flight = None
        self.stored(batch.keys)
        self.entries += len(batch.keys)
        self._has_changes = True

    def snapshot(self) -> Snapshot[R]:
        """The whole file as it is now."""
        return Snapshot([*self.remarks], [*self._rows.values()], self.write)

    def rewritten(self, snapshot: Snapshot[R]) -> None:
        """The file was rewritten from a snapshot, which included the batch in flight, and synced."""
        batch, self._in_flight = self._in_flight, None
        self.stored(batch.keys if batch else ())
        self.entries = len(snapshot.rows)
        self._has_changes = False

    def stored(self, keys: Iterable[str]) -> None:
        """Note that changes of these rows are on disk."""

    def text(self) -> str:
        """The whole file."""
        return b"".join(self.snapshot().pieces()).decode()

    @classmethod
    def _place(cls, rows: dict[str, R], row: R) -> None:
        """Put a row into its place."""
        key = cls.key(row)
        if cls.moves_changed:
            rows.pop(key, None)
        rows[key] = row

    def _change(self, key: str, *, is_awaited: bool) -> None:
        was_awaited = self._changed.pop(key, False) if self.moves_changed else self._changed.get(key, False)
        self._changed[key] = is_awaited or was_awaited

    def _lines(self, keys: Iterable[str], removed: dict[str, R]) -> Iterator[str]:
        """The rows and removals of changes; one that was taken back before it was written needs none."""
        for key in keys:
            if key in self._rows:
                yield "\t".join(self.write(self._rows[key]))
            elif key in removed:
                yield "\t".join((REMOVED, *self.write(removed[key])))

    # Reading.

    @classmethod
    def parse(cls, text: str) -> Parsed[R]:
        """Parse a file; may be called in another thread."""
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
                cls._place(rows, row)
        return Parsed(rows, remarks, strange, entries, has_changes)

    @classmethod
    def _entry(cls, line: str) -> tuple[bool, R] | None:
        """The row in a line, and whether the line removes it; None if there is none."""
        fields = line.split("\t")
        if "\0" in line or (line.startswith("#") and len(fields) == 1):
            return None  # damaged, or a remark; a name may begin with # as well; a line with fields is a row, if it can be one
        is_removed = fields[0] == REMOVED
        try:
            return is_removed, cls.read(fields[is_removed:])
        except (ValueError, IndexError):
            return None

    def merge(self, text: str) -> None:
        """Take the file's content, except for rows that were changed here and are not written yet."""
        self.adopt(self.parse(text))

    def adopt(self, parsed: Parsed[R]) -> None:
        """Take the result of `parse`, except for rows that were changed here and are not written yet."""
        found = parsed.rows
        for key in self.unsettled():
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
        """The length in bytes of a torn write at the end of a file.

        Only a last line below `CHANGES`, or NULs behind all lines, can be the server's torn write; everything else was written by hand, or
        synced, and damaged later: that costs the damaged lines only (`strange`). A change in a torn write was never acknowledged.
        """
        kept = data.rstrip(_NUL)
        changes_at = _changes_at(kept)
        is_below = changes_at < len(kept)
        if not _is_utf8(kept[:changes_at]) or (_NUL in kept and not is_below):
            return 0  # binary data, or UTF-16: not the server's
        begin = kept.rfind(b"\n") + 1
        is_torn = _NUL in kept[begin:] or not cls._is_whole(kept[begin:], is_below=is_below)
        return len(data) - (begin if is_torn else len(kept))

    @classmethod
    def _is_whole(cls, line: bytes, *, is_below: bool) -> bool:
        """Whether a last line without LF is not torn: a complete row, or written by hand."""
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


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _changes_at(data: bytes) -> int:
    """The position of the last `CHANGES` in a file; its length if there is none."""
    at = max(data.rfind(f"{CHANGES}{end}".encode()) for end in ("\n", "\r\n"))
    return at if at >= 0 else len(data)
