"""The words of a search, and what they narrow down: ``from:Anna since:2026-11-01 until:2026-11-30 exam``. Pure.

The page has the same (`besedka/client/chat/search/terms.js`); `tests/vectors/search_terms.json` holds both to it.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_TERM: Final = re.compile(r'(?<!\S)(from|since|until|от|с|до):("[^"]+"|\S+)', re.IGNORECASE)

_FIELDS: Final = {
    "from": "user",
    "от": "user",
    "since": "since",
    "с": "since",
    "until": "until",
    "до": "until",
}
"""The field that each word narrows down, in both languages."""

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_LAST_YEAR: Final = 9998


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """A search as it was typed.

    Attributes:
        text: the words to find.
        user: the author's name, if it was given.
        first_day: only messages of this day, or of later ones.
        last_day: only messages of this day, or of earlier ones.
    """

    text: str
    user: str = ""
    first_day: date | None = None
    last_day: date | None = None

    def from_time(self, utc_offset: int) -> int | None:
        """The beginning of the first day, in unix seconds, by a clock so many seconds east of UTC."""
        return None if self.first_day is None else beginning_of(self.first_day, utc_offset)

    def to_time(self, utc_offset: int) -> int | None:
        """The end of the last day, likewise."""
        return None if self.last_day is None else beginning_of(self.last_day + timedelta(days=1), utc_offset)


def parse_terms(typed: str) -> SearchTerms:
    """The parts of a search.

    Raises:
        ValueError: with the word that should be a date of the years 1970 to 9998, and is none.
    """
    found: dict[str, str] = {}

    def take(term: re.Match[str]) -> str:
        found[_FIELDS[term[1].casefold()]] = term[2].strip('"')
        return ""

    text = " ".join(_TERM.sub(take, typed).split()) if _TERM.search(typed) else typed.strip()
    dates = {field: parse_date(found[field]) for field in ("since", "until") if field in found}
    return SearchTerms(text, found.get("user", ""), dates.get("since"), dates.get("until"))


def begins_with_term(word: str) -> bool:
    """Whether a word narrows a search down, as ``from:Anna`` does."""
    return _TERM.match(word) is not None


def parse_date(typed: str) -> date:
    """A day, ``YYYY-MM-DD``.

    Raises:
        ValueError: with what was typed, if it is no day of the years 1970 to 9998.
    """
    try:
        day = date.fromisoformat(typed) if _DATE.fullmatch(typed) else None
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year <= _LAST_YEAR:  # noqa: PLR2004 - the first year of unix seconds
        raise ValueError(typed)
    return day


def beginning_of(day: date, utc_offset: int) -> int:
    """The first second of a day, in unix seconds, by a clock so many seconds east of UTC; 0 for a day that begins before them."""
    return max(0, calendar.timegm(day.timetuple()) - utc_offset)
