"""What happens in a room: messages, a lost connection, and frames that are passed on as they are. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from besedka.wire.frames import Error, Redacted, Rights, RoomOpened, System, Typing, Welcome
from besedka.wire.log_line import STAMP
from besedka.wire.message import Message, MessageId


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message, as it was received: live, from the history or by a search.

    Attributes:
        message: the message itself.
        is_old: it was in the log when the room was first joined.
        is_own: its author has our own name.
    """

    message: Message
    is_old: bool = False
    is_own: bool = False

    @property
    def id(self) -> MessageId:
        """Its ordinal number in the room: 1, 2, 3, … without holes."""
        return self.message.id

    @property
    def user(self) -> str:
        """Its author."""
        return self.message.user

    @property
    def text(self) -> str:
        """Its text; lines are parted by LF."""
        return self.message.text

    @property
    def stamp(self) -> str:
        """When it was stored, by the server's clock, as in the log: ``YYYY-MM-DD HH:MM:SS``."""
        return self.message.stamp

    @property
    def time(self) -> datetime | None:
        """When it was stored, by the server's clock, without a zone; None if the log has no readable time."""
        try:
            return datetime.strptime(self.stamp, STAMP)  # noqa: DTZ007 - the log's own time has no zone
        except ValueError:
            return None

    @property
    def is_unverified(self) -> bool:
        """Whether its author has not proved that the name is theirs."""
        return self.message.unverified

    def with_text(self, text: str) -> ReceivedMessage:
        """The same message with another text, as after a redaction."""
        return replace(self, message=msgspec.structs.replace(self.message, text=text))


@dataclass(frozen=True, slots=True)
class SearchResults:
    """The messages that a search has found.

    Attributes:
        messages: in the order of their ids.
        before: search again with it for older messages, also if none was found; 0: the whole log was searched.
    """

    messages: list[ReceivedMessage]
    before: int


@dataclass(frozen=True, slots=True)
class Away:
    """The connection, or the membership, is lost; the next try is in so many seconds."""

    retry_in: float


@dataclass(frozen=True, slots=True)
class Reset:
    """The history was replaced by another; messages received before do not belong to it."""


Event = Welcome | ReceivedMessage | Redacted | Rights | RoomOpened | System | Typing | Error | Away | Reset


def people_after(people: list[str], frame: System) -> list[str]:
    """The names of the people present, after some have come and gone."""
    if isinstance(frame.users, list):
        return frame.users
    stayed = [name for name in people if name not in frame.left]
    return stayed + [name for name in frame.joined if name not in stayed]
