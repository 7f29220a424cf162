"""The wall clock of the server is wrong, or is set: nobody's name, and nothing that was promised for a time, is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import RunningServer
from tests.talking import Talker

ANNA, EVE = "a" * 64, "e" * 64
DAY = 24 * 3600


class WallClock:
    """The clock of a `tests.clocked_server`.

    Args:
        directory: where its file is.
    """

    def __init__(self, directory: Path) -> None:
        self.file = directory / "clock"
        self.set_ahead(0)

    def set_ahead(self, seconds: float) -> None:
        """Set it ahead of the true time by so many seconds; for a server that runs as well."""
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.replace(self.file)


@pytest.fixture
def clock(tmp_path_factory: pytest.TempPathFactory) -> WallClock:
    """A clock that is right so far."""
    return WallClock(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def server(make_server: Callable[..., RunningServer], clock: WallClock) -> RunningServer:
    """A server that goes by it."""
    return make_server("--lang", "en", module="tests.clocked_server", CLOCK=str(clock.file)).start()


def test_a_start_with_a_wrong_clock_sets_no_name_free(server: RunningServer, clock: WallClock) -> None:
    with Talker(server) as anna, Talker(server) as boris:
        anna.join("Anna", secret=ANNA)
        boris.join("Boris", secret=EVE)
    clock.set_ahead(400 * DAY)
    for _ in range(2):
        server.stop()
        server.start()
        with Talker(server) as eve:
            assert eve.refused("join", user="Anna", secret=EVE) == "name_claimed"
            assert eve.join("Boris", secret=EVE)["user"] == "Boris"
        clock.set_ahead(0)
    assert "is free" not in server.errors
