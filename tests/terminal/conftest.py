"""Terminals for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.talking import Frame, WireClient
from tests.terminal.pseudo_terminal import Terminal


class TerminalMaker(Protocol):
    def __call__(self, *arguments: str, person: str = "anna", **environment: str) -> Terminal:
        """A terminal of a person with a home of their own."""


class Known(WireClient):
    """A client with a secret, so that its name is its own, unless told otherwise."""

    def join(self, user: str | None, room: str = "main", **fields: object) -> Frame:
        return super().join(user, room, **{"secret": f"the secret of {user}", **fields})


@pytest.fixture
def make_client(server: RunningServer) -> Iterator[ClientMaker]:
    with ExitStack() as open_ones:

        def make(path: str = "/ws", **options: Any) -> WireClient:
            return open_ones.enter_context(Known(server, path, **options))

        yield make


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
    """Anna's terminal, in the main room."""
    opened = make_terminal(server.url(), "--name", "Anna")
    opened.wait_for("You are in # main as Anna.")
    opened.wait_for(">")
    return opened


def create(terminal: Terminal, room: str, user: str = "Anna") -> None:
    """Create a room: the command is typed twice, because the first one may be mistyped."""
    terminal.type(f"/join {room}\r")
    terminal.wait_for(f"There is no room # {room}.")
    terminal.type(f"/join {room}\r")
    terminal.wait_for(f"You are in # {room} as {user}.")
