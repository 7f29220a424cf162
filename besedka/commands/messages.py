"""Messages as commands print them: the log's own lines or JSON, to a pipe as they are and to a terminal made harmless."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Final

import click

from besedka.commands.endings import Failure, write_no_more
from besedka.wire.harmless import harmless

SINCE_HELP: Final = "Only those later than a message's id, or from a time on: 2025-11-19 [23:46[:36]]."

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?", re.ASCII)
_ID: Final = re.compile(r"[0-9]{1,18}")


def since(_: click.Context, __: click.Parameter, given: str | None) -> int | str | None:
    """What ``--since`` was given: the id of a message, or a time as the log writes it, or the beginning of one."""
    if given is None or (_TIME.fullmatch(given) and _is_date(given)):
        return given
    if _ID.fullmatch(given):
        return int(given)
    raise click.BadParameter(f"{given!r} is neither an id nor a time like 2025-11-19, with 23:46 or 23:46:36")


def _is_date(given: str) -> bool:
    try:
        datetime.fromisoformat(given)
    except ValueError:
        return False
    return True


def is_since(stamp: str, since: str) -> bool:
    """Whether a message of this time is one of those from a time on."""
    return stamp[: len(since)] >= since


def as_json(number: int, user: str, text: str, stamp: str) -> str:
    """A message for programs: one JSON object on one line."""
    return json_line(id=number, user=user, text=text, time=stamp)


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
            text = harmless(text)
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
