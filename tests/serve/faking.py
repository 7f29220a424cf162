"""A subscriber without a connection, for the tests of rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from besedka.serve.chat import Chat
from besedka.serve.limits.descriptors import Capacity
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits, Source
from besedka.serve.limits.sources import Sources
from besedka.serve.people.person import Person
from besedka.serve.room import Broadcast, Draft, Room, Subscriber, Tenant
from besedka.serve.session import Admission, Load, Moderator, Overview, Services
from besedka.serve.settings import Settings
from besedka.wire.errors import Language, Refused
from besedka.wire.frames import Chat as ChatFrame
from besedka.wire.frames import History, ServerFrame, decode_server, encode
from besedka.wire.message import Message

TENANT: Final = Tenant(None)
"""Somebody unverified on this machine."""


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Chat]:
    """A chat with its history in a folder; closed at the end."""
    chat = Chat(Settings(history=folder / "talk.txt"))
    await chat.start()
    yield chat
    await chat.close()


def unlimited() -> RateLimiter:
    """The limits of a program on this machine."""
    return RateLimiter(0.0, Source(None))


def admission(chat: Chat) -> Admission:
    """The admission of a chat."""
    return Admission(chat.directory, chat.rooms, chat.heads, chat.clock)


def moderator(chat: Chat) -> Moderator:
    """A moderator of a chat, with errors in English."""
    return Moderator(
        chat.directory,
        chat.rooms,
        chat.redactor,
        endings=chat.endings,
        admission=admission(chat),
        clock=chat.clock,
        language=Language.EN,
    )


def overview(chat: Chat) -> Overview:
    """The operator's view of a chat without connections."""
    rates = RateLimits()
    return Overview(chat.directory, chat.rooms, Load(rates, Sources(rates), Capacity()))


def services(chat: Chat) -> Services:
    """The services of a chat, in English."""
    return Services.of(chat, Language.EN)


class FakeSubscriber(Subscriber):
    """Records the frames that it receives; can be full, at once or from the next write on.

    Attributes:
        room: the room in which it falls behind when it is full.
        heard: all frames.
        refusals: the refusals of its messages.
        starts: the number of times that it had to start again with another log.
        breaks: how often its session was broken off.
        fills: whether the next write fills it.
    """

    def __init__(self, name: str = "Anna", room: Room | None = None, *, is_seen: bool = True) -> None:
        super().__init__(Person(name, identity=name), self._written, is_seen=is_seen)
        self.room = room
        self.heard: list[ServerFrame] = []
        self.refusals: list[Refused] = []
        self.starts = 0
        self.breaks = 0
        self.fills = False
        self.writes = 0
        self._is_full = False

    @property
    def language(self) -> Language:
        return Language.EN

    @property
    def is_full(self) -> bool:
        return self._is_full

    @property
    def ids(self) -> list[int]:
        """The ids of all messages received, live or in pages."""
        ids: list[int] = []
        for frame in self.heard:
            if isinstance(frame, ChatFrame):
                ids.append(frame.id)
            elif isinstance(frame, History):
                ids += range(frame.first, frame.first + len(frame.messages))
        return ids

    def fill(self) -> None:
        self._is_full = True
        if self.room:
            self.room.fall_behind(self)

    def drain(self) -> None:
        self._is_full = False

    @staticmethod
    def encode(frames: Sequence[ServerFrame]) -> bytes:
        return b"\n".join(map(encode, frames))

    def send(self, frame: ServerFrame) -> None:
        self.heard.append(frame)

    def send_page(self, page: Broadcast) -> None:
        for frame in page.frames:
            self.send(frame)

    def refused(self, refusal: Refused) -> None:
        self.refusals.append(refusal)

    def start_again(self) -> None:
        self.starts += 1

    def break_off(self) -> None:
        self.breaks += 1

    def _written(self, data: bytes) -> None:
        self.writes += 1
        self.heard += map(decode_server, data.split(b"\n"))
        if self.fills:
            self.fills = False
            self.fill()


def draft(user: str, text: str, key: str = "") -> Draft:
    """A message that somebody posts."""
    return Draft(Message("", user, text, key=key))
