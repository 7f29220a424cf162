"""Skeletons: what names and rooms look like (UTS #39). Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from besedka.wire.invisible import UNSEEN

_INVISIBLE = re.compile(f"[{UNSEEN}]")
# They look like one letter and stand for another: to NFKC these are a sigma, a capital sigma and an s.
_GLYPHS = str.maketrans("ϲϹſ", "cCf")
# The part of `besedka.wire.confusables` that is in ASCII: most names need no more. A % is not among them, its prototype is not in ASCII.
_ASCII_LOOKS_LIKE = str.maketrans({'"': "''", "0": "O", "1": "l", "I": "l", "`": "'", "m": "rn", "|": "l"})
_ASCII = re.compile("[\0-$&-\x7f]*")


@lru_cache(maxsize=4096)
def skeletons(name: str) -> frozenset[str]:
    """The skeletons of a name or a room: two look alike if their sets intersect (UTS #39, section 4). Invisible characters do not count.

    One skeleton compares the small letters (``pаul`` with a Cyrillic а), one the name as written (``Ian`` beside
    ``lan``), one the capitals (``ТОМ`` in Cyrillic).
    """
    looks = set[str]()
    name = _INVISIBLE.sub("", name)
    for spelling in {name, name.translate(_GLYPHS)}:
        plain = unicodedata.normalize("NFKC", spelling)
        capitals = (prototype(form).casefold() for form in (plain, plain.upper()))
        looks |= {prototype(plain.casefold()), *map(prototype, capitals)}
    return frozenset(looks)


@lru_cache(maxsize=1)
def _looks_like() -> dict[int, str]:
    from besedka.wire.confusables import PROTOTYPES  # noqa: PLC0415 - a large table, and only for what is not ASCII

    return str.maketrans({like: to for to, likes in PROTOTYPES.items() for like in likes})


def prototype(name: str) -> str:
    """The prototype of a text (UTS #39), without blanks."""
    if _ASCII.fullmatch(name):
        return name.translate(_ASCII_LOOKS_LIKE).replace(" ", "")
    # A prototype may hold characters that have a prototype themselves; two rounds are enough for today's table,
    # the loop also for tomorrow's.
    for _ in range(4):
        mapped = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).translate(_looks_like()))
        mapped = mapped.replace(" ", "")
        if mapped == name:
            break
        name = mapped
    return name
