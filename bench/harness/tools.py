"""Programs to build or install before peers can run; all of them are kept in ``.cache/bench``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from harness.errors import MissingError

BENCH: Final = Path(__file__).resolve().parent.parent
CACHE: Final = BENCH.parent / ".cache" / "bench"
WS_VERSION: Final = "8.23.0"

SERVER_CORE: Final = 0
LOAD_CORE: Final = 1


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs are; what is missing raises `MissingError` when it is asked for."""

    folder: Path = CACHE

    def load(self) -> Path:
        """The load generator, built."""
        return _built(self.folder / "load", *sorted((BENCH / "load").glob("*.c")))

    def floor(self) -> Path:
        """The C peer, built."""
        return _built(self.folder / "floor", BENCH / "peers" / "floor.c")

    def h2load(self) -> str:
        """A load for HTTP/2 in C."""
        return found("h2load", "Debian and Ubuntu: apt install nghttp2-client")

    def node_modules(self) -> Path:
        """The folder into which `ws` is installed."""
        folder = self.folder / f"node-ws-{WS_VERSION}"
        if not (folder / "node_modules" / "ws").is_dir():
            npm = found("npm", "Debian and Ubuntu: apt install nodejs npm")
            folder.mkdir(parents=True, exist_ok=True)
            # Without scripts: `ws` needs none to be built.
            command = [npm, "install", "--silent", "--no-save", "--no-package-lock", "--ignore-scripts"]
            done = subprocess.run([*command, f"ws@{WS_VERSION}"], cwd=folder, check=False)
            if done.returncode:
                raise MissingError(f"npm could not install ws {WS_VERSION}; is there a network?")
        return folder


@cache
def _built(program: Path, *sources: Path) -> Path:
    gcc = found("gcc", "Debian and Ubuntu: apt install gcc libc6-dev")
    program.parent.mkdir(parents=True, exist_ok=True)
    # A file of its own first: another run may be using the program.
    fresh = program.with_suffix(f".{os.getpid()}")
    command = [gcc, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(fresh), *map(str, sources)]
    if subprocess.run(command, check=False).returncode:
        raise MissingError(
            f"gcc could not build {program.name}; are the C headers there (apt install libc6-dev)?"
        )
    return fresh.replace(program)


def found(program: str, how: str) -> str:
    """The path of an installed program.

    Raises:
        MissingError: if there is none; with the way to install it.
    """
    # Beside this Python first: what the bench itself pins. Debian keeps servers where only root looks.
    places = (
        str(Path(sys.executable).parent),
        os.environ.get("PATH", os.defpath),
        "/usr/sbin",
        "/usr/local/sbin",
    )
    path = shutil.which(program, path=os.pathsep.join(places))
    if path is None:
        raise MissingError(f"{program} is not installed ({how})")
    return path


def version_of(command: list[str]) -> str:
    """The first line that a program says of its version."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]
