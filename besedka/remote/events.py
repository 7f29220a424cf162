"""What a connection tells: messages, that it is away, and what the server tells as it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from besedka.wire.frames import Error, Redacted, Rights, RoomOpened, System, Typing, Welcome
from besedka.wire.message import MessageId


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, from the history or live.

    Attributes:
        id: its ordinal number in the room.
        stamp: when it was stored, in the server's zone: ``YYYY-MM-DD HH:MM:SS``.
        is_old: it was said before we came in.
        is_unverified: its sender has not shown that the name is his.
    """

    id: MessageId
    user: str
    text: str
    stamp: str
    is_old: bool
    is_unverified: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found.

    Attributes:
        messages: in the order of their ids.
        before: where to go on for older ones, also if nothing was found; 0: all was looked at.
    """

    messages: list[Heard]
    before: int


@dataclass(frozen=True, slots=True)
class Away:
    """The connection is lost; the next try is in so many seconds."""

    retry_in: float


@dataclass(frozen=True, slots=True)
class Reset:
    """The history was replaced by another; what was heard before does not belong to it."""


Event = Welcome | Heard | Redacted | Rights | RoomOpened | System | Typing | Error | Away | Reset


def people_after(people: list[str], frame: System) -> list[str]:
    """The names of who is there, after some have come and gone."""
    if isinstance(frame.users, list):
        return frame.users
    stayed = [name for name in people if name not in frame.left]
    return stayed + [name for name in frame.joined if name not in stayed]
