"""`ChatHistory`: one room's log.

The rules of this module:

- the file is the truth, and alone is enough; the index beside it is made again when it is missing or does not fit;
- a message counts when its whole line is on disk: `append` returns only after ``fdatasync``;
- nothing here knows a loop, a socket or a room. The methods block, and the caller runs them where that does no harm;
  `append` and `redact` wait for each other, `read` and `search` for nobody.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from besedka.serve.errors import HistoryChanged, HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.history import check, file, scan
from besedka.serve.history.file import FULL, Descriptor, Identity, reason
from besedka.serve.history.index import Index, Places, Record, index_path
from besedka.serve.history.redact import Message, Subject, covered, find, finish, subject, text_of
from besedka.serve.history.repair import Torn, belongs, repair
from besedka.serve.history.search import Block, Hits, Needle, search
from besedka.wire.line import FIRST_LINE, Line, MessageId, read_line, show_line
from besedka.wire.names import clean_room
from besedka.wire.refusals import Refused

log = logging.getLogger(__name__)

LATEST_MESSAGES: Final = 10
"""How many messages stay in memory, for newcomers."""

PAGE_BYTES: Final = 32 * 1024
"""A page ends after the message with which it grows past this: one who does not read has one of them in his buffer."""

RECORDS_AT_ONCE: Final = 10_000
"""How many messages are indexed, or looked through, in one step."""


STEP_ASIDE_SECONDS: Final = 0.000_01
"""How long who looks through a log sleeps after each block. Python hands its lock to another thread only after 5 ms, unless the
one who has it sleeps; and a message needs the lock a dozen times on its way to the disk and back."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found when a log was opened.

    Attributes:
        messages: how many there are.
        first_stamp: the time of the first one as the log tells it, empty if there is none.
        last_stamp: the same for the last one.
        torn: what was cut off its end.
        damaged_line: the number of the first line that is damaged, among those that were not indexed yet.
    """

    messages: int
    first_stamp: str
    last_stamp: str
    torn: Torn | None = None
    damaged_line: int | None = None


@dataclass(frozen=True, slots=True)
class Latest:
    """The last messages of a log, at one moment.

    Attributes:
        first: the id of the first of them.
        lines: their lines, oldest first.
    """

    first: int
    lines: tuple[str, ...]


class _Body:
    """The file and where its messages are; exchanged as a whole when other hands have changed the file.

    Attributes:
        file: the log.
        size: how much of it is read.
        start: where the first message begins.
        count: how many messages there are.
        places: where they are.
    """

    __slots__ = ("count", "file", "places", "size", "start")

    def __init__(self, log_file: Descriptor) -> None:
        self.file = log_file
        self.size = log_file.size
        self.start = 0
        self.count = 0
        self.places = Places()

    def read(self, first: int, limit: int) -> list[str]:
        first = max(first, 1)
        if first > self.count or limit < 1:
            return []
        number, offset = self.places.before(first)
        page: list[str] = []
        size = 0
        for raw in scan.messages(self.file, offset, self.size):
            if number >= first:
                page.append(show_line(raw))
                size += len(raw)
                if len(page) == limit or size > PAGE_BYTES:
                    break
            number += 1
        return page

    def backwards(self, before: int) -> Iterator[Block]:
        """The log in blocks, from the one with the message before this id to the first."""
        if before > 1:
            for number, offset, end in self.places.backwards(before - 1, self.size):
                yield Block(number, self.file.read(offset, end - offset))


class ChatHistory:
    """One room's log. Make it with `open` or `open_to_read`.

    Attributes:
        path: the file.
        epoch: names this log, so that ids of another are not mistaken for its own.
        latest: the last 10 messages; replaced as a whole, so that any thread may look.
        restored: what was found when it was opened.
        sync_seconds: how long the last batch took to be written and synced.
    """

    def __init__(self, path: Path, log_file: Descriptor, index: Index | None) -> None:
        self.path = path
        self.epoch = ""
        self.latest = Latest(1, ())
        self.restored = Restored(0, "", "")
        self.sync_seconds = 0.0
        self._body = _Body(log_file)
        self._index = index
        self._identity = Identity.of(os.fstat(log_file.number))
        self._lost: HistoryLost | None = None
        self._changing = threading.Lock()

    @staticmethod
    def probe(path: Path) -> None:
        """Find out whether a log can be opened: it is made if there is none, and looked at no further.

        Raises:
            HistoryUnusable: if it cannot be read and written.
            HistoryInUse: if another process has it.
        """
        try:
            log_file = file.open_or_create(path)
            file.lock(log_file, path)
            log_file.close()
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error

    @classmethod
    def open(cls, path: Path, unfinished: Subject | None = None) -> ChatHistory:
        """Open a log to read and append, make it if there is none, and repair its end if a crash has torn it.

        Args:
            path: where it is.
            unfinished: a message that was being redacted when the last server ended, perhaps; it is redacted now.

        Raises:
            HistoryUnusable: if it cannot be read and written.
            HistoryInUse: if another process has it.
        """
        try:
            log_file = file.open_or_create(path)
            file.lock(log_file, path)
            file.distrust_cache(log_file)
            index = _open_index(path)
            if unfinished:
                finish(log_file, path, index, unfinished)
            index, torn = repair(log_file, path, index)
            # What a killed server has written and not synced will be read now: it must be on disk before.
            log_file.sync()
            history = cls(path, log_file, index)
            history._restore(log_file, torn, is_ours=True)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error
        return history

    @classmethod
    def open_to_read(cls, path: Path) -> ChatHistory:
        """Open a log that another process may be writing: nothing is locked, repaired or made.

        Raises:
            HistoryUnusable: if it cannot be read.
        """
        try:
            log_file = Descriptor(path, os.O_RDONLY)
            index = _open_index(path, read_only=True)
            history = cls(path, log_file, index if index and belongs(log_file, index) else None)
            history._restore(log_file, None, is_ours=False)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error
        return history

    @property
    def count(self) -> int:
        """How many messages it holds; also the id of the last one."""
        return self._body.count

    def append(self, lines: Sequence[str]) -> MessageId:
        """Write messages, given as `write_line` gives them, and wait until they are on disk.

        If other hands have changed the file, it is read anew first: what they have added behind is there then, and if
        they have changed what was there before, `epoch` is another one.

        Returns:
            The id of the first one; the others follow.

        Raises:
            StorageFull: there is no room; the file is as it was.
            HistoryLost: writing failed in a way that must not be retried.
        """
        batch = [f"{line}\n".encode() for line in lines]
        with self._changing:
            self._check()
            begun = time.perf_counter()
            try:
                self._look_for_other_hands()
                self._write(batch, sync_index=any("\n" in line for line in lines))
            except HistoryLost as error:
                self._lost = error
                raise
            self.sync_seconds = time.perf_counter() - begun
            return self._stored(lines, batch)

    def subject(self, number: int) -> Subject:
        """What a message is known by, of which only the text will be redacted.

        Raises:
            HistoryChanged: if other hands were on it.
        """
        with self._changing:
            self._check()
            return subject(self._message(number), self.epoch)

    def redact(self, wanted: Subject) -> int:
        """Write a tombstone over the text of a message, and wait until it is on disk; all else stays where it is.

        Done a second time it changes nothing.

        Returns:
            How many bytes the text takes.

        Raises:
            HistoryChanged: if other hands were on the message; nothing was done.
            StorageFull: the file system has no room even for that; nothing was done.
            HistoryLost: it failed in a way that must not be retried; the next `open` does it, if it is told.
        """
        with self._changing:
            self._check()
            message = self._message(wanted.number)
            if subject(message, self.epoch) != wanted:
                raise HistoryChanged(self.path, wanted.number)
            covered_bytes = covered(message.raw)
            if covered_bytes != message.raw:
                self._cover(message, covered_bytes)
            return len(text_of(message.raw))

    def has_room(self) -> bool:
        """Whether the file system has room for more, as far as it tells beforehand."""
        return self._lost is None and self._body.file.has_room()

    def read(self, first: int, limit: int) -> list[str]:
        """A page: the lines of up to ``limit`` messages from the id ``first`` on.

        It holds at least one message if there is one, and ends after the one with which it passes `PAGE_BYTES`.
        """
        return self._body.read(first, limit)

    def said_by(self, user: str, after: int) -> list[tuple[MessageId, Line]]:
        """All messages by this name later than the id ``after``, in order."""
        found = []
        name = f"] {user}: "
        number = after + 1
        while page := self.read(number, RECORDS_AT_ONCE):
            for line in page:
                if line.find(name) == line.find("]"):
                    found.append((MessageId(number), read_line(line)))
                number += 1
            time.sleep(STEP_ASIDE_SECONDS)
        return found

    def search(self, text: str, before: int, limit: int, seconds: float) -> Hits:
        """The newest messages older than the id ``before`` that hold a text, in capitals or small letters.

        It looks about so many seconds long, and then says where it has stopped; one block is looked at in any case.
        """
        until = time.perf_counter() + seconds
        body = self._body
        before = min(before, body.count + 1)

        def is_enough() -> bool:
            time.sleep(STEP_ASIDE_SECONDS)
            return time.perf_counter() >= until

        return search(body.backwards(before), Needle(text), before, limit, is_enough)

    def close(self, *, remove_if_empty: bool = False) -> None:
        """Let go of the file; one that holds nothing, and is still ours, can be removed."""
        if remove_if_empty and self._body.file.size == 0:
            with suppress(OSError):
                if Identity.of(self.path.stat()) == self._identity:
                    self.path.unlink()
                    index_path(self.path).unlink(missing_ok=True)
        self._body.file.close()
        self._drop_index()

    # Restoring.

    def _restore(
        self, log_file: Descriptor, torn: Torn | None, *, is_ours: bool, new_epoch: str = ""
    ) -> None:
        """Learn what a file holds: by the index as far as it goes, and from there on by reading.

        Until all is known, those who read go on in what was known before.
        """
        body = _Body(log_file)
        end = self._restore_by_index(body, self._index) if self._index and not new_epoch else None
        if end is None:
            end = body.start = scan.first_start(body.file)
            self.epoch = new_epoch or self._epoch_of(body)
            self._drop_index()
            if is_ours:
                self._create_index(body.start)
        damaged_line = self._read_rest(body, end, is_ours=is_ours)
        self._body = body
        self.latest = _read_latest(body)
        first = body.read(1, 1)
        stamps = [read_line(line).stamp for line in (*first, *self.latest.lines[-1:])] or ["", ""]
        self.restored = Restored(body.count, stamps[0], stamps[1], torn, damaged_line)

    def _restore_by_index(self, body: _Body, index: Index) -> int | None:
        """Take from the index what it knows. Returns where that ends; None if it is of no use."""
        (body.places, end), count = index.add_up(), index.count
        if end > body.size:
            # We only read, and somebody is writing just now: the index is ahead of the log.
            count, end = index.within(body.places, body.size)
            body.places = body.places.up_to(count)
        if end < body.size and not FIRST_LINE.match(body.file.read(end, file.BLOCK_BYTES)):
            if not count:
                return None  # what stands in front of the first message, or what is left of that
            # By hand a line was added that belongs to the last message.
            end, _ = index.where(body.places, count)
            count -= 1
            if index.is_writable:
                index.cut(count)
        body.start, body.count, self.epoch = index.start, count, index.epoch
        return end

    def _read_rest(self, body: _Body, offset: int, *, is_ours: bool) -> int | None:
        """Note the messages that the index does not know yet. Returns the first damaged line among them."""
        damaged = None
        records: list[Record] = []
        for raw in scan.messages(body.file, offset, body.size, at_once=scan.SCAN_BYTES):
            if damaged is None and scan.is_damaged(raw):
                damaged = check.line_number(body.file, offset) + scan.line_of_damage(raw)
            body.count += 1
            body.places.note(body.count, offset)
            offset += len(raw)
            if is_ours:
                records.append(Record.of(raw, begins_batch=True))
                if len(records) == RECORDS_AT_ONCE:
                    self._index_add(records)
                    records.clear()
        self._index_add(records)
        return damaged

    def _epoch_of(self, body: _Body) -> str:
        """Of a log without an index: one that can be made again if it has words, else a new one."""
        first = next(scan.messages(body.file, body.start, body.size), b"")
        return hashlib.sha256(first).hexdigest()[:12] if first else secrets.token_hex(6)

    # Writing.

    def _look_for_other_hands(self) -> None:
        """Never write into a file that is no longer there, or whose content is not what we take it for."""
        try:
            status = self.path.stat()
            if Identity.of(status) == self._identity:
                return
            is_same_file = (status.st_dev, status.st_ino) == (self._identity.device, self._identity.inode)
        except FileNotFoundError:
            is_same_file = False
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error
        try:
            self._take_anew(is_same_file=is_same_file)
        except (OSError, HistoryInUse) as error:
            raise HistoryLost(
                self.path, reason(error) if isinstance(error, OSError) else str(error)
            ) from error

    def _take_anew(self, *, is_same_file: bool) -> None:
        log_file = self._body.file
        if not is_same_file:
            log_file = file.open_or_create(self.path)
            file.lock(log_file, self.path)
        index = self._index if is_same_file else None
        is_changed = index is None or check.first_difference(log_file, index) is not None
        index, torn = repair(log_file, self.path, None if is_changed else index)
        log_file.sync()
        before = self.epoch
        self._index = index
        self._restore(log_file, torn, is_ours=True, new_epoch=secrets.token_hex(6) if is_changed else "")
        self._identity = Identity.of(os.fstat(log_file.number))
        what = "replaced or changed" if self.epoch != before else "added to"
        log.warning(
            "the history %s was %s by other hands; it has %d messages now", self.path, what, self.count
        )

    def _write(self, batch: Sequence[bytes], *, sync_index: bool) -> None:
        records = [Record.of(message, begins_batch=place == 0) for place, message in enumerate(batch)]
        try:
            self._index_add(records, sync=sync_index)
            self._body.file.write(b"".join(batch))
        except OSError as error:
            if error.errno not in FULL:
                raise HistoryLost(self.path, reason(error)) from error
            self._cut_back()
            raise StorageFull(self.path, sum(map(len, batch))) from error
        try:
            self._body.file.sync()
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error

    def _cut_back(self) -> None:
        try:
            self._body.file.cut(self._body.size)
            if self._index:
                self._index.cut(self._body.count)
            self._identity = Identity.of(os.fstat(self._body.file.number))
        except OSError as error:
            raise HistoryLost(self.path, f"half a batch could not be cut off: {reason(error)}") from error

    def _stored(self, lines: Sequence[str], batch: Sequence[bytes]) -> MessageId:
        body = self._body
        first = MessageId(body.count + 1)
        for number, message in enumerate(batch, first):
            body.places.note(number, body.size)
            body.size += len(message)
        body.count += len(batch)
        last = (*self.latest.lines, *lines)[-LATEST_MESSAGES:]
        self.latest = Latest(body.count - len(last) + 1, last)
        self._identity = Identity.of(os.fstat(body.file.number))
        return first

    # Redacting.

    def _check(self) -> None:
        if self._lost:
            raise self._lost

    def _message(self, number: int) -> Message:
        """A message as it was written.

        Raises:
            HistoryChanged: if other hands were on it, or have replaced the file.
        """
        body = self._body
        try:
            is_same_file = body.file.is_same_file(Descriptor(self.path, os.O_RDONLY))
            message = (
                find(body.file, self._index, body.places, number, body.size) if number <= body.count else None
            )
        except OSError:
            raise HistoryChanged(self.path, number) from None
        if not is_same_file or message is None or not message.is_as_written:
            raise HistoryChanged(self.path, number)
        return message

    def _cover(self, message: Message, data: bytes) -> None:
        try:
            # What other hands have done elsewhere in the file is to be noticed after this as it was before.
            is_known = Identity.of(self.path.stat()) == self._identity
            message.cover(self._body.file, self.path, self._index)
        except OSError as error:
            if error.errno in FULL and self._is_untouched(message):
                raise StorageFull(self.path, len(data)) from error
            self._lost = HistoryLost(self.path, reason(error))
            raise self._lost from error
        if is_known:
            self._identity = Identity.of(os.fstat(self._body.file.number))
        latest, place = self.latest, message.number - self.latest.first
        if 0 <= place < len(latest.lines):
            line = show_line(data)
            self.latest = Latest(latest.first, (*latest.lines[:place], line, *latest.lines[place + 1 :]))

    def _is_untouched(self, message: Message) -> bool:
        return self._body.file.read(message.offset, len(message.raw)) == message.raw

    # The index: a help, not a need. Without it the log is read from the start next time.

    def _create_index(self, start: int) -> None:
        try:
            self._index = Index.create(index_path(self.path), self.epoch, start)
        except OSError as error:
            log.warning("no index for %s: %s", self.path, reason(error))

    def _index_add(self, records: Sequence[Record], *, sync: bool = False) -> None:
        """Add to the index if there is one.

        Raises:
            OSError: if there is no room; then there is none for the log either.
        """
        if self._index is None or not records:
            return
        try:
            self._index.add(records, sync=sync)
        except ValueError as error:
            log.warning("no index for %s: %s", self.path, error)
            self._drop_index()
        except OSError as error:
            if error.errno in FULL:
                raise
            log.warning("no index for %s any more: %s", self.path, reason(error))
            self._drop_index()

    def _drop_index(self) -> None:
        if self._index:
            self._index.close()
        self._index = None


def room_path(history: Path, room: str) -> Path:
    """The file of a room other than the default one, beside the default room's."""
    return history.with_name(f"{history.stem}.{room}{history.suffix}")


def room_names(history: Path) -> list[str]:
    """The rooms, other than the default one, that have a file with something in it beside the default room's."""
    names = []
    for path in history.parent.glob(f"{glob.escape(history.stem)}.*{glob.escape(history.suffix)}"):
        name = path.name.removeprefix(f"{history.stem}.").removesuffix(history.suffix)
        with suppress(Refused, OSError):
            if clean_room(name) == name and path.stat().st_size:
                names.append(name)
    return names


def _open_index(path: Path, *, read_only: bool = False) -> Index | None:
    try:
        return Index(index_path(path), read_only=read_only)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("the index of %s is of no use: %s", path, error)
        return None


def _read_latest(body: _Body) -> Latest:
    first = max(1, body.count - LATEST_MESSAGES + 1)
    lines: list[str] = []
    # A page may end early because of its size.
    while page := body.read(first + len(lines), LATEST_MESSAGES):
        lines += page
    return Latest(first, tuple(lines))
