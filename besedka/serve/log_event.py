"""The names and fields of the server's log lines, for programs that read them: ``log.info("…", extra=event("room_opened", room=name))``."""

from __future__ import annotations

from typing import Final

EVENT: Final = "event"
FIELDS: Final = "fields"


def event(name: str, /, **fields: object) -> dict[str, object]:
    """The ``extra`` of a line: its kind, which is a contract, and its figures.

    Args:
        name: the kind of line, in words with underscores.
        fields: numbers, texts and lists of them; never a message's text, a key or a secret.
    """
    return {EVENT: name, FIELDS: fields}
