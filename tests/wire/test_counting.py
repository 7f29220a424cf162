"""Numbers of things in sentences."""

from __future__ import annotations

import pytest

from besedka.wire.counting import count_of


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (12_431, "12,431 lines")]
)
def test_one_thing_is_no_plural(number: int, text: str) -> None:
    assert count_of(number, "line") == text
