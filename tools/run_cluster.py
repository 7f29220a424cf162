"""A cluster on this machine, to be tried: three servers of NATS and three nodes, until Ctrl-C. `make cluster` starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
CONF: Final = ROOT / "deploy" / "nats.conf"
FOLDER: Final = ROOT / ".cache" / "cluster"
BIN: Final = Path(sys.executable).parent

SERVERS: Final = 3
FIRST_PORT: Final = 8765
NATS_PORT: Final = 4222
ROUTE_PORT: Final = 6222
READY_SECONDS: Final = 60.0
END_SECONDS: Final = 10.0


def server_config(number: int, folder: Path, addresses: Sequence[str], routes: Sequence[str]) -> str:
    """``deploy/nats.conf`` for one of several servers.

    Args:
        number: which, from 0.
        folder: where it keeps the stream.
        addresses: where all listen for clients, as ``host:port``.
        routes: where all listen for each other.
    """
    others = ", ".join(f"nats://{route}" for route in routes)
    return filled(
        CONF.read_text(encoding="utf-8"),
        {
            "server_name: nats-1": f"server_name: nats-{number + 1}",
            "listen: 0.0.0.0:4222": f"listen: {addresses[number]}",
            '"/var/lib/nats"': f'"{folder}"',
            "listen: 0.0.0.0:6222": f"listen: {routes[number]}",
            "routes: [nats://nats-1:6222, nats://nats-2:6222, nats://nats-3:6222]": f"routes: [{others}]",
        },
    )


def server_url(address: str) -> str:
    """The address of one of them, for a node: as the account of ``deploy/nats.conf``."""
    return f"nats://besedka:change-me-too@{address}"


def filled(text: str, changes: Mapping[str, str]) -> str:
    """A text with parts of it replaced.

    Raises:
        ValueError: if one of them does not occur just once.
    """
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ValueError(f"{old!r} is {text.count(old)} times in {CONF.name}")
        text = text.replace(old, new)
    return text


def main() -> None:
    """Start all, and end all when one of them ends or Ctrl-C is pressed."""
    addresses = [f"127.0.0.1:{NATS_PORT + number}" for number in range(SERVERS)]
    routes = [f"127.0.0.1:{ROUTE_PORT + number}" for number in range(SERVERS)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as until_end, suppress(KeyboardInterrupt):
        processes: list[subprocess.Popen[Any]] = []
        for number in range(SERVERS):
            folder = FOLDER / f"nats-{number + 1}"
            folder.mkdir(parents=True, exist_ok=True)
            conf = folder / "nats.conf"
            conf.write_text(server_config(number, folder, addresses, routes), encoding="utf-8")
            processes.append(_started(until_end, [BIN / "nats-server", "-c", conf], folder))
        urls = ",".join(map(server_url, addresses))
        for number in range(SERVERS):
            folder = FOLDER / f"node-{number + 1}"
            folder.mkdir(parents=True, exist_ok=True)
            port = FIRST_PORT + number
            options = ["--port", str(port), "--grpc-port", "0", "--utc", "--cluster", urls]
            node = _started(until_end, [BIN / "besedka", "serve", *options], folder)
            processes.append(node)
            _wait(node, port, folder)
            print(f"node {number + 1}: http://127.0.0.1:{port}, its history is in {folder}", flush=True)
        print("Ctrl-C ends all of them; what was said stays.", flush=True)
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        sys.exit(f"one of them has ended: see output.txt in the folders of {FOLDER}")


def _started(
    until_end: ExitStack, command: Sequence[str | os.PathLike[str]], folder: Path
) -> subprocess.Popen[Any]:
    with (folder / "output.txt").open("wb") as output:
        # In a group of its own, so that Ctrl-C reaches it by us, and the servers outlive the nodes.
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    until_end.callback(_end, process)
    return process


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(node: subprocess.Popen[Any], port: int, folder: Path) -> None:
    """Wait until a node listens."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and node.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    sys.exit(f"a node did not start:\n{(folder / 'output.txt').read_text(encoding='utf-8')}")


if __name__ == "__main__":
    main()
