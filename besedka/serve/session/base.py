"""The base of sessions that subscribe to rooms and receive frames."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room, Subscriber
from besedka.serve.session.services import Services
from besedka.wire.errors import Refused
from besedka.wire.frames import ServerFrame


class SessionBase(LiveSession):
    """A session with subscriptions to rooms. It registers itself when it is made: its people must be known by then.

    Args:
        services: the services that sessions share.
        limiter: the connection's rate limits.
    """

    __slots__ = ("limiter", "services")

    def __init__(self, services: Services, limiter: RateLimiter) -> None:
        self.services = services
        self.limiter = limiter
        services.directory.sessions.add(self)

    @abstractmethod
    def send(self, frame: ServerFrame) -> None:
        """Send a frame to this session alone."""

    @abstractmethod
    def subscriptions(self) -> Iterable[tuple[Room, Subscriber]]:
        """The subscriptions, each with its room."""

    def memberships(self) -> Iterable[tuple[str, str]]:
        return [(room.name, subscriber.person.claim) for room, subscriber in self.subscriptions()]

    @property
    def client(self) -> str:
        return self.limiter.client

    @property
    def behind(self) -> int:
        late = [
            (room, subscriber) for room, subscriber in self.subscriptions() if not room.is_live(subscriber)
        ]
        return sum(max(0, room.head + 1 - subscriber.cursor) for room, subscriber in late)

    def people_in_rooms(self) -> Iterable[tuple[str, Person]]:
        return [(room.name, subscriber.person) for room, subscriber in self.subscriptions()]

    @property
    def network(self) -> Network | None:
        """The client's network."""
        return self.limiter.source.network

    @property
    def connection(self) -> int:
        """The number of its connection."""
        return self.limiter.connection

    def end(self) -> None:
        """Remove a session whose connection has ended."""
        self.services.directory.sessions.discard(self)

    def refuse(self, refusal: Refused) -> None:
        """Send an error frame, and charge the refusal to the rate limits."""
        self.limiter.charge_refusal(self.services.clock.now())
        self.send(self.services.refusals.frame(refusal, self.network))

    def refuse_message(self, refusal: Refused) -> None:
        """Send an error frame for a message that was accepted, and could not be stored."""
        self.refuse(refusal)

    def fall_behind(self) -> None:
        """Make all subscribers read the log from here on, because the socket is full."""
        for room, subscriber in self.subscriptions():
            room.fall_behind(subscriber)

    def resume(self) -> None:
        """Serve all subscribers from the log, because the socket has drained."""
        for room, subscriber in tuple(self.subscriptions()):
            self.services.subscriptions.follow(room, subscriber)
