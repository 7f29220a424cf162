"""The file beside a log that says which entries are about which messages, ``chat_history.txt.annotations``: ids, and no texts.

It can be deleted at any time, and is made anew from the log. It is a database of SQLite, because it is asked for ranges of messages, and grows in no order of theirs; what it says is only believed
of a log with its epoch. It is not synced with each message: what is lost of it is found again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import starmap
from pathlib import Path
from typing import Final

from besedka.serve.files.descriptor import Descriptor, create_private, open_regular
from besedka.serve.files.trust import UntrustedFile, refuse_less_trusted
from besedka.serve.history.annotations.path import annotations_path, journal_path, remove_annotations
from besedka.serve.history.annotations.resolving import About
from besedka.serve.repeated_error import RepeatedError

log = logging.getLogger(__name__)

_unkept: Final = RepeatedError(log)

VERSION: Final = 1
"""Of the tables; a file of another version is made anew."""

AT_ONCE: Final = 1_000
"""Rows that are read at once: a crowd may have reacted to one message."""

_OF_MESSAGES: Final = "SELECT target, id FROM about WHERE target BETWEEN ? AND ? ORDER BY target, id"
_BEHIND: Final = (
    "SELECT target, id FROM about INDEXED BY entry WHERE id > ? AND target BETWEEN ? AND ? ORDER BY id"
)
_TABLES: Final = f"""
    PRAGMA user_version = {VERSION};
    CREATE TABLE log (epoch TEXT NOT NULL, known INTEGER NOT NULL);
    CREATE TABLE about (target INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (target, id)) WITHOUT ROWID;
    CREATE UNIQUE INDEX entry ON about (id);
"""


class AnnotationFile:
    """The file of one log, open. Any thread may use it. Make it with `open`.

    Attributes:
        epoch: the epoch of the log.
        known: the id of the last entry of the log that it covers.
    """

    def __init__(self, database: sqlite3.Connection, epoch: str) -> None:
        """Read what a database says.

        Raises:
            sqlite3.Error: if it is none.
        """
        self._database = database
        self.epoch = epoch
        self._lock = threading.Lock()
        if database.execute("PRAGMA user_version").fetchone() != (VERSION,):
            database.executescript(
                "BEGIN; DROP TABLE IF EXISTS log; DROP TABLE IF EXISTS about;" + _TABLES + "COMMIT"
            )
        row = database.execute("SELECT known FROM log WHERE epoch = ?", (epoch,)).fetchone()
        self.known: int = row[0] if row else 0
        if row is None:
            self._begin_anew()

    @classmethod
    def open(cls, path: Path, log_file: Descriptor, epoch: str) -> AnnotationFile:
        """Open the file beside a log; one that is no such file, or that somebody could have written who cannot write the log, is made anew.

        Where none can be written, it is in memory.

        Args:
            path: the log.
            log_file: the log, open.
            epoch: its epoch.
        """
        beside = annotations_path(path)
        try:
            _make_trusted(path, log_file)
            try:
                return cls(_connected(str(beside)), epoch)
            except sqlite3.DatabaseError:
                remove_annotations(path)
                _make_trusted(path, log_file)
                return cls(_connected(str(beside)), epoch)
        except (OSError, sqlite3.Error) as error:
            _unkept.note("%s cannot be kept: %s", beside, error)
        return cls.in_memory(epoch)

    @classmethod
    def in_memory(cls, epoch: str) -> AnnotationFile:
        """One that is lost when it is closed, of a log of this epoch."""
        return cls(_connected(":memory:"), epoch)

    def add(self, found: Iterable[About], known: int) -> None:
        """Take in what is about messages in the entries up to ``known``.

        Raises:
            sqlite3.Error: from the system.
        """
        with self._lock, self._database as database:
            database.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", found)
            database.execute("UPDATE log SET known = ?", (known,))
            self.known = known

    def cut(self, count: int) -> None:
        """Forget what is behind the first ``count`` entries of the log.

        Raises:
            sqlite3.Error: from the system.
        """
        if self.known > count:
            with self._lock, self._database as database:
                database.execute("DELETE FROM about WHERE id > ?", (count,))
                database.execute("UPDATE log SET known = ?", (count,))
                self.known = count

    def about(self, first: int, last: int) -> Iterator[list[About]]:
        """The entries that are about messages ``first`` to ``last``, some at a time: by these messages, and of each in their order.

        Args:
            first: the id of the first message.
            last: the id of the last one.

        Raises:
            sqlite3.Error: from the system.
        """
        return self._found(_OF_MESSAGES, first, last)

    def about_behind(self, first: int, last: int, behind: int) -> Iterator[list[About]]:
        """The same of the entries behind one, in their order."""
        return self._found(_BEHIND, behind, first, last)

    def _found(self, query: str, *values: int) -> Iterator[list[About]]:
        with self._lock:
            cursor = self._database.execute(query, values)
            rows = cursor.fetchmany(AT_ONCE)
        while rows:
            yield [*starmap(About, rows)]
            with self._lock:
                rows = cursor.fetchmany(AT_ONCE)

    def target(self, number: int) -> int:
        """The id of the message that an entry is about; 0 if it is about none.

        Raises:
            sqlite3.Error: from the system.
        """
        with self._lock:
            row = self._database.execute("SELECT target FROM about WHERE id = ?", (number,)).fetchone()
        return row[0] if row else 0

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _begin_anew(self) -> None:
        with self._database as database:
            database.execute("DELETE FROM about")
            database.execute("DELETE FROM log")
            database.execute("INSERT INTO log VALUES (?, 0)", (self.epoch,))


def _connected(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False)
    # What a power cut takes is found again; only the file must not be torn by it.
    database.execute("PRAGMA synchronous = NORMAL")
    return database


def _make_trusted(log_path: Path, log_file: Descriptor) -> None:
    """Have a file beside a log that only those can write who can write the log, an empty one if there is none.

    Raises:
        OSError: from the system.
    """
    beside = annotations_path(log_path)
    try:
        for each in (journal_path(log_path), beside):
            with suppress(FileNotFoundError):
                refuse_less_trusted(each, open_regular(each, os.O_RDONLY), log_file)
    except UntrustedFile as why:
        log.warning("%s is not used, and made anew: %s", beside, why.strerror)
        remove_annotations(log_path)
    with suppress(FileExistsError):
        create_private(beside, os.O_RDWR).close()
