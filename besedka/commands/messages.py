"""Messages in the output of commands: the log's own lines or JSON, unchanged for a pipe and sanitized for a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

import click

from besedka.commands.exit_status import Failure, discard_stdout
from besedka.wire.sanitize import sanitize, sanitize_line

if TYPE_CHECKING:
    from besedka.remote.room.events import ReceivedMessage

COMPLAINT_CHARACTERS: Final = 1_000

COLUMNS: Final = 80
"""Of a terminal that does not tell how many it has."""


def as_json(number: int, user: str, text: str, stamp: str, unverified: bool | None = None) -> str:
    """A message for programs: one JSON object on one line, without ``unverified`` if that is None, with ``redacted`` where it is true."""
    from besedka.wire.log_line import is_redacted

    marks = {} if unverified is None else {"unverified": unverified}
    if is_redacted(text):
        marks["redacted"] = True
    return json_line(id=number, user=user, text=text, time=stamp, **marks)


def as_json_in_pieces(
    number: int, user: str, text: Iterable[str], stamp: str, unverified: bool | None = None
) -> Iterator[str]:
    """The same for a text in pieces."""
    import json

    from besedka.wire.log_line import REMOVED, is_redacted

    beginning, end = as_json(number, user, "", stamp, unverified).split('"text": ""', 1)
    yield f'{beginning}"text": "'
    is_tombstone, before = True, ""
    for piece in filter(None, text):
        is_tombstone = is_tombstone and is_redacted(before + piece)
        before = REMOVED
        yield json.dumps(piece, ensure_ascii=False)[1:-1]
    if is_tombstone:
        end = end.replace("}", ', "redacted": true}')
    yield f'"{end}'


def received_as_json(message: ReceivedMessage) -> str:
    """A message from a server for programs, with ``unverified`` only where it is true, as on the wire."""
    return as_json(message.id, message.user, message.text, message.stamp, message.is_unverified or None)


def received_as_line(message: ReceivedMessage) -> str:
    """A message from a server as the log's own lines."""
    from besedka.wire.log_line import write_line

    return write_line(message.message) + "\n"


def json_line(**fields: object) -> str:
    """One JSON object on one line."""
    import json

    return json.dumps(fields, ensure_ascii=False) + "\n"


def complain(sentence: str) -> None:
    """Say what goes wrong, in one line on stderr. A server may have a part in it, and what it says must not act on the terminal."""
    say_on_stderr(f"besedka: {sanitize_line(sentence, COMPLAINT_CHARACTERS)}")


def say_on_stderr(line: str) -> None:
    """Write a sanitized line to stderr; at a terminal none of its rows but the first begins at the left edge."""
    if sys.stderr is not None and sys.stderr.isatty():
        line = _Window(sys.stderr, hang=8).fit(line)
    with suppress(OSError):  # whoever closed stderr is not interested
        click.echo(line, err=True)


class Output:
    """Standard output, for text from other people.

    A pipe gets it byte for byte. A terminal gets it sanitized, control characters shown as pictures, and in rows that fit: none but the
    first of a line begins at the left edge.

    Args:
        hang: blanks in front of a further row at a terminal; by itself the eight of a TAB, as in the log.

    Raises:
        Failure: if stdout is closed.
    """

    def __init__(self, hang: int = 8) -> None:
        if sys.stdout is None:
            raise Failure("the output cannot be written: it is closed")
        self._window = _Window(sys.stdout, hang) if sys.stdout.isatty() else None

    def write(self, text: str) -> None:
        """Write a text, now or at the next `flush`.

        Raises:
            BrokenPipeError: if the reader of the pipe has closed it.
            Failure: if it cannot be written.
        """
        self._write(self._window.fit(sanitize(text)) if self._window else text)

    def write_own(self, text: str, columns: int) -> None:
        """Write the command's own text, unchanged, which takes so many columns of a row; raises as `write` does."""
        if self._window:
            self._window.skip(columns)
        self._write(text)

    def _write(self, text: str) -> None:
        # The output is UTF-8 like the log, whatever the locale says, as with `cat`.
        self._try(lambda: sys.stdout.buffer.write(text.encode("utf-8", "replace")))

    def flush(self) -> None:
        """Write buffered text; raises as `write` does."""
        self._try(sys.stdout.flush)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BrokenPipeError:
            raise
        except OSError as error:
            discard_stdout()
            raise Failure(f"the output cannot be written: {(error.strerror or str(error)).lower()}") from None


class _Window:
    """The window of a terminal, into which text is fitted piece by piece."""

    def __init__(self, terminal: TextIO, hang: int) -> None:
        # A library that is slow to import, and of no use for a pipe.
        from besedka.terminal.ui import wrapping

        self._terminal = terminal
        self._rows = wrapping.Rows(self._columns, hang, is_hung=False)
        is_dumb = os.environ.get("TERM", "dumb") == "dumb"
        self._off, self._on = ("", "") if is_dumb else (wrapping.AUTOWRAP_OFF, wrapping.AUTOWRAP_ON)

    def fit(self, text: str) -> str:
        """A text as it is to be written now."""
        self._rows.resize(self._columns)
        rows = self._rows.feed(text)
        # Of ASCII it is known how wide it is.
        return rows if rows.isascii() else f"{self._off}{rows}{self._on}"

    def skip(self, columns: int) -> None:
        """Something else takes so many columns."""
        self._rows.skip(columns)

    @property
    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._terminal.fileno()).columns or COLUMNS
        except OSError:
            return COLUMNS  # the window was closed
