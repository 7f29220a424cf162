"""A server, and its address for each transport: every test here is run over all of them.

gRPC is the same behind a port and behind a socket of the file system, so `make test` takes the latter for a slice, `BY_EVERY_WAY`; `make torture` for all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer, free_port

WAYS: Final = ("ws", "grpc", "unix")
BY_EVERY_WAY: Final = pytest.mark.parametrize("way", WAYS, indirect=True)
"""Marks what is proved by all of them in `make test`, too: how connections begin, are lost and come back."""


@pytest.fixture(params=WAYS if LONG else WAYS[:2])
def way(request: pytest.FixtureRequest) -> str:
    """The transport."""
    return str(request.param)


@pytest.fixture
def options() -> tuple[str, ...]:
    """Further options of the server."""
    return ()


@pytest.fixture
def chat_server(
    make_server: ServerMaker, way: str, options: tuple[str, ...], tmp_path: Path
) -> RunningServer:
    """A started server; ``url`` leads to it."""
    grpc = {
        "ws": ("--grpc-port", "0"),
        "grpc": ("--grpc-port", str(free_port())),
        "unix": ("--grpc-port", "0", "--grpc-unix", str(tmp_path / "s")),
    }[way]
    server = make_server("--lang", "en", *options, *grpc)
    server.start()
    return server


@pytest.fixture
def url(chat_server: RunningServer, way: str) -> str:
    """Where the chat is."""
    if way == "ws":
        return chat_server.url()
    (line,) = (line for line in chat_server.greeting if line.startswith("grpc"))
    where = line.split()[1]
    return where if way == "unix" else f"grpc://{where}"
