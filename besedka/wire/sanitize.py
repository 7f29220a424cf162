"""Make other people's text harmless for a terminal. Pure.

Sanitized text cannot move the cursor, colour the screen, or change the direction of the text beside it.
"""

from __future__ import annotations

import re
from typing import Final

_DIRECTIONS: Final = (0x061C, *range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_TEXT: Final = {
    **{code: 0x2400 + code for code in range(0x20) if code not in {0x09, 0x0A}},
    0x7F: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000)), 0xFFFD),
    **dict.fromkeys(_DIRECTIONS, None),
}
_LINE: Final = {**_TEXT, 0x09: 0x2409, 0x0A: 0x240A}

_BREAKS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_one_line(text: str) -> bool:
    """Whether a text holds no control character, no end of a line in any of its forms, and no half of a surrogate pair."""
    return not _BREAKS.search(text)


def sanitize(text: str) -> str:
    """Sanitize a text, which may have several lines."""
    return text.translate(_TEXT)


def sanitize_line(text: str, at_most: int = 0) -> str:
    """Sanitize a name or a sentence, on one line; cut it to ``at_most`` characters, unless that is 0."""
    line = text.translate(_LINE)
    return f"{line[: at_most - 1]}…" if 0 < at_most < len(line) else line
