"""Syncs files in threads while the disk fails for a moment: ``python -m tests.torture.disk.syncing FILE_SYSTEM SECONDS SEED FOLDER``.

There is no server: its threads sync as it does (`FileSystem`), hundreds of times as often. Each takes for stored what was synced without an error,
up to its first error. Then the power goes, and what was taken for stored must be on the disk. What was found is printed, as JSON.

To be run in namespaces of its own (`namespace`).
"""

from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.files.file_system import FileSystem
from tests.torture.disk.media import Real
from tests.torture.disk.scenarios import GLITCH_SECONDS
from tests.torture.disk.trial import MEMORY
from tests.torture.disk.volumes import FILE_SYSTEMS, Disk, Unmountable

THREADS: Final = 4
FILES: Final = 6
"""The files of each thread."""

LINE_BYTES: Final = (20, 80, 900)
WELL_SECONDS: Final = (0.03, 0.15)
"""How long the disk is well before it fails."""

ENDING_SECONDS: Final = 0.4
"""How long the threads go on after the disk has failed, if they have not noticed."""


@dataclass(slots=True)
class Report:
    """The result.

    Attributes:
        failures: how often the disk failed.
        noticed: how many threads got an error.
        stored: lines that were taken for stored.
        lost: how many of them were not on the disk when the power was gone.
        unmountable: images that the kernel refused.
    """

    failures: int = 0
    noticed: int = 0
    stored: int = 0
    lost: int = 0
    unmountable: int = 0


class Result(NamedTuple):
    """The result of a thread: the lines of each of its files that it took for stored, and whether it got an error."""

    stored: list[list[bytes]]
    has_failed: bool


def fail_once(medium: Real, chance: random.Random, folder: Path, report: Report) -> None:
    """Write and sync on a new disk until it has failed, cut its power, and look at what is left."""
    image, cut = folder / "image", folder / "cut"
    medium.make(image)
    with medium.on(folder / "disk", image) as disk:
        results = _sync_while_it_fails(disk, chance)
        gc.collect()  # errors hold the frames that hold open files, which keep the disk mounted
        moment = disk.moment
    report.failures += 1
    report.noticed += sum(result.has_failed for result in results)
    medium.cut(disk.recording, moment, chance, cut)
    try:
        with medium.look(folder / "look", cut) as place:
            for thread, result in enumerate(results):
                for number, lines in enumerate(result.stored):
                    left = {*_path(place, thread, number).read_bytes().split(b"\n")}
                    report.stored += len(lines)
                    report.lost += sum(line not in left for line in lines)
    except Unmountable:
        report.unmountable += 1


def _sync_while_it_fails(disk: Disk, chance: random.Random) -> list[Result]:
    files = [
        [
            Descriptor(_path(disk.folder, thread, number), os.O_RDWR | os.O_CREAT | os.O_APPEND)
            for number in range(FILES)
        ]
        for thread in range(THREADS)
    ]
    Descriptor(disk.folder, os.O_RDONLY | os.O_DIRECTORY).sync_all()
    system = FileSystem(files[0][0])
    is_over = threading.Event()
    with ThreadPoolExecutor(THREADS) as threads:
        work = [
            threads.submit(_append, system, own, is_over, random.Random(chance.random())) for own in files
        ]
        time.sleep(chance.uniform(*WELL_SECONDS))
        disk.set_faults(**{chance.choice(("write", "flush")): "EIO"})
        time.sleep(chance.uniform(*GLITCH_SECONDS))
        disk.set_faults()
        time.sleep(ENDING_SECONDS)
        is_over.set()
        return [one.result() for one in work]


def _append(
    system: FileSystem, files: Sequence[Descriptor], is_over: threading.Event, chance: random.Random
) -> Result:
    """Append to files in turn."""
    stored: list[list[bytes]] = [[] for _ in files]
    while not is_over.is_set():
        for file, own in zip(files, stored, strict=True):
            line = b"%d " % len(own) + b"x" * chance.choice(LINE_BYTES)
            try:
                file.write(line + b"\n")
            except OSError:
                return Result(stored, has_failed=True)
            if any(system.sync([file])):
                return Result(stored, has_failed=True)
            own.append(line)
    return Result(stored, has_failed=False)


def _path(folder: Path, thread: int, number: int) -> Path:
    return folder / f"{thread}-{number}"


def main() -> None:
    """Run as the command line says, in memory."""
    name, seconds, seed, place = sys.argv[1:]
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEMORY}", "none", place], check=True)
    chance, report = random.Random(int(seed)), Report()
    until = time.monotonic() + float(seconds)
    while not report.failures or time.monotonic() < until:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            fail_once(Real(FILE_SYSTEMS[name]), chance, Path(folder), report)
    print(json.dumps(asdict(report)))  # noqa: T201 - the result


if __name__ == "__main__":
    main()
