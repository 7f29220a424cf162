"""The load generator, driven: a command goes in as a line, an answer comes out as one (see ``bench/load/load.c``)."""

from __future__ import annotations

import select
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Self

import msgspec

from harness.errors import LoadError, TooSlowError
from harness.server import pinned
from harness.tools import LOAD_CORE, Tools

MOST_SECONDS: Final = 3 * 3600
"""The load ends by itself after this, whatever becomes of us."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The load's answer when a command is done; which fields count depends on the command.

    Attributes:
        faults: gaps, doubles and disorder since the load began, of all readers and senders.
        p50_us: say -> last reader, in microseconds; p99_us and most_us too.
        load_cpu: CPU seconds of the load itself.
    """

    did: str
    seconds: float = 0.0
    load_cpu: float = 0.0
    messages: int = 0
    deliveries: int = 0
    faults: int = 0
    p50_us: float = 0.0
    p99_us: float = 0.0
    most_us: float = 0.0
    came_back: int = 0
    close_code: int = 0
    gone: int = 0
    come: int = 0


class Load:
    """A running load generator, on a core of its own."""

    def __init__(
        self, tools: Tools, port: int, speech: Sequence[str], *, senders: int = 1, rooms: int = 1
    ) -> None:
        command = [str(tools.load()), "--port", str(port), *speech]
        command += ["--rooms", str(rooms)] if rooms > 1 else ["--senders", str(senders)]
        with pinned(LOAD_CORE):
            self._process = subprocess.Popen(
                [*command, "--most", str(MOST_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()

    def ask(
        self,
        command: str,
        *,
        at_most: float = MOST_SECONDS,
        meanwhile: Callable[[], None] | None = None,
        every: float = 1.0,
    ) -> Answer:
        """Have a command done.

        Args:
            command: a line, as the load's source explains them.
            at_most: seconds until it is given up.
            meanwhile: called while it is being done.
            every: seconds between these calls.

        Raises:
            LoadError: if the load gave up, or a delivery was not right.
            TooSlowError: if it takes longer than ``at_most``.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin  # noqa: S101 - both are pipes
        assert stdout  # noqa: S101
        try:
            stdin.write(f"{command}\n".encode())
            stdin.flush()
        except BrokenPipeError:
            raise LoadError(self._last_words()) from None
        deadline = time.monotonic() + at_most
        while not select.select([stdout], [], [], every)[0]:
            if meanwhile:
                meanwhile()
            if time.monotonic() > deadline:
                raise TooSlowError(f"`{command}` was not done after {at_most:.0f} s")
        line = stdout.readline()
        if not line:
            raise LoadError(self._last_words())
        answer = msgspec.json.decode(line, type=Answer)
        if answer.faults:
            raise LoadError(f"{answer.faults} deliveries were wrong: {self._last_words()}")
        return answer

    def _last_words(self) -> str:
        self._process.kill()
        self._process.wait()
        return self._process.stderr.read().decode(errors="replace").strip() if self._process.stderr else ""
