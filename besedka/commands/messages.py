"""Messages in the output of commands: the log's own lines or JSON, unchanged for a pipe and sanitized for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from besedka.commands.endings import Failure, discard_stdout
from besedka.wire.sanitize import sanitize


def as_json(number: int, user: str, text: str, stamp: str, *, is_unverified: bool = False) -> str:
    """A message for programs: one JSON object on one line; ``unverified`` is in it only where it is true, as on the wire."""
    mark = {"unverified": True} if is_unverified else {}
    return json_line(id=number, user=user, text=text, time=stamp, **mark)


def as_json_in_pieces(number: int, user: str, text: Iterable[str], stamp: str) -> Iterator[str]:
    """The same for a text in pieces."""
    import json

    beginning, end = as_json(number, user, "", stamp).split('"text": ""', 1)
    yield f'{beginning}"text": "'
    for piece in text:
        yield json.dumps(piece, ensure_ascii=False)[1:-1]
    yield f'"{end}'


def json_line(**fields: object) -> str:
    """One JSON object on one line."""
    import json

    return json.dumps(fields, ensure_ascii=False) + "\n"


class Output:
    """Standard output, for text from other people.

    A pipe gets it byte for byte. A terminal gets it sanitized: control characters are shown as pictures.

    Raises:
        Failure: if stdout is closed.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            raise Failure("the output cannot be written: it is closed")
        self._is_terminal = sys.stdout.isatty()

    def write(self, text: str) -> None:
        """Write a text, now or at the next `flush`.

        Raises:
            BrokenPipeError: if the reader of the pipe has closed it.
            Failure: if it cannot be written.
        """
        if self._is_terminal:
            text = sanitize(text)
        self.write_own(text)

    def write_own(self, text: str) -> None:
        """Write the command's own text, unchanged; raises as `write` does."""
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
