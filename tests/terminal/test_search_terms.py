"""The words of a search in the terminal: the same as on the page."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from besedka.terminal.search_terms import SearchTerms, beginning_of, parse_terms

CASES = json.loads(
    (Path(__file__).parent.parent / "vectors" / "search_terms.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("typed", "expected"), CASES, ids=[typed for typed, _ in CASES])
def test_terms_are_separated_from_words(typed: str, expected: dict[str, Any]) -> None:
    if "invalid" in expected:
        with pytest.raises(ValueError, match=f"^{expected['invalid']}$"):
            parse_terms(typed)
        return
    since, until = (
        date.fromisoformat(expected[name]) if name in expected else None for name in ("since", "until")
    )
    assert parse_terms(typed) == SearchTerms(expected["text"], expected.get("user", ""), since, until)


def test_a_day_begins_and_ends_by_the_servers_clock() -> None:
    terms = parse_terms("since:2026-03-28 until:2026-03-29")
    assert terms.from_time(3 * 3600) == 1_774_645_200  # 2026-03-27 21:00 UTC
    assert terms.to_time(0) == 1_774_828_800  # 2026-03-30 00:00 UTC
    assert parse_terms("x").from_time(0) is parse_terms("x").to_time(0) is None
    assert beginning_of(date(1970, 1, 1), 3600) == 0


def test_a_word_is_known_in_whatever_case() -> None:
    assert parse_terms("\u017fince:2026-03-28").first_day == date(2026, 3, 28)
