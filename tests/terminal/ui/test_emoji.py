"""Emoji by their names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.terminal.ui.emoji import EMOJI, with_emoji
from tests.running import ROOT


def test_the_names_are_those_of_the_page() -> None:
    page = (ROOT / "besedka" / "client" / "chat" / "writing" / "emoji.js").read_text(encoding="utf-8")
    assert [*EMOJI.items()] == re.findall(r"(\S+) (\S+)", page.split("`")[3])


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        (":smile:", "😄"),
        ("well :smile:, :tada::tada:", "well 😄, 🎉🎉"),
        ("(:smile:) **:fire:** _:key:_", "(😄) **🔥** _🔑_"),
        ("> :ok_hand:\n:ok_hand:", "> 👌\n👌"),
        ("/me :wave:", "/me 👋"),
        (":nothing_like_this:", ":nothing_like_this:"),
        (":x:", ":x:"),
        ("12:key:30 std::key::end a:key:", "12:key:30 std::key::end a:key:"),
        ("`:smile:` https://a.example/:smile:", "`:smile:` https://a.example/:smile:"),
        ("```\n:smile:\n```", "```\n:smile:\n```"),
    ],
)
def test_a_name_between_colons_is_sent_as_its_emoji(typed: str, sent: str) -> None:
    assert with_emoji(typed) == sent


@given(st.text())
def test_a_text_without_names_is_sent_as_it_was_typed(text: str) -> None:
    assert with_emoji(text.replace(":", ";")) == text.replace(":", ";")
