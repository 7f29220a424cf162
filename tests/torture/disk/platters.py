"""Files on a disk whose last changes were not synced: any version of any sector, and any of the sizes.

Below a synced size stands what was synced, unless it was written over since; then each sector may be the old one or any newer one.
Behind the synced end old versions are kept: a file that grows may show again what stood there before it was cut. Names are changed in
order, and those that were not synced may be missing from some point on.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.torture.disk.events import Event, Kind
from tests.torture.disk.images import SECTOR_BYTES, Kept

Names = dict[str, int]
T = TypeVar("T")


@dataclass(slots=True)
class File:
    """One file on the platter.

    Attributes:
        content: as its programs see it.
        sizes: those that it may have after a power cut, the present one last.
        versions: by sector, what may stand there, the present one last.
    """

    content: bytearray = field(default_factory=bytearray)
    sizes: list[int] = field(default_factory=lambda: [0])
    versions: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def write(self, offset: int, data: bytes) -> None:
        """Change it; an end that is not where we think was never written (the server was killed before)."""
        if offset > len(self.content):
            self.content.extend(bytes(offset - len(self.content)))
        self.content[offset : offset + len(data)] = data
        self._changed(offset, offset + len(data))

    def append(self, offset: int, data: bytes) -> None:
        """Write at its end, wherever that is."""
        self.cut(offset)
        self.write(offset, data)

    def cut(self, size: int) -> None:
        """Make it so long."""
        if size != len(self.content):
            del self.content[size:]
            self.content.extend(bytes(size - len(self.content)))
            self._changed(size, size)

    def sync(self, size: int) -> None:
        """All of it is on disk; what stood behind its end is still there."""
        self.cut(size)
        self.sizes = [size]
        for number in range(-(-size // SECTOR_BYTES)):
            self.versions[number] = [self._sector(number)]

    def left(self, kept: Kept, chance: random.Random) -> File:
        """The file after a power cut."""
        size = _chosen(self.sizes, kept, chance)
        versions = {number: [_chosen(some, kept, chance)] for number, some in self.versions.items() if some}
        sectors = [
            versions.get(number, [bytes(SECTOR_BYTES)])[0] for number in range(-(-size // SECTOR_BYTES))
        ]
        return File(bytearray(b"".join(sectors)[:size]), [size], defaultdict(list, versions))

    def _changed(self, begin: int, end: int) -> None:
        self.sizes.append(len(self.content))
        for number in range(begin // SECTOR_BYTES, -(-end // SECTOR_BYTES)):
            if not self.versions[number]:
                self.versions[number].append(bytes(SECTOR_BYTES))
            self.versions[number].append(self._sector(number))

    def _sector(self, number: int) -> bytes:
        begin = number * SECTOR_BYTES
        return bytes(self.content[begin : begin + SECTOR_BYTES]).ljust(SECTOR_BYTES, b"\0")


def _chosen(versions: Sequence[T], kept: Kept, chance: random.Random) -> T:
    """The oldest version, the newest, or any."""
    if kept in {Kept.NONE, Kept.ALL}:
        return versions[0 if kept is Kept.NONE else -1]
    return chance.choice(versions)


@dataclass(slots=True)
class Platter:
    """All files of a folder.

    Attributes:
        files: by number.
        names: those that programs see.
        pending: how the names were before each change since they were synced.
        numbers: of the files that programs see, by their inodes: an inode of a removed file may be given to a new one, while an older
            name, which a power cut brings back, still means the old file.
    """

    files: dict[int, File] = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    pending: list[Names] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Do what a server did."""
        match event.kind:
            case Kind.WRITE:
                self._file(event).write(event.offset, event.data)
            case Kind.APPEND:
                self._file(event).append(event.offset, event.data)
            case Kind.CUT:
                self._file(event).cut(event.offset)
            case Kind.SYNC:
                self._file(event).sync(event.offset)
            case Kind.SYNC_FOLDER:
                self.pending.clear()
            case Kind.LEFT_OUT:
                pass
            case _:
                self._rename(event)

    def left(self, kept: Kept, chance: random.Random) -> Platter:
        """The files after a power cut."""
        names = self._names_left(kept, chance)
        files = {number: self.files[number].left(kept, chance) for number in set(names.values())}
        return Platter(files, names)

    def lay_out(self, folder: Path) -> None:
        """Make these files in an empty folder; they are known by their numbers there from then on."""
        self.numbers = {}
        for number, file in self.files.items():
            first, *others = [name for name, one in self.names.items() if one == number]
            (folder / first).write_bytes(file.content)
            (folder / first).chmod(0o600)
            for name in others:
                (folder / name).hardlink_to(folder / first)
            self.numbers[(folder / first).stat().st_ino] = number

    def _file(self, event: Event) -> File:
        return self.files[self._number(event)]

    def _number(self, event: Event) -> int:
        return self.numbers[event.file] if event.file in self.numbers else self._new_file(event)

    def _new_file(self, event: Event) -> int:
        self.numbers[event.file] = number = max(self.files, default=0) + 1
        self.files[number] = File()
        return number

    def _rename(self, event: Event) -> None:
        if event.kind is Kind.OPEN and self.names.get(event.name) == self.numbers.get(event.file, 0):
            return
        self.pending.append(dict(self.names))
        if event.kind is Kind.CREATE:
            self.names[event.name] = self._new_file(event)
        elif event.kind is Kind.OPEN:
            self.names[event.name] = self._number(event)
        elif event.kind is Kind.UNLINK:
            self.names.pop(event.name, None)
        else:
            self.names[event.name] = self.names[event.old_name]
            if event.kind is Kind.RENAME:
                del self.names[event.old_name]

    def _names_left(self, kept: Kept, chance: random.Random) -> Names:
        return _chosen([*self.pending, dict(self.names)], kept, chance)
