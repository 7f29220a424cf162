"""The server's log, on stderr: which lines it has, and how they are written, as text or as one JSON object a line.

``info`` is the life of the server, and what is not as usual; ``warning`` and ``error`` are for its operator; ``debug`` has each connection
and each batch, too. No line has the text of a message, a key or a secret. Of libraries only warnings are shown, whatever the level: some of
them log what they send and receive.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from besedka.serve.log_event import EVENT, FIELDS, event

OWN: Final = "besedka"
"""The logger above all of Besedka's own."""

EVENT_WORDS: Final = 6
"""The kind of a line that names none is so many words of its sentence."""


class LogFormat(StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"


def configure(level: str, form: LogFormat) -> None:
    """Set the server's log up; again to change it.

    Args:
        level: the least that is shown: ``debug``, ``info``, ``warning`` or ``error``.
        form: how lines are written.
    """
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        if isinstance(handler, _Stderr):
            root.removeHandler(handler)
    handler = _Stderr()
    handler.setFormatter(_Json() if form is LogFormat.JSON else _Text())
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    # What clients do wrong is no error of the server's.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    set_level(level)


def set_level(level: str) -> None:
    """Show lines of this level and above, as `configure` takes it."""
    logging.getLogger(OWN).setLevel(level.upper())


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # only the stubs know that it is generic
    """Writes to the present stderr; a line that cannot be written is lost, because there is nowhere to report it."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as `logging` has it
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as `logging` has it
        # A file may have any name; what is in a line must not look like another one, nor act on a terminal.
        record.message = one_line(record.message)
        return super().formatMessage(record)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, EVENT, "") or _slug(str(record.msg)),
            "message": record.getMessage(),
            "logger": record.name,
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def line_of(sentence: str, kind: str) -> bytes:
    """A line for whoever cannot wait for the log, nor for its locks.

    Args:
        sentence: what happened.
        kind: its event.
    """
    is_json = any(isinstance(handler.formatter, _Json) for handler in logging.getLogger().handlers)
    if not is_json:
        return f"besedka: {sentence}\n".encode()
    record = logging.makeLogRecord(
        {"name": OWN, "msg": sentence, "levelno": logging.ERROR, "levelname": "ERROR", **event(kind)}
    )
    return f"{_Json().format(record)}\n".encode()


def one_line(text: str) -> str:
    """A text with all that is no printable character escaped."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _slug(template: str) -> str:
    """The kind of a line that names none: the beginning of its sentence, without what is filled in."""
    return "_".join(re.findall(r"[a-z0-9]+", re.sub(r"%[^ ]?[a-z]", " ", template.lower()))[:EVENT_WORDS])
