"""A real server, started as a process of its own, for the tests that look from outside."""

from __future__ import annotations

import fcntl
import io
import itertools
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import psutil

from tests import prefork

ROOT = prefork.ROOT
STOP_SECONDS = 60
"""A safety net: what a server promises about its end is measured where it is proved."""

PORTS: Final = range(10_100, 30_000)
"""Below those that the system gives out; browsers open no page at 10080, which they take for another protocol's."""

PROCESSES: Final = 40
"""Processes that may run tests on one machine, each with a share of the ports."""

_turns = itertools.count()
_locks: list[IO[str]] = []


class RunningServer:
    """A server process in a directory of its own; ``start`` again to restart it on the same port.

    Args:
        is_fresh: whether a fresh interpreter is to be started, and not one forked that has its imports behind it.
        within: a command that is to run it, as on another machine of a network, or traced.
        host: the address of that machine.

    Attributes:
        directory: where it runs and keeps its history.
        greeting: what it printed at its last start.
        farewell: what it printed after that, until it ended.
        host: the address at which it is reached.
        within: the command that is to run it at its next start.
        environment: in which it is started.
        grpc_port: where it speaks gRPC, if it was asked to; else 0.
    """

    def __init__(
        self,
        directory: Path,
        *options: str,
        module: str = "besedka",
        grpc: bool = False,
        is_fresh: bool = False,
        within: Sequence[str] = (),
        host: str = "127.0.0.1",
        **environment: str,
    ) -> None:
        self.directory = directory
        self.host = host
        self.within = within
        self._module = module
        self._is_fresh = is_fresh
        self.greeting: list[str] = []
        self.farewell = ""
        self._options = options
        self.environment = prefork.environment(**environment)
        self._port = free_port()
        self.grpc_port = free_port() if grpc else 0
        self._process: prefork.Program | None = None
        self._output: IO[str] = io.StringIO()
        self._errors = directory / "stderr.txt"

    @property
    def history(self) -> Path:
        """The default room's log."""
        return self.directory / "chat_history.txt"

    @property
    def lines(self) -> list[str]:
        """The lines of the default room's log, as ``cat`` shows them."""
        return self.history.read_text(encoding="utf-8").split("\n")[:-1]

    def lines_of(self, name: str) -> list[str]:
        """The lines of another file in its directory."""
        return (self.directory / name).read_text(encoding="utf-8").split("\n")[:-1]

    @property
    def errors(self) -> str:
        """Its output on stderr, over all restarts."""
        return self._errors.read_text(encoding="utf-8")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process
        return self._process.pid

    def start(self) -> RunningServer:
        """Start it and wait until it listens."""
        self._output.close()
        ports = ("--port", str(self._port), "--grpc-port", str(self.grpc_port))
        with self._errors.open("a", encoding="utf-8") as errors:
            self._process = prefork.start(
                ["serve", *ports, *self._options],
                module=self._module,
                is_fresh=self._is_fresh,
                within=self.within,
                cwd=self.directory,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors.fileno(),
            )
        assert self._process.stdout
        self._output = io.TextIOWrapper(io.BufferedReader(self._process.stdout), encoding="utf-8")  # type: ignore[type-var]
        self.greeting = list(_until_ready(self._output))
        found = re.search(r"https?://\S+:(\d+)", "\n".join(self.greeting))
        assert found, f"it did not start: {self.errors}"
        self._port = int(found[1])
        return self

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C or the system does, and return its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it as a power cut would."""
        return self._end(signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it ends by itself."""
        assert self._process
        status = self._process.wait(STOP_SECONDS)
        self.farewell = self._output.read()
        self._output.close()
        return status

    def url(self, path: str = "/ws") -> str:
        """The address of one of its WebSockets."""
        return f"ws://{self.host}:{self._port}{path}"

    @property
    def urls(self) -> list[str]:
        """The addresses of all its doors for those who take part."""
        return [self.url(), *([f"grpc://127.0.0.1:{self.grpc_port}"] if self.grpc_port else [])]

    @property
    def page(self) -> str:
        """The address of its page."""
        return f"http://localhost:{self._port}/"

    @property
    def link(self) -> str:
        """The address of its page, with the access key that it has made."""
        lines = (self.directory / "access_key.txt").read_text(encoding="utf-8").splitlines()
        return f"{self.page}#;key={next(line for line in lines if not line.startswith('#'))}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._process and self._process.poll() is None:
            # A wrapper around the server must not leave it behind. To look for children takes milliseconds: a fork has no wrapper.
            if not isinstance(self._process, prefork.Forked):
                for child in psutil.Process(self.pid).children(recursive=True):
                    child.kill()
            self.kill()
        self._output.close()

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait for it."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)

    def _end(self, number: int) -> int:
        assert self._process
        self._process.send_signal(number)
        return self.wait()


def running(server: RunningServer) -> Iterator[RunningServer]:
    """For fixtures whose server is shared: starts it, and ends it behind the tests, which fail if it has written a traceback."""
    yield server.start()
    server.close()
    assert "Traceback" not in server.errors, server.errors


def fetch(server: RunningServer, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The response to a GET: the status and the text."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=STOP_SECONDS)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def connections(server: RunningServer, url: str) -> int:
    """How many connections the server has at an address."""
    process = psutil.Process(server.pid)
    if url.startswith("unix:"):
        path = url.removeprefix("unix:")
        return (
            sum(str(one.laddr) == path for one in process.net_connections("unix")) - 1
        )  # it listens there, too
    port = urlsplit(url).port
    established = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]
    return sum(one.laddr.port == port for one in established)


def edit(path: Path, text: str | bytes) -> None:
    """Give a file another content at once, as editors do: a server that reads it meanwhile sees the one or the other."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(text if isinstance(text, bytes) else text.encode())
    new.replace(path)


def free_port() -> int:
    """A TCP port on which nobody listens now.

    It is none of those that the system gives out by itself, so no connection of another test has it when a server comes back to it; and
    none of those that other processes choose from, also of another run of the tests, so no other test takes it before the server listens.
    """
    own = PORTS[_share() :: PROCESSES]
    while True:
        port = own[next(_turns) % len(own)]
        with suppress(OSError), socket.create_server(("", port)):
            return port


@cache
def _share() -> int:
    """The number of this process's share of the ports, which is its own until it ends."""
    for number in range(PROCESSES):
        lock = (Path(tempfile.gettempdir()) / f"besedka-tests-{os.getuid()}.{number}").open("w")
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _locks.append(lock)
            return number
        lock.close()
    raise AssertionError(f"more than {PROCESSES} processes run tests on this machine")


def is_free(port: int) -> bool:
    """Whether nobody listens on a TCP port."""
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


def _until_ready(output: IO[str]) -> list[str]:
    lines = []
    for line in output:
        lines.append(line.rstrip("\n"))
        if line.startswith("stop"):
            break
    return lines
