"""Tab completion."""

from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from besedka.terminal.ui.completion import LineCompleter

NAMES = ["Boris", "Анна", "Anna Karenina", "evil\x1b[2J"]


def completed(typed: str, *may: str) -> list[str]:
    """The line with each completion."""
    found = LineCompleter(
        lambda: NAMES, lambda: ["dev", "design", "@Anna Karenina"], lambda: may
    ).get_completions(Document(typed), CompleteEvent())
    return [typed[: len(typed) + completion.start_position] + completion.text for completion in found]


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("bo", ["Boris: "]),
        ("well, bo", ["well, Boris "]),
        ("@bo", ["@Boris "]),
        ("анн", ["Анна: "]),
        ("anna k", ["Anna Karenina: "]),
        ("and anna k", ["and Anna Karenina "]),
        ("one\nbo", ["one\nBoris "]),
        ("hi @", ["hi @Boris ", "hi @Анна ", "hi @Anna Karenina "]),
        ("hello ", []),
        ("", []),
        ("zz", []),
        ("evil", []),
        ("/who", ["/who "]),
        ("/h", ["/help ", "/history "]),
        ("/join de", ["/join dev ", "/join design "]),
        ("/join #dev", ["/join #dev "]),
        ("/me hugs bo", ["/me hugs Boris "]),
        ("/join @", ["/join @Anna Karenina "]),
        ("/msg bo", ["/msg Boris "]),
        ("/msg anna", ['/msg "Anna Karenina" ']),
        ('/msg "anna k', ['/msg "Anna Karenina" ']),
        ('/msg "Anna Karenina" bo', ['/msg "Anna Karenina" Boris ']),
        ("/uninvite bo", ["/uninvite Boris "]),
        ("/msg evil", []),
        ("/k", []),
        ("nice :thumbsu", ["nice :thumbsup:"]),
        (":hea", [":heart:", ":heart_eyes:", ":hear_no_evil:"]),
        (":evil", [":see_no_evil:", ":hear_no_evil:", ":speak_no_evil:"]),
        ("/msg Boris :tad", ["/msg Boris :tada:"]),
        ("/me :wav", ["/me :wave:"]),
        (":h", []),
        ("12:tad", []),
        (":zzzz", []),
    ],
)
def test_tab_completes_names_rooms_and_commands(typed: str, lines: list[str]) -> None:
    assert completed(typed) == lines


def test_tab_completes_moderation_commands_for_moderators_only() -> None:
    assert completed("/k", "moderate") == ["/kick "]
    assert completed("/un", "moderate") == ["/unblock ", "/unignore ", "/uninvite ", "/unmute ", "/unban "]
    assert completed("/kick an", "moderate") == ['/kick "Anna Karenina" ']


def test_the_names_that_fit_are_listed_behind_blanks_and_none_fills_a_row() -> None:
    names = ["Boris", f"Bo{'x' * 4_000}"]
    found = LineCompleter(lambda: names, list, list).get_completions(Document("bo"), CompleteEvent())
    assert [completion.display_text for completion in found] == ["  Boris:", f"  Bo{'x' * 37}…"]
