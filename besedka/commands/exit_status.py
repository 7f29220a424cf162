"""How commands end: the exit status, and one line on stderr for an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import Final

import click


class Status(IntEnum):
    """How a command can end."""

    DONE = 0
    FAILED = 1
    USED_WRONGLY = 2
    UNREACHABLE = 3
    REFUSED = 4
    INTERRUPTED = 130


MEANINGS: Final[Mapping[Status, str]] = {
    Status.DONE: "done; also when the reader of its output has closed it",
    Status.FAILED: "failed",
    Status.USED_WRONGLY: "used wrongly: an option, an address, the config file",
    Status.UNREACHABLE: "the chat cannot be reached",
    Status.REFUSED: "the chat has refused it: the access key, the name, the room, the message",
    Status.INTERRUPTED: "interrupted by Ctrl-C",
}


KEY_ADVICE: Final = "give the whole link that the server shows, with #;key=KEY behind it, or the key alone as BESEDKA_KEY or --key"
"""Advice about an access key that is missing or wrong."""


class Failure(click.ClickException):
    """An error that is not a mistake in the command line."""

    exit_code = Status.FAILED


class WrongConfig(Failure):
    """The config file cannot be used."""

    exit_code = Status.USED_WRONGLY


class Unreachable(Failure):
    """There is no chat, or it cannot be reached."""

    exit_code = Status.UNREACHABLE


class Refusal(Failure):
    """The chat was reached, and refuses the request."""

    exit_code = Status.REFUSED


def used_wrongly(sentence: str) -> click.UsageError:
    """The error for a mistake in the command line, to be raised."""
    return click.UsageError(sentence, click.get_current_context())


@contextmanager
def report_remote_errors() -> Iterator[None]:
    """Convert the client library's errors to a command's endings."""
    from besedka.remote.errors import ChatRefused, InvalidAddress, OtherPerson, RemoteError
    from besedka.wire.errors import ErrorCode

    try:
        yield
    except InvalidAddress as error:
        raise used_wrongly(str(error)) from None
    except ChatRefused as error:
        advice = f"; {KEY_ADVICE}" if error.code == ErrorCode.NO_ACCESS else ""
        raise Refusal(f"{error.text}{advice}") from None
    except OtherPerson as error:
        raise Failure(str(error)) from None
    except RemoteError as error:
        raise Unreachable(str(error)) from None


def why(error: OSError) -> str:
    """The system's message, with the file's name."""
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def discard_stdout() -> None:
    """Discard all further output, also at exit, because nobody reads it."""
    if sys.stdout is not None:  # as `>&-` leaves it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def discard_broken_stderr() -> None:
    """Keep an unwritable stderr (a full disk) from changing the status: Python ends with 120 if it cannot flush."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
