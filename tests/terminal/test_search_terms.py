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


def test_a_day_has_its_first_and_its_last_second() -> None:
    terms = parse_terms("since:2026-03-28 until:2026-03-29")
    assert terms.from_time == beginning_of(date(2026, 3, 28))
    assert terms.to_time == beginning_of(date(2026, 3, 30))
    assert parse_terms("x").from_time is parse_terms("x").to_time is None
    assert beginning_of(date(1970, 1, 1)) >= 0
