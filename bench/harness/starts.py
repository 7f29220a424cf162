"""Scenario 6: the cost of starting a command, and the server until it listens."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.peers import Peer
from harness.plan import Plan
from harness.tables import Bound, Table, ratio
from harness.tools import BENCH

HERE: Final = BENCH.parent
BARE: Final = "bare websockets script"
SEND_AT_MOST: Final = 1.07
"""Of the CPU time of the bare script: 0.15 seconds where that takes 0.14."""

# As the installed command does it; and the same with the number of modules at the end.
COMMAND: Final = "import sys; from besedka.cli import main; sys.argv[0] = 'besedka'; main()"
COUNTING: Final = f"{COMMAND[:-6]}\ntry: main()\nfinally: print(len(sys.modules), file=sys.stderr)"
SERVE: Final = ("serve", "--port", "0", "--rate", "0", "--admin-socket", "")
SERVERS: Final = {"serve": ("--grpc-port", "50399"), "serve --grpc-port 0": ("--grpc-port", "0")}
LISTENS: Final = "stop"
"""The last line of a server's greeting begins with it."""


def run(_: Sequence[Peer], plan: Plan) -> list[Table]:
    """Start all commands in turn; one table."""
    return [table({"": HERE}, plan.starts)]


def table(trees: dict[str, Path], rounds: int) -> Table:
    """The cost of each start, for one or more trees of sources, which take turns.

    Args:
        trees: the folders that hold ``besedka``, by what they are called.
        rounds: how often each is started, after a first time that compiles what it imports.
    """
    found: dict[str, list[float]] = {}
    modules: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as home, _server(folder := Path(home)) as url:
        for called, tree in trees.items():
            modules |= {f"{name} {called}".strip(): count for name, count in _modules(tree, folder, url)}
        for _ in range(rounds):
            found.setdefault(BARE, []).append(_bare(url))
            for called, tree in trees.items():
                for name, seconds in _starts(tree, folder, url):
                    found.setdefault(f"{name} {called}".strip(), []).append(seconds)
    middle = {name: statistics.median(seconds) for name, seconds in found.items()}
    return Table(
        title="Starts",
        text=f"CPU time of a whole process, of a server until it listens; medians of {rounds} starts each, in turn, with compiled modules.",
        columns=["", "CPU seconds", "least … most", "÷ the bare script", "modules"],
        rows=[
            [
                name,
                f"{middle[name]:.3f}",
                f"{min(seconds):.3f} … {max(seconds):.3f}",
                ratio(middle[name] / middle[BARE]),
                str(modules.get(name, "")),
            ]
            for name, seconds in found.items()
        ],
        bounds=[
            Bound(
                f"`send` ≤ {SEND_AT_MOST} of a {BARE}",
                ratio(middle[name] / middle[BARE]),
                middle[name] <= SEND_AT_MOST * middle[BARE],
            )
            for name in [f"send {called}".strip() for called in trees]
        ],
    )


def _commands(folder: Path, url: str) -> dict[str, tuple[str, ...]]:
    return {
        "send": ("send", "--url", url, "hi"),
        "tail": ("tail", "-n", "1", "--url", url),
        "history": ("history", "-n", "1", str(folder / "chat_history.txt")),
        "--help": ("--help",),
    }


def _starts(tree: Path, folder: Path, url: str) -> Iterator[tuple[str, float]]:
    for name, arguments in _commands(folder, url).items():
        yield name, _whole(tree, folder, COMMAND, *arguments)
    for name, options in SERVERS.items():
        with _serving(tree, folder, *options) as process:
            yield name, _seconds(process.pid)


def _modules(tree: Path, folder: Path, url: str) -> Iterator[tuple[str, int]]:
    """The modules that each command has imported at its end. Its compiled modules are there afterwards."""
    for name, arguments in _commands(folder, url).items():
        done = subprocess.run(
            [sys.executable, "-c", COUNTING, *arguments],
            cwd=folder,
            env=_environment(tree, folder),
            capture_output=True,
            text=True,
            check=True,
        )
        yield name, int(done.stderr.split()[-1])
    for name, options in SERVERS.items():
        with _serving(tree, folder, *options, code=COUNTING) as process:
            process.terminate()
            _, errors = process.communicate()
        yield name, int(errors.split()[-1])


def _bare(url: str) -> float:
    script = (BENCH / "peers" / "bare_send.py").read_text(encoding="utf-8")
    return _whole(HERE, HERE, script, f"ws://{url}/")


def _whole(tree: Path, folder: Path, *code: str) -> float:
    process = subprocess.Popen(
        [sys.executable, "-c", *code], cwd=folder, env=_environment(tree, folder), stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return used.ru_utime + used.ru_stime


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """A server for the clients; its address."""
    with _serving(HERE, folder, "--grpc-port", "0", "--history", str(folder / "chat_history.txt")) as process:
        yield process.address


class _Serving(subprocess.Popen[str]):
    address = ""


@contextmanager
def _serving(tree: Path, folder: Path, *options: str, code: str = COMMAND) -> Iterator[_Serving]:
    """A server that listens, with a history of its own."""
    with tempfile.TemporaryDirectory() as own:
        process = _Serving(
            [sys.executable, "-c", code, *SERVE, *options],
            cwd=own,
            env=_environment(tree, folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout  # noqa: S101 - it is a pipe
        for line in process.stdout:
            if line.startswith("open"):
                process.address = line.split("//")[1].strip().rstrip("/")
            if line.startswith(LISTENS):
                break
        try:
            yield process
        finally:
            process.terminate()
            process.communicate()


def _seconds(pid: int) -> float:
    """The CPU time of all threads of a process, so far."""
    threads = (Path("/proc") / str(pid) / "task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _environment(tree: Path, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BESEDKA"))}
    return {**kept, "PYTHONPATH": str(tree), "HOME": str(folder)}
