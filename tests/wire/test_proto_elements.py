"""The fields of a serialized message are counted before it is parsed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.proto.elements import has_more_elements
from besedka.wire.frames import SERVER_ELEMENTS_AT_MOST

LONG = "x" * 1_000


def test_empty_messages_count() -> None:
    for count, is_more in ((SERVER_ELEMENTS_AT_MOST - 2, False), (SERVER_ELEMENTS_AT_MOST + 1, True)):
        messages = pb.Messages(room=LONG, messages=[pb.Message()] * count)
        event = pb.ConverseResponse(messages=messages).SerializeToString()
        assert has_more_elements(event, SERVER_ELEMENTS_AT_MOST, depth=2) is is_more
        page = pb.ListMessagesResponse(epoch=LONG, messages=[pb.Message()] * count).SerializeToString()
        assert has_more_elements(page, SERVER_ELEMENTS_AT_MOST, depth=1) is is_more


def test_events_count_that_replace_one_another() -> None:
    event = b"\x0a\x00\x12\x00" * SERVER_ELEMENTS_AT_MOST
    assert has_more_elements(event, SERVER_ELEMENTS_AT_MOST, depth=2)


def test_the_bytes_of_texts_do_not_count() -> None:
    messages = [pb.Message(id=number, user="Anna", text=LONG) for number in range(1, 3_000)]
    event = pb.ConverseResponse(messages=pb.Messages(room="main", messages=messages)).SerializeToString()
    assert not has_more_elements(event, SERVER_ELEMENTS_AT_MOST, depth=2)


@given(
    st.binary(max_size=400) | st.sampled_from([b"\xff" * 400, b"\x0a" * 400, b"\x0a\xff\xff\xff\xff\x0f" * 9])
)
def test_bytes_that_are_no_message_are_read_once(data: bytes) -> None:
    for depth in (1, 2):
        assert has_more_elements(data, 1, depth=depth) in {True, False}


@pytest.mark.parametrize("count", [0, 1, 20, 100])
@pytest.mark.parametrize("at_most", [10, 50])
def test_each_part_of_a_message_counts_once(count: int, at_most: int) -> None:
    response = pb.ImportResponse(count=1, ids=[pb.IdRange(first=1, last=2)] * count, epoch=LONG)
    assert has_more_elements(response.SerializeToString(), at_most, depth=1) is (count + 2 > at_most)
