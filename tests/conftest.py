"""Fixtures for all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.calling import Caller
from tests.clocks import Clocks
from tests.lengths import EXAMPLES
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.holding import Hold

# In the background Ctrl-C may be ignored, and under nohup a hangup: processes started by the tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long an example takes on a busy machine proves nothing.
settings.register_profile(
    "besedka",
    max_examples=EXAMPLES,
    deadline=None,
    # An example that is given to a test with files of its own cleans up before it.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("besedka")


@pytest.fixture(scope="session", autouse=True)
def _not_at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep a person's files out of the home of the user who runs the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        yield


ServerMaker = Callable[..., RunningServer]
ClientMaker = Callable[..., WireClient]


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the test's own, whose path is short enough for sockets in it, wherever tests are run (unix(7): 107 bytes)."""
    return tmp_path_factory.mktemp("t")


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[ServerMaker]:
    """Makes servers, not started yet; ends them, and fails if one has written a traceback."""
    made: list[RunningServer] = []

    def make(
        *options: str,
        directory: Path = tmp_path,
        module: str = "besedka",
        grpc: bool = False,
        is_fresh: bool = False,
        within: Sequence[str] = (),
        host: str = "127.0.0.1",
        **environment: str,
    ) -> RunningServer:
        made.append(
            RunningServer(
                directory,
                *options,
                module=module,
                grpc=grpc,
                is_fresh=is_fresh,
                within=within,
                host=host,
                **environment,
            )
        )
        return made[-1]

    yield make
    for server in made:
        server.close()
        assert "Traceback" not in server.errors, server.errors


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server with English sentences and an empty history, started."""
    return make_server("--lang", "en").start()


@pytest.fixture
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clocks:
    """The clocks of a server that is bent; they are right so far."""
    return Clocks(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def syncs_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test within one process can see what a sync does."""

    def sync(number: int) -> None:
        os.fstat(number)  # it is an open file

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "fdatasync", sync)


@pytest.fixture
def hold(tmp_path_factory: pytest.TempPathFactory) -> Hold:
    """A holder of the disk under the logs of a `tests.torture.faulty_server`, if that is configured for it; it does not hold it yet."""
    return Hold(tmp_path_factory.mktemp("hold"))


@pytest.fixture
def caller(server: RunningServer) -> Iterator[Caller]:
    """A gRPC client of the server, if that speaks gRPC."""
    with Caller(server) as made:
        yield made


@pytest.fixture
def make_client(server: RunningServer) -> Iterator[ClientMaker]:
    """Makes connections to the server."""
    with ExitStack() as open_ones:

        def make(path: str = "/ws", **options: Any) -> WireClient:
            return open_ones.enter_context(WireClient(server, path, **options))

        yield make
