"""Reading a log's bytes: the same entries, in however many pieces they are read."""

from __future__ import annotations

import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from besedka.serve.history import scan
from besedka.serve.history.file import Descriptor
from besedka.serve.history.scan import Entry, Kind, entries
from besedka.wire.log_line import ENTRY

PARTS = st.sampled_from(
    [
        b"[2025-11-19 23:46:36] Anna: hi",
        b"\xef\xbb\xbf[2025-11-19 23:46:36] Anna: hi",
        b"[2025-11-19 23:46:36 | Edited] Anna: hi",
        b"[2025-11-19 23:46:36] <Boris> hi: all",
        b"[2025-11-19 23:46:36] Anna:",
        b"\n",
        b"\r\n",
        b"\t",
        b"\0",
        b"\xd0",
        b"\xbf",
        b"x" * 5000,
    ]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
