r"""The first version of the index, read so that a log that has one keeps its epoch.

Its header is ``"besedka index 1\n"``, the epoch in 16 bytes and the offset of the first message in 8; each record has the length of a
message in 4 bytes (22 bits of them) and its CRC-32 in 4 more. Lines that are not understood were a part of the message above.

Such an index does not show whether a last message that is shorter than its record is torn. That record, like those of today, may belong to
another message, which never reached the log; and it has no checksum of a first line, which would prove that it is the message's own. So
only what the log alone shows to be torn is cut off; a message that is shorter is reported as changed.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.files.descriptor import Descriptor, open_regular
from besedka.serve.history.scan import Entry, line_number, messages
from besedka.wire.log_line import BOM

_MAGIC: Final = b"besedka index 1\n"
_HEADER: Final = struct.Struct("<16s16sQ")
_RECORD: Final = struct.Struct("<II")
_LENGTH: Final = (1 << 22) - 1
_AT_ONCE: Final = 64 * 1024


class _Unlike(NamedTuple):
    """A message whose length differs from its record; a missing line end does not count."""

    number: int
    entry: Entry
    lacks: int


class OldIndex:
    """An open index of the first version.

    Attributes:
        epoch: the name of the log.
        count: the number of records.
    """

    def __init__(self, path: Path, check: Callable[[Descriptor], None]) -> None:
        """Open it.

        Args:
            path: where it is.
            check: raises an error if the open file is not to be believed.

        Raises:
            OSError: from the system.
            ValueError: it is no index of the first version.
        """
        self._file = open_regular(path, os.O_RDONLY)
        check(self._file)
        header = self._file.read(0, _HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(_MAGIC):
            raise ValueError(f"{path} is no index of the first version")
        self.count = (self._file.size - _HEADER.size) // _RECORD.size
        self.epoch = _HEADER.unpack(header)[1].rstrip(b"\0").decode("ascii", "replace")

    def is_of(self, log_file: Descriptor, end: int) -> bool:
        """Whether all messages of a log, except perhaps the last, have their recorded lengths; then their ids are the same, too."""
        unlike = self._first_unlike(log_file, end)
        return unlike is None or (unlike.entry.end == end and unlike.number == self.count)

    def shortened_line(self, log_file: Descriptor, end: int) -> int | None:
        """The number of the first line of a log's last message, if that is shorter than its record: it may be torn."""
        unlike = self._first_unlike(log_file, end)
        is_last = unlike is not None and unlike.entry.end == end
        return line_number(log_file, unlike.entry.begin) if unlike and is_last and unlike.lacks > 0 else None

    def _first_unlike(self, log_file: Descriptor, end: int) -> _Unlike | None:
        then = zip(messages(log_file, end), self._messages(), strict=False)
        for number, (entry, (length, crc)) in enumerate(then, 1):
            lacks = length - (entry.end - entry.begin - _bom_bytes(log_file, entry))
            if lacks and (lacks, zlib.crc32(b"\n", entry.crc)) != (1, crc):
                return _Unlike(number, entry, lacks)
        return None

    def _messages(self) -> Iterator[tuple[int, int]]:
        """Length and CRC-32 of each message, in order."""
        offset = _HEADER.size
        while data := self._file.read(offset, _AT_ONCE * _RECORD.size):
            whole = data[: len(data) // _RECORD.size * _RECORD.size]
            for word, crc in _RECORD.iter_unpack(whole):
                yield word & _LENGTH, crc
            offset += len(data)


def _bom_bytes(log_file: Descriptor, entry: Entry) -> int:
    return 0 if entry.begin else len(BOM) * (log_file.read(0, len(BOM)) == BOM)
