"""Reading a log's bytes: the same entries, in however many pieces they are read."""

from __future__ import annotations

import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history import scan
from besedka.serve.history.scan import Entry, Kind, entries, is_damaged
from besedka.wire.log_line import ENTRY
from tests.lengths import often

PARTS = st.sampled_from(
    [
        b"[2025-11-19 23:46:36] Anna: hi",
        b"[2025-11-19 23:46:36] Anna: hi\n",
        b"[2025-11-19 23:46:36] Boris: hi\n\tall\n",
        b"[2025-11-19 23:46:36] An:na: hi\n",
        b"\xef\xbb\xbf[2025-11-19 23:46:36] Anna: hi",
        b"[2025-11-19 23:46:36 | Edited] Anna: hi",
        b"[2025-11-19 23:46:36] <Boris> hi: all",
        b"[2025-11-19 23:46:36] Anna:",
        b"[2025-11-19 23:46:36] *Anna: react #1 [2025-11-19 23:46:36] Boris: ok\n",
        b"[2025-11-19 23:46:36] *Anna: pin #1 [2025-11-19 23:46:36]",
        b" Boris" + b"s" * 5000,
        b"\n",
        b"\r\n",
        b"\t",
        b"\0",
        b"\xd0",
        b"\xbf",
        b"x" * 5000,
    ]
)


@given(data=st.lists(PARTS, max_size=40).map(b"".join), at_once=st.sampled_from([4300, 6000, 9999, 1 << 20]))
def test_entries_part_a_log_without_a_gap_whatever_is_read_at_once(
    tmp_path: Path, data: bytes, at_once: int
) -> None:
    path = tmp_path / "talk.txt"
    path.write_bytes(data)
    found = [*entries(Descriptor(path, 0), 0, len(data), at_once=at_once)]
    assert [entry.end for entry in found[:-1]] == [entry.begin for entry in found[1:]]
    assert not found or (found[0].begin, found[-1].end) == (0, len(data))
    starts = {match.start(): match["message"] is not None for match in ENTRY.finditer(data)}
    assert {one.begin: one.kind is Kind.MESSAGE for one in found if one.kind is not Kind.REST} == starts
    for entry in found:
        assert entry == Entry.of(data[entry.begin : entry.end], entry.begin, entry.kind)
        assert entry.crc == zlib.crc32(data[entry.begin : entry.end])


def test_a_stretch_is_added_up_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(b"line %d\n" % number for number in range(1000))
    path = tmp_path / "talk.txt"
    path.write_bytes(data)
    monkeypatch.setattr(scan, "SCAN_BYTES", 100)
    log = Descriptor(path, 0)
    for begin, end in pairwise([0, 7, 700, len(data), len(data) + 50]):
        assert scan.crc_of(log, begin, end) == zlib.crc32(data[begin:end])
        assert scan.line_ends(log, begin, end) == data[begin:end].count(b"\n")


STARTS = st.sampled_from(["[2025-11-19 23:46:36] Anna: ", "\t", "", "[2025-11-19 23:46:36 | Edited] "])
LETTERS = st.sampled_from(["x", "й", "€", "𐐀"])
LINES = st.lists(
    st.builds(
        lambda start, pad, letter, times: start + "x" * pad + letter * times,
        STARTS,
        st.integers(0, 3),
        LETTERS,
        st.sampled_from([0, 1, 5, 1500, 3000]),
    ),
    min_size=1,
    max_size=6,
)


@often(100)
@given(LINES, st.booleans(), st.sampled_from([b"\0", b"\xff", b"\x80", b"\xd0"]), st.data())
def test_the_line_that_is_named_as_damaged_is_the_one_with_the_damaged_byte(
    tmp_path: Path, lines: list[str], ends_line: bool, byte: bytes, drawn: st.DataObject
) -> None:
    """Also where a line is longer than what is read at once, and is parted within a character."""
    data = "\n".join(lines).encode() + b"\n" * ends_line
    # In any line with the same chance, however long it is.
    line = drawn.draw(st.integers(0, len(lines) - 1), "line")
    before = sum(len(one.encode()) + 1 for one in lines[:line])
    place = min(
        before + drawn.draw(st.integers(0, len(lines[line].encode())), "place"), max(0, len(data) - 1)
    )
    damaged = data[:place] + byte + data[place + 1 :]
    path = tmp_path / "talk.txt"
    path.write_bytes(damaged)
    log = Descriptor(path, 0)
    line = 1 + damaged[:place].count(b"\n")
    for at_once in (4300, 6001, 1 << 20):
        named = [
            scan.line_number(log, entry.begin) + entry.damaged_at
            for entry in entries(log, 0, len(damaged), at_once=at_once)
            if entry.damaged_at is not None
        ]
        assert named == ([line] if is_damaged(damaged) else []), at_once
