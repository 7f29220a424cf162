"""Whether a text speaks to somebody: one rule for all clients."""

from __future__ import annotations

import re
from functools import lru_cache


def mentions(text: str, name: str) -> bool:
    """Whether a name stands in a text as a word or words of its own, in whatever case."""
    return bool(name) and _pattern(name).search(text.casefold()) is not None


@lru_cache(maxsize=64)
def _pattern(name: str) -> re.Pattern[str]:
    # \b would not do: a name may begin or end with a sign.
    return re.compile(rf"(?<!\w){re.escape(name.casefold())}(?!\w)")
