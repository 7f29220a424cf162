"""The base of sessions that subscribe to rooms and receive frames."""

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
    """A session with subscriptions to rooms.

    Args:
        chat: the chat.
        limiter: the connection's rate limits.
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
        """Send a frame to this session alone."""

    @abstractmethod
    def subscriptions(self) -> Iterable[tuple[Room, Subscriber]]:
        """The subscriptions, each with its room."""

    def memberships(self) -> Iterable[tuple[str, str]]:
        return [(room.name, subscriber.person.claim) for room, subscriber in self.subscriptions()]

    @property
    def network(self) -> Network | None:
        """The client's network."""
        return self.limiter.source.network

    def end(self) -> None:
        """Remove a session whose connection has ended."""
        self.chat.directory.sessions.discard(self)

    def refuse(self, refusal: Refused) -> None:
        """Send an error frame, and charge the refusal to the rate limits."""
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
        """Make all subscribers read the log from here on, because the socket is full."""
        for room, subscriber in self.subscriptions():
            room.fall_behind(subscriber)

    def resume(self) -> None:
        """Serve all subscribers from the log, because the socket has drained."""
        for room, subscriber in tuple(self.subscriptions()):
            self.chat.followers.follow(room, subscriber)
