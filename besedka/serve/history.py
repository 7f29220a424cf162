"""`ChatHistory`: one room's log, a text file that is read, appended to and never rewritten.

The rules of this module:

- the file is the truth, and alone is enough; what is kept in memory is an index that is made from it at the start;
- a message counts when its whole line is on disk: `append` returns only after ``fdatasync``;
- nothing here knows a loop, a socket or a room. The methods block, and the caller runs them where that does no harm;
  `append` by one thread at a time, `read` by any.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from besedka.serve.errors import HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.wire.line import FIRST_LINE, MessageId, read_line, show_line

log = logging.getLogger(__name__)

LATEST_MESSAGES: Final = 10
"""How many messages stay in memory, for newcomers."""

BLOCK_BYTES: Final = 64 * 1024
"""How far two entries of the index lie apart, and so how much is read in vain at most to find a message."""

PAGE_BYTES: Final = 64 * 1024
"""A page ends after the message with which it grows past this, so that one frame stays a frame."""

_BOM: Final = b"\xef\xbb\xbf"
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found when a log was opened.

    Attributes:
        messages: how many there are.
        first_stamp: the time of the first one as the log tells it, empty if there is none.
        last_stamp: the same for the last one.
        torn_bytes: how much of a last, unfinished line was cut off.
        torn_kept: the file in which these bytes are kept.
    """

    messages: int
    first_stamp: str
    last_stamp: str
    torn_bytes: int = 0
    torn_kept: Path | None = None


@dataclass(frozen=True, slots=True)
class Latest:
    """The last messages of a log, at one moment.

    Attributes:
        first: the id of the first of them.
        lines: their lines, oldest first.
    """

    first: int
    lines: tuple[str, ...]


class ChatHistory:
    """One room's log. Make it with `open`.

    Attributes:
        path: the file.
        count: how many messages it holds; also the id of the last one.
        latest: the last 10 messages; replaced as a whole, so that any thread may look.
        epoch: names this log, so that ids of another are not mistaken for its own; empty while it has no message.
        restored: what was found when it was opened.
    """

    def __init__(self, path: Path, fd: int, size: int) -> None:
        self.path = path
        self.count = 0
        self.epoch = ""
        self.latest = Latest(1, ())
        self.restored = Restored(0, "", "")
        self._fd = fd
        self._size = size
        self._lost: HistoryLost | None = None
        # The index: message `_ids[i]` starts at byte `_offsets[i]`, about one entry for each block.
        self._ids: list[int] = []
        self._offsets: list[int] = []

    @classmethod
    def open(cls, path: Path) -> ChatHistory:
        """Open a log, and make it if there is none.

        A last line without an end could not have been acknowledged: it is cut off and kept in a file beside the log.

        Raises:
            HistoryUnusable: if it cannot be read and written.
            HistoryInUse: if another process has it.
        """
        try:
            fd = _open_or_create(path)
        except OSError as error:
            raise HistoryUnusable(path, _reason(error)) from error
        try:
            _lock(fd, path)
            torn, kept = _cut_torn_tail(fd, path)
            history = cls(path, fd, os.fstat(fd).st_size)
            history._restore(torn, kept)
        except OSError as error:
            os.close(fd)
            raise HistoryUnusable(path, _reason(error)) from error
        except HistoryInUse:
            os.close(fd)
            raise
        return history

    def append(self, lines: Sequence[str]) -> MessageId:
        """Write messages, given as `write_line` gives them, and wait until they are on disk.

        Returns:
            The id of the first one; the others follow.

        Raises:
            StorageFull: there is no room; the file is as it was.
            HistoryLost: writing failed in a way that must not be retried, or the file is no longer this one.
        """
        if self._lost:
            raise self._lost
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            self._check_identity()
            self._write(data)
        except HistoryLost as error:
            self._lost = error
            raise
        return self._stored(lines, data)

    def read(self, first: int, limit: int) -> list[str]:
        """A page: the lines of up to ``limit`` messages from the id ``first`` on.

        It holds at least one message if there is one, and ends after the one with which it passes `PAGE_BYTES`.
        """
        if first > self.count or limit < 1:
            return []
        first = max(first, 1)
        entry = bisect_right(self._ids, first) - 1
        page: list[str] = []
        size = 0
        for number, raw in enumerate(self._messages(self._offsets[entry]), self._ids[entry]):
            if number < first:
                continue
            page.append(show_line(raw))
            size += len(raw)
            if len(page) == limit or size > PAGE_BYTES:
                break
        return page

    def close(self, *, remove_if_empty: bool = False) -> None:
        """Let go of the file; one that holds nothing, and is still ours, can be removed."""
        if remove_if_empty and os.fstat(self._fd).st_size == 0:
            with suppress(HistoryLost):
                self._check_identity()
                self.path.unlink()
        os.close(self._fd)

    def _restore(self, torn: int, kept: Path | None) -> None:
        self._index_from(len(_BOM) if os.pread(self._fd, len(_BOM), 0) == _BOM else 0)
        self.restored = Restored(0, "", "", torn, kept)
        if self.count:
            first_line = show_line(next(self._messages(self._offsets[0])))
            self.epoch = _epoch(first_line)
            self.latest = self._read_latest()
            last_line = self.latest.lines[-1]
            first_stamp, last_stamp = read_line(first_line).stamp, read_line(last_line).stamp
            self.restored = Restored(self.count, first_stamp, last_stamp, torn, kept)

    def _read_latest(self) -> Latest:
        first = max(1, self.count - LATEST_MESSAGES + 1)
        lines: list[str] = []
        while first + len(lines) <= self.count:
            # A page may end early because of its size.
            lines += self.read(first + len(lines), LATEST_MESSAGES)
        return Latest(first, tuple(lines))

    def _index_from(self, offset: int) -> None:
        rest = b""
        while offset < self._size:
            block = os.pread(self._fd, BLOCK_BYTES, offset)
            end = block.rfind(b"\n") + 1
            whole = rest + block[:end]
            start = offset - len(rest)
            if end == 0:
                rest += block
            else:
                rest = block[end:]
                self._index_block(whole, start)
            offset += len(block)

    def _index_block(self, whole_lines: bytes, offset: int) -> None:
        first = FIRST_LINE.search(whole_lines)
        if first is None:
            return
        self._ids.append(self.count + 1)
        self._offsets.append(offset + first.start())
        self.count += len(FIRST_LINE.findall(whole_lines))

    def _messages(self, offset: int) -> Iterator[bytes]:
        """Each message's bytes, from the one that starts at this offset."""
        rest = b""
        while offset < self._size:
            block = os.pread(self._fd, min(BLOCK_BYTES, self._size - offset), offset)
            if not block:
                break
            offset += len(block)
            data = rest + block
            starts = [match.start() for match in FIRST_LINE.finditer(data)]
            for start, end in pairwise(starts):
                yield data[start:end]
            # The last message may go on in the next block.
            rest = data[starts[-1] :] if starts else data
        if rest:
            yield rest

    def _check_identity(self) -> None:
        """Never write into a file that is no longer there, or that other hands have changed."""
        try:
            ours, there = os.fstat(self._fd), self.path.stat()
        except FileNotFoundError:
            raise HistoryLost(self.path, "it was removed") from None
        except OSError as error:
            raise HistoryLost(self.path, _reason(error)) from error
        if not os.path.samestat(ours, there):
            raise HistoryLost(self.path, "it was replaced by another file")
        if ours.st_size != self._size:
            raise HistoryLost(self.path, f"its size is {ours.st_size} bytes instead of {self._size}")

    def _write(self, data: bytes) -> None:
        try:
            _write_all(self._fd, data)
        except OSError as error:
            if error.errno not in _FULL:
                raise HistoryLost(self.path, _reason(error)) from error
            self._cut_back()
            raise StorageFull(self.path, len(data)) from error
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise HistoryLost(self.path, _reason(error)) from error

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._fd, self._size)
        except OSError as error:
            raise HistoryLost(self.path, f"half a batch could not be cut off: {_reason(error)}") from error

    def _stored(self, lines: Sequence[str], data: bytes) -> MessageId:
        first = MessageId(self.count + 1)
        if not self._offsets or self._size - self._offsets[-1] >= BLOCK_BYTES:
            self._ids.append(first)
            self._offsets.append(self._size)
        if not self.epoch:
            self.epoch = _epoch(lines[0])
        self._size += len(data)
        self.count += len(lines)
        last = (*self.latest.lines, *lines)[-LATEST_MESSAGES:]
        self.latest = Latest(self.count - len(last) + 1, last)
        return first


def room_path(history: Path, room: str) -> Path:
    """The file of a room other than the default one, beside the default room's."""
    return history.with_name(f"{history.stem}.{room}{history.suffix}")


def _open_or_create(path: Path) -> int:
    existed = path.exists()
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    if not existed:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    return fd


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HistoryInUse(path, _holder(fd)) from None


def _holder(fd: int) -> int | None:
    """The process that holds the lock on this file, where the kernel tells (Linux)."""
    status = os.fstat(fd)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for row in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = row.split()
            if fields[1] == "FLOCK" and fields[5] == device:
                return int(fields[4])
    return None


def _cut_torn_tail(fd: int, path: Path) -> tuple[int, Path | None]:
    """Cut off what stands behind the last LF. Returns how many bytes that were, and where they are kept."""
    size = os.fstat(fd).st_size
    end = _end_of_last_line(fd, size)
    if end == size:
        return 0, None
    kept = path.with_name(f"{path.name}.torn-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}")
    copy = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for offset in range(end, size, BLOCK_BYTES):
            _write_all(copy, os.pread(fd, min(BLOCK_BYTES, size - offset), offset))
        os.fsync(copy)
    finally:
        os.close(copy)
    os.ftruncate(fd, end)
    os.fdatasync(fd)
    return size - end, kept


def _end_of_last_line(fd: int, size: int) -> int:
    end = size
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _epoch(first_line: str) -> str:
    return hashlib.sha256(first_line.encode()).hexdigest()[:12]


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
