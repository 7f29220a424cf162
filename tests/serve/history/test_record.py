"""The bytes of an index's records: the same for a run of messages as for each of them alone."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.history.record import RECORD_BYTES, Flag, Record, RecordFormat
from besedka.serve.history.scan import Run

MESSAGES = st.builds(
    lambda name, text, continuations: f"[2025-11-19 23:46:36] {name}: {text}\n{continuations}".encode(),
    st.sampled_from(["Anna", "*Anna", "*Anna: pin #1 [2025-11-19 23:46:36] Boris"]),
    st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), max_size=20),
    st.lists(st.sampled_from(["\t\n", "\tmore\n", "\t[2025-11-19 23:46:36] Boris: hi\n"]), max_size=2).map(
        "".join
    ),
)
OFFSETS = st.integers(0, (1 << 48) - (1 << 20))
IDS = st.integers(1, 1 << 62)
FORMAT = RecordFormat(b"a0b1c2d3e4f5a6b7")


@given(messages=st.lists(MESSAGES, min_size=1, max_size=8), begin=OFFSETS, first=IDS)
@pytest.mark.parametrize("order", ["little", "big"])
def test_a_run_has_the_records_of_its_messages(
    order: str, messages: list[bytes], begin: int, first: int
) -> None:
    ends = [begin + sum(map(len, messages[: count + 1])) for count in range(len(messages))]
    each = [Record.of(message, end) for message, end in zip(messages, ends, strict=True)]
    run = Run(begin, b"".join(messages))
    with pytest.MonkeyPatch.context() as patch:
        if order != sys.byteorder:
            patch.setattr(sys, "byteorder", order)
        packed = FORMAT.packed_run(first, run)
    assert run.messages() == messages
    assert packed == FORMAT.packed(first, each)
    assert [*FORMAT.unpacked(first, packed)] == each


@given(
    records=st.lists(MESSAGES.map(lambda message: Record.of(message, 1 << 40, Flag.VERIFIED)), max_size=3),
    first=IDS,
)
def test_a_record_of_another_message_another_epoch_or_with_a_changed_bit_is_unsound(
    records: list[Record], first: int
) -> None:
    packed = FORMAT.packed(first, records)
    nothing = [None] * len(records)
    assert [*FORMAT.unpacked(first, packed)] == records
    assert [*FORMAT.unpacked(first + 1, packed)] == nothing
    assert [*RecordFormat(b"b0b1c2d3e4f5a6b7").unpacked(first, packed)] == nothing
    for bit in range(RECORD_BYTES * 8 if records else 0):
        changed = bytearray(packed)
        changed[bit // 8] ^= 1 << bit % 8
        assert [*FORMAT.unpacked(first, bytes(changed))] == [None, *records[1:]]
