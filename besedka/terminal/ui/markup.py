"""The marks in a text: `code`, **bold**, *italic*, ~~strike~~, quotes, links and the user's name. Pure; linear in the length of the text.

The rules are those of the page (`besedka/client/chat/messages/text.js`; both are tested with tests/vectors/texts.json). But the marks stay: a
selection in a terminal copies what it shows, and so gives the text as it was typed. A mark counts within its line only; without its partner
it is text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import groupby, takewhile
from typing import Final

from besedka.terminal.ui.fragments import Fragments


class Kind(Enum):
    """The kind of a part of a text."""

    TEXT = "text"
    MARK = "mark"
    CODE = "code"
    BLOCK = "block"
    LINK = "link"
    MENTION = "mention"
    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a text: either characters or other parts.

    Attributes:
        kind: the kind.
        text: the characters.
        nodes: the parts.
    """

    kind: Kind
    text: str = ""
    nodes: Sequence[Node] = ()


STYLES: Final = {
    Kind.MARK: "class:mark",
    Kind.CODE: "class:code",
    Kind.BLOCK: "class:code",
    Kind.LINK: "class:link",
    Kind.MENTION: "class:mention",
    Kind.BOLD: "bold",
    Kind.ITALIC: "italic",
    Kind.STRIKE: "strike",
    Kind.QUOTE: "class:quote",
}

_WORD: Final = r"[^\W_]"
"""A letter or a digit."""

_OPENING: Final = re.compile(
    "|".join(
        (
            r"`(?=[^`])",
            r"\*\*(?=[^\s*])",
            r"(?<![\w*])\*(?=[^\s*])",
            r"(?<!\w)_(?=[^\s_])",
            r"~~(?=[^\s~])",
            rf"(?<!{_WORD})https?://(?=[^\W_]|\[)",
            r"(?<![\w./@-])www\.(?=[^\W_])",
            r"(?<![\w.%+-])[\w.%+-]{1,64}@(?=[^\W_])",
        )
    ),
    re.IGNORECASE,
)
_CLOSING: Final = {
    "`": re.compile("`"),
    "**": re.compile(r"(?<=[^\s*])\*\*(?!\*)"),
    "*": re.compile(r"(?<=[^\s*])\*(?![\w*])"),
    "_": re.compile(r"(?<=[^\s_])_(?!\w)"),
    "~~": re.compile(r"(?<=[^\s~])~~(?!~)"),
}
_KINDS: Final = {
    "`": Kind.CODE,
    "**": Kind.BOLD,
    "*": Kind.ITALIC,
    "_": Kind.ITALIC,
    "~~": Kind.STRIKE,
}
_MAIL: Final = re.compile(r"[\w.%+-]{1,64}@(?:[^\W_]|-){1,63}(?:\.(?:[^\W_]|-){1,63})+")
_LINK: Final = re.compile(r"[^\s<>\"`]+")
_NOT_AT_THE_END: Final = frozenset(".,:;!?…'*_~»”’。，、！？」』")
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_FENCE: Final = "```"
_LANGUAGE: Final = re.compile(r"[\w+#-]*", re.ASCII)
_QUOTE: Final = re.compile("> |>$")


def styled(nodes: Sequence[Node], style: str = "") -> Fragments:
    """The text of a tree, with the styles of its parts.

    Args:
        nodes: the parts.
        style: of the text around them.
    """
    fragments: Fragments = []
    for node in nodes:
        inner = f"{style} {STYLES.get(node.kind, '')}".strip()
        fragments += styled(node.nodes, inner) if node.nodes else [(inner, node.text)] if node.text else []
    return fragments


def parse(text: str, me: str = "") -> list[Node]:
    """The parts of a text. Their characters together are the text.

    Args:
        text: the text, sanitized.
        me: the user's name, which is marked where it is mentioned.
    """
    parts = text.split(_FENCE)
    if len(parts) % 2 == 0:
        parts[-2:] = [_FENCE.join(parts[-2:])]
    name = _mention(me) if me else None
    nodes: list[Node] = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            nodes += _paragraphs(part, name, is_first=index == 0, is_last=index == len(parts) - 1)
        elif part.strip():
            nodes += _block(part)
        else:
            nodes.append(Node(Kind.TEXT, f"{_FENCE}{part}{_FENCE}"))
    return nodes


def _block(part: str) -> list[Node]:
    first, lf, rest = part.partition("\n")
    language, code = (first + lf, rest) if lf and _LANGUAGE.fullmatch(first) else ("", part)
    end = "\n" if code.endswith("\n") else ""
    return [
        Node(Kind.MARK, f"{_FENCE}{language}"),
        Node(Kind.BLOCK, code.removesuffix(end)),
        Node(Kind.MARK, f"{end}{_FENCE}"),
    ]


def _paragraphs(text: str, name: re.Pattern[str] | None, *, is_first: bool, is_last: bool) -> Iterator[Node]:
    """The lines between two blocks of code. Where the page begins a paragraph, an LF is a mark."""
    begin = "\n" if text.startswith("\n") and not is_first else ""
    text = text.removeprefix(begin)
    end = "\n" if text.endswith("\n") and not is_last else ""
    text = text.removesuffix(end)
    yield Node(Kind.MARK, begin)
    lines = text.split("\n") if text else []
    for number, (is_quote, group) in enumerate(groupby(lines, lambda line: bool(_QUOTE.match(line)))):
        if number:
            yield Node(Kind.MARK, "\n")
        nodes = _lines([*group], name, is_quote=is_quote)
        if is_quote:
            yield Node(Kind.QUOTE, nodes=[*nodes])
        else:
            yield from nodes
    yield Node(Kind.MARK, end)


def _lines(lines: Sequence[str], name: re.Pattern[str] | None, *, is_quote: bool) -> Iterator[Node]:
    for number, line in enumerate(lines):
        if number:
            yield Node(Kind.TEXT, "\n")
        mark = line[:2] if is_quote else ""
        yield Node(Kind.MARK, mark)
        yield from _inline(line.removeprefix(mark), name)


def _inline(line: str, name: re.Pattern[str] | None) -> Iterator[Node]:
    missing = set()  # marks without a partner: each is searched for only once
    done = 0
    for found in _OPENING.finditer(line):
        mark, start = found.group(), found.start()
        if start < done or mark in missing:
            continue
        node, end = _span(line, mark, start, name) if mark in _CLOSING else _address(line, mark, start)
        if node is None:
            missing.add(mark)
            continue
        yield from _words(line[done:start], name)
        yield from node
        done = end
    yield from _words(line[done:], name)


_Found = tuple[list[Node] | None, int]
"""The parts that begin at a place, None if none does, and where they end."""


def _span(line: str, mark: str, start: int, name: re.Pattern[str] | None) -> _Found:
    found = _CLOSING[mark].search(line, start + len(mark))
    if not found:
        return None, start
    kind, text = _KINDS[mark], line[start + len(mark) : found.start()]
    inner = [Node(kind, text)] if kind is Kind.CODE else [Node(kind, nodes=[*_inline(text, name)])]
    return [Node(Kind.MARK, mark), *inner, Node(Kind.MARK, mark)], found.end()


def _address(line: str, mark: str, start: int) -> _Found:
    """A mail address, or a link."""
    found = (_MAIL if mark.endswith("@") else _LINK).match(line, start)
    if not found:
        return None, start
    address = found.group() if mark.endswith("@") else _without_punctuation(found.group())
    return [Node(Kind.LINK, address)], start + len(address)


def _without_punctuation(link: str) -> str:
    """A link without the punctuation behind it, and without a bracket that was opened before it."""
    link = "".join(takewhile(lambda character: unicodedata.category(character) not in {"Cc", "Cf"}, link))
    counts, end = Counter(link), len(link)
    while end:
        last = link[end - 1]
        if last in _PAIRS and counts[last] > counts[_PAIRS[last]]:
            counts[last] -= 1
        elif last not in _NOT_AT_THE_END:
            break
        end -= 1
    return link[:end]


def _words(text: str, name: re.Pattern[str] | None) -> Iterator[Node]:
    done = 0
    for found in name.finditer(text) if name else ():
        yield Node(Kind.TEXT, text[done : found.start()])
        yield Node(Kind.MENTION, found.group())
        done = found.end()
    yield Node(Kind.TEXT, text[done:])


@lru_cache(maxsize=64)
def _mention(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)@?{re.escape(name)}(?!\w)", re.IGNORECASE)
