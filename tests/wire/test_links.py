"""The fragment of a link."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.links import Fragment, read_fragment

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "links.json").read_text(encoding="utf-8"))

WORDS = st.text(max_size=10).map(str.strip)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["fragment"])
def test_a_fragment_is_read_and_written_as_the_page_does(vector: dict[str, Any]) -> None:
    said = {name: value for name, value in vector.items() if name != "fragment"}
    assert read_fragment(f"#{vector['fragment']}") == read_fragment(vector["fragment"]) == Fragment(**said)
    assert str(Fragment(**said)) == vector["fragment"]


@given(st.builds(Fragment, WORDS, st.integers(0, 10**15 - 1), WORDS, WORDS, WORDS, WORDS))
def test_what_is_written_is_read_again(fragment: Fragment) -> None:
    assert read_fragment(f"#{fragment}") == fragment


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert isinstance(read_fragment(text), Fragment)


@pytest.mark.parametrize(
    "given_", ["dev/0", "dev/x", "dev/-1", "dev/1" + "0" * 15, "dev;color=red", "dev;key"]
)
def test_what_means_nothing_is_left_out(given_: str) -> None:
    assert read_fragment(given_) == Fragment("dev")
