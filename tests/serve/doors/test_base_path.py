"""Below which path the chat may be."""

from __future__ import annotations

import pytest

from besedka.serve.doors.base_path import clean_base_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/chat", "/chat"),
        ("/chat/", "/chat"),
        ("chat", "/chat"),
        ("/a/b-c_d.e~f", "/a/b-c_d.e~f"),
    ],
)
def test_a_path_has_a_slash_before_and_none_behind(text: str, path: str) -> None:
    assert clean_base_path(text) == path


@pytest.mark.parametrize(
    "text",
    ["//chat", "/chat//", "/a//b", "/..", "/a/../b", "/.", "/a b", "/%41", "/чат", "/{x}", "/a?b", "/a#b"],
)
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        clean_base_path(text)
