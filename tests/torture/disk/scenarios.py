"""What happens to a server before its power goes."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.torture.disk.crowd import Crowd, Person
from tests.torture.disk.ledger import Ledger, Time
from tests.torture.disk.server import Server
from tests.torture.disk.volumes import Disk

ROOMS: Final = ("main", "dev", "school")
KILLS: Final = 6
"""How often a server is killed in one life of a disk."""

BALLAST: Final = "ballast"
"""The file that fills a file system."""

LONG_ONES: Final = 20
"""So many long messages are said at most until two were refused: a file may have blocks in reserve."""


@dataclass(slots=True)
class Life:
    """A disk from one power cut to the next, with a server on it.

    Attributes:
        number: which one it is.
        disk: the disk.
        folder: where it is mounted.
        errors: where the server's complaints go.
        chance: decides where chance decides.
        ledger: what people were told.
        crowd: those who talk at once.
        short: one who says one line at a time.
        long: one who says many lines at a time.
        server: that runs now.
        moments: when it would be worst if the power went.
    """

    number: int
    disk: Disk
    folder: Path
    errors: Path
    chance: random.Random
    ledger: Ledger
    crowd: Crowd
    short: Person
    long: Person
    server: Server
    moments: list[int] = field(default_factory=list)

    def now(self) -> Time:
        return Time(self.number, self.disk.moment)

    def restart(self) -> None:
        self.server = Server(self.folder, self.errors)

    def talk(self, least: int, most: int) -> None:
        """Have all talk, and be in the midst of it after about so many messages."""
        self.crowd.begin(self.server, self.now)
        self.ledger.wait_for(self.chance.randint(least, most))

    def note(self) -> None:
        self.moments.append(self.disk.moment)


def cut_alone(life: Life) -> None:
    """All talk, something is moderated, and the power goes."""
    if life.chance.random() < 0.3:
        life.disk.set_faults(delay=0.01)
    life.talk(20, 100)
    moderate(life)
    life.disk.set_faults()


def kill_first(life: Life) -> None:
    """The server is killed while all talk, and started again; one says something short, and the power goes."""
    for _ in range(KILLS):
        life.talk(6, 40)
        life.server.kill()
        life.crowd.end()
        life.restart()
        for _ in range(life.chance.randint(1, 3)):
            life.short.say(life.server, life.now)
            life.note()


def fill_first(life: Life) -> None:
    """The file system is full: a long message is refused, a short one finds room, and the power goes."""
    life.talk(10, 20)
    life.crowd.end()
    ballast = life.folder / BALLAST
    with ballast.open("wb") as file:
        _take_all_room(file.fileno())
    refused = len(life.ledger.refused)
    for _ in range(LONG_ONES):
        life.long.say(life.server, life.now)
        life.note()
        life.short.say(life.server, life.now)
        life.note()
        if len(life.ledger.refused) > refused + 1:
            break
    ballast.unlink()


def fail_first(life: Life) -> None:
    """The disk fails, in a write or a flush; the server ends; and the power goes."""
    life.talk(10, 50)
    life.disk.set_faults(**{life.chance.choice(("write", "flush")): "EIO"})
    life.note()
    assert life.server.wait() == 1, "a server goes on with a disk that has failed"
    life.crowd.end()
    life.disk.set_faults()


def moderate(life: Life) -> None:
    """Somebody is banned, somebody muted, and a text is redacted, as the operator does it."""
    for command, refusal in (("ban", "banned"), ("mute", "muted")):
        name = f"{refusal}-{life.number}-{life.chance.randrange(1000)}"
        if life.server.admin(life.errors, command, name) == 0:
            life.ledger.sanctions[name] = (life.now(), refusal)
            life.note()
    _redact(life)


def _redact(life: Life) -> None:
    message = life.chance.choice(life.ledger.stored)
    target = message.room, message.id
    if target in life.ledger.redacted:
        return
    life.ledger.redacted[target] = (None, message.text)
    if life.server.admin(life.errors, "redact", "--room", message.room, str(message.id)) == 0:
        life.ledger.redacted[target] = (life.now(), message.text)
        life.note()


def _take_all_room(descriptor: int) -> None:
    for size in (1 << 20, 1 << 12):
        try:
            while True:
                os.write(descriptor, bytes(size))
        except OSError:
            continue


SCENARIOS: Final[dict[str, Callable[[Life], None]]] = {
    "cut": cut_alone,
    "kill": kill_first,
    "full": fill_first,
    "eio": fail_first,
}
