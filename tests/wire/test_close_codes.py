"""Every way a connection ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from besedka.wire.close_codes import NO_RECONNECT_CODES, CloseCode

SENDABLE = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
"""RFC 6455, section 7.4, and IANA's registry: 1004 to 1006 and 1015 are never sent."""

ENDINGS = list(CloseCode.__members__.values())


def test_no_two_endings_share_a_code() -> None:
    codes = [ending.value.code for ending in ENDINGS]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_code_of_an_ending_may_be_sent(ending: CloseCode) -> None:
    assert ending.value.code in SENDABLE


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_reason_of_an_ending_fits_a_close_frame(ending: CloseCode) -> None:
    assert 1 <= len(ending.value.reason.encode()) <= 123


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_client_stays_away_exactly_after_the_endings_that_say_so(ending: CloseCode) -> None:
    assert (ending.value.code in NO_RECONNECT_CODES) is not ending.value.reconnect


def test_no_code_outside_the_table_keeps_a_client_away() -> None:
    assert {ending.value.code for ending in ENDINGS} >= NO_RECONNECT_CODES


def test_a_client_comes_back_after_a_restart_and_not_after_goodbye() -> None:
    assert CloseCode.RESTARTING.value.reconnect
    assert not CloseCode.LEFT.value.reconnect


def test_the_page_shares_the_table() -> None:
    vectors = json.loads((Path(__file__).parents[1] / "vectors" / "close_codes.json").read_text("utf-8"))
    assert vectors == {
        ending.name: {"code": ending.value.code, "reconnect": ending.value.reconnect} for ending in ENDINGS
    }
