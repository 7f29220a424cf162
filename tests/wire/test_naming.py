"""Names in sentences: ``tests/vectors/naming.json``, which text.test.mjs reads too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.errors import Language
from besedka.wire.naming import MARKS, in_sentence, listed

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "naming.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "shown"), VECTORS, ids=ascii)
def test_a_name_that_is_more_than_a_word_is_in_quotation_marks(name: str, shown: str) -> None:
    assert in_sentence(name, Language.EN) == shown
    assert in_sentence(name, Language.RU) == shown.replace("“", "«").replace("”", "»")


def test_every_language_has_its_marks() -> None:
    assert {*MARKS} == {*Language}
    assert listed(["Anna", "Boss left, Anna"], Language.RU) == "Anna, «Boss left, Anna»"


@given(st.text(st.characters(), max_size=32), st.sampled_from(Language))
def test_what_is_outside_of_quotation_marks_holds_neither_blanks_nor_signs(
    name: str, language: Language
) -> None:
    shown, marks = in_sentence(name, language), MARKS[language].split("{}")
    if shown == name:
        assert " " not in shown
        assert not {*'",;:()[]·“”«»'} & {*shown}
    else:
        assert [shown[:1], shown[-1:]] == marks
        assert not {*marks} & {*shown[1:-1]}
