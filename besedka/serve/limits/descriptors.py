"""File descriptors: how many of them connections may use, and a few spare ones for what must not fail when all are in use."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Final, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

OWN: Final = 96
"""Descriptors for the server itself: its loop, gRPC, listeners, the files about people, reads in progress, operators, the spare ones."""

ROOMS: Final = 2_000
"""Descriptors for rooms: two for each that may be open."""

ROOMS_SHARE: Final = 4
"""Rooms get at most one of so many descriptors, where the limit is low."""

SPARE: Final = 16
"""Spare descriptors: enough to rewrite a file about people, and to accept an operator, in several threads at once."""

NONE_LEFT: Final = frozenset({errno.EMFILE, errno.ENFILE})
"""The errors of a process, and of a system, whose descriptors are all in use."""


def for_connections(limit: int) -> int:
    """Descriptors that connections may use, of all that a process may have."""
    return max(0, limit - OWN - min(ROOMS, limit // ROOMS_SHARE))


def raise_limit() -> int:
    """Raise the limit of descriptors as far as the system allows it, and return it."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource  # noqa: PLC0415 - does not exist on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


class Capacity:
    """The descriptors that connections may use, at all doors together.

    Args:
        total: their number.
    """

    def __init__(self, total: int = sys.maxsize) -> None:
        self.total = total
        self._doors: list[Callable[[], int]] = []

    def add(self, door: Callable[[], int]) -> None:
        """Count the descriptors that a door uses."""
        self._doors.append(door)

    @property
    def used(self) -> int:
        """How many they use."""
        return sum(door() for door in self._doors)

    def has_room(self, descriptors: int = 1) -> bool:
        """Whether a connection may use so many more."""
        return self.used + descriptors <= self.total


class SpareDescriptors:
    """Descriptors that are held open, and given up for a moment when something important finds none left. Any thread may use them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: list[int] = []

    def hold(self) -> None:
        """Take as many as are missing, and can be had."""
        with self._lock:
            self._take()

    def close(self) -> None:
        """Give them up."""
        with self._lock:
            self._give_up()

    def use(self, act: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Call a function that opens something; if no descriptor is left, once more with the spare ones given up.

        Args:
            act: changes nothing if it finds no descriptor, however far it has come.
            arguments: its arguments.
        """
        try:
            return act(*arguments)
        except Exception as error:
            if not is_none_left(error):
                raise
        with self._lock:
            self._give_up()
            try:
                return act(*arguments)
            finally:
                self._take()

    def _take(self) -> None:
        # If there are none, they are taken after the next use, or by the next sweep.
        with suppress(OSError):
            while len(self._held) < SPARE:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    def _give_up(self) -> None:
        while self._held:
            os.close(self._held.pop())


def is_none_left(error: BaseException | None) -> bool:
    """Whether an error was caused by a lack of descriptors."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NONE_LEFT:
            return True
        error = error.__cause__ or error.__context__
    return False


SPARE_DESCRIPTORS: Final = SpareDescriptors()
"""Those of this process."""
