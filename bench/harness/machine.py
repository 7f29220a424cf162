"""The machine that was measured on, without its name."""

from __future__ import annotations

import os
import platform
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from harness.errors import MissingError
from harness.tools import CACHE, LOAD_CORE, SERVER_CORE

SYNCS: Final = 100


def need_two_cores() -> None:
    """Make sure that server and load need not share a core.

    Raises:
        MissingError: if they do.
    """
    if not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise MissingError(f"the benchmark needs the cores {SERVER_CORE} and {LOAD_CORE} of a Linux machine")


def file_system() -> str:
    """The kind of file system on which histories are written.

    Raises:
        MissingError: if it is memory: syncing costs nothing there.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    places = [part for part in psutil.disk_partitions(all=True) if CACHE.is_relative_to(part.mountpoint)]
    kind = max(places, key=lambda part: len(part.mountpoint)).fstype
    if kind in {"tmpfs", "ramfs"}:
        raise MissingError(f"the folder .cache is on a {kind}; the history must be written on a disk")
    return kind


def described() -> list[str]:
    """The facts needed to compare figures: cores, memory, system, disk, Python."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    kernel = re.match(r"[\d.]+", platform.release())
    gib = psutil.virtual_memory().total / 1024**3
    return [
        f"{psutil.cpu_count()} cores ({platform.machine()}), {gib:.0f} GiB of memory",
        f"{system}, Linux {kernel[0].rstrip('.') if kernel else ''}, TCP {_congestion_control()}",
        f"history on {file_system()}, {_sync_ms():.2f} ms for an `fdatasync` of one line (median)",
        f"{platform.python_implementation()} {platform.python_version()}",
    ]


def _congestion_control() -> str:
    # It has a share of what a delivery costs, also on loopback.
    return Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text(encoding="ascii").strip()


def _sync_ms() -> float:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        file = os.open(Path(folder) / "line", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        times = []
        for _ in range(SYNCS):
            os.write(file, b"[2025-11-19 23:46:36] Anna: Hello\n")
            started = time.perf_counter()
            os.fdatasync(file)
            times.append(time.perf_counter() - started)
        os.close(file)
    return statistics.median(times) * 1000
