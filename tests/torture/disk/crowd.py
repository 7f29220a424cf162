"""People who talk in rooms of a server that loses its power, and note what they were told, and when."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidMessage

from besedka.wire.log_line import read_line
from tests.talking import Frame, WireClient
from tests.torture.disk.ledger import Ledger, Stored, Time
from tests.torture.disk.server import Server

Clock = Callable[[], Time]
ENDED: Final = (ConnectionClosed, InvalidMessage, OSError)
"""The errors of a client whose server is gone."""

ONE_LINE: Final = (0,)
SOME_LINES: Final = (0, 0, 1, 1, 5, 40)
MANY_LINES: Final = (300,)
"""More than any block that a file has in reserve."""

PEOPLE: Final = 9
"""In some rooms two talk, so that batches have several messages; and in so many rooms that batches share a sync."""


class RoomRefusedError(Exception):
    """A server said this, and let nobody read a room."""


class Person:
    """Somebody who says one message after the other, each when the one before was answered.

    What was not answered when the server went is said again, with its key and the last id that was seen, before anything else.

    Args:
        lines: how many more lines a message may have.
    """

    def __init__(self, name: str, room: str, ledger: Ledger, lines: Sequence[int] = SOME_LINES) -> None:
        self.name = name
        self._room = room
        self._ledger = ledger
        self._lines = lines
        self._said = 0
        self._seen = 0
        self._unanswered: tuple[str, str] | None = None

    def talk(self, server: Server, clock: Clock, is_enough: Callable[[], bool]) -> None:
        """Talk until that is enough, or the server is gone."""
        try:
            with WireClient(server) as client:
                self._join(client, clock)
                while not is_enough():
                    self._say(client, clock)
        except ENDED:
            return

    def say(self, server: Server, clock: Clock, times: int = 1) -> None:
        """Say so many messages."""
        left = iter(range(times))
        self.talk(server, clock, lambda: next(left, None) is None)

    def _join(self, client: WireClient, clock: Clock) -> None:
        secret = f"the secret of {self.name}"
        client.send_frame("join", room=self._room, user=self.name, secret=secret, since=self._seen)
        while (welcome := client.receive())["type"] not in {"welcome", "error"}:
            pass
        if welcome["type"] == "error":
            raise ConnectionResetError(welcome["code"])
        with self._ledger.lock:
            self._ledger.claims.setdefault(self.name, (clock(), secret))
        if epoch := welcome["epoch"]:
            self._ledger.note_epoch(self._room, clock(), epoch)

    def _say(self, client: WireClient, clock: Clock) -> None:
        if self._unanswered is None:
            text = self._new_text()
            with self._ledger.lock:
                self._ledger.attempted[self._room].add(text)
            self._unanswered = text, f"{self.name}-{self._said}"
            client.send_frame("chat", room=self._room, text=text, key=self._unanswered[1])
        else:
            text, key = self._unanswered
            client.send_frame("chat", room=self._room, text=text, key=key, after=self._seen)
        answer = self._answer(client, self._unanswered[1])
        self._note(answer, text, clock())
        self._unanswered = None

    def _new_text(self) -> str:
        self._said += 1
        more = "".join(f"\nline {line} of {self._said}" for line in range(random.choice(self._lines)))
        return f"{self.name} #{self._said}.{more}"

    def _answer(self, client: WireClient, key: str) -> Frame:
        while True:
            frame = client.receive()
            if frame.get("key") == key and frame["type"] in {"chat", "error"}:
                return frame
            # Where another program has added lines, everybody reads on by pages.
            for number, known in frame.get("keys", {}).items():
                if known == key:
                    return {"type": "chat", "id": int(number)}

    def _note(self, answer: Frame, text: str, now: Time) -> None:
        if answer["type"] == "chat":
            self._seen = answer["id"]
            self._ledger.store(Stored(now, self._room, answer["id"], text))
        elif answer["code"] == "storage_full":
            self._ledger.refused.add(text)
        else:
            raise ConnectionResetError(answer["code"])


class Cast:
    """Everybody in a trial.

    Attributes:
        rooms: where they are.
        short: says one line at a time.
        long: says many lines at a time.
    """

    rooms: Final = ("main", "dev", "school", "lab", "team", "office")

    def __init__(self, ledger: Ledger) -> None:
        self._people = [
            Person(f"p{number}", self.rooms[number % len(self.rooms)], ledger) for number in range(PEOPLE)
        ]
        self.short = Person("short", self.rooms[0], ledger, ONE_LINE)
        self.long = Person("long", self.rooms[0], ledger, MANY_LINES)
        self._is_enough = threading.Event()
        self._threads = ThreadPoolExecutor(PEOPLE)
        self._talks: list[Future[None]] = []

    def begin(self, server: Server, clock: Clock) -> None:
        """Have all but those two talk at once, in threads, until `end` or until the server is gone."""
        self._is_enough.clear()
        self._talks = [
            self._threads.submit(person.talk, server, clock, self._is_enough.is_set)
            for person in self._people
        ]

    def end(self) -> None:
        """Wait until each has had the last answer, or found the server gone."""
        self._is_enough.set()
        for talk in self._talks:
            talk.result(60)


def listen(server: Server, room: str, ledger: Ledger, clock: Clock) -> None:
    """Note what a reader of a room is shown that nobody had been told before."""
    known = {message.id for message in ledger.stored if message.room == room}
    known |= {number for where, number in ledger.redacted if where == room}
    for number, line in enumerate(read_room(server, room)[1], 1):
        if number not in known:
            ledger.store(Stored(clock(), room, number, read_line(line).text))


def read_room(server: Server, room: str) -> tuple[str, list[str]]:
    """A room as read from its beginning: its epoch and its messages, as lines of the log.

    Raises:
        RoomRefusedError: if it cannot be read.
    """
    lines: list[str] = []
    with WireClient(server) as reader:
        reader.send_frame("join", room=room, since=0)
        welcome = reader.receive_until(lambda frame: frame["type"] in {"welcome", "error"})[-1]
        if welcome["type"] == "error":
            raise RoomRefusedError(welcome["text"])
        while len(lines) < welcome["head"]:
            lines += reader.receive("history")["messages"]
    return welcome["epoch"], lines
