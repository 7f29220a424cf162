"""Refusals in the log: a line for each minute and code, however many there are and from wherever."""

from __future__ import annotations

import asyncio
from collections import Counter
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.refusal_tally import SOURCES_AT_MOST, TALLY_SECONDS, RefusalTally, _Tally
from tests import looping

EVE, BORIS = "192.0.2.7", IPv4Address("192.0.2.9")


def test_a_minute_has_one_line_for_each_code_and_a_quiet_one_has_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def minutes() -> None:
        tally = RefusalTally()
        watching = asyncio.ensure_future(tally.watch())
        for _ in range(1_000):
            tally.add("too_fast", EVE)
        tally.add("too_fast", BORIS)
        tally.add("empty_text", None)
        await looping.pass_time(3 * TALLY_SECONDS + 1)
        watching.cancel()

    caplog.set_level("INFO")
    looping.run_jumping(minutes())
    assert caplog.messages == [
        "refused too_fast: 1001, most of them from 192.0.2.7",
        "refused empty_text: 1, most of them from this machine",
    ]


@given(st.lists(st.integers(0, 4 * SOURCES_AT_MOST), min_size=1, max_size=600), st.integers(0, 300))
def test_an_address_that_has_a_good_share_is_found_among_ever_so_many(others: list[int], share: int) -> None:
    tally, refused = _Tally(), [*others, *[-1] * share]
    for number in sorted(refused, key=lambda number: (number * 7919) % 101):
        tally.add(str(number))
    assert tally.count == len(refused)
    assert len(tally.sources) <= SOURCES_AT_MOST
    often = {
        str(number)
        for number, count in Counter(refused).items()
        if count > len(refused) / (SOURCES_AT_MOST + 1)
    }
    assert often <= tally.sources.keys()
