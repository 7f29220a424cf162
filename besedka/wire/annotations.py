"""Annotations: lines of the log about an earlier message, and the quotes of replies.

The grammar; what is in front of ``name`` and behind ``text`` is that of a message (`besedka.wire.log_line`)::

    annotation = "[" stamp "] *" name ": " verb " " ref [": " text]
    verb       = "edit" / "delete" / "react" / "unreact" / "pin" / "unpin" / "vote" / "close"
    ref        = "#" id ["." k] " " origin          ; k: the ordinal among entries with this origin; left out if 1
    origin     = "[" stamp "] " name                ; the beginning of the target, so that a search finds it
    reply      = "> " ref ": " quote *(LF text)     ; the text of a message

Syntax decides: a line that is no annotation by it is a message, whoever is called ``*``. An annotation whose target is not there has no effect.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from besedka.wire.log_line import BOM, HEAD_BYTES_AT_MOST
from besedka.wire.message import Message

MARK: Final = "*"
"""In front of the name in an annotation; no name may begin with it."""

QUOTE_CHARACTERS_AT_MOST: Final = 80
"""Of a target's text in a reply; the last one is an ellipsis where there is more."""

ELLIPSIS: Final = "…"

_REF = (
    r"#(?P<id>[1-9]\d{0,15})(?:\.(?P<ordinal>[1-9]\d{0,15}))?"
    r" \[(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] (?P<name>[^\n]*?)"
)


class Verb(StrEnum):
    """The kinds of annotations."""

    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"
    UNREACT = "unreact"
    PIN = "pin"
    UNPIN = "unpin"
    VOTE = "vote"
    CLOSE = "close"


_ANNOTATION = re.compile(
    rf"(?P<verb>{'|'.join(Verb)}) {_REF}(?:: (?P<text>.*)|:?(?P<rest>\n.*)?)", re.DOTALL | re.ASCII
)
_REPLY = re.compile(rf"> {_REF}: (?P<quote>[^\n]*)(?:\n(?P<text>.*))?", re.DOTALL | re.ASCII)


ANNOTATION_BYTES_AT_MOST: Final = HEAD_BYTES_AT_MOST + 100
"""So many bytes of an entry decide whether it is an annotation."""

_STAMP: Final = rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] "
_LINE: Final = re.compile(
    rb"(?:%s)?%s\*(?>[^\n]{0,%d}?:(?= |\r?\n|\r?\Z)) (?:%s) #[1-9]\d{0,15}(?:\.[1-9]\d{0,15})? %s"
    % (BOM, _STAMP, HEAD_BYTES_AT_MOST - len(MARK), "|".join(Verb).encode(), _STAMP)
)
_AT_MARK: Final = len("[0000-00-00 00:00:00")


class Origin(msgspec.Struct, frozen=True):
    """The beginning of a message in the log.

    Attributes:
        stamp: its time, as the log writes it.
        name: the poster's name.
    """

    stamp: str
    name: str


class Reference(msgspec.Struct, frozen=True):
    """A message that a line of the log is about.

    Attributes:
        id: where it stood when the line was written.
        origin: its beginning.
        ordinal: which one it is among the entries with this beginning, from 1.
    """

    id: int
    origin: Origin
    ordinal: int = 1

    def __str__(self) -> str:
        ordinal = f".{self.ordinal}" if self.ordinal > 1 else ""
        return f"#{self.id}{ordinal} [{self.origin.stamp}] {self.origin.name}"


class Annotation(msgspec.Struct, frozen=True):
    """An annotation.

    Attributes:
        verb: its kind.
        name: whose it is.
        target: what it is about.
        text: the new text, a reaction, the number of an option; empty where there is none.
    """

    verb: Verb
    name: str
    target: Reference
    text: str = ""


class Reply(msgspec.Struct, frozen=True):
    """A message that answers another one.

    Attributes:
        target: the other one.
        quote: the beginning of its text.
        text: the answer.
    """

    target: Reference
    quote: str
    text: str


def is_annotation(raw: bytes) -> bool:
    """Whether the bytes of an entry of the log are an annotation, as `read_annotation` decides; its first `ANNOTATION_BYTES_AT_MOST` are enough."""
    # Nearly none is, and this takes a quarter of the time.
    may_be = raw.startswith(b"] *", _AT_MARK) or raw.startswith(b"] *", _AT_MARK + len(BOM))
    return may_be and _LINE.match(raw) is not None


def read_annotation(message: Message) -> Annotation | None:
    """The annotation in an entry of the log; None if it is a message."""
    if not message.user.startswith(MARK):
        return None
    found = _ANNOTATION.fullmatch(message.text)
    if found is None:
        return None
    text = found["text"] if found["text"] is not None else found["rest"] or ""
    return Annotation(Verb(found["verb"]), message.user[len(MARK) :], _reference(found), text)


def write_annotation(annotation: Annotation, stamp: str) -> Message:
    """An annotation as an entry of the log.

    Args:
        annotation: the annotation.
        stamp: its time.
    """
    name = annotation.target.origin.name
    # A colon at the end of a name would be taken for the one in front of a text.
    needs_colon = annotation.text or not name or name.endswith(":")
    text = f": {annotation.text}" if needs_colon else ""
    return Message(stamp, f"{MARK}{annotation.name}", f"{annotation.verb} {annotation.target}{text}")


def read_reply(text: str) -> Reply | None:
    """The reply that a message's text is; None if it quotes nothing."""
    found = _REPLY.fullmatch(text)
    return Reply(_reference(found), found["quote"], found["text"] or "") if found else None


def write_reply(reply: Reply) -> str:
    """The text of a message that is a reply."""
    return f"> {reply.target}: {reply.quote}\n{reply.text}"


def quote_of(text: str) -> str:
    """The quote of a message in a reply to it: the beginning of its text, in one line, without its own quote."""
    reply = read_reply(text)
    line = " ".join((reply.text if reply else text).split())
    return (
        line
        if len(line) <= QUOTE_CHARACTERS_AT_MOST
        else f"{line[: QUOTE_CHARACTERS_AT_MOST - 1].rstrip()}{ELLIPSIS}"
    )


def _reference(found: re.Match[str]) -> Reference:
    return Reference(int(found["id"]), Origin(found["stamp"], found["name"]), int(found["ordinal"] or 1))
