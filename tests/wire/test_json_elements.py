"""The elements of a JSON text are counted before it is decoded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.errors import Refused
from besedka.wire.frames import (
    SERVER_ELEMENTS_AT_MOST,
    Found,
    RoomEntry,
    Rooms,
    System,
    decode_server,
    encode,
)
from besedka.wire.json_elements import has_more_elements
from besedka.wire.validation import SERVER_FRAME_BYTES_AT_MOST

TEXTS = st.text(st.sampled_from('a,"\\\n[]{}:é😀'), max_size=8)


@given(
    st.lists(TEXTS | st.integers() | st.lists(TEXTS, max_size=3), min_size=1, max_size=40), st.integers(1, 60)
)
def test_commas_in_strings_do_not_count_and_all_others_do(elements: list[object], at_most: int) -> None:
    # Blanks make the text longer than so many elements could be.
    text = json.dumps(elements) + " " * 2 * at_most
    inner = sum(max(0, len(element) - 1) for element in elements if isinstance(element, list))
    assert has_more_elements(text, at_most) is (len(elements) - 1 + inner > at_most)


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 500_000, '"' * 1_000_001, '["' + "a" * 1_000_000, '""' * 500_000]
)
def test_a_text_that_does_not_end_is_read_once(text: str) -> None:
    # If each quote were tried anew, this would take hours.
    assert not has_more_elements(text, 10)


@pytest.mark.parametrize("element", ['""', '"a"', "1", "[]", "null"])
def test_a_frame_with_too_many_elements_is_not_decoded(element: str) -> None:
    listed = ",".join([element] * (SERVER_ELEMENTS_AT_MOST + 2))
    for data in (
        f'{{"type":"system","joined":[{listed}]}}',
        f'{{"type":"no frame","x":[{listed}]}}'.encode(),
    ):
        with pytest.raises(Refused, match="more than 10000 elements"):
            decode_server(data)


def test_the_frames_with_the_most_elements_are_decoded() -> None:
    rooms = [RoomEntry("r" * 32, 1, peer="p" * 32, asked=1)] * 500
    names = [f"Anna {number}" for number in range(1_000)]
    commas = ["," * 30_000] * 100
    for frame in (
        Rooms(rooms, "key", names, "next"),
        System("main", "", "12:00:00", 1, names, names, users=names),
        Found("main", "x", commas, [*range(1, 101)], 0, "key"),
    ):
        data = encode(frame)
        assert len(data) < SERVER_FRAME_BYTES_AT_MOST
        assert decode_server(data) == frame
