"""``cd serve; python main.py``, as the first version was started: with a Python that does not know Besedka."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc
import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.proto.besedka.v1 import chat_pb2_grpc
from tests.running import ROOT, free_port

PLAIN = [sys.executable, "-S", "main.py"]
"""A Python that has nothing installed, so that what it may import is what PYTHONPATH says."""

DEPENDENCIES = sysconfig.get_path("purelib")
SECONDS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder ``serve`` of a copy of its own."""
    skip = shutil.ignore_patterns("__pycache__")
    copy = shutil.copytree(ROOT / "besedka", tmp_path / "besedka", ignore=skip)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return copy / "serve"


def environment(*paths: str, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BESEDKA"))}
    return {**clean, "PYTHONPATH": os.pathsep.join(paths), **more}


def started(folder: Path, *paths: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        PLAIN,
        cwd=folder,
        env=environment(*paths, **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server that was started so, and its port for gRPC."""
    port = free_port()
    ports = {"BESEDKA_PORT": "0", "BESEDKA_GRPC_PORT": str(port)}
    with subprocess.Popen(
        PLAIN,
        cwd=folder,
        env=environment(DEPENDENCIES, **ports),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, port
        finally:
            process.kill()


def test_it_starts_beside_its_file_and_speaks_grpc(
    folder: Path, running: tuple[subprocess.Popen[str], int]
) -> None:
    process, port = running
    assert process.stdout
    greeting = []
    for line in process.stdout:
        greeting.append(line.split())
        if line.startswith("stop"):
            break
    assert ["grpc", f"localhost:{port}"] in greeting
    assert ["history", str(folder / "chat_history.txt")] in greeting
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        request = pb.SendRequest(user="Anna", text="hello")
        chat_pb2_grpc.ChatStub(channel).Send(request, timeout=SECONDS)  # type: ignore[no-untyped-call]
    assert (folder / "chat_history.txt").read_text().endswith("Anna: hello\n")
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0


@pytest.mark.xdist_group("port 8765")
@pytest.mark.parametrize(("port", "other"), [(8765, "BESEDKA_GRPC_PORT"), (50051, "BESEDKA_PORT")])
def test_it_takes_the_usual_ports(folder: Path, port: int, other: str) -> None:
    with ExitStack() as taken:
        with suppress(OSError):  # somebody else on this machine has it, which is as good
            taken.enter_context(socket.create_server(("127.0.0.1", port), reuse_port=False))
        done = started(folder, DEPENDENCIES, **{other: "0"})
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("besedka: "))
    assert line.endswith(f"port {port}: address already in use")
    assert "Traceback" not in done.stderr


def assert_says_what_to_install(done: subprocess.CompletedProcess[str], folder: Path, missing: str) -> None:
    command = f"{sys.executable} -m pip install -r {folder.parent.parent / 'requirements' / 'run.txt'}"
    advice = f"besedka: {missing} is not installed; this installs all that is needed: {command}\n"
    assert (done.returncode, done.stderr) == (1, advice)


def test_without_any_dependency_it_says_which_command_installs_them(folder: Path) -> None:
    assert_says_what_to_install(started(folder), folder, "click")


@pytest.mark.parametrize("missing", ["msgspec", "uvloop", "grpc"])
def test_without_one_dependency_it_says_which_command_installs_it(
    folder: Path, tmp_path: Path, missing: str
) -> None:
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    sentence = f"No module named {missing!r}"
    (hiding / f"{missing}.py").write_text(f"raise ModuleNotFoundError({sentence!r}, name={missing!r})")
    ports = {"BESEDKA_PORT": "0", "BESEDKA_GRPC_PORT": str(free_port())}
    done = started(folder, str(hiding), DEPENDENCIES, **ports)
    assert_says_what_to_install(done, folder, missing)


def test_a_module_of_its_own_that_is_missing_is_no_dependency(folder: Path) -> None:
    (folder / "server.py").unlink()
    done = started(folder, DEPENDENCIES)
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'besedka.serve.server'" in done.stderr
