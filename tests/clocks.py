"""The clocks of a `tests.bent_server`, which a test sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple

BENT: Final = "tests.bent_server"
"""The module of the server that goes by them."""

OFTEN: Final = json.dumps({"besedka.serve.directory.directory.POLL_SECONDS": 0.05})
"""The `CONSTANTS` of a server that looks at its clock, and at the files about people, more often than once in a second."""

SWEPT_OFTEN: Final = json.dumps({"besedka.serve.doors.timeouts.SWEEP_SECONDS": 0.1})
"""The same for a server that looks after its connections more often."""


class Now(NamedTuple):
    """How clocks stand.

    Attributes:
        wall: by how many seconds the wall clock is ahead of the system's: what a wrong battery, NTP, or an administrator does.
        loop: by how many seconds the monotonic clock of the server's loop is; or what it shows, if it stands.
        stands: whether that one stands still.
    """

    wall: float = 0.0
    loop: float = 0.0
    stands: bool = False


class Clocks:
    """The clocks of one server.

    Args:
        directory: where their file is.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clocks"
        self._now = Now()
        self._write()

    @property
    def environment(self) -> dict[str, str]:
        """For the server."""
        return {"CLOCKS": str(self._file)}

    def set_ahead(self, seconds: float) -> None:
        """Set the wall clock ahead of the true time by so many seconds; for a server that runs as well."""
        self._now = self._now._replace(wall=seconds)
        self._write()

    def stand_still(self) -> None:
        """Have the monotonic clock stand still, so that nothing passes while a busy machine takes its time; before the server starts."""
        self._now = self._now._replace(loop=1_000.0, stands=True)
        self._write()

    def jump(self, seconds: float) -> None:
        """Put the monotonic clock forward: whoever looks at it sees that so much has passed. Timers that run do not."""
        self._now = self._now._replace(loop=self._now.loop + seconds)
        self._write()

    def _write(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._now), encoding="utf-8")
        new.replace(self._file)


def read(file: Path) -> Now:
    """How they stand now."""
    return Now(*json.loads(file.read_text(encoding="utf-8") or "[]"))
