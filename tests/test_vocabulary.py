"""The project's vocabulary: one word for one thing, from the wire to the screen (CONTRIBUTING.md, "Words").

The tables hold words that were given up, each with its replacement, so that they do not come back.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

pytestmark = pytest.mark.xdist_group("vocabulary")  # what they all read is read once

ROOT = Path(__file__).parent.parent

EXEMPT: Final = (
    "besedka/proto/besedka/",  # generated
    "besedka/wire/confusables.py",  # generated
    "docs/decisions/",  # history
    "tests/test_vocabulary.py",
)

PUBLIC_NAMES: Final = frozenset({"bytes_told"})
"""Identifiers that are named as something outside, which stays as it is: a metric."""

IDENTIFIERS: Final = {
    "AnswerWord": "Response",
    "Carrier": "Transport",
    "ClientWord": "ClientFrame",
    "Company": "Presence",
    "Conversation": "ChatSession",
    "Deed": "AuditEntry",
    "Guest": "LiveSession",
    "Pace": "RateLimiter",
    "Place": "RoomView, Membership, Position or Endpoint",
    "Reception": "Requests",
    "RemoteChat": "RoomClient",
    "ServerWord": "ServerFrame",
    "Talk": "Session or TerminalSession",
    "Visitor": "SessionBase",
    "aside": "direct messages",
    "company": "presence",
    "deed": "audit entry or act",
    "fairness": "rate_limits",
    "harmless": "sanitize",
    "hear": "receive",
    "hearing": "events",
    "let_in": "check_…, enter or join",
    "let_stay": "check_stay",
    "let_talk": "check_… or charge_…",
    "lookalikes": "confusables",
    "other_hands": "external_edit",
    "paper": "output",
    "patience": "timeout",
    "put_out": "remove_from_room",
    "show_out": "disconnect",
    "shut_out": "revoke_access",
    "tell": "send, broadcast, report or notify",
    "telling": "notifier or broadcast",
    "told": "sent, delivered or reported",
    "unheard": "unacknowledged, or the thing itself",
}
"""Words of identifiers and of file names. With a capital: of types only."""

PHRASES: Final = {
    r"other hands": "an external edit, another program",
    r"(?:keep|keeps|kept|keeping) order": "moderate, moderator, moderation",
    r"talks? of two": "direct messages, a direct room",
    r"(?:show|shows|shown|showing) (?:\w+ )?out": "disconnect, kick",
    r"(?:he|him|himself|his)": "they, them, themselves, their",
    r"oneself": "yourself, themselves",
    r"one's": "the user's, their, your",
}
"""Phrases of documents, docstrings and comments, whatever their case, as whole words."""

OPENINGS: Final = {
    r"(?:Who|Whom|Whose|What) ": "the thing itself: not `What the file says`, but `The file's content`",
}
"""Beginnings of docstrings."""


class Finding(NamedTuple):
    """A word that was given up."""

    path: str
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word!r}: say {self.instead}"


class Text(NamedTuple):
    """A name, a comment or a docstring, and the line on which it begins."""

    line: int
    text: str


def _files(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [
        name
        for name in listed.stdout.split("\0")
        if name and not name.startswith(EXEMPT) and (ROOT / name).exists()
    ]


@cache
def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


_ANY_TYPE: Final = re.compile("|".join(word for word in IDENTIFIERS if word[0].isupper()))
_ANY_NAME: Final = re.compile("|".join(word for word in IDENTIFIERS if word[0].islower()))
"""Most names hold nothing that is even like one of these words."""


@cache
def _words_in(name: str) -> list[str]:
    """The words of an identifier that were given up."""
    if name in PUBLIC_NAMES:
        return []
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if not _ANY_TYPE.search(name) and not _ANY_NAME.search(snake):
        return []
    patterns = {
        word: (rf"(?<![A-Z]){word}(?![a-z])", name)
        if word[0].isupper()
        else (rf"(?:^|_){word}(?:_|$)", snake)
        for word in IDENTIFIERS
    }
    return [word for word, (pattern, text) in patterns.items() if re.search(pattern, text)]


@cache
def _words_of(path: str) -> tuple[list[Text], list[Text]]:
    """A program's names and its comments."""
    names, comments = [], []
    for token in tokenize.generate_tokens(io.StringIO(_read(path)).readline):
        if token.type == tokenize.NAME:
            names.append(Text(token.start[0], token.string))
        elif token.type == tokenize.COMMENT:
            comments.append(Text(token.start[0], token.string))
    return names, comments


@cache
def _docstrings(path: str) -> list[Text]:
    """All strings that stand alone: docstrings, also those of constants."""
    return [
        Text(node.lineno, node.value.value)
        for node in ast.walk(ast.parse(_read(path)))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


def _prose(path: str) -> list[Text]:
    return [*_words_of(path)[1], *_docstrings(path)] if path.endswith(".py") else [Text(1, _read(path))]


def _whole(phrase: str) -> str:
    return rf"(?<![\w'’-])(?:{phrase})(?![\w-])"


_ANY_PHRASE: Final = re.compile(_whole("|".join(PHRASES)), re.IGNORECASE)
_ANY_OPENING: Final = re.compile(rf"[\"'](?:{'|'.join(OPENINGS)})")
"""Where nothing of this is in a file, nothing of it is in its docstrings and comments, which take longer to be found."""


def _phrases_in(text: Text, phrases: dict[str, str]) -> Iterator[tuple[int, str, str]]:
    quoted = re.sub(r"`[^`]*`|\"[^\"\n]*\"", lambda match: "\n" * match.group().count("\n"), text.text)
    for phrase, instead in phrases.items():
        for match in re.finditer(_whole(phrase), quoted, re.IGNORECASE):
            yield text.line + quoted.count("\n", 0, match.start()), " ".join(match.group().split()), instead


def _listed(findings: list[Finding]) -> str:
    return "\n".join(["words that were given up:", *map(str, sorted(findings))])


def test_identifiers_hold_no_word_that_was_given_up() -> None:
    findings = [
        Finding(path, line, name, IDENTIFIERS[word])
        for path in _files("*.py")
        if any(map(_words_in, set(re.findall(r"[^\W\d]\w*", _read(path)))))
        for line, name in _words_of(path)[0]
        for word in _words_in(name)
    ]
    assert not findings, _listed(findings)


def test_file_names_hold_no_word_that_was_given_up() -> None:
    findings = [
        Finding(path, 0, part, IDENTIFIERS[word])
        for path in _files("*.py", "*.js", "*.mjs", "*.css")
        for part in Path(path).with_suffix("").parts
        for word in _words_in(part.replace("-", "_").replace(".", "_"))
    ]
    assert not findings, _listed(findings)


def test_documents_docstrings_and_comments_hold_no_phrase_that_was_given_up() -> None:
    findings = [
        Finding(path, *found)
        for path in _files("*.py", "*.js", "*.mjs", "*.proto", "*.md")
        if _ANY_PHRASE.search(_read(path))
        for text in _prose(path)
        for found in _phrases_in(text, PHRASES)
    ]
    assert not findings, _listed(findings)


def test_docstrings_begin_with_the_thing_itself() -> None:
    findings = [
        Finding(path, text.line, text.text.split("\n")[0][:60], instead)
        for path in _files("*.py")
        if _ANY_OPENING.search(_read(path))
        for text in _docstrings(path)
        for opening, instead in OPENINGS.items()
        if re.match(opening, text.text)
    ]
    assert not findings, _listed(findings)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Place", ["Place"]),
        ("_RoomPlace", ["Place"]),
        ("is_in_place", []),
        ("replace", []),
        ("show_out", ["show_out"]),
        ("_show_out_all", ["show_out"]),
        ("tell", ["tell"]),
        ("intell", []),
        ("Talking", []),
        ("tellRights", ["tell"]),
    ],
)
def test_a_word_is_found_as_a_whole_word_of_an_identifier(name: str, words: list[str]) -> None:
    assert _words_in(name) == words


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("by other\nhands", []),
        ("first\nby Other hands", [2]),
        ("`keep order` is quoted\nand keeps order is not", [2]),
        ("a history, and this", []),
        ("what he's said", [1]),
        ("the-he-man", []),
    ],
)
def test_a_phrase_is_found_with_its_line(text: str, lines: list[int]) -> None:
    assert [line for line, _, _ in _phrases_in(Text(1, text), PHRASES)] == lines
