"""Transports without a network: one that a test scripts, and one to a server of a page that keeps rooms in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from besedka.remote.errors import TransportClosed
from besedka.wire.frames import (
    Chat,
    ClientFrame,
    Error,
    History,
    Join,
    Leave,
    Limits,
    Say,
    ServerFrame,
    Welcome,
)
from besedka.wire.log_line import write_line
from besedka.wire.message import Message

FRAMES_AT_MOST = 2_000
"""No client has reason to send so many frames in a test whose server answers by itself."""

LIMITS = Limits(32, 32, 5000, 65536)


def welcome(head: int = 0, room: str = "main", user: str = "Anna", epoch: str = "epoch") -> Welcome:
    """The response of a server to a join."""
    return Welcome(room, user, head, epoch, 1, [user], LIMITS, 0)


def lost() -> TransportClosed:
    """The error of a connection whose cable is pulled."""
    return TransportClosed("the connection was lost", reconnect=True)


class FakeTransport:
    """Notes what is sent; delivers what a test puts in.

    Attributes:
        sent: all frames that were sent.
    """

    def __init__(self) -> None:
        self.sent: list[ClientFrame] = []
        self._incoming: asyncio.Queue[ServerFrame | TransportClosed] = asyncio.Queue()

    async def send(self, frame: ClientFrame) -> None:
        self.sent.append(frame)

    async def frames(self) -> AsyncIterator[ServerFrame]:
        while not isinstance(frame := await self._incoming.get(), TransportClosed):
            yield frame
        raise frame

    def deliver(self, *frames: ServerFrame) -> None:
        """Have the server send frames."""
        for frame in frames:
            self._incoming.put_nowait(frame)

    def close(self, why: TransportClosed | None = None) -> None:
        """End the connection."""
        self._incoming.put_nowait(why or lost())


class AnsweringTransport(FakeTransport):
    """Answers each frame at once.

    Args:
        answer: the frames that answer one.
    """

    def __init__(self, answer: Callable[[ClientFrame], Iterable[ServerFrame]]) -> None:
        super().__init__()
        self._answer = answer

    async def send(self, frame: ClientFrame) -> None:
        await super().send(frame)
        assert len(self.sent) < FRAMES_AT_MOST, "the client sends without end"
        self.deliver(*self._answer(frame))


class FakeNetwork:
    """Opens a transport for each visit; as many as a client asks for.

    Attributes:
        visits: all that were opened.
        answer: answers each frame of a client, if a test says so.
    """

    def __init__(self) -> None:
        self.visits: list[FakeTransport] = []
        self.answer: Callable[[ClientFrame], Iterable[ServerFrame]] | None = None

    @asynccontextmanager
    async def open(self, *_: str) -> AsyncIterator[FakeTransport]:
        self.visits.append(AnsweringTransport(self.answer) if self.answer else FakeTransport())
        yield self.visits[-1]


@dataclass
class _Room:
    log: list[tuple[str, str]] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)


class ModelServer:
    """A server of the fewest rules: it stores before it tells, knows keys until it restarts, and then looks in the log.

    Attributes:
        rooms: their logs; a message is a name and a text.
        closed: rooms that nobody may join.
    """

    def __init__(self) -> None:
        self.rooms: dict[str, _Room] = {}
        self.closed: set[str] = set()
        self._transport: FakeTransport | None = None
        self._read = 0
        self._joined: dict[str, str] = {}
        self._undelivered: list[ServerFrame] = []

    @asynccontextmanager
    async def open(self, *_: str) -> AsyncIterator[FakeTransport]:
        self._transport = FakeTransport()
        self._read = 0
        self._joined.clear()
        self._undelivered.clear()
        try:
            yield self._transport
        finally:
            self._transport = None

    def log(self, room: str) -> list[str]:
        """The texts of a room."""
        return [text for _, text in self.rooms[room].log] if room in self.rooms else []

    def work(self, frames: int) -> None:
        """Read so many frames, and store their messages; nothing is delivered yet."""
        if self._transport:
            for frame in self._transport.sent[self._read :][:frames]:
                self._read += 1
                self._act(frame)

    def deliver(self, frames: int) -> None:
        """Deliver so many of the frames that wait."""
        if self._transport:
            self._transport.deliver(*self._undelivered[:frames])
            del self._undelivered[:frames]

    def cut(self) -> None:
        """Lose the connection, and with it everything in flight."""
        if self._transport:
            self._transport.close()
            self._transport = None

    def restart(self) -> None:
        """Lose the connection, and forget all but the logs."""
        self.cut()
        for room in self.rooms.values():
            room.keys.clear()

    def post(self, room: str, user: str, text: str) -> None:
        """Somebody else says something."""
        self._store(room, user, text, "")

    def _act(self, frame: ClientFrame) -> None:
        match frame:
            case Join(room=room) if room in self.closed:
                self._undelivered.append(Error("not_invited", "not invited", "", room=room))
            case Join(user=user, room=room, since=since):
                log = self.rooms.setdefault(room, _Room()).log
                self._joined[room] = user or ""
                self._undelivered.append(welcome(len(log), room, user or ""))
                first = max(0, len(log) - 10) if since is None else since
                lines = [write_line(Message("2026-01-01 12:00:00", *message)) for message in log[first:]]
                keys = {number: key for key, number in self.rooms[room].keys.items() if number > first}
                if lines:
                    self._undelivered.append(History(room, first + 1, lines, keys=keys))
            case Leave(room=room):
                self._joined.pop(room, None)
            case Say(room=room):
                self._say(frame, self._joined[room])
            case _:
                raise AssertionError(frame)

    def _say(self, frame: Say, user: str) -> None:
        room = self.rooms[frame.room]
        number = room.keys.get(frame.key) or self._recognise(frame, user)
        if number:
            room.keys[frame.key] = number
            self._undelivered.append(Chat(frame.room, number, user, frame.text, "12:00:00", 0, frame.key))
        else:
            self._store(frame.room, user, frame.text, frame.key)

    def _recognise(self, frame: Say, user: str) -> int:
        if frame.after is None:
            return 0
        log = self.rooms[frame.room]
        same = (
            number
            for number, message in enumerate(log.log, 1)
            if message == (user, frame.text) and number > frame.after and number not in log.keys.values()
        )
        return next(same, 0)

    def _store(self, room: str, user: str, text: str, key: str) -> None:
        kept = self.rooms.setdefault(room, _Room())
        kept.log.append((user, text))
        number = len(kept.log)
        if key:
            kept.keys[key] = number
        if room in self._joined:
            self._undelivered.append(Chat(room, number, user, text, "12:00:00", 0, key))
