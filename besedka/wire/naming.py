"""How a name stands in a sentence. Pure.

A name may hold blanks and punctuation, so it may read like a sentence itself: ``Boss left (1 here), Anna``. Our own sentences put such a name in
quotation marks, and replace those that it holds: text within the marks is a name, text outside is ours. The page does the same
(`besedka/client/chat/messages/naming.js`; both are tested with tests/vectors/naming.json).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MARKS: Final = {"en": "“{}”", "ru": "«{}»"}
"""Quotation marks, by language."""

_WORD: Final = re.compile(r"[^\W_](?:[\w'.-]*\w)?")
_QUOTES: Final = re.compile("[\"«»“”„‟″‶〃〝〞《》『』\uff02\u02ba\u02dd\u02ee\u05f4\u05f2]|['‘’]{2,}")


def in_sentence(name: str, language: str) -> str:
    """A name as it stands in a sentence: in quotation marks unless it is a single word.

    Args:
        name: the name; it need not be valid.
        language: of the sentence, a key of `MARKS`.
    """
    letters = "".join(each for each in name if not unicodedata.category(each).startswith("M"))
    return name if _WORD.fullmatch(letters) else MARKS[language].format(_QUOTES.sub("'", name))


def listed(names: Iterable[str], language: str) -> str:
    """Names as they stand in a list."""
    return ", ".join(in_sentence(name, language) for name in names)
