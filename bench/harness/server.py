"""A server that is measured: started on a core of its own in a folder of its own; its CPU time, its memory, its end."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import psutil

from harness.errors import ServerError
from harness.peers import Peer
from harness.tools import CACHE, SERVER_CORE, Tools

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 0.5


@contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Run everything that is started in this context on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """A running server.

    Args:
        peer: which.
        tools: what it may need.
        cores: which ones it may use.

    Raises:
        MissingError: if something that it needs is not installed.
        ServerError: if it does not come up.
    """

    def __init__(self, peer: Peer, tools: Tools, cores: Collection[int] = (SERVER_CORE,)) -> None:
        CACHE.mkdir(parents=True, exist_ok=True)
        # Beside the build results, not in /tmp: that may be memory, and a history belongs on a disk.
        self._folder = Path(tempfile.mkdtemp(prefix="run-", dir=CACHE))
        self._output = self._folder / "output"
        try:
            command = peer.command(tools, self._folder)
            with self._output.open("wb") as output, pinned(*cores):
                self._process = subprocess.Popen(
                    command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )
            self.port = self._wait_for_port(peer)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_process"):
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder)

    def cpu_seconds(self) -> float:
        """The CPU time that its processes have had, to the nanosecond.

        The kernel's clock of a process (clock_getcpuclockid(3)) also counts threads that have ended; the figures of
        ``/proc/<pid>/stat`` are the same in steps of 10 ms.
        """
        return sum(time.clock_gettime((~process.pid << 3) | 2) for process in self._processes())

    def resident_bytes(self) -> int:
        """The memory that its processes have in use."""
        return sum(process.memory_info().rss for process in self._processes())

    def stored_marks(self) -> int:
        """How many of the load's messages are in the history."""
        return self._history().count(b": ~s")

    def stored_lines(self) -> int:
        """How many lines the history has."""
        return self._history().count(b"\n")

    def _history(self) -> bytes:
        history = self._folder / "chat_history.txt"
        return history.read_bytes() if history.exists() else b""

    def _processes(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            raise ServerError(f"the server has ended; it said: {self._said()}") from None

    def _wait_for_port(self, peer: Peer) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            found = re.search(peer.listening, self._said())
            if found:
                time.sleep(SETTLE_SECONDS)
                return int(found[1])
            time.sleep(0.05)
        raise ServerError(f"{peer.name} did not start; it said: {self._said()}")

    def _said(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")


def allow_files() -> int:
    """Let servers have as many connections as this machine allows; returns how many files that are."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
