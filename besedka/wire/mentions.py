"""Whether a text mentions a name: one rule for all clients."""

from __future__ import annotations

import re
from functools import lru_cache


def mentions(text: str, name: str) -> bool:
    """Whether a text contains a name as whole words, in any case."""
    return bool(name) and _pattern(name).search(text.casefold()) is not None


@lru_cache(maxsize=64)
def _pattern(name: str) -> re.Pattern[str]:
    # \b does not work here: a name may begin or end with punctuation.
    return re.compile(rf"(?<!\w){re.escape(name.casefold())}(?!\w)")
