"""Where frames end, however they are cut."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from besedka.serve.doors.websocket.frame_ends import end_of_frames

SIZES = st.lists(st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536]), min_size=1, max_size=5)


@given(SIZES, st.booleans(), st.data())
def test_frames_end_where_the_next_one_begins(sizes: list[int], is_masked: bool, draw: st.DataObject) -> None:
    frames = [Frame(Opcode.BINARY, bytes(size)).serialize(mask=is_masked) for size in sizes]
    ends = [0, *accumulate(map(len, frames))]
    data = b"".join(frames)
    at_most = draw.draw(st.integers(1, 6))
    assert end_of_frames(data, 0, at_most) == ends[min(at_most, len(frames))]
    cut = draw.draw(st.integers(0, len(data)))
    found = end_of_frames(data[:cut], 0, len(frames))
    assert found in ends
    # A frame that is cut counts from the moment its header is complete.
    missing = cut - max(end for end in ends if end <= cut)
    assert found >= cut or missing < 10


@given(st.integers(0, 100), st.binary(max_size=50))
def test_data_that_is_all_of_one_frame_has_its_end_behind_it(more: int, data: bytes) -> None:
    assert end_of_frames(data, len(data) + more, 9) == len(data) + more
