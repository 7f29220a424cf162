"""The key and the room of a frame that cannot be decoded: whoever sent it waits for the answer to that key."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from besedka.wire.errors import Refused
from besedka.wire.validation import clean_key, clean_room

# A quotation mark behind a backslash is one within a string. No value has an escape, so half of a surrogate pair is never found.
_KEY: Final = re.compile(r'(?<!\\)"key"\s*:\s*"([^"\\]*)"')
_ROOM: Final = re.compile(r'(?<!\\)"room"\s*:\s*"([^"\\]*)"')


def key_and_room(data: bytes | str) -> tuple[str, str]:
    """The key and the room in a frame that is no valid JSON, or breaks the rules; each is empty if it is not found, or not valid."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    return _valid(clean_key, _KEY.search(text)), _valid(clean_room, _ROOM.search(text))


def _valid(clean: Callable[[str], str], found: re.Match[str] | None) -> str:
    try:
        return clean(found[1]) if found else ""
    except Refused:
        return ""
