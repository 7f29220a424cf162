"""Scenarios: the life of a server before its power goes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.torture.disk.crowd import Cast, listen
from tests.torture.disk.ledger import Ledger, Time
from tests.torture.disk.media import Use
from tests.torture.disk.server import Server
from tests.torture.disk.verdict import answer_to_chat

KILLS: Final = 6
"""How often a server is killed in one life of a disk."""

LONG_ONES: Final = 20
"""So many long messages are said at most until two were refused: a file may have blocks in reserve."""

EDITS: Final = 4
"""How often another program appends a line in one life of a disk."""

SLOW_SECONDS: Final = 0.02
"""How long a sync takes when a server is to be killed in the midst of one."""

GLITCH_SECONDS: Final = (0.001, 0.02)
"""How long a disk fails that is well again then: about as long as a few syncs."""


@dataclass(slots=True)
class Life:
    """A disk from one power cut to the next, with a server on it.

    Attributes:
        number: which one it is.
        disk: the disk.
        errors: where the server's complaints go.
        chance: decides where chance decides.
        ledger: what people were told.
        cast: those who talk.
        server: that runs now.
        moments: when it would be worst if the power went.
    """

    number: int
    disk: Use
    errors: Path
    chance: random.Random
    ledger: Ledger
    cast: Cast
    server: Server
    moments: list[int] = field(default_factory=list)

    def now(self) -> Time:
        return Time(self.number, self.disk.moment)

    def note(self) -> None:
        """It would be bad if the power went now."""
        self.moments.append(self.disk.moment)

    def talk(self, least: int, most: int) -> None:
        """Have all talk, and be in the midst of it after about so many messages."""
        self.cast.begin(self.server, self.now)
        self.ledger.wait_for(self.chance.randint(least, most))

    def kill(self) -> None:
        """End the server at once."""
        self.server.kill()
        self.cast.end()

    def restart(self) -> None:
        """Start another one, and see what it shows."""
        self.server = Server(self.disk.folder, self.errors, self.disk.recorder)
        self.listen()

    def listen(self) -> None:
        """Note all that anybody can see now: whoever has seen it was told it."""
        for room in self.cast.rooms:
            listen(self.server, room, self.ledger, self.now)
        for path in self.disk.folder.glob("*.torn-*"):
            self.ledger.kept.setdefault(path.name, (self.now(), path.read_bytes()))


def cut_alone(life: Life) -> None:
    """All talk, something is moderated, and the power goes."""
    if life.chance.random() < 0.3:
        life.disk.set_faults(delay=SLOW_SECONDS)
    life.talk(20, 100)
    for command, refusal in (("ban", "banned"), ("mute", "muted")):
        name = f"{refusal}-{life.number}"
        assert life.server.admin(life.errors, command, name) == 0
        life.ledger.sanctions[name] = (life.now(), refusal)
        life.note()
    for _ in range(3):
        _redact(life)
        life.note()
    life.disk.set_faults()


def kill_first(life: Life) -> None:
    """The server is killed while all talk, and started again; one says something short, and the power goes."""
    for number in range(KILLS):
        life.talk(6, 30)
        life.disk.set_faults(delay=SLOW_SECONDS)
        name = f"banned-{life.number}-{number}"
        ban = threading.Thread(target=life.server.admin, args=(life.errors, "ban", name))
        ban.start()
        life.ledger.wait_for(life.chance.randint(1, 3))
        life.kill()
        ban.join()
        life.disk.set_faults()
        life.restart()
        if answer_to_chat(life.server, name) == "banned":
            life.ledger.sanctions[name] = (life.now(), "banned")
        life.note()
        for _ in range(life.chance.randint(1, 3)):
            life.cast.short.say(life.server, life.now)
            life.note()


def fill_first(life: Life) -> None:
    """There is no room: a long message is refused, a short one is taken, and the power goes."""
    life.talk(10, 20)
    life.cast.end()
    for person in (life.cast.long, life.cast.short):
        person.say(life.server, life.now)  # their names must be stored before they are welcomed
    life.disk.fill()
    refused = len(life.ledger.refused)
    for _ in range(LONG_ONES):
        life.cast.long.say(life.server, life.now)
        life.note()
        life.cast.short.say(life.server, life.now)
        life.note()
        if len(life.ledger.refused) > refused + 1:
            break
    life.disk.set_faults()


def edit_first(life: Life) -> None:
    """Another program appends lines, they are told, and the power goes."""
    life.talk(10, 20)
    life.cast.end()
    for number in range(EDITS):
        text = f"hand #{life.number * EDITS + number}."
        life.ledger.attempted[life.cast.rooms[0]].add(text)
        life.disk.append(f"[2026-01-01 00:00:00] hand: {text}\n")
        life.cast.short.say(life.server, life.now)
        life.listen()
        life.note()


def fail_first(life: Life) -> None:
    """The disk fails, in a write or a flush; the server ends; and the power goes."""
    life.talk(10, 50)
    life.disk.set_faults(**{life.chance.choice(("write", "flush")): "EIO"})
    life.note()
    assert life.server.wait() == 1, "a server goes on with a disk that has failed"
    life.cast.end()
    life.disk.set_faults()


def fail_briefly(life: Life) -> None:
    """The disk fails for a moment, in writes or flushes, and is well again; the server may have noticed or not; and the power goes."""
    life.talk(10, 50)
    life.disk.set_faults(**{life.chance.choice(("write", "flush")): "EIO"})
    time.sleep(life.chance.uniform(*GLITCH_SECONDS))
    life.disk.set_faults()
    life.cast.end()
    life.note()


def _redact(life: Life) -> None:
    message = life.chance.choice(life.ledger.stored)
    target = message.room, message.id
    if target in life.ledger.redacted:
        return
    life.ledger.redacted[target] = (None, message.text)
    assert life.server.admin(life.errors, "redact", "--room", message.room, str(message.id)) == 0
    life.ledger.redacted[target] = (life.now(), message.text)


SCENARIOS: Final[dict[str, Callable[[Life], None]]] = {
    "cut": cut_alone,
    "kill": kill_first,
    "full": fill_first,
    "edit": edit_first,
    "eio": fail_first,
    "glitch": fail_briefly,
}
