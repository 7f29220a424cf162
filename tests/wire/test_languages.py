"""The language that a client or an environment asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.errors import Language
from besedka.wire.languages import RANGES_AT_MOST, language_of, preferred

RANGES = st.tuples(
    st.sampled_from(["ru", "en", "de", "RU-ru", "en-GB", "*", ""]),
    st.sampled_from(["", ";q=0", ";q=0.5", "; Q=1", ";q=x", ";x"]),
)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", None),
        ("ru", Language.RU),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", Language.RU),
        ("en-GB, ru", Language.EN),
        ("ru;q=0.3, en;q=0.8", Language.EN),
        ("RU_ru", None),
        ("de, fr;q=0.5", None),
        ("de, ru;q=0.1", Language.RU),
        ("ru;q=0", None),
        ("ru;q=0, en;q=0.1", Language.EN),
        ("ru;q=nan", None),
        ("ru;q=nan, en;q=0.1", Language.EN),
        ("rum, english", None),
        ("ru;level=1", Language.RU),
        (", ,; ;q=1,en", Language.EN),
        ("x," * RANGES_AT_MOST + "ru", None),
    ],
)
def test_the_range_with_the_most_weight_decides(accepted: str, language: Language | None) -> None:
    assert preferred(accepted) is language


@given(st.text(max_size=200))
def test_any_text_is_read(accepted: str) -> None:
    assert preferred(accepted) in {None, *Language}


@given(st.lists(RANGES, max_size=6))
def test_a_language_of_no_weight_is_never_taken(ranges: list[tuple[str, str]]) -> None:
    accepted = ",".join(tag + weight for tag, weight in ranges)
    found = preferred(accepted)
    usable = {tag.lower()[:2] for tag, weight in ranges if weight not in {";q=0", ";q=x"}}
    assert found is None or found.value in usable
    first: dict[str, str] = {}
    for tag, weight in ranges:
        first.setdefault(tag.lower()[:2], weight)
    assert (found is None) == all(first.get(tag, ";q=0") in {";q=0", ";q=x"} for tag in ("ru", "en"))


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, Language.EN),
        ({"LANG": "C.UTF-8"}, Language.EN),
        ({"LANG": "ru_RU.UTF-8"}, Language.RU),
        ({"LANG": "ru_RU.UTF-8", "LC_MESSAGES": "en_GB"}, Language.EN),
        ({"LANG": "en_GB", "LC_MESSAGES": "en_GB", "LC_ALL": "ru"}, Language.RU),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": ""}, Language.RU),
    ],
)
def test_an_environment_names_its_language(environment: dict[str, str], language: Language) -> None:
    assert language_of(environment) is language
