"""`ChatHistory`: one room's log.

The rules of this module:

- the file is the truth, and is enough alone; the index beside it is rebuilt if it is missing or does not match;
- a message counts when its whole line is on disk: `append` returns only after ``fdatasync``;
- nothing here knows a loop, a socket or a room. The methods block; the caller runs them in a thread where that does no harm;
  `append` and `redact` exclude each other, `read` and `search` wait for nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from besedka.serve.errors import HistoryLost, HistoryUnusable
from besedka.serve.files import descriptor, file_system
from besedka.serve.files.descriptor import reason
from besedka.serve.files.file_system import FileSystem, file_system_of
from besedka.serve.files.ownership import Care, concern
from besedka.serve.files.trust import refuse_untrusted, refuse_untrusted_log
from besedka.serve.history.annotations.path import remove_annotations
from besedka.serve.history.appending import Appender, Started
from besedka.serve.history.epoch import Epoch, epoch_path, keep_epoch
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.full_disk import append_error
from besedka.serve.history.index import IndexDamaged, index_path
from besedka.serve.history.log_state import LogState
from besedka.serve.history.opening.findings import Reading, changed_line
from besedka.serve.history.opening.loading import open_to_write
from besedka.serve.history.pieces import Piece, piece_at, write_piece
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.record import Flag
from besedka.serve.history.redact import Subject, cover, find_as_written, finished, holds, redact, subject
from besedka.serve.history.watch import Watch
from besedka.wire.message import MessageId


class ChatHistory(ReadableLog):
    """One room's log, written by this process. Make it with `open`.

    Attributes:
        sync_seconds: the time that the last batch took to be written and synced.
    """

    def __init__(
        self,
        path: Path,
        body: LogState,
        reading: Reading,
        *,
        may_be_link: bool = True,
        is_private: bool = False,
    ) -> None:
        # Watch first: a change from here on is detected.
        watch = Watch(path)
        super().__init__(path, body, reading)
        file_system_of(body.file)  # asks the system now, which may take a moment
        self.sync_seconds = 0.0
        self._edits = ExternalEdits(self, watch, may_be_link=may_be_link, is_private=is_private)
        self._appender = Appender(self, self._edits)
        self._final_errors = _FinalErrors()
        # Readers hold it, too, while they rebuild a damaged index.
        self._changing = threading.RLock()

    @staticmethod
    def probe(path: Path) -> None:
        """Check that a log can be opened; it is created if there is none, and not read.

        Raises:
            HistoryUnusable: if it cannot be read and written.
            HistoryInUse: if another process has it.
        """
        try:
            descriptor.open_locked(path, may_be_link=True).close()
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error

    @classmethod
    def open(
        cls,
        path: Path,
        unfinished: Subject | None = None,
        *,
        may_be_link: bool = True,
        is_private: bool = False,
        new_epoch: str = "",
    ) -> ChatHistory:
        """Open a log to read and append, create it if there is none, and repair its end if a crash has torn it.

        Args:
            path: the file.
            unfinished: a message whose redaction may have been interrupted by the end of the last server; it is redacted now.
            may_be_link: whether a symbolic link is followed: to the log that the operator has named, and to no other.
            is_private: whether only its members may read it: nothing is written into a file that somebody else has laid.
            new_epoch: the epoch that it gets if it has no message yet; any if that is empty.

        Raises:
            HistoryUnusable: if it cannot be read and written, or is private and another user's, or could be replaced by another user.
            HistoryInUse: if another process has it.
        """
        try:
            log_file = descriptor.open_locked(path, may_be_link=may_be_link)
            if is_private:
                refuse_untrusted_log(path, log_file)
            descriptor.distrust_cache(log_file)
            # A killed server may have left unsynced messages: sync them before they are read.
            file_system.sync(log_file)
            if new_epoch and not log_file.size:
                keep_epoch(path, Epoch(new_epoch))
            body, reading = open_to_write(log_file, path)
            if unfinished:
                body = finished(body, path, unfinished)
            return cls(path, body, reading, may_be_link=may_be_link, is_private=is_private)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error

    def append(self, lines: Sequence[str], flags: Sequence[Flag] = ()) -> MessageId:
        """Write messages, as returned by `write_line`, and wait until they are on disk.

        After an external edit the file is reread: added messages get their ids, and if earlier ones have changed, `epoch` is
        another one.

        Args:
            lines: the messages.
            flags: the flags of each message; none if left out.

        Returns:
            The id of the first one; the others follow.

        Raises:
            StorageFull: there is no room; the file is as it was.
            HistoryLost: writing failed in a way that must not be retried.
        """
        batch = _encoded(lines)
        with self._changing, self._final_errors:
            begun = time.perf_counter()
            first = self._appender.append(batch, flags or [Flag.NONE] * len(batch))
            self.sync_seconds = time.perf_counter() - begun
            return first

    def start_append(self, lines: Sequence[str], flags: Sequence[Flag]) -> Started | None:
        """Begin to append messages in steps, between which the caller syncs: `write_append` and `finish_append` follow, in the same thread.

        No other change is made until `finish_append`, or an error.

        Returns:
            What was begun; None if nothing was, because the log is being changed otherwise, or must be reread: `append` does that.

        Raises:
            StorageFull, HistoryLost: as `append`.
        """
        if not self._changing.acquire(blocking=False):
            return None
        started = None
        try:
            with self._final_errors:
                started = self._appender.start(_encoded(lines), flags)
        finally:
            if not started:
                self._changing.release()
        return started

    def write_append(self, started: Started, error: Exception | None) -> None:
        """Write the messages, after a sync of their index where they need one (`Started.must_sync`).

        Args:
            started: the messages.
            error: why the index could not be synced.

        Raises:
            StorageFull, HistoryLost: as `append`.
        """
        try:
            with self._final_errors:
                self._appender.write(started, error)
        except BaseException:
            self._changing.release()
            raise

    def finish_append(self, started: Started, error: Exception | None, seconds: float) -> MessageId | None:
        """Take for stored what was written, after a sync.

        Args:
            started: the messages.
            error: why they could not be synced.
            seconds: the time that it took to write and sync them.

        Returns:
            The id of the first one; None if another program has removed them meanwhile: they must be appended again.

        Raises:
            HistoryLost: as `append`.
        """
        try:
            with self._final_errors:
                self.sync_seconds = seconds
                return self._appender.finish(started, error)
        finally:
            self._changing.release()

    def subject(self, number: int) -> Subject:
        """The identity of a message, which its redaction does not change.

        Raises:
            HistoryChanged: if another program has changed it.
        """
        with self._changing, self._final_errors:
            message = self._by_index(lambda body: find_as_written(self.path, body, number))
            return subject(message, self.epoch)

    def redact(self, wanted: Subject) -> int:
        """Overwrite the text of a message with a tombstone, and wait until it is on disk; nothing else in the file moves.

        A second call changes nothing.

        Returns:
            The size of the text, in bytes.

        Raises:
            HistoryChanged: if another program has changed the message; nothing was done.
            StorageFull: the file system has no room even for that; nothing was done.
            HistoryLost: it failed in a way that must not be retried; the next `open` finishes it, given ``unfinished``.
        """
        with self._changing, self._final_errors:
            return self._by_index(lambda body: redact(self, self._edits, body, wanted))

    def cover(self, sizes: Mapping[int, int]) -> dict[int, int]:
        """Redact messages whose redaction others have ordered, whatever their texts are now, also what a crash has left of one.

        Args:
            sizes: the size of each in the log, in bytes with all line ends, by their ids.

        Returns:
            The size of each text, in bytes, by the same ids.

        Raises:
            HistoryChanged: if a message is missing, or has another size.
            StorageFull, HistoryLost: as `redact`.
        """
        with self._changing, self._final_errors:
            return {
                number: self._by_index(partial(cover, self, self._edits, number=number, size=size))
                for number, size in sizes.items()
            }

    def piece(self, offset: int, first: int) -> Piece:
        """The piece of the log that begins at an offset, to be given to others.

        Args:
            offset: 0, or the end of another piece.
            first: the id of its first message.

        Raises:
            OSError: from the system.
            HistoryUnusable: if it cannot be given to others.
        """
        with self._changing:
            return self._by_index(lambda body: piece_at(self, body, offset, first))

    def write_piece(self, piece: Piece, epoch: str) -> bool:
        """Write a piece of another server's log, and wait until it is on disk; what is there already stays.

        Args:
            piece: the piece.
            epoch: of that log, which this one gets, too.

        Returns:
            Whether anything was changed.

        Raises:
            HistoryChanged: if the log has something else there.
            StorageFull, HistoryLost: as `append`.
        """
        with self._changing, self._final_errors:
            return write_piece(self, self._edits, piece, epoch)

    def holds(self, wanted: Subject) -> bool:
        """Whether the text of a message is there, and not its tombstone.

        Raises:
            OSError: from the system.
        """
        return self._by_index(lambda body: holds(body, wanted))

    @property
    def file_system(self) -> FileSystem:
        """The file system that it is in."""
        return file_system_of(self.body.file)

    @property
    def is_private(self) -> bool:
        """Whether the file was checked to be the server's own, and another one in its place must be, too."""
        return self._edits.is_private

    def refuse_others(self) -> None:
        """Refuse a log that somebody else owns, can change, or could replace; from now on also in its place.

        Raises:
            OSError: with what to do about it; also from the system.
        """
        refuse_untrusted(self.path, self.body.file)
        self._edits.is_private = True

    def concern(self, care: Care) -> str:
        """A warning about the file's owner or mode; empty if there is none."""
        return concern(self.path, self.body.file, care)

    def has_room(self) -> bool:
        """Whether the file system reports room for more."""
        return self._final_errors.lost is None and self.body.file.has_room()

    def was_edited(self) -> bool:
        """Whether another program has changed the file since it was read last; not known while this one changes it."""
        if not self._changing.acquire(blocking=False):
            return False
        try:
            return self._edits.have_happened()
        except OSError:
            return True  # whoever reads it next is given the reason
        finally:
            self._changing.release()

    def note_edits(self) -> bool:
        """Reread the file if another program has changed it. Returns whether its last messages are as they were written.

        Raises:
            HistoryLost: if that must not be retried.
        """
        with self._changing, self._final_errors:
            try:
                if self._edits.have_happened():
                    self._edits.reread()
                return self._by_index(changed_line) is None
            except OSError as error:
                raise append_error(error, self.path, 0) from error

    def close(self, *, remove_if_empty: bool = False) -> None:
        """Close the file; optionally remove it, if it is empty and unchanged."""
        if remove_if_empty:
            with suppress(OSError):
                if self._edits.is_unchanged(0):
                    self.path.unlink()
                    index_path(self.path).unlink(missing_ok=True)
                    remove_annotations(self.path)
                    epoch_path(self.path).unlink(missing_ok=True)
        super().close()
        self._edits.close()

    def _replace_index(self, body: LogState, damage: IndexDamaged) -> None:
        with self._changing:
            super()._replace_index(body, damage)

    def _rebuild_index(self) -> None:
        self._edits.replace_index()


class _FinalErrors:
    """A context in which nothing is done any more after a failure that must not be retried.

    (As a generator it would cost a message in a small room a hundredth of its time.)

    Attributes:
        lost: the failure, if there was one.
    """

    __slots__ = ("lost",)

    def __init__(self) -> None:
        self.lost: HistoryLost | None = None

    def __enter__(self) -> None:
        if self.lost:
            raise self.lost

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, HistoryLost):
            self.lost = error


def _encoded(lines: Sequence[str]) -> list[bytes]:
    return [f"{line}\n".encode() for line in lines]
