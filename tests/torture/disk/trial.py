"""Cuts the power of a server again and again: ``python -m tests.torture.disk.trial FILE_SYSTEM SCENARIO SECONDS SEED FOLDER``.

A disk with a volatile cache lives until its power is cut, and the next one begins with what is left; people, and what they were told,
stay. Of each life many more images are made, of other moments and with other luck; some of them lose their power a second time
while a server starts on them. On each image a server is started and examined. What was found is printed, as JSON.

To be run in namespaces of its own (`namespace`): it mounts, and leaves it to them to clean up if it is killed.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from websockets.exceptions import ConnectionClosed

from tests.lengths import LONG
from tests.torture.disk.crowd import Cast, RoomRefusedError
from tests.torture.disk.images import Kept, Recording
from tests.torture.disk.ledger import Ledger, Time
from tests.torture.disk.media import Medium, Real
from tests.torture.disk.recorder import Recorder
from tests.torture.disk.scenarios import SCENARIOS, Life
from tests.torture.disk.server import SHARED, Server, StartFailedError
from tests.torture.disk.verdict import examine_logs, examine_people
from tests.torture.disk.volumes import BALLAST, FILE_SYSTEMS, Unmountable

IMAGES_A_LIFE: Final = 12 if LONG else 5
"""How many moments of a life are tried besides the last one."""

MEMORY: Final = "4G"
"""Most bytes that the images may take; they are sparse."""

LIVES_A_DISK: Final = 3
"""Where a problem is looked for, a new disk comes after so many lives: some files are made anew in the first one only."""

SERVER_FAILED: Final = (StartFailedError, ConnectionClosed, RoomRefusedError)

TWICE: Final = 0.25
"""How many of the images lose their power once more while a server starts on them."""


@dataclass(slots=True)
class Report:
    """The result of a trial.

    Attributes:
        cuts: how often the power went and the run went on.
        images: how many other images were examined.
        twice: how many of these were cut twice.
        unmountable: why the kernel refused some images.
        stored: messages that were acknowledged.
        refused: messages that found no room.
        redacted: texts that were redacted.
        shared: syncs that many rooms have shared.
        syncs: who asked for syncs, and how often (on a simulated disk only).
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
    shared: int = 0
    syncs: dict[str, int] = field(default_factory=dict)
    lost_on: int = 0
    unmountable: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)


class Trial:
    """A server on one medium under one scenario.

    Args:
        medium: where its files are.
        scenario: what happens before the power goes.
        seed: of all chance.
        folder: for all that is needed.
    """

    def __init__(self, medium: Medium, scenario: str, seed: int, folder: Path) -> None:
        self._medium = medium
        self._scenario = SCENARIOS[scenario]
        self._chance = random.Random(seed)
        self._folder = folder
        self._errors = folder / "errors"
        self._lives = 0
        self._begin()
        self.report = Report(medium.name, scenario, seed)

    def run(self, seconds: float, *, until_problem: bool = False) -> Report:
        """Cut the power for so long, or until that shows a problem."""
        until = time.monotonic() + seconds
        image = self._folder / "image"
        self._medium.make(image)
        while self._lives == 0 or time.monotonic() < until:
            problems = len(self.report.problems)
            try:
                self._live(image)
            except SERVER_FAILED as error:
                self._note(f"life {self._lives}", [f"the server fails: {error}"])
            if until_problem and (self.report.problems or self.report.people):
                break
            if len(self.report.problems) > problems or (until_problem and self._lives % LIVES_A_DISK == 0):
                image.unlink(missing_ok=True)
                self._begin()
                self._medium.make(image)
        return self._finished()

    def _begin(self) -> None:
        """With nothing that was said: what is lost stays lost, and is to be counted once."""
        self._ledger = Ledger()
        self._cast = Cast(self._ledger)

    def _finished(self) -> Report:
        complaints = self._errors.read_text(encoding="utf-8")
        self._note("all servers", [complaints] if "Traceback" in complaints else [])
        shared = self._errors.with_name(SHARED)
        self.report.shared = shared.stat().st_size if shared.exists() else 0
        return self.report

    def _live(self, image: Path) -> None:
        """One life of a disk, which ends with the image that the next one begins with."""
        self._lives += 1
        stored, refused = len(self._ledger.stored), len(self._ledger.refused)
        redacted = len(self._ledger.redacted)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            recording, moments = self._use(image.rename(folder / "image"), folder)
            for number in range(IMAGES_A_LIFE):
                self._try(recording, self._chance.choice(moments), folder / f"{number}")
            self._medium.cut(recording, moments[-1], self._chance, image)
        self.report.cuts += 1
        self.report.stored += len(self._ledger.stored) - stored
        self.report.refused += len(self._ledger.refused) - refused
        self.report.redacted += len(self._ledger.redacted) - redacted

    def _use(self, image: Path, folder: Path) -> tuple[Recording, list[int]]:
        """Live, and return when the power might go."""
        with self._medium.on(folder / "disk", image) as disk:
            server = self._server(disk.folder, disk.recorder)
            life = Life(
                self._lives, disk, self._errors, self._chance, self._ledger, self._cast, server=server
            )
            self._note(f"life {self._lives}", examine_logs(server, self._ledger, Time(self._lives, 0)))
            life.listen()
            self._scenario(life)
            life.note()
            life.kill()
        self._count_syncs(disk.recording)
        return disk.recording, self._moments(life, disk.recording)

    def _moments(self, life: Life, recording: Recording) -> list[int]:
        """Some that the scenario has chosen, some when somebody was told something, some behind a sync that was left out, and the end."""
        acknowledged = [one.at.moment for one in self._ledger.stored if one.at.life == self._lives]
        chosen = [
            self._chance.sample(some, min(len(some), len(life.moments)))
            for some in (self._medium.behind_omissions(recording), acknowledged)
        ]
        return [*chain(*chosen), *life.moments]

    def _try(self, recording: Recording, moment: int, folder: Path) -> None:
        """Cut the power at a moment, perhaps once more while a server starts, and examine what is left.

        If once more, then first at any moment at all: so that there is something to repair.
        """
        folder.mkdir()
        is_twice = self._chance.random() < TWICE
        moment = self._chance.randint(0, moment) if is_twice else moment
        image = folder / "image"
        kept = self._medium.cut(recording, moment, self._chance, image)
        where = f"life {self._lives}, cut at {moment}, {kept}"
        try:
            if is_twice:
                image, kept = self._cut_again(image, folder)
                where += f", cut again, {kept}"
            self._examine(image, folder / "files", where, Time(self._lives, moment))
        except Unmountable as error:
            self.report.unmountable.append(f"{where}: {error}")
        except SERVER_FAILED as error:
            self._note(where, [f"the server fails: {error}"])
        self.report.images += 1
        image.unlink()

    def _cut_again(self, base: Path, folder: Path) -> tuple[Path, Kept]:
        with self._medium.on(folder / "disk", base) as disk:
            self._server(disk.folder, disk.recorder).kill()
            moment = self._chance.randint(0, disk.moment)
        self._count_syncs(disk.recording)
        self.report.twice += 1
        image = folder / "again"
        return image, self._medium.cut(disk.recording, moment, self._chance, image)

    def _server(self, folder: Path, recorder: Recorder | None = None) -> Server:
        # Where nothing at all finds room, there is no start: the operator makes room first.
        (folder / BALLAST).unlink(missing_ok=True)
        return Server(folder, self._errors, recorder)

    def _examine(self, image: Path, folder: Path, where: str, now: Time) -> None:
        with self._medium.look(folder, image) as point:
            server = self._server(point)
            try:
                self._note(where, examine_logs(server, self._ledger, now))
                people = examine_people(server, self._ledger, now)
                self.report.people += [f"{where}: {problem}" for problem in people]
            finally:
                server.kill()

    def _count_syncs(self, recording: Recording) -> None:
        self.report.syncs = dict(Counter(self.report.syncs) + self._medium.syncs(recording))

    def _note(self, where: str, problems: list[str]) -> None:
        self.report.lost_on += bool(problems)
        self.report.problems += [f"{where}: {problem}" for problem in problems]


def run() -> None:
    """Run a trial as the command line says, in memory."""
    name, scenario, seconds, seed, folder = sys.argv[1:]
    random.seed(int(seed))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEMORY}", "none", folder], check=True)
    try:
        report = Trial(Real(FILE_SYSTEMS[name]), scenario, int(seed), Path(folder)).run(float(seconds))
    finally:
        subprocess.run(["umount", folder], check=True)
    print(json.dumps(asdict(report), indent=1, ensure_ascii=False))  # noqa: T201


if __name__ == "__main__":
    run()
