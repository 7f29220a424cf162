"""Starts besedka in processes of their own within milliseconds: forks of an interpreter that has imported it already.

A fresh interpreter spends half a second of CPU on imports, and the tests start a thousand processes. A forked process runs the same
module as ``__main__``, with its own arguments, environment, directory, files and process ID; only the imports have happened before. What
is proved about the start itself (an interpreter's options, inherited signals, lazy imports) starts a fresh interpreter instead: `subprocess`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).parent.parent.parent
START_SECONDS: Final = 120.0
"""A safety net: importing everything takes a second on an idle machine."""

_EARLY: Final = ("PYTHON", "GRPC_", "LD_", "MALLOC_")
"""Variables with these beginnings are read while an interpreter starts or imports; a fork is too late for them."""

_FORKABLE: Final = frozenset(
    {"besedka", "tests.bent_server", "tests.blackbox.people_server", "tests.torture.faulty_server"}
)
"""Modules that do not mind that all others are imported already."""


def environment(**more: str) -> dict[str, str]:
    """Our environment for a program, without what would make its interpreter another one for everybody who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_EARLY)}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


class Forked:
    """A running program; used like `subprocess.Popen`, whose attributes of the same names it has.

    Args:
        arguments: of the program.
        module: the module to run as ``__main__``.
        cwd: its directory.
        env: its whole environment.
        stdin: a file descriptor or `subprocess.PIPE` or `subprocess.DEVNULL`, as are the others.
        stdout: by default ours.
        stderr: by default ours.
        is_terminal: whether stdin is a terminal that becomes the controlling one of a new session.
        ignores_hangup: whether SIGHUP is ignored from the start, as by ``nohup``.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        module: str = "besedka",
        cwd: Path,
        env: Mapping[str, str],
        stdin: int = 0,
        stdout: int = 1,
        stderr: int = 2,
        is_terminal: bool = False,
        ignores_hangup: bool = False,
    ) -> None:
        self.args = [sys.executable, "-m", module, *arguments]
        self.returncode: int | None = None
        self._lock = threading.Lock()
        order = {
            "module": module,
            "arguments": list(arguments),
            "cwd": str(cwd),
            "environment": dict(env),
            "is_terminal": is_terminal,
            "ignores_hangup": ignores_hangup,
        }
        with ExitStack() as theirs:
            in_, self.stdin = _ends(stdin, theirs, is_read=True)
            out, self.stdout = _ends(stdout, theirs, is_read=False)
            err, self.stderr = _ends(stderr, theirs, is_read=False)
            self._news, news = socket.socketpair(type=socket.SOCK_SEQPACKET)
            theirs.enter_context(closing(news))
            _server().order(order, (in_, out, err, news.fileno()))
        self._news.settimeout(START_SECONDS)
        self.pid = int(self._receive())

    def poll(self) -> int | None:
        """Its exit status if it has ended; minus the signal's number if one has ended it."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Args:
            timeout: for so many seconds; for ever if none are given.

        Raises:
            subprocess.TimeoutExpired: if it has not ended by then.
        """
        status = self._status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def communicate(self, data: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Write to its stdin, read all that it writes to pipes, and wait for its end.

        Raises:
            subprocess.TimeoutExpired: if it has not ended, or somebody keeps its pipes open.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        found = {self.stdout: b"", self.stderr: b""}
        readers = [
            threading.Thread(target=_read, args=(pipe, found), daemon=True)
            for pipe in found
            if pipe and not pipe.closed
        ]
        if self.stdin and not self.stdin.closed:
            readers.append(threading.Thread(target=_write, args=(self.stdin, data or b""), daemon=True))
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(_until(deadline))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(_until(deadline))
        return found[self.stdout], found[self.stderr]

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            # Its status may still be on its way.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        with self._lock:
            if self.returncode is None:
                self._news.settimeout(timeout)
                try:
                    self.returncode = int(self._receive())
                except (TimeoutError, BlockingIOError):
                    return None
                self._news.close()
            return self.returncode

    def _receive(self) -> bytes:
        news = self._news.recv(32)
        assert news, "the server that forks has ended"
        return news


Program = Forked | subprocess.Popen[bytes]


def start(
    arguments: Sequence[str],
    *,
    module: str = "besedka",
    is_fresh: bool = False,
    within: Sequence[str] = (),
    cwd: Path,
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int,
    stderr: int,
) -> Program:
    """Start a program: forked, where that is the same as a fresh interpreter; its pipes are not buffered.

    Args:
        arguments: of the program.
        module: the module to run as ``__main__``.
        is_fresh: whether it must be a fresh interpreter.
        within: a command that is to run it; then it is a fresh one, too.
        cwd: its directory.
        env: its whole environment.
        stdin: a file descriptor, `subprocess.PIPE` or `subprocess.DEVNULL`, as are the others.
        stdout: where it prints.
        stderr: where it complains.
    """
    if not (is_fresh or within) and module in _FORKABLE and _is_forkable(env):
        return Forked(arguments, module=module, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
    command = [*within, sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0)


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    data: bytes | None = None,
    stdout: int = subprocess.PIPE,
    timeout: float,
    module: str = "besedka",
) -> subprocess.CompletedProcess[bytes]:
    """Run besedka to its end, as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: after it was killed because it did not end in time.
    """
    stdin = subprocess.DEVNULL if data is None else subprocess.PIPE
    program = start(
        arguments, module=module, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE
    )
    try:
        out, err = program.communicate(data, timeout)
    finally:
        program.kill()
    return subprocess.CompletedProcess(program.args, program.wait(), out, err)


def run_as_text(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run besedka to its end; what it has written is UTF-8.

    Raises:
        subprocess.TimeoutExpired: after it was killed because it did not end in time.
    """
    done = run(arguments, cwd=cwd, env=env or environment(), timeout=timeout)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


class _Server:
    """The process that forks: `tests.prefork.__main__`."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                env=environment(LANG="C.UTF-8", LC_ALL=""),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._orders.settimeout(START_SECONDS)
        assert self._orders.recv(1), "the server that forks did not start"

    def order(self, order: Mapping[str, Any], files: Sequence[int]) -> None:
        with os.fdopen(os.memfd_create("order"), "wb+") as text:
            text.write(json.dumps(order).encode())
            text.seek(0)
            with self._lock:
                socket.send_fds(self._orders, [b"\n"], [text.fileno(), *files])
                assert self._orders.recv(1), "the server that forks has ended"

    def close(self) -> None:
        self._orders.close()
        self._process.wait()


@functools.cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


def _is_forkable(env: Mapping[str, str]) -> bool:
    early = {name: value for name, value in env.items() if name.startswith(_EARLY)}
    return early == {"PYTHONPATH": str(ROOT)} and _is_utf8(env)


def _is_utf8(env: Mapping[str, str]) -> bool:
    """Whether a fresh interpreter would speak UTF-8 (PEP 538 and 540: in the POSIX locale as well)."""
    asked = next(filter(None, map(env.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    return asked in {"C", "POSIX"} or asked.upper().replace("-", "").endswith(".UTF8")


def _ends(given: int, theirs: ExitStack, *, is_read: bool) -> tuple[int, IO[bytes] | None]:
    """The end for the program, and ours."""
    if given == subprocess.DEVNULL:
        return theirs.enter_context(Path(os.devnull).open("rb+", buffering=0)).fileno(), None
    if given != subprocess.PIPE:
        return given, None
    reading, writing = os.pipe()
    for_them, for_us = (reading, writing) if is_read else (writing, reading)
    theirs.callback(os.close, for_them)
    return for_them, os.fdopen(for_us, "wb" if is_read else "rb", buffering=0)


def _until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0, deadline - time.monotonic())


def _read(pipe: IO[bytes], found: dict[IO[bytes] | None, bytes]) -> None:
    with pipe:
        found[pipe] = pipe.read()


def _write(pipe: IO[bytes], data: bytes) -> None:
    try:
        with pipe:
            while data:
                data = data[os.write(pipe.fileno(), data) :]
    except BrokenPipeError:
        pass  # it reads no more
