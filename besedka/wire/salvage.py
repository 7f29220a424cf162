"""The key and the room of a frame that cannot be decoded: whoever sent it waits for the answer to that key."""

from __future__ import annotations

import re
from typing import Final

from besedka.wire.errors import Refused
from besedka.wire.validation import clean_key, clean_room

# A quotation mark behind a backslash is one within a string. No value has an escape, so half of a surrogate pair is never found.
_KEY: Final = re.compile(r'(?<!\\)"key"\s*:\s*"([^"\\]*)"')
_ROOM: Final = re.compile(r'(?<!\\)"room"\s*:\s*"([^"\\]*)"')


def key_and_room(data: bytes | str) -> tuple[str, str]:
    """The key and the room in a frame that is no valid JSON, or breaks the rules; each is empty if it is not found, or not valid."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    key, room = _KEY.search(text), _ROOM.search(text)
    return (_valid_key(key[1]) if key else ""), (_valid_room(room[1]) if room else "")


def _valid_key(found: str) -> str:
    try:
        return clean_key(found)
    except Refused:
        return ""


def _valid_room(found: str) -> str:
    try:
        return clean_room(found)
    except Refused:
        return ""
