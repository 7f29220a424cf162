"""The ledger of attempts and acknowledgements, by the disk's clock: an image of any moment must hold what was acknowledged by then."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

TIMEOUT_SECONDS: Final = 60


class Time(NamedTuple):
    """A moment: the number of the disk's life, and the size of its journal then."""

    life: int
    moment: int


class Stored(NamedTuple):
    """A message whose sender was told that it is stored."""

    at: Time
    room: str
    id: int
    text: str


@dataclass(slots=True)
class Ledger:
    """The clients' attempts and acknowledgements. Several threads write it.

    Attributes:
        attempted: by room, all texts that were ever said.
        refused: texts of which the server said that they are not stored.
        stored: what was acknowledged.
        epochs: by room, since when it is known.
        claims: by name, the secret, and since when it is known to be theirs.
        sanctions: by name, the refusal that it gets (``banned``, ``muted``), and since when.
        kept: by name, files with what was cut off torn logs, and since when.
        redacted: by room and id, the text that must be gone, and since when; no time as long as it was only asked for.
    """

    attempted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    refused: set[str] = field(default_factory=set)
    stored: list[Stored] = field(default_factory=list)
    epochs: dict[str, tuple[Time, str]] = field(default_factory=dict)
    claims: dict[str, tuple[Time, str]] = field(default_factory=dict)
    sanctions: dict[str, tuple[Time, str]] = field(default_factory=dict)
    kept: dict[str, tuple[Time, bytes]] = field(default_factory=dict)
    redacted: dict[tuple[str, int], tuple[Time | None, str]] = field(default_factory=dict)
    lock: threading.Condition = field(default_factory=threading.Condition)

    def store(self, message: Stored) -> None:
        """Note that a message was acknowledged."""
        with self.lock:
            self.stored.append(message)
            self.lock.notify_all()

    def note_epoch(self, room: str, at: Time, epoch: str) -> None:
        """Note a log's name. The log of a room in which nothing was stored may be another one after a restart."""
        with self.lock:
            if all(message.room != room for message in self.stored):
                self.epochs[room] = (at, epoch)

    def wait_for(self, count: int) -> None:
        """Wait until so many more messages have been acknowledged."""
        with self.lock:
            count += len(self.stored)
            assert self.lock.wait_for(lambda: len(self.stored) >= count, TIMEOUT_SECONDS)
