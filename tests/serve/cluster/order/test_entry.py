"""Entries of the stream: whole and in pieces, and what no node has written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.cluster.errors import EntryInvalid
from besedka.serve.cluster.order.batches import redaction_of, without_text
from besedka.serve.cluster.order.entry import Entry, Head, Target, decode_entry, encode_entry
from besedka.wire.log_line import write_line
from besedka.wire.message import Message

TEXTS = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=40)


def lines(texts: list[str]) -> list[bytes]:
    return [f"{write_line(Message('2026-12-02 10:00:00', 'Anna', text))}\n".encode() for text in texts]


@given(st.lists(TEXTS, min_size=1, max_size=5), st.data())
def test_an_entry_is_read_as_it_was_written(texts: list[str], data: st.DataObject) -> None:
    places = st.integers(0, len(texts) - 1)
    head = Head(
        "token",
        data.draw(st.integers(1, 10**9)),
        data.draw(st.integers(0, 2**33)),
        "epoch",
        data.draw(st.dictionaries(places, st.text(max_size=8), max_size=3)),
        data.draw(st.lists(places, max_size=3)),
    )
    entry = Entry(head, lines(texts))
    assert decode_entry(encode_entry(entry)) == entry
    assert entry.last == head.first + len(texts) - 1


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_a_redaction_is_read_as_it_was_written(ids: list[int]) -> None:
    targets = [Target(number, 40, max(1, number - 3), number) for number in ids]
    entry = redaction_of(Head("token", max(ids) + 1, 0, "epoch"), targets)
    assert decode_entry(encode_entry(entry)) == entry
    assert (entry.is_redaction, entry.last) == (True, max(ids))


@given(st.lists(TEXTS, min_size=1, max_size=5), st.data())
def test_a_text_is_taken_out_of_an_entry_and_nothing_else(texts: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(texts) - 1))
    entry = Entry(Head("token", 7, 0, "epoch", {place: "key"}), lines(texts))
    without = without_text(entry, 7 + place)
    assert decode_entry(encode_entry(without)) == without
    assert without_text(without, 7 + place) == without
    assert [len(raw) for raw in without.messages] == [len(raw) for raw in entry.messages]
    others = [number for number in range(len(texts)) if number != place]
    assert all(without.messages[other] == entry.messages[other] for other in others)


@pytest.mark.parametrize(
    "data",
    [
        b'{"by":"t","first":2,"at":0,"epoch":"e","kind":"redact"}\n',
        b'{"by":"t","first":2,"at":0,"epoch":"e","kind":"redact","targets":[[2,30,1,1]]}\n',
        b'{"by":"t","first":2,"at":0,"epoch":"e","kind":"redact","targets":[[0,30,1,1]]}\n',
        b'{"by":"t","first":9,"at":0,"epoch":"e","kind":"redact","targets":[[3,30,4,1]]}\n',
        b'{"by":"t","first":2,"at":0,"epoch":"e","kind":"redact","targets":[[1,30,1,1]]}\n[2026-12-02 10:00:00] Anna: hi\n',
        b'{"by":"t","first":1,"at":0,"epoch":"e","targets":[[1,30,1,1]]}\n[2026-12-02 10:00:00] Anna: hi\n',
        b"",
        b"\n",
        b"{}\n",
        b'{"by":"t","first":1,"at":0,"epoch":"e"}\n',
        b'{"by":"t","first":1,"at":0,"epoch":"e"}\nno message\n',
        b'{"by":"t","first":1,"at":0,"epoch":"e"}\n[2026-12-02 10:00:00] Anna: cut off',
        b'{"by":"t","first":0,"at":0,"epoch":"e"}\n[2026-12-02 10:00:00] Anna: hi\n',
        b'{"by":"t","first":1,"at":0,"epoch":"e","keys":{"1":"k"}}\n[2026-12-02 10:00:00] Anna: hi\n',
        b'{"by":"t","first":1,"at":0,"epoch":"e","unverified":[-1]}\n[2026-12-02 10:00:00] Anna: hi\n',
        b'{"by":"t","first":1,"at":0,"epoch":"e","kind":"other"}\n[2026-12-02 10:00:00] Anna: hi\n',
        b'{"by":"t","first":1,"at":0,"epoch":"e","v":2}\n[2026-12-02 10:00:00] Anna: hi\n',
    ],
)
def test_what_no_node_has_written_is_refused(data: bytes) -> None:
    with pytest.raises(EntryInvalid):
        decode_entry(data)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(EntryInvalid):
        decode_entry(data)
