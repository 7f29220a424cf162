"""Errors that clients can repeat as they like: the log has them at once, and then seldom."""

from __future__ import annotations

import logging

import pytest

from besedka.serve.repeated_error import REPEATED_SECONDS, RepeatedError


def test_a_repeated_error_is_logged_at_once_and_then_seldom_with_its_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 5.0
    error = RepeatedError(logging.getLogger("besedka.serve.somewhere"), lambda: now)
    for _ in range(1_000):
        error.note("%d of %s", 3, "100%")
    assert caplog.messages == ["3 of 100%"]
    now += REPEATED_SECONDS
    error.note("again")
    now += REPEATED_SECONDS
    error.note("and again")
    assert caplog.messages[1:] == ["again (and 999 times since the last such line)", "and again"]
