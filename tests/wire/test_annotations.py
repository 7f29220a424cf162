"""Annotations and replies as they stand in the log; the page reads them by the same vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.annotations import (
    ANNOTATION_BYTES_AT_MOST,
    QUOTE_CHARACTERS_AT_MOST,
    Annotation,
    Origin,
    Reference,
    Reply,
    Verb,
    is_annotation,
    quote_of,
    read_annotation,
    read_reply,
    write_annotation,
    write_reply,
)
from besedka.wire.log_line import BOM, FIRST_LINE, can_be_author, read_line, readable_line, write_line
from besedka.wire.message import Message

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "annotations.json").read_text(encoding="utf-8")
)
STAMP = "2026-12-01 09:00:09"

TEXTS = st.text().map(lambda text: text.replace("\r", ""))
NAMES = st.text(st.sampled_from("a:* ") | st.characters()).filter(
    lambda name: "\r" not in name and can_be_author(name) and not name.startswith("<")
)
ORIGINS = st.builds(Origin, st.datetimes().map(lambda at: f"{at.year:04}-{at:%m-%d %H:%M:%S}"), NAMES)
REFERENCES = st.builds(Reference, st.integers(1, 10**15), ORIGINS, st.integers(1, 10**15))


def reference(found: dict[str, Any]) -> Reference:
    return Reference(found["id"], Origin(found["stamp"], found["target"]), found["ordinal"])


@pytest.mark.parametrize("case", VECTORS["annotations"], ids=lambda case: case["text"][:50])
def test_the_annotations_of_the_vectors(case: dict[str, Any]) -> None:
    found = case["annotation"]
    expected = found and Annotation(Verb(found["verb"]), found["name"], reference(found), found["text"])
    assert read_annotation(Message(STAMP, case["user"], case["text"])) == expected


@pytest.mark.parametrize("case", VECTORS["annotations"], ids=lambda case: case["text"][:50])
@pytest.mark.parametrize("before", [b"", BOM])
def test_the_bytes_of_the_vectors(case: dict[str, Any], before: bytes) -> None:
    raw = before + write_line(Message(STAMP, case["user"], case["text"])).encode() + b"\n"
    assert is_annotation(raw) is bool(case["annotation"])
    assert is_annotation(raw[:ANNOTATION_BYTES_AT_MOST]) is bool(case["annotation"])


@given(
    st.lists(
        st.sampled_from(
            [
                "*",
                "Anna",
                ": ",
                ":",
                " ",
                "\n",
                "\t",
                "\r\n",
                "edit",
                " #1",
                "#12.3",
                f" [{STAMP}] ",
                f"[{STAMP}]",
                "й",
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_the_bytes_of_a_message_say_what_its_lines_say(text: str) -> None:
    raw = f"[{STAMP}] *{text}\n".encode()
    if FIRST_LINE.match(raw):
        assert is_annotation(raw) is (read_annotation(read_line(readable_line(raw))) is not None)


@pytest.mark.parametrize("case", VECTORS["replies"], ids=lambda case: case["text"][:50])
def test_the_replies_of_the_vectors(case: dict[str, Any]) -> None:
    found = case["reply"]
    expected = found and Reply(reference(found), found["quote"], found["text"])
    assert read_reply(case["text"]) == expected


@pytest.mark.parametrize("case", VECTORS["quotes"], ids=lambda case: case["text"][:50])
def test_the_quotes_of_the_vectors(case: dict[str, Any]) -> None:
    assert quote_of(case["text"]) == case["quote"]


@given(st.builds(Annotation, st.sampled_from(Verb), NAMES, REFERENCES, TEXTS))
def test_an_annotation_is_read_from_the_log_as_it_was_written(annotation: Annotation) -> None:
    line = write_line(write_annotation(annotation, STAMP))
    assert read_annotation(read_line(line)) == annotation


@given(st.builds(Reply, REFERENCES, TEXTS.map(quote_of), TEXTS))
def test_a_reply_is_read_as_it_was_written(reply: Reply) -> None:
    assert read_reply(write_reply(reply)) == reply


@given(TEXTS)
def test_a_quote_is_one_line_of_a_bounded_length(text: str) -> None:
    quote = quote_of(text)
    assert "\n" not in quote
    assert len(quote) <= QUOTE_CHARACTERS_AT_MOST
    assert quote_of(quote) == quote


@given(TEXTS, TEXTS)
def test_any_entry_is_an_annotation_or_a_message(name: str, text: str) -> None:
    """Whatever stands in a log, it is read, and only what would be written so is an annotation."""
    message = Message(STAMP, f"*{name}", text)
    found = read_annotation(message)
    assert found is None or read_annotation(write_annotation(found, STAMP)) == found
