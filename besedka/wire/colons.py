"""Characters that look like a colon: a name with one in it, ``Anna∶ ok``, would be read as a name and a text.

Letters that look like one, such as a visarga, are colons only where they do not belong: beside another script.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_LETTERS: Final = frozenset(
    # Visargas by other names: Sinhala, Tibetan, Khmer, Balinese, Sundanese, Javanese; a tone of Lisu.
    "\u0d83\u0f7f\u17c7\u1b04\u1b82\ua983\ua4fd"
    # Letters of Tifinagh that are columns of dots.
    "\u2d42\u2d46\u2d53\u2d57"
    # Braille cells with two dots above each other.
    "\u2803\u2805\u2806\u2818\u2828\u2830\u2841\u2842\u2844\u2888\u2890\u28a0"
)
_BLOCK_BITS: Final = 7
"""The scripts of these letters have blocks of 128 code points, or share none with another script."""


def colon_in(text: str) -> str:
    """The first character of a text that is a colon, or looks like one; empty if there is none."""
    return next((each for at, each in enumerate(text) if _is_colon(each) and not _is_at_home(text, at)), "")


@lru_cache(maxsize=1024)
def _is_colon(character: str) -> bool:
    if character.isascii():
        return character in ":;"
    return (
        character in _confusable()
        or _is_letter(character)
        or ":" in unicodedata.normalize("NFKC", character)
        or not {"COLON", "SEMICOLON"}.isdisjoint(unicodedata.name(character, "").split())
    )


@lru_cache(maxsize=1)
def _confusable() -> frozenset[str]:
    from besedka.wire.confusables import PROTOTYPES  # noqa: PLC0415 - a large table, and only for what is not ASCII

    return frozenset(like for proto, likes in PROTOTYPES.items() if ":" in proto for like in likes)


def _is_letter(character: str) -> bool:
    return character in _LETTERS or "VISARGA" in unicodedata.name(character, "").split()


def _is_at_home(text: str, at: int) -> bool:
    """Whether a letter that looks like a colon stands behind its own script, and before it or nothing."""
    if not _is_letter(text[at]):
        return False
    behind = next(filter(_has_script, text[at + 1 :]), text[at])
    return all(_block(each) == _block(text[at]) for each in (*text[max(0, at - 1) : at], behind))


def _has_script(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMNS"


def _block(character: str) -> int:
    return ord(character) >> _BLOCK_BITS
