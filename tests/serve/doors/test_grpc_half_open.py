"""Requests of gRPC that have come in part, read along from the frames of HTTP/2."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.doors.grpc.half_open import HALF_OPEN_BYTES, HalfOpenRequests

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_STREAM, PADDED = 1, 8
FOREVER: Final = float("inf")


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def message(size: int) -> bytes:
    return b"\0" + size.to_bytes(4, "big") + b"x" * size


def begun() -> HalfOpenRequests:
    requests = HalfOpenRequests()
    requests.receive(PREFACE + frame(SETTINGS, 0), 0.0)
    requests.send(frame(SETTINGS, 0, b"\0\3\0\0\0\x64"))
    return requests


def test_a_call_is_half_open_until_its_first_request_is_whole() -> None:
    requests = begun()
    requests.receive(frame(HEADERS, 1, b"headers"), 5.0)
    assert (requests.size, requests.oldest()) == (HALF_OPEN_BYTES, 5.0)
    requests.receive(frame(DATA, 1, message(100)[:50]), 6.0)
    assert (requests.size, requests.oldest()) == (HALF_OPEN_BYTES + 50, 5.0)
    requests.receive(frame(DATA, 1, message(100)[50:]), 7.0)
    assert (requests.size, requests.oldest()) == (0, FOREVER)


def test_a_later_request_of_a_call_is_half_open_from_its_first_byte_on() -> None:
    requests = begun()
    requests.receive(frame(HEADERS, 1) + frame(DATA, 1, message(0) + message(3)), 1.0)
    assert (requests.size, requests.oldest()) == (0, FOREVER)
    requests.receive(frame(DATA, 1, message(9)[:1]), 100.0)
    assert (requests.size, requests.oldest()) == (HALF_OPEN_BYTES + 1, 100.0)


def test_all_calls_of_a_connection_count_together() -> None:
    requests = begun()
    for number in (1, 3, 5):
        requests.receive(frame(HEADERS, number) + frame(DATA, number, message(1_000)[:500]), float(number))
    assert (requests.size, requests.oldest()) == (3 * (HALF_OPEN_BYTES + 500), 1.0)


@pytest.mark.parametrize(
    "end",
    [frame(RST_STREAM, 1, bytes(4)), frame(DATA, 1, b"", END_STREAM), frame(HEADERS, 1, b"", END_STREAM)],
)
def test_a_call_that_the_client_ends_is_not_half_open_and_cannot_be_again(end: bytes) -> None:
    requests = begun()
    requests.receive(frame(HEADERS, 1) + frame(DATA, 1, message(9)[:7]) + end, 1.0)
    assert (requests.size, requests.oldest()) == (0, FOREVER)
    requests.receive(frame(HEADERS, 1) + frame(DATA, 1, message(9)[:7]), 2.0)
    assert (requests.size, requests.oldest()) == (0, FOREVER)


@pytest.mark.parametrize("end", [frame(RST_STREAM, 1, bytes(4)), frame(HEADERS, 1, b"status", END_STREAM)])
def test_a_call_that_the_server_ends_is_not_half_open(end: bytes) -> None:
    requests = begun()
    requests.receive(frame(HEADERS, 1) + frame(DATA, 1, message(9)[:7]), 1.0)
    requests.send(frame(HEADERS, 1, b"answer") + frame(DATA, 1, b"more"))
    assert requests.size == HALF_OPEN_BYTES + 7
    requests.send(end)
    assert (requests.size, requests.oldest()) == (0, FOREVER)


def test_a_call_begins_once_whatever_headers_follow() -> None:
    requests = begun()
    for number in (1, 3):
        requests.receive(frame(HEADERS, number, b"headers")[:12], 1.0)
        requests.receive(frame(HEADERS, number, b"headers")[12:], 1.0)
    assert requests.begun == 2
    requests.receive(frame(RST_STREAM, 1, bytes(4)) + frame(HEADERS, 1, b"headers"), 1.0)
    requests.receive(frame(HEADERS, 3, b"trailers", END_STREAM), 1.0)
    requests.send(frame(HEADERS, 5, b"answer"))
    assert requests.begun == 2


def test_padding_is_no_part_of_a_request() -> None:
    requests = begun()
    padded = frame(DATA, 1, b"\x04" + message(9)[:8] + bytes(4), PADDED)
    requests.receive(frame(HEADERS, 1) + padded, 1.0)
    assert requests.size == HALF_OPEN_BYTES + 8
    requests.receive(frame(DATA, 1, message(9)[8:]), 1.0)
    assert requests.size == 0


CALLS: Final = b"".join(
    [
        PREFACE + frame(SETTINGS, 0) + frame(HEADERS, 1, b"headers"),
        frame(DATA, 1, b"\x03" + message(40)[:20] + bytes(3), PADDED) + frame(HEADERS, 3, b"headers"),
        frame(DATA, 3, message(5) + message(0) + message(700)[:300])
        + frame(DATA, 1, message(40)[20:], END_STREAM),
        frame(HEADERS, 5) + frame(DATA, 5, message(2)[:3]),
    ]
)


@given(st.lists(st.integers(0, len(CALLS))))
def test_it_does_not_matter_where_the_pieces_are_cut(cuts: list[int]) -> None:
    requests = HalfOpenRequests()
    ends = sorted([*cuts, len(CALLS)])
    for start, end in zip([0, *ends], ends, strict=False):
        requests.receive(CALLS[start:end], 1.0)
    assert requests.size == HALF_OPEN_BYTES + 300 + HALF_OPEN_BYTES + 3
    assert requests.begun == 3


@given(st.lists(st.binary(max_size=60)))
def test_what_is_no_http2_harms_nobody(pieces: list[bytes]) -> None:
    requests = HalfOpenRequests()
    for piece in pieces:
        requests.receive(PREFACE + piece, 1.0)
        requests.send(piece)
        assert requests.size >= 0
