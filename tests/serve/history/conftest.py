"""Fixtures for all tests of the history."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _syncs_that_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test within one process can see what a sync does; whether one is asked for, it sees all the same.

    What syncs are good for is shown by `tests/torture/test_simulated_power_cuts.py`.
    """

    def sync(number: int) -> None:
        os.fstat(number)  # it is an open file

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "fdatasync", sync)
