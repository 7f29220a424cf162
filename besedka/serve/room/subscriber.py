"""Posters and subscribers: a room's view of connections. Each door has its own kinds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.people.person import Person
from besedka.serve.room.broadcast import Broadcast
from besedka.wire.errors import Language, Refused
from besedka.wire.frames import ServerFrame
from besedka.wire.message import Message


class Poster:
    """Posts messages, and is notified of their outcome.

    Attributes:
        is_gone: it needs no more notifications.
    """

    __slots__ = ()

    keeps_order: ClassVar[bool] = False
    """Whether the failure of a message also fails this poster's later messages that are not stored yet."""

    is_gone: bool = False

    def stored(self, message: Message) -> None:
        """A message is on disk: for posters to whom nothing is delivered; the others receive it."""

    def refused(self, refusal: Refused) -> None:
        """A message was refused after all."""
        raise NotImplementedError


class Subscriber(Poster):
    """One connection's subscription to one room. Each door has its own kind.

    Attributes:
        person: the person behind the connection.
        is_seen: whether it is counted, announced and listed.
        cursor: the id of the next message that it needs; meaningless while it is live.
        write: accepts bytes without waiting, while it is live; when the socket is full, the door calls `Room.fall_behind`.
        notices: the room's number of notices when it was live last.
        redactions: the room's number of redactions at that time.
        tenant: the source that holds the room by this subscription, and by which it takes turns; None if it counts for nobody.
        limiter: the limits of its connection; None if reading the log costs it nothing.
        charged_to: the last id that was in the log when it entered: it is charged for pages up to there.
    """

    __slots__ = (
        "charged_to",
        "cursor",
        "is_gone",
        "is_seen",
        "limiter",
        "notices",
        "person",
        "redactions",
        "tenant",
        "write",
    )

    ignores: ClassVar[frozenset[type[ServerFrame]]] = frozenset()
    """Frames that this kind does not receive: `Typing` and `Redacted` are for some kinds only."""

    notice_writes: ClassVar[int] = 1
    """The price of a notice to one of this kind, in writes to a socket. (A response of gRPC takes as long as nine: 54 microseconds.)"""

    pulls: ClassVar[bool] = False
    """Whether it reads on by itself (`Room.recall`), without `CatchUp`."""

    page_cost: ClassVar[int] = 1
    """Cost of a page to its address, in pages of the cheapest kind."""

    def __init__(self, person: Person, write: Callable[[bytes], None], *, is_seen: bool = True) -> None:
        self.person = person
        self.write = write
        self.is_seen = is_seen
        self.is_gone = False
        self.cursor = 1
        self.notices = 0
        self.redactions = 0
        self.tenant: Tenant | None = None
        self.limiter: RateLimiter | None = None
        self.charged_to = 0

    @staticmethod
    def encode(frames: Sequence[ServerFrame]) -> bytes:
        """Encode frames for this kind of door, once for all subscribers of the kind."""
        raise NotImplementedError

    @property
    def language(self) -> Language:
        """The language of sentences for this subscriber."""
        raise NotImplementedError

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be written for now."""
        raise NotImplementedError

    def send(self, frame: ServerFrame) -> None:
        """Receive a frame for this subscriber alone."""
        raise NotImplementedError

    def send_page(self, page: Broadcast) -> None:
        """Receive a page of the log, which others may receive, too."""
        raise NotImplementedError

    def read_on(self) -> None:
        """Notify a pulling subscriber that there is something to read."""

    def remove(self, refusal: Refused) -> None:
        """Remove the subscriber from its room, which is to be closed; the client may return later.

        Args:
            refusal: the reason, with the time to wait.
        """
        raise NotImplementedError

    def break_off(self) -> None:
        """End the session after an error of the server, so that the client reconnects and reads on from its cursor."""
        raise NotImplementedError

    def start_again(self) -> None:
        """Notify the subscriber that the log has been replaced; everything received belongs to the old one. It is behind now."""
        raise NotImplementedError
