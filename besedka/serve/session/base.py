"""Somebody at a door, as whom it is seen and told things, whatever he may do there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from besedka.serve.chat import Chat
from besedka.serve.people.moderation import Network
from besedka.serve.people.sessions import LiveSession
from besedka.serve.rate_limits import RateLimiter
from besedka.serve.room import Room, Subscriber
from besedka.wire.errors import Language, Refused
from besedka.wire.frames import Error, ServerFrame
from besedka.wire.log_line import clock_time


class SessionBase(LiveSession):
    """Somebody at a door, with places in rooms.

    Args:
        chat: whom to talk with.
        limiter: how much he may say.
        language: of the sentences in refusals.
    """

    __slots__ = ("chat", "language", "limiter")

    def __init__(self, chat: Chat, limiter: RateLimiter, language: Language) -> None:
        self.chat = chat
        self.limiter = limiter
        self.language = language
        chat.directory.sessions.add(self)

    @abstractmethod
    def send(self, frame: ServerFrame) -> None:
        """Tell something to him only."""

    @abstractmethod
    def members(self) -> Iterable[tuple[Room, Subscriber]]:
        """His places in rooms."""

    def places(self) -> Iterable[tuple[str, str]]:
        return [(room.name, member.person.claim) for room, member in self.members()]

    @property
    def network(self) -> Network | None:
        """From where he comes."""
        return self.limiter.source.network

    def end(self) -> None:
        """He is gone."""
        self.chat.directory.sessions.discard(self)

    def refuse(self, refusal: Refused) -> None:
        """Tell that something was refused, and why."""
        self.chat.metrics.refused(refusal.code)
        self.limiter.charge_refusal(self.chat.now())
        error = Error(
            code=refusal.code,
            text=refusal.sentence(self.language),
            timestamp=clock_time(self.chat.stamp()),
            key=refusal.key,
            room=refusal.room,
            retry_after=refusal.wait,
        )
        self.send(error)

    def fall_behind(self) -> None:
        """Nothing more should be written: from here on the log is read."""
        for room, member in self.members():
            room.fall_behind(member)

    def resume(self) -> None:
        """There is room again."""
        for room, member in tuple(self.members()):
            self.chat.followers.follow(room, member)
