"""Posters and subscribers: what a room knows of a connection. The doors make their own kinds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from besedka.serve.people.person import Person
from besedka.wire.errors import Refused
from besedka.wire.frames import ServerFrame
from besedka.wire.message import Message


class Poster:
    """Posts messages, and may want to know what becomes of them.

    Attributes:
        is_gone: it wants to know nothing more.
    """

    __slots__ = ()

    keeps_order: ClassVar[bool] = False
    """Whether a message that is not stored takes along those that were posted behind it and are not stored yet."""

    is_gone: bool = False

    def stored(self, message: Message) -> None:
        """A message is on disk."""

    def refused(self, refusal: Refused) -> None:
        """A message was refused after all."""
        raise NotImplementedError


class Subscriber(Poster):
    """One connection's place in one room. A door makes its own kind.

    Attributes:
        person: who it is.
        is_seen: whether it is counted, announced and listed.
        cursor: the id of the next message that it wants; of no meaning while it is live.
        write: takes bytes at once, while it is live; where they are too many, the door calls `Room.fall_behind`.
        notices: how many notices of the room there had been when it was live last.
        revisions: how many messages had been redacted then.
    """

    __slots__ = ("cursor", "is_gone", "is_seen", "notices", "person", "revisions", "typed_at", "write")

    ignores: ClassVar[frozenset[type[ServerFrame]]] = frozenset()
    """Words of which only some kinds of members hear, `Typing` and `Redacted`, and that this kind does not."""

    pulls: ClassVar[bool] = False
    """Whether it reads on by itself (`Room.recall`), rather than being helped."""

    def __init__(self, person: Person, write: Callable[[bytes], None], *, is_seen: bool = True) -> None:
        self.person = person
        self.write = write
        self.is_seen = is_seen
        self.is_gone = False
        self.cursor = 1
        self.notices = 0
        self.revisions = 0
        self.typed_at = float("-inf")

    @staticmethod
    def encode(frames: Sequence[ServerFrame]) -> bytes:
        """Words as this kind of door writes them; done once for all members who share it."""
        raise NotImplementedError

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be written for now."""
        raise NotImplementedError

    def send(self, frame: ServerFrame) -> None:
        """Hear something that only this member is told, such as a page of the log."""
        raise NotImplementedError

    def read_on(self) -> None:
        """Learn that there is something to read, if it pulls."""

    def start_again(self) -> None:
        """Learn that the log is another one, and what was heard does not belong to it. It is behind now."""
        raise NotImplementedError
