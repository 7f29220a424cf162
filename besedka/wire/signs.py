"""The signs that a name may hold beside letters, digits and marks. Pure.

Unicode has thousands, and many pass for the punctuation that parts a name from what is around it; so they are listed that may be
used, and not those that may not.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from besedka.wire.skeletons import prototype

_SIGNS: Final = frozenset(
    # The rest of a keyboard; a colon and what looks like one is refused elsewhere.
    "!\"#$%&'()*+,-./<=>?@[\\]^_`{|}~"
    # Quotation marks, dashes and points.
    "«»‹›‘’‚“”„‐‑‒–—…·•¡¿§¶†‡°№©®™"
    "€£¥₽₴₸₹₩₪¢ƒ¤×÷±¬≈≠≤≥∞√∑∂∆→←↑↓↔"
    # Within words: Armenian, Hebrew, Tibetan, Japanese; around them: Chinese, Japanese.
    "՚־׳״་・、。「」『』〈〉《》【】〜～"
    # A keycap's frame.
    "\u20e3"
)
_EMOJI: Final = (
    *(range(0x231A, 0x231C), range(0x23E9, 0x23F4), range(0x23F8, 0x23FB)),
    *(range(0x2600, 0x2630), range(0x2638, 0x268A), range(0x2690, 0x2753), range(0x2756, 0x2757)),
    *(range(0x2763, 0x2768), range(0x2794, 0x27C0), range(0x2B05, 0x2B08), range(0x2B1B, 0x2B1D)),
    *(range(0x2B50, 0x2B56), range(0x1F000, 0x1F700), range(0x1F7E0, 0x1F7F0), range(0x1F90C, 0x1FB00)),
    range(0x2801, 0x2900),  # not emoji, and yet letters: Braille
)
"""Emoji and the pictures beside them, but no bars, lines of an oracle, question and quotation marks."""


_PICTURES: Final = "\U0001f000"
"""From here on an arrow is a part of a picture: a bow, a heart, a phone."""

_ANGLES_AND_DOTS: Final = frozenset(">»❭》·・")
"""Each stands for all that look like it (`prototype`)."""


def forbidden_sign_in(text: str) -> str:
    """The first character of a text that is a sign, and none of those that a name may hold; empty if there is none."""
    return next((each for each in text if not _may_stand(each)), "")


@lru_cache(maxsize=4096)
def _may_stand(character: str) -> bool:
    is_sign = unicodedata.category(character)[0] in "PS"
    return not is_sign or character in _SIGNS or _is_emoji(character) or _is_wide(character)


def is_sign_of_messages(character: str) -> bool:
    """Whether a character is, or looks like, one that a client shows in front of names: an arrow, an angle or a dot."""
    narrow = unicodedata.normalize("NFKC", character)
    is_arrow = character < _PICTURES and "ARROW" in unicodedata.name(character, "")
    return is_arrow or prototype(narrow) in _ANGLES_AND_DOTS


def _is_emoji(character: str) -> bool:
    return any(ord(character) in block for block in _EMOJI)


def _is_wide(character: str) -> bool:
    """Whether it is one of the signs in the width of an East Asian keyboard (fullwidth forms)."""
    narrow = unicodedata.normalize("NFKC", character)
    return 0xFF01 <= ord(character) <= 0xFFEE and narrow in _SIGNS  # noqa: PLR2004 - the block's ends
