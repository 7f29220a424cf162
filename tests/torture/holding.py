"""A disk that a test holds: no sync of a log returns until it is let go."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.commanding import wait_until
from tests.running import RunningServer

FAULTY: Final = "tests.torture.faulty_server"


class Hold:
    """A test's control of such a disk.

    Args:
        folder: where the file is that holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "held"

    @property
    def faults(self) -> dict[str, object]:
        """For `tests.torture.faulty_server`."""
        return {"holds": str(self._file)}

    def hold(self) -> None:
        """Let no sync return from now on."""
        self._file.touch()

    def let_go(self) -> None:
        """Let all return."""
        self._file.unlink()


def waits(server: RunningServer) -> int:
    """How many calls of a `faulty_server` have begun to wait for a disk that does not answer yet."""
    path = server.directory / "waits.txt"
    return len(path.read_text().splitlines()) if path.exists() else 0


def until_it_waits(server: RunningServer, number: int = 1) -> None:
    """Wait until so many have."""
    wait_until(lambda: waits(server) >= number)
