"""The events of a room: messages, a lost connection, and frames that are passed on unchanged. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from besedka.wire.frames import Error, ReadUpTo, Redacted, Rights, RoomOpened, System, Typing, Welcome
from besedka.wire.log_line import STAMP
from besedka.wire.message import UNVERIFIED_MARK, Message, MessageId

PEOPLE_AT_MOST: Final = 1_000
"""Names of people present that a client keeps for a room; their number is known beside them."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A received message: live, from the history or from a search.

    Attributes:
        message: the message itself.
        is_old: whether it was in the log when the room was first joined.
        is_own: whether its author has the client's own name.
    """

    message: Message
    is_old: bool = False
    is_own: bool = False

    @property
    def id(self) -> MessageId:
        """Its ordinal number in the room: 1, 2, 3, … without gaps."""
        return self.message.id

    @property
    def user(self) -> str:
        """Its author."""
        return self.message.user

    @property
    def text(self) -> str:
        """Its text; LF separates lines."""
        return self.message.text

    @property
    def stamp(self) -> str:
        """The time of storing by the server's clock, as in the log: ``YYYY-MM-DD HH:MM:SS``."""
        return self.message.stamp

    @property
    def time(self) -> datetime | None:
        """The time of storing by the server's clock, without a zone; None if the log has no valid time."""
        try:
            return datetime.strptime(self.stamp, STAMP)  # noqa: DTZ007 - the log's own time has no zone
        except ValueError:
            return None

    @property
    def is_unverified(self) -> bool:
        """Whether its author has not proved that the name is theirs."""
        return self.message.unverified

    @property
    def display_name(self) -> str:
        """Its author as clients show them: with a ``?`` behind the name if it is unverified. No name ends with one."""
        return f"{self.user}{UNVERIFIED_MARK}" if self.is_unverified else self.user

    def with_text(self, text: str) -> ReceivedMessage:
        """The same message with another text, as after a redaction."""
        return replace(self, message=msgspec.structs.replace(self.message, text=text))


@dataclass(frozen=True, slots=True)
class SearchResults:
    """The messages that a search found.

    Attributes:
        messages: the messages, in the order of their ids.
        before: search again with it for older messages, even if none was found; 0: the whole log was searched.
    """

    messages: list[ReceivedMessage]
    before: int


@dataclass(frozen=True, slots=True)
class Away:
    """The connection or the membership is lost.

    Attributes:
        retry_in: the seconds until the next try.
    """

    retry_in: float


@dataclass(frozen=True, slots=True)
class Reset:
    """Another log has replaced the history; messages received before do not belong to it."""


Event = (
    Welcome
    | ReceivedMessage
    | Redacted
    | Rights
    | ReadUpTo
    | RoomOpened
    | System
    | Typing
    | Error
    | Away
    | Reset
)


def people_after(people: list[str], frame: System) -> list[str]:
    """The names of the people present after a `System` frame, `PEOPLE_AT_MOST` of them."""
    if isinstance(frame.users, list):
        return frame.users
    left = {*frame.left}
    remaining = dict.fromkeys(name for name in people if name not in left)
    return [*(remaining | dict.fromkeys(frame.joined))][:PEOPLE_AT_MOST]
