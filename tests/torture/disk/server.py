"""Servers that start in a tenth of a second: forked from a process that has loaded all of it already."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from besedka.cli import main
from besedka.serve.files import file_system
from tests.torture.disk.recorder import Recorder

START_SECONDS: Final = 60
SHARED: Final = "shared"
"""The file beside the servers' complaints that has a byte for each sync that many rooms have shared."""

_forks: Final = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    ["besedka.serve.server", "besedka.commands.serve", "besedka.commands.admin", __name__]
)


class StartFailedError(Exception):
    """A server said this, and did not start."""


class Server:
    """A server on a history in this folder, started.

    Attributes:
        directory: where it runs and keeps its history.
        recorder: what writes down what it does to its files.
        port: where it listens.
        greeting: what it printed at its start.
    """

    def __init__(self, directory: Path, errors: Path, recorder: Recorder | None = None) -> None:
        self.directory = directory
        before = errors.stat().st_size if errors.exists() else 0
        reader, writer = _forks.Pipe(duplex=False)
        arguments = ["serve", "--port", "0", "--grpc-port", "0", "--lang", "en", "--rate", "0"]
        self._process = _forks.Process(
            target=_run, args=(arguments, directory, errors, writer, recorder), daemon=True
        )
        self._process.start()
        writer.close()
        with os.fdopen(os.dup(reader.fileno()), encoding="utf-8") as output:
            self.greeting = list(_until_ready(output))
        reader.close()
        found = re.search(r"https?://\S+:(\d+)", "\n".join(self.greeting))
        if found is None:
            self.kill()
            raise StartFailedError(errors.read_bytes()[before:].decode())
        self.port = int(found[1])

    def url(self, path: str = "/ws") -> str:
        """The address of one of its WebSockets."""
        return f"ws://127.0.0.1:{self.port}{path}"

    def admin(self, errors: Path, *arguments: str) -> int:
        """Run ``besedka admin`` beside it; its exit status."""
        process = _forks.Process(target=_run, args=(["admin", *arguments], self.directory, errors))
        process.start()
        process.join(START_SECONDS)
        assert process.exitcode is not None
        return process.exitcode

    def kill(self) -> None:
        """End it at once, wherever it is."""
        self._process.kill()
        self._process.join(START_SECONDS)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        if self._process.pid:
            os.kill(self._process.pid, signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends by itself; its exit status."""
        self._process.join(START_SECONDS)
        assert self._process.exitcode is not None
        return self._process.exitcode


def _run(
    arguments: list[str],
    directory: Path,
    errors: Path,
    output: Connection | None = None,
    recorder: Recorder | None = None,
) -> None:
    os.chdir(directory)
    if recorder:
        recorder.install()
    _share_syncs(errors.with_name(SHARED))
    with errors.open("ab") as file:
        os.dup2(file.fileno(), 2)
    os.dup2(output.fileno() if output else 2, 1)
    sys.argv = ["besedka", *arguments]
    main()


def _share_syncs(report: Path) -> None:
    """Have rooms share syncs whatever else this machine is doing, and note each time that they do."""
    really = file_system.syncfs

    def syncfs(number: int) -> None:
        really(number)
        with report.open("ab") as file:
            file.write(b".")

    file_system.syncfs = syncfs
    for name, value in (("TOGETHER_FROM", 2), ("PENDING_AT_MOST", 1 << 40), ("AVOIDED_SECONDS", 0.0)):
        setattr(file_system, name, value)


def _until_ready(output: Iterator[str]) -> Iterator[str]:
    for line in output:
        yield line
        if line.startswith("stop"):
            break
