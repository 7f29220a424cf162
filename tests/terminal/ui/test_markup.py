"""The marks in texts: the cases are the page's (``tests/vectors/texts.json``, which text.test.mjs reads too)."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.terminal.ui import markup
from besedka.terminal.ui.markup import Kind, Node, parse
from tests.running import ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "texts.json").read_text(encoding="utf-8"))
CASES = [case for cases in VECTORS["marks"].values() for case in cases.items()]

TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["*", "**", "_", "`", "```", "> ", ">", "\n", " ", "a", "Anna", "@", "~~", "/", "www."]
        ),
        st.sampled_from(["https://a.b/", "(", ")", "[", "]", ".", "й", "🙂", "\u202e", "a@b.c"]),
        st.characters(exclude_categories=["Cs"]),
    )
).map("".join)


def as_on_the_page(nodes: Sequence[Node]) -> str:
    """A short way to write a tree: text as it is, other parts as kind(inside), no marks."""
    return "".join(
        node.text
        if node.kind is Kind.TEXT
        else f"{node.kind.value}({as_on_the_page(node.nodes) or node.text})"
        for node in nodes
        if node.kind is not Kind.MARK
    )


@pytest.mark.parametrize(("text", "tree"), CASES)
def test_marks_mean_what_they_mean_on_the_page(text: str, tree: str) -> None:
    assert as_on_the_page(parse(text)) == tree


@pytest.mark.parametrize(("text", "me", "tree"), VECTORS["mentions"])
def test_the_users_name_is_marked_as_on_the_page(text: str, me: str, tree: str) -> None:
    assert as_on_the_page(parse(text, me)) == tree


@given(TEXTS)
def test_all_characters_of_a_text_stay_in_their_order(text: str) -> None:
    assert "".join(part for _, part in markup.styled(parse(text, "Anna"))) == text
