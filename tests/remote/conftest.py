"""A server, and its address for each transport: every test here is run over all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ServerMaker
from tests.running import RunningServer, free_port


@pytest.fixture(params=["ws", "grpc", "unix"])
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
