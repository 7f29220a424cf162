"""Messages as commands print them: the log's own lines or JSON, to a pipe as they are and to a terminal made harmless."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from besedka.commands.endings import Failure, write_no_more
from besedka.wire.sanitize import sanitize


def as_json(number: int, user: str, text: str, stamp: str) -> str:
    """A message for programs: one JSON object on one line."""
    return json_line(id=number, user=user, text=text, time=stamp)


def as_json_in_pieces(number: int, user: str, text: Iterable[str], stamp: str) -> Iterator[str]:
    """The same of a text in pieces."""
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
    """Standard output, for what others have written.

    A pipe gets it byte for byte. At a terminal nothing in it may act: its control characters are shown instead.

    Raises:
        Failure: if there is none: it was closed by whoever started us.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            raise Failure("the output cannot be written: it is closed")
        self._is_terminal = sys.stdout.isatty()

    def write(self, text: str) -> None:
        """Write it, now or at the next `flush`.

        Raises:
            BrokenPipeError: if nobody reads it any more.
            Failure: if it cannot be written.
        """
        if self._is_terminal:
            text = sanitize(text)
        self.write_own(text)

    def write_own(self, text: str) -> None:
        """Write what we say ourselves, as it is; raises as `write` does."""
        # As `cat` does it: whatever the locale says, the log is UTF-8.
        self._try(lambda: sys.stdout.buffer.write(text.encode("utf-8", "replace")))

    def flush(self) -> None:
        """Write what has not been written yet; raises as `write` does."""
        self._try(sys.stdout.flush)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BrokenPipeError:
            raise
        except OSError as error:
            write_no_more()
            raise Failure(f"the output cannot be written: {(error.strerror or str(error)).lower()}") from None
