"""A program forked for the tests equals one in a fresh interpreter."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests import prefork
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer, fetch


@pytest.mark.parametrize("arguments", [["--version"], ["nonsense"], ["history"], ["history", "-"], []])
def test_a_command_ends_in_the_same_way_and_writes_the_same(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "chat_history.txt").write_text("[2025-11-19 23:46:36] Анна: hi\n", encoding="utf-8")

    def done(*, is_fresh: bool) -> tuple[int, bytes, bytes]:
        pipe = subprocess.PIPE
        program = prefork.start(
            arguments,
            is_fresh=is_fresh,
            cwd=tmp_path,
            env=prefork.environment(),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )
        stdout, stderr = program.communicate(b"[2025-11-19 23:46:36] Boris: hi\n", 60)
        return program.wait(), stdout, stderr

    assert done(is_fresh=False) == done(is_fresh=True)


def seen(server: RunningServer) -> dict[str, object]:
    """The part of a process's state that is the same at each start."""
    process = psutil.Process(server.pid)
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
    kept = [line for line in status.split("\n") if line.startswith(("Umask", "SigIgn", "SigBlk", "SigCgt"))]
    return {
        "descriptors": process.num_fds(),
        "status": kept,
        "user": process.username(),
    }


def test_a_server_has_the_same_descriptors_and_signals(make_server: ServerMaker, tmp_path: Path) -> None:
    servers = []
    for is_fresh in (False, True):
        directory = tmp_path / str(is_fresh)
        directory.mkdir()
        servers.append(make_server(directory=directory, is_fresh=is_fresh, grpc=True).start())
    # It opens the last of them while it greets.
    wait_until(lambda: seen(servers[0]) == seen(servers[1]))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_with_the_same_status(make_server: ServerMaker, number: signal.Signals) -> None:
    statuses = []
    for is_fresh in (False, True):
        server = make_server(is_fresh=is_fresh).start()
        assert fetch(server, "/healthz")[0] == 200  # it does more than greet
        psutil.Process(server.pid).send_signal(number)
        statuses.append(server.wait())
    assert statuses[0] == statuses[1] == (-number if number == signal.SIGKILL else 0)
