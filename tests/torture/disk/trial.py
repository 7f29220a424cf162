"""Cuts the power of a server again and again: ``python -m tests.torture.disk.trial FILE_SYSTEM SCENARIO SECONDS SEED FOLDER``.

A disk with a volatile cache lives until its power is cut, and the next one begins with what is left; people, and what they were told,
stay. Of each life many more images are made, of other moments and with other luck; some of them lose their power a second time
while a server starts on them. On each image a server is started and examined. What was found is printed, as JSON.

To be run in namespaces of its own (`namespace`): it mounts, and leaves it to them to clean up if it is killed.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.torture.disk.crowd import ONE_LINE, Crowd, Person
from tests.torture.disk.images import Kept, Recording, cut
from tests.torture.disk.ledger import Ledger, Time
from tests.torture.disk.scenarios import BALLAST, ROOMS, SCENARIOS, Life
from tests.torture.disk.server import Server, StartFailed
from tests.torture.disk.verdict import examine_logs, examine_people
from tests.torture.disk.volumes import FILE_SYSTEMS, Disk, FileSystem, Unmountable, make, mounted, powered

IMAGES_A_LIFE: Final = int(os.environ.get("BESEDKA_POWER_CUT_IMAGES", "12"))
"""How many moments of a life are tried besides the last one."""

MEMORY: Final = "4G"
"""What the images may take at most; they are sparse."""

TWICE: Final = 0.25
"""How many of the images lose their power once more while a server starts on them."""


@dataclass(slots=True)
class Report:
    """What a trial found.

    Attributes:
        cuts: how often the power went and the run went on.
        images: how many other images were examined.
        twice: how many of these were cut twice.
        unmountable: why the kernel refused some images.
        stored: messages that were acknowledged.
        refused: messages that found no room.
        redacted: texts that were redacted.
        lost_on: images with a problem in a log.
        problems: what was wrong in the logs.
        people: what was wrong of claims and sanctions.
    """

    file_system: str
    scenario: str
    seed: int
    cuts: int = 0
    images: int = 0
    twice: int = 0
    stored: int = 0
    refused: int = 0
    redacted: int = 0
    lost_on: int = 0
    unmountable: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)


class Trial:
    """One file system under one scenario."""

    def __init__(self, system: FileSystem, scenario: str, seed: int, folder: Path) -> None:
        self._system = system
        self._scenario = SCENARIOS[scenario]
        self._chance = random.Random(seed)
        self._folder = folder
        self._errors = folder / "errors"
        self._ledger = Ledger()
        people = [Person(f"p{number}", ROOMS[number % len(ROOMS)], self._ledger) for number in range(6)]
        self._crowd = Crowd(people)
        self._short = Person("short", ROOMS[0], self._ledger, ONE_LINE)
        self._long = Person("long", ROOMS[0], self._ledger, (300,))
        self._lives = 0
        self.report = Report(system.name, scenario, seed)

    def run(self, seconds: float) -> Report:
        """Cut the power for so long."""
        until = time.monotonic() + seconds
        image = self._folder / "image"
        make(self._system, image)
        while time.monotonic() < until:
            self._live(image)
        self.report.stored = len(self._ledger.stored)
        self.report.refused = len(self._ledger.refused)
        self.report.redacted = len(self._ledger.redacted)
        self._note("all servers", self._tracebacks())
        return self.report

    def _tracebacks(self) -> list[str]:
        complaints = self._errors.read_text(encoding="utf-8")
        return [complaints] if "Traceback" in complaints else []

    def _live(self, image: Path) -> None:
        """One life of a disk, which ends with the image that the next one begins with."""
        self._lives += 1
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            recording = Recording(image.rename(folder / "base"), folder / "journal")
            moments = self._use(recording, folder)
            for number in range(IMAGES_A_LIFE):
                self._try(recording, self._chance.choice(moments), folder / f"{number}")
            cut(recording, moments[-1], self._chance, image)
        self.report.cuts += 1

    def _use(self, recording: Recording, folder: Path) -> list[int]:
        """Live, and return when the power might go."""
        with self._on(folder, recording.base) as (disk, point):
            server = self._server(point)
            self._note(f"life {self._lives}", examine_logs(server, self._ledger, Time(self._lives, 0)))
            life = Life(
                number=self._lives,
                disk=disk,
                folder=point,
                errors=self._errors,
                chance=self._chance,
                ledger=self._ledger,
                crowd=self._crowd,
                short=self._short,
                long=self._long,
                server=server,
            )
            self._scenario(life)
            life.note()
            life.server.kill()
            self._crowd.end()
            disk.journal.rename(recording.journal)
        return self._moments(life)

    def _moments(self, life: Life) -> list[int]:
        """Some that the scenario has chosen, some when somebody was told something, and the end."""
        told = [one.at.moment for one in self._ledger.stored if one.at.life == self._lives]
        return [*self._chance.sample(told, min(len(told), len(life.moments))), *life.moments]

    def _try(self, recording: Recording, moment: int, folder: Path) -> None:
        """Cut the power at a moment, perhaps once more while a server starts, and examine what is left."""
        folder.mkdir()
        image = folder / "image"
        kept = cut(recording, moment, self._chance, image)
        where = f"life {self._lives}, cut at {moment}, {kept}"
        try:
            if self._chance.random() < TWICE:
                image, kept = self._cut_again(image, folder)
                where += f", cut again, {kept}"
            self._examine(image, folder, where, Time(self._lives, moment))
        except Unmountable as error:
            self.report.unmountable.append(f"{where}: {error}")
        except StartFailed as error:
            self._note(where, [f"it does not start: {error}"])
        self.report.images += 1
        image.unlink()

    def _cut_again(self, base: Path, folder: Path) -> tuple[Path, Kept]:
        with self._on(folder, base) as (disk, point):
            self._server(point).kill()
            recording = Recording(base, disk.journal)
            moment = self._chance.randint(0, disk.moment)
        self.report.twice += 1
        image = folder / "again"
        return image, cut(recording, moment, self._chance, image)

    @contextmanager
    def _on(self, folder: Path, base: Path) -> Iterator[tuple[Disk, Path]]:
        with (
            powered(folder / "disk", base) as disk,
            mounted(self._system, disk.file, folder / "mounted") as point,
        ):
            yield disk, point

    def _server(self, point: Path) -> Server:
        # Where nothing at all finds room, there is no start: the operator makes room first.
        (point / BALLAST).unlink(missing_ok=True)
        return Server(point, self._errors)

    def _examine(self, image: Path, folder: Path, where: str, now: Time) -> None:
        with mounted(self._system, image, folder / "mounted") as point:
            server = self._server(point)
            try:
                self._note(where, examine_logs(server, self._ledger, now))
                people = examine_people(server, self._ledger, now)
                self.report.people += [f"{where}: {problem}" for problem in people]
            finally:
                server.kill()

    def _note(self, where: str, problems: list[str]) -> None:
        self.report.lost_on += bool(problems)
        self.report.problems += [f"{where}: {problem}" for problem in problems]


def run() -> None:
    """Run a trial as the command line says, in memory."""
    name, scenario, seconds, seed, folder = sys.argv[1:]
    random.seed(int(seed))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEMORY}", "none", folder], check=True)
    try:
        report = Trial(FILE_SYSTEMS[name], scenario, int(seed), Path(folder)).run(float(seconds))
    finally:
        subprocess.run(["umount", folder], check=True)
    print(json.dumps(asdict(report), indent=1, ensure_ascii=False))  # noqa: T201


if __name__ == "__main__":
    run()
