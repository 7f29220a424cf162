"""Requests of gRPC before they are decoded: what is counted in them, and what that costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.grpc.requests import DECODED_TIMES, FIELDS_PER_FRAME, IMPORT, Request, held, reader
from besedka.serve.limits.held_bytes import HELD_BYTES
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits, Source
from besedka.serve.limits.sources import Sources
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import IMPORT_MESSAGES_AT_MOST
from tests import looping

MANY = 2_000


def imported(count: int) -> Request[pb.ImportRequest]:
    """A request with so many messages of two fields."""
    messages = [pb.ImportedMessage(text="hello", key="k") for _ in range(count)]
    return reader(pb.ImportRequest.FromString, IMPORT)(
        pb.ImportRequest(messages=messages).SerializeToString()
    )


async def requests(*given: Request[pb.ImportRequest]) -> AsyncIterator[Request[pb.ImportRequest]]:
    for request in given:
        yield request


def limiter() -> RateLimiter:
    sources = Sources(RateLimits(rate=1, rate_address=1))
    return sources.limiter(sources.admit("192.0.2.1"))


def frames_owed(source: Source) -> float:
    """Frames that an address owes, times the seconds of one."""
    assert source.frames
    return source.frames.wait(0.0, 0)


def test_a_short_request_is_not_counted_and_costs_nothing() -> None:
    request = imported(10)
    assert (request.cost, request.refusal) == (0, None)
    assert len(request.take().messages) == 10


def test_to_count_the_fields_of_a_long_request_is_charged_also_if_it_is_refused() -> None:
    """Else a megabyte of empty messages would be a millisecond for the price of its bytes."""
    data = b"\x12\0" * 100_000
    request = reader(pb.ImportRequest.FromString, IMPORT)(data)
    assert request.cost >= 5_000 // FIELDS_PER_FRAME
    pays = limiter()
    pays.charge_frames(0.0, 400)
    owed = frames_owed(pays.source)

    async def scenario() -> None:
        async with aclosing(held(requests(request), pays, lambda: 0.0)) as all_held:
            with pytest.raises(Refused) as refused:
                await anext(all_held)
            assert refused.value.code is ErrorCode.BAD_FRAME

    looping.run(scenario())
    assert frames_owed(pays.source) > owed


def test_a_request_counts_as_held_until_the_next_one_is_needed_or_its_call_ends() -> None:
    pays = limiter()
    first, second = imported(MANY), imported(1)
    least = HELD_BYTES - DECODED_TIMES * first.size

    def is_held() -> bool:
        pays.source.held.change(0, least + 1)
        try:
            return pays.source.held.is_too_much(least + 1)
        finally:
            pays.source.held.change(least + 1, 0)

    async def scenario() -> None:
        async with aclosing(held(requests(first, second), pays, lambda: 0.0)) as all_held:
            assert not is_held()
            assert len((await anext(all_held)).messages) == MANY
            assert is_held()
            assert len((await anext(all_held)).messages) == 1
            assert not is_held()
        async with aclosing(held(requests(imported(MANY)), pays, lambda: 0.0)) as all_held:
            await anext(all_held)
            assert is_held()
        assert not is_held()

    looping.run(scenario())


@pytest.mark.parametrize("empty", [b"\x12\x00", b"\x92\x00\x00", b"\x92\x80\x00\x00"])
def test_messages_are_counted_however_long_their_tags_are(empty: bytes) -> None:
    """A tag may have more bytes than it need have, and the decoder takes it."""
    assert len(pb.ImportRequest.FromString(empty * 3).messages) == 3
    assert IMPORT.check(empty * IMPORT_MESSAGES_AT_MOST).refusal is None
    refusal = IMPORT.check(empty * (IMPORT_MESSAGES_AT_MOST + 2)).refusal
    assert refusal
    assert refusal.code is ErrorCode.BAD_FRAME


def test_texts_that_hold_the_byte_of_a_tag_are_no_messages() -> None:
    request = pb.ImportRequest(messages=[pb.ImportedMessage(text="\x12В" * 1_000)] * 30)
    checked = IMPORT.check(request.SerializeToString())
    assert checked.refusal is None
    assert checked.counted == 30
    few = pb.ImportRequest(messages=[pb.ImportedMessage(text="a text of an ordinary length")] * 5_000)
    assert IMPORT.check(few.SerializeToString()) == (0, None)
