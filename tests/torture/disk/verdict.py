"""Whether a server that was started on what a power cut left keeps its word. Seen from outside: by its clients, and in its files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from besedka.wire.log_line import read_line, tombstone, written_bytes
from tests.talking import WireClient
from tests.torture.disk.crowd import read_room
from tests.torture.disk.ledger import Ledger, Time
from tests.torture.disk.server import Server

UNIQUE: Final = re.compile(r"(?P<sender>\S+) #(?P<number>\d+)\.")
PEOPLE_ASKED: Final = 3
"""So many names of each sort are tried, the latest ones."""


def examine_logs(server: Server, ledger: Ledger, now: Time) -> list[str]:
    """The faults of the rooms, in sentences; empty if everything acknowledged up to this moment is there."""
    rooms = (_Room(server, ledger, room, now).problems() for room in sorted(ledger.attempted))
    return [problem for found in (*rooms, _kept(server, ledger, now)) for problem in found]


def examine_people(server: Server, ledger: Ledger, now: Time) -> list[str]:
    """The same of claims and sanctions. Tries to do what they forbid: to be asked of a server that nobody uses afterwards."""
    return [*_claims(server, ledger, now), *_sanctions(server, ledger, now)]


class _Room:
    """One room's log, as a reader from the beginning is told it."""

    def __init__(self, server: Server, ledger: Ledger, room: str, now: Time) -> None:
        self._ledger = ledger
        self._room = room
        self._now = now
        self._file = server.directory / ("chat_history.txt" if room == "main" else f"chat_history.{room}.txt")
        self._epoch, self._lines = read_room(server, room)
        self._texts = [read_line(line).text for line in self._lines]

    def problems(self) -> Iterator[str]:
        for problem in (
            *self._differences(),
            *self._lost(),
            *self._too_much(),
            *self._misordered(),
            *self._unredacted(),
        ):
            yield f"{self._room}: {problem}"

    def _differences(self) -> Iterator[str]:
        shown = "".join(f"{line}\n" for line in self._lines).encode()
        raw = self._raw()
        # A hole that a disk has left in a batch of which nobody was told is never cut out: it stays, and is no message.
        if shown != raw and b"\0" not in raw:
            least = min(len(shown), len(raw))
            same = next((at for at in range(least) if shown[at] != raw[at]), least)
            yield (
                f"the file holds other bytes than its {len(self._lines)} messages, from byte {same} on: "
                f"{raw[max(0, same - 80) : same + 40]!r}, {len(raw)} in all, "
                f"instead of {shown[max(0, same - 80) : same + 40]!r}, {len(shown)} in all"
            )
        since, epoch = self._ledger.epochs.get(self._room, (self._now, ""))
        is_used = any(
            message.room == self._room and message.at <= self._now for message in self._ledger.stored
        )
        if epoch and is_used and since <= self._now and self._epoch != epoch:
            yield f"the epoch is {self._epoch} and was {epoch}"

    def _raw(self) -> bytes:
        return self._file.read_bytes() if self._file.exists() else b""

    def _lost(self) -> Iterator[str]:
        for message in self._ledger.stored:
            if message.room != self._room or message.at > self._now:
                continue
            if message.id > len(self._texts):
                yield f"lost: {_short(message.text)} ({message.id}), of {len(self._texts)} left"
            elif self._texts[message.id - 1] not in self._allowed(message.id, message.text):
                yield f"lost: {_short(message.text)} ({message.id}): {_short(self._texts[message.id - 1])}"

    def _allowed(self, number: int, text: str) -> set[str]:
        """The lines that may be in the place of a message."""
        if (self._room, number) not in self._ledger.redacted:
            return {text}
        done, _ = self._ledger.redacted[self._room, number]
        covered = tombstone(written_bytes(text))
        return {covered} if done and done <= self._now else {text, covered}

    def _too_much(self) -> Iterator[str]:
        texts = [
            text
            for number, text in enumerate(self._texts, 1)
            if (self._room, number) not in self._ledger.redacted
        ]
        for text in set(texts) - (self._ledger.attempted[self._room] - self._ledger.refused):
            if "\0" not in text:  # what is left of a message with a hole
                yield f"unexpected: {_short(text)}"
        for text, times in Counter(texts).items():
            if times > 1:
                yield f"doubled: {_short(text)}"

    def _misordered(self) -> Iterator[str]:
        last: dict[str, int] = {}
        for text in self._texts:
            if found := UNIQUE.match(text):
                sender, number = found["sender"], int(found["number"])
                if last.get(sender, 0) >= number:
                    yield f"misordered: {_short(text)} behind {last[sender]}"
                last[sender] = number

    def _unredacted(self) -> Iterator[str]:
        raw = self._raw()
        for (room, number), (done, text) in self._ledger.redacted.items():
            if (
                room == self._room
                and done
                and done <= self._now
                and f": {text.split('.')[0]}.".encode() in raw
            ):
                yield f"redacted, and there again: {_short(text)} ({number})"


def _kept(server: Server, ledger: Ledger, now: Time) -> Iterator[str]:
    for name, (since, data) in ledger.kept.items():
        path = server.directory / name
        if since <= now and (not path.exists() or path.read_bytes() != data):
            yield f"{name} is lost, in which {len(data)} bytes were kept"


def _claims(server: Server, ledger: Ledger, now: Time) -> Iterator[str]:
    for name, _ in [item for item in ledger.claims.items() if item[1][0] <= now][-PEOPLE_ASKED:]:
        if (answer := _answer_to_join(server, name, "the secret of another")) != "name_claimed":
            yield f"the claim of {name} is lost: {answer}"


def _sanctions(server: Server, ledger: Ledger, now: Time) -> Iterator[str]:
    for name, (since, refusal) in list(ledger.sanctions.items())[-PEOPLE_ASKED:]:
        if since <= now and (answer := answer_to_chat(server, name)) != refusal:
            yield f"{name} is no longer {refusal}: {answer}"


def _answer_to_join(server: Server, name: str, secret: str) -> str:
    with WireClient(server) as client:
        client.send_frame("join", room="lobby", user=name, secret=secret)
        frame = client.receive()
        return str(frame.get("code", frame["type"]))


def answer_to_chat(server: Server, name: str) -> str:
    """The answer to a person who joins under this name and posts: a refusal, or ``stored``."""
    with WireClient(server) as client:
        client.send_frame("join", room="lobby", user=name)
        frame = client.receive()
        if frame["type"] == "error":
            return str(frame["code"])
        client.send_frame("chat", room="lobby", text="may I?", key="may-i")
        return str(client.receive_until(lambda heard: heard.get("key") == "may-i")[-1].get("code", "stored"))


def _short(text: str) -> str:
    return repr(text if len(text) < 40 else f"{text[:40]}…")
