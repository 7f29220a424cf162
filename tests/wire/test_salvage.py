"""The key and the room of frames that cannot be decoded."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.wire.errors import Refused
from besedka.wire.frames import decode_client
from besedka.wire.salvage import key_and_room


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        ('{"type":"chat","text":"a\\ud83d","key":"k1","room":"dev"}', ("k1", "dev")),
        ('{"key" : "k1",\n"room":\t"Dev","type":"chat","text":7}', ("k1", "dev")),
        ('{"type":"chat","key":"k1","text":"never end', ("k1", "")),
        ('{"type":"chat","text":"\\"key\\":\\"other\\" \\ud83d","key":"k1"}', ("k1", "")),
        ('{"type":"chat","text":"x","key":"k\\ud83d","room":"\\ud83d"}', ("", "")),
        ('{"type":"chat","text":7,"key":"' + "k" * 65 + '","room":"no room"}', ("", "")),
        ('{"type":"chat","text":7,"key":"ключ"}', ("", "")),
        ('{"type":"explode","key":"k1"}', ("k1", "")),
        ("nonsense", ("", "")),
    ],
)
def test_a_refused_frame_has_its_key_and_room_where_they_can_be_found(
    frame: str, found: tuple[str, str]
) -> None:
    assert key_and_room(frame) == key_and_room(frame.encode()) == found
    with pytest.raises(Refused) as refused:
        decode_client(frame)
    assert (refused.value.key, refused.value.room) == found


@given(
    st.text(),
    st.text(),
    st.from_regex(r"[!-~]{1,64}", fullmatch=True).filter(lambda key: not {'"', "\\"} & {*key}),
)
def test_no_text_passes_for_a_key(text: str, name: str, key: str) -> None:
    frame = json.dumps(
        {"type": "chat", "text": f'{text}"key":"{name}"', "user": 7, "key": key}, ensure_ascii=False
    )
    assert key_and_room(frame)[0] == key


@given(st.binary(max_size=200))
def test_whatever_comes_is_searched(data: bytes) -> None:
    key_and_room(data)


def test_a_long_frame_is_searched_at_once() -> None:
    begun = time.process_time()
    for piece in ('"key"', '"key":', '"key" ', '"key":"', "\\", '"room":"x'):
        key_and_room(piece * (65_536 // len(piece)))
    assert time.process_time() - begun < 1
