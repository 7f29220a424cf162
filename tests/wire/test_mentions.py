"""Mentions; the cases are shared with the page."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.mentions import mentions

CASES = json.loads((Path(__file__).parent.parent / "vectors" / "mentions.json").read_text(encoding="utf-8"))


def test_a_name_is_mentioned_where_it_is_a_word_of_its_own() -> None:
    for case in CASES:
        assert mentions(case["text"], case["name"]) is case["is"], case


@given(st.text(min_size=1), st.sampled_from(["", " ", ", ", "@", ": "]))
def test_whoever_is_spoken_to_is_mentioned(name: str, around: str) -> None:
    assert mentions(f"{around}{name}{around}", name)
