"""File systems on disks that can be cut: made, mounted, and gone again.

Everything is mounted in the mount namespace of this process (see `namespace`), and loop devices are detached by the kernel when
they are no longer mounted: whatever ends this process takes all of it down.
"""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tests.commanding import wait_until
from tests.torture.disk.images import Recording, copy_sparse
from tests.torture.disk.recorder import LOG, Recorder
from tests.torture.disk.stale import fill

MIB: Final = 1 << 20
BALLAST: Final = "ballast"
"""The file that fills a file system."""

UNMOUNT_LOOK_SECONDS: Final = 0.1
"""A pause between tries to unmount what nobody uses any more."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """A kind of file system, and how it is used.

    Attributes:
        name: what it is called in reports.
        kind: as mount(8) has it.
        make: the command that makes it, without the device.
        mebibytes: how large it is made.
        options: of the mount.
        is_stale: whether the disk is full of old chat before it is made.
    """

    name: str
    kind: str
    make: tuple[str, ...]
    mebibytes: int
    options: str = "rw"
    is_stale: bool = False


_EXT4: Final = ("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0")

FILE_SYSTEMS: Final = {
    one.name: one
    for one in (
        FileSystem("ext4", "ext4", _EXT4, 48),
        FileSystem("ext4-writeback", "ext4", _EXT4, 48, "data=writeback"),
        FileSystem("ext4-stale", "ext4", _EXT4, 48, "nodelalloc", is_stale=True),
        FileSystem("xfs", "xfs", ("mkfs.xfs", "-q", "-f", "-K"), 300),
        FileSystem("btrfs", "btrfs", ("mkfs.btrfs", "-q", "-f", "-K"), 128),
    )
}


class Unmountable(Exception):  # noqa: N818 - a fact, not an error
    """The kernel does not mount this image: what a torn write of a superblock may do, and nothing of ours."""


def make(system: FileSystem, image: Path) -> None:
    """Make an image with an empty file system."""
    with image.open("wb") as file:
        file.truncate(system.mebibytes * MIB)
    if system.is_stale:
        fill(image, random.Random(0))
    subprocess.run([*system.make, image], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def mounted(system: FileSystem, image: Path, point: Path) -> Iterator[Path]:
    """An image, mounted at a directory, which is made; its journal is replayed as after a power cut.

    Raises:
        Unmountable: the kernel refuses it.
    """
    point.mkdir(exist_ok=True)
    _mount(system, image, point)
    try:
        yield point
    finally:
        # A disk with a fault may refuse the last writes; what is mounted elsewhere next does not depend on it.
        _unmount(point)


def _mount(system: FileSystem, image: Path, point: Path) -> None:
    loop = subprocess.run(
        ["losetup", "--find", "--show", image], check=True, capture_output=True, text=True
    ).stdout.strip()
    try:
        done = subprocess.run(
            ["mount", "-t", system.kind, "-o", system.options, loop, point],
            check=False,
            capture_output=True,
            text=True,
        )
    finally:
        # As long as it is mounted it stays; then the kernel detaches it.
        subprocess.run(["losetup", "--detach", loop], check=True)
    if done.returncode:
        raise Unmountable(done.stderr.strip())


def _unmount(point: Path) -> None:
    """Unmount, when the kernel has let go: it detaches a loop device some time after what was mounted from it."""

    def is_unmounted() -> bool:
        done = subprocess.run(["umount", point], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or "busy" in done.stderr, done.stderr
        return done.returncode == 0

    wait_until(is_unmounted, UNMOUNT_LOOK_SECONDS)


class Disk:
    """A disk with a volatile cache (`device`).

    Args:
        place: a folder for what it needs.
        base: what it holds in the beginning.

    Attributes:
        file: what a loop device is to be made of.
        folder: where that is to be mounted.
        recording: what it was asked to do.
        recorder: none: it sees for itself.
    """

    recorder: Recorder | None = None

    def __init__(self, place: Path, base: Path) -> None:
        self.recording = Recording(base, place / "journal")
        self._point = place / "device"
        self._point.mkdir()
        self._faults = self._point / "faults"
        self.file = self._point / "disk"
        self.folder = place / "mounted"
        self._backing = place / "backing"
        self._process: subprocess.Popen[str] | None = None

    @property
    def moment(self) -> int:
        """Now, on the clock of this disk."""
        return self.recording.journal.stat().st_size

    def set_faults(self, **faults: str | float) -> None:
        """Have it fail from now on as `device` says; without arguments: no more, and there is room again."""
        self._faults.write_text(json.dumps(faults))
        with suppress(OSError):  # a file system whose disk has failed may answer nothing any more
            (self.folder / BALLAST).unlink()

    def fill(self) -> None:
        """Leave no room for another block."""
        with (self.folder / BALLAST).open("wb") as file:
            for size in (1 << 20, 1 << 12):
                _write_until_full(file.fileno(), bytes(size))

    def append(self, line: str) -> None:
        """Append to the first room's log as another program does."""
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(line)

    def start(self) -> None:
        """Put it on."""
        copy_sparse(self.recording.base, self._backing)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.torture.disk.device"),
                *(self._point, self._backing, self.recording.journal),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert _first_line(self._process.stdout) == "mounted\n"

    def stop(self) -> None:
        """Take it away; nothing may be mounted from it."""
        assert self._process
        _unmount(self._point)
        self._process.wait(60)
        self._backing.unlink()


def _write_until_full(descriptor: int, data: bytes) -> None:
    try:
        while True:
            os.write(descriptor, data)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def _first_line(output: IO[str] | None) -> str:
    assert output
    return output.readline()
