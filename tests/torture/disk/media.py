"""Where a server's files are while the power is cut: on a real file system, or on a disk that is only simulated."""

from __future__ import annotations

import json
import pickle
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.torture.disk.events import Kind, events, events_with_ends
from tests.torture.disk.images import Kept, Recording, cut
from tests.torture.disk.platters import Platter
from tests.torture.disk.recorder import Recorder
from tests.torture.disk.volumes import Disk, FileSystem, make, mounted


class Medium(Protocol):
    """A kind of disk. An image is a file; what is in it is the medium's own."""

    @property
    def name(self) -> str:
        """Its name in reports."""

    def make(self, image: Path) -> None:
        """Make an image with nothing in it."""

    def on(self, folder: Path, image: Path) -> AbstractContextManager[Use]:
        """Use an image, and have written down what is done to it, in a folder that is made."""

    def cut(self, recording: Recording, moment: int, chance: random.Random, image: Path) -> Kept:
        """Make the image that a power cut leaves at a moment; what it kept of what was not synced."""

    def syncs(self, recording: Recording) -> Counter[str]:
        """The callers of syncs with their counts, if known."""

    def behind_omissions(self, recording: Recording) -> list[int]:
        """The moments behind the syncs that were left out, at which a power cut may show that."""

    def look(self, folder: Path, image: Path) -> AbstractContextManager[Path]:
        """Use an image for once. The folder is made."""


class Use(Protocol):
    """A disk that is on.

    Attributes:
        folder: where its files are.
        recording: what was written down.
        recorder: with which a server on it is to be started.
    """

    folder: Path
    recording: Recording
    recorder: Recorder | None

    @property
    def moment(self) -> int:
        """Now, on the clock of this disk."""

    def set_faults(self, **faults: str | float) -> None:
        """Have it fail from now on; without arguments: no more."""

    def fill(self) -> None:
        """Leave no room for more than a few lines."""

    def append(self, line: str) -> None:
        """Append to the first room's log as another program does, at the worst moment that can be had."""


@dataclass(frozen=True)
class Real:
    """A real file system, on a disk that is not."""

    system: FileSystem

    @property
    def name(self) -> str:
        return self.system.name

    def make(self, image: Path) -> None:
        make(self.system, image)

    @contextmanager
    def on(self, folder: Path, image: Path) -> Iterator[Disk]:
        folder.mkdir()
        disk = Disk(folder, image)
        disk.start()
        try:
            with mounted(self.system, disk.file, disk.folder):
                yield disk
        finally:
            disk.stop()

    def cut(self, recording: Recording, moment: int, chance: random.Random, image: Path) -> Kept:
        return cut(recording, moment, chance, image)

    def syncs(self, recording: Recording) -> Counter[str]:  # noqa: ARG002 - the disk does not see who asks
        return Counter()

    def behind_omissions(self, recording: Recording) -> list[int]:  # noqa: ARG002 - on a real disk none is left out
        return []

    @contextmanager
    def look(self, folder: Path, image: Path) -> Iterator[Path]:
        with mounted(self.system, image, folder):
            yield folder


class SimulatedUse:
    """Files in an ordinary folder, whose server writes down what it does to them."""

    def __init__(self, folder: Path, base: Platter, left_out: str) -> None:
        self.folder = folder / "files"
        self.folder.mkdir(parents=True)
        base.lay_out(self.folder)
        self.recording = Recording(folder / "base", folder / "journal")
        self.recording.base.write_bytes(pickle.dumps(base))
        self.recording.journal.touch()
        self.recorder: Recorder | None = Recorder(self.folder, self.recording.journal, left_out)
        self.set_faults()

    @property
    def moment(self) -> int:
        return self.recording.journal.stat().st_size

    def set_faults(self, **faults: str | float) -> None:
        fresh = self.recording.journal.with_name("faults.new")
        fresh.write_text(json.dumps(faults), encoding="utf-8")
        fresh.replace(self.recording.journal.with_name("faults"))

    def fill(self) -> None:
        self.set_faults(room=ROOM_BYTES)

    def append(self, line: str) -> None:
        self.set_faults(hand=line)


ROOM_BYTES = 100
"""Bytes that still fit on a full simulated disk: a short line."""


EVENTS_BEHIND = 8
"""So many changes behind a sync that was left out, the next one may already make up for it."""


@dataclass(frozen=True)
class Simulated:
    """A disk that is only simulated, for machines where nothing can be mounted.

    Attributes:
        left_out: the sync that is left out.
    """

    left_out: str = ""
    name: str = "simulated"

    def make(self, image: Path) -> None:
        image.write_bytes(pickle.dumps(Platter()))

    @contextmanager
    def on(self, folder: Path, image: Path) -> Iterator[SimulatedUse]:
        yield SimulatedUse(folder, _loaded(image), self.left_out)

    def cut(self, recording: Recording, moment: int, chance: random.Random, image: Path) -> Kept:
        platter = _loaded(recording.base)
        for event in events(recording.journal, moment):
            platter.apply(event)
        kept = chance.choice(list(Kept))
        image.write_bytes(pickle.dumps(platter.left(kept, chance)))
        return kept

    def syncs(self, recording: Recording) -> Counter[str]:
        whole = recording.journal.stat().st_size
        kinds = {Kind.SYNC, Kind.SYNC_FOLDER}
        return Counter(event.name for event in events(recording.journal, whole) if event.kind in kinds)

    def behind_omissions(self, recording: Recording) -> list[int]:
        found, left = [], 0
        for end, event in events_with_ends(recording.journal, recording.journal.stat().st_size):
            left = EVENTS_BEHIND if event.kind is Kind.LEFT_OUT else left - 1
            if left > 0:
                found.append(end)
        return found

    @contextmanager
    def look(self, folder: Path, image: Path) -> Iterator[Path]:
        folder.mkdir()
        _loaded(image).lay_out(folder)
        yield folder


def _loaded(image: Path) -> Platter:
    loaded = pickle.loads(image.read_bytes())  # noqa: S301 - we have written it
    assert isinstance(loaded, Platter)
    return loaded
