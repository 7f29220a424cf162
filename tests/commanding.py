"""Commands of ours, started as processes of their own, by somebody who has a home, and nothing else of who runs the tests."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests import prefork
from tests.running import ROOT

BESEDKA = [sys.executable, "-m", "besedka"]
TIMEOUT_SECONDS = 60
LOOK_SECONDS = 0.01
ASK_SECONDS = 0.05
"""A pause for those who ask the server: without one they would soon be too fast."""


def wait_until(is_so: Callable[[], object], pause: float = LOOK_SECONDS) -> None:
    """Wait for what nobody tells, and look for it with this pause."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(pause)


class Person:
    """Somebody who starts commands.

    Attributes:
        home: where what is theirs is kept.
        environment: in which their commands run.
    """

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "LANG": "C.UTF-8",
            "USER": "anna",
            "LOGNAME": "anna",
            **environment,
        }
        self._started = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._started.close()

    def configure(self, text: str) -> Path:
        """Write the config file."""
        return self._configure(self.home / "config", text)

    def configure_at_home(self, text: str) -> Path:
        """The same, where it is if only HOME is in the environment."""
        return self._configure(self.home / ".config", text)

    def _configure(self, folder: Path, text: str) -> Path:
        path = folder / "besedka" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments: str, stdin: bytes = b"", module: str = "besedka", **environment: str) -> Done:
        """Run a command to its end."""
        done = prefork.run(
            arguments,
            module=module,
            cwd=self.home,
            env={**self.environment, **environment},
            data=stdin,
            timeout=TIMEOUT_SECONDS,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def run_into(self, stdout: int, *arguments: str) -> Done:
        """Run a command that prints somewhere else."""
        done = prefork.run(
            arguments, cwd=self.home, env=self.environment, stdout=stdout, timeout=TIMEOUT_SECONDS
        )
        return Done(done.returncode, b"", done.stderr)

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL, **environment: str) -> Started:
        """Start a command; it is ended with the test."""
        process = prefork.start(
            arguments,
            cwd=self.home,
            env={**self.environment, **environment},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self._started.enter_context(Started(process))


@contextmanager
def people_at_home(folder: Path, *names: str) -> Iterator[list[Person]]:
    """Some people, each with a home of their own in a folder; what they have started is ended behind the block."""
    with ExitStack() as stack:
        homes = [folder / name for name in names]
        for one in homes:
            one.mkdir()
        yield [stack.enter_context(Person(one)) for one in homes]


class Done:
    """How a command has ended, and what it has written."""

    def __init__(self, status: int, stdout: bytes, stderr: bytes) -> None:
        self.status = status
        self.bytes = stdout
        self.stdout = stdout.decode()
        self.stderr = stderr.decode()

    def assert_well(self) -> str:
        """It has ended well and said nothing on stderr; what it has printed."""
        assert (self.status, self.stderr) == (0, ""), self.stdout
        return self.stdout

    def assert_one_clear_line(self, status: int, *parts: str) -> None:
        """It has printed nothing, and ended with one line on stderr that holds these parts."""
        assert self.status == status, self.stderr
        assert self.stdout == ""
        assert len(self.stderr.splitlines()) == 1, self.stderr
        for part in parts:
            assert part in self.stderr, self.stderr


class Started:
    """A command that runs."""

    def __init__(self, process: prefork.Program) -> None:
        self._process = process
        self._printed = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_running:
            self._process.kill()
        self.end()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def feed(self, data: bytes) -> None:
        """Write to its stdin."""
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def feed_until_full(self, data: bytes) -> int:
        """Write the same to its stdin over and over, until it takes nothing for a second; how much it was."""
        assert self._process.stdin
        pipe = self._process.stdin.fileno()
        os.set_blocking(pipe, False)
        written = 0
        while select.select([], [pipe], [], 1)[1]:
            written += os.write(pipe, data)
        os.set_blocking(pipe, True)
        return written

    def close_stdin(self) -> None:
        """Nothing more comes."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.stdin = None

    def close_stdout(self) -> None:
        """Read no more, as `head` does when it has enough."""
        assert self._process.stdout
        self._process.stdout.close()
        self._process.stdout = None

    def line(self) -> str:
        """The next line that it prints; empty if there is none."""
        assert self._process.stdout
        until = time.monotonic() + TIMEOUT_SECONDS
        while b"\n" not in self._printed:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, until - time.monotonic()))
            assert ready, f"no line came, only {self._printed!r}"
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                return ""
            self._printed += data
        line, _, self._printed = self._printed.partition(b"\n")
        return line.decode()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self, seconds: float = TIMEOUT_SECONDS) -> Done:
        """Wait for its end."""
        stdout, stderr = self._process.communicate(timeout=seconds)
        return Done(self._process.wait(), self._printed + (stdout or b""), stderr or b"")
