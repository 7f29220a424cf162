"""Terminals for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.running import RunningServer
from tests.terminal.seeing import Terminal


class TerminalMaker(Protocol):
    def __call__(self, *arguments: str, person: str = "anna", **environment: str) -> Terminal:
        """A terminal of a person, who has a home of their own."""


@pytest.fixture
def make_terminal(tmp_path: Path) -> Iterator[TerminalMaker]:
    with ExitStack() as stack:

        def make(*arguments: str, person: str = "anna", **environment: str) -> Terminal:
            home = tmp_path / "homes" / person
            home.mkdir(parents=True, exist_ok=True)
            return stack.enter_context(Terminal(*arguments, home=home, environment=environment))

        yield make


@pytest.fixture
def terminal(server: RunningServer, make_terminal: TerminalMaker) -> Terminal:
    """Anna's terminal, come in."""
    opened = make_terminal(server.url(), "--name", "Anna")
    opened.wait_for("You are in # main as Anna.")
    opened.wait_for(">")
    return opened
