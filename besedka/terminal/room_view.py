"""The view of one room: its membership, the people present, and the messages that arrived while another room was on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Final

from besedka.remote.errors import NotConnected
from besedka.remote.outgoing_requests import new_future
from besedka.remote.room.backlog import Backlog
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset, people_after
from besedka.remote.room.membership import Membership
from besedka.terminal.storage import UnsentMessages
from besedka.wire.frames import Error, Kind, ReadUpTo, Redacted, Rights, RoomOpened, System, Typing, Welcome
from besedka.wire.mentions import mentions
from besedka.wire.message import MessageId

UNREAD_AT_MOST: Final = 200
"""Unread messages of a room that are kept in memory; older ones are in the log."""

UNREAD_BYTES_AT_MOST: Final = 1024 * 1024
"""Memory of these messages, in each of a hundred rooms."""

SHOWN_AT_MOST: Final = 5_000
"""Shown messages whose authors are remembered."""

TYPING_SHOWN_SECONDS: Final = 4.0
"""How long a person counts as typing after the last typing frame; these come at least every two seconds."""

TYPING_AT_MOST: Final = 100
"""People of a room who count as typing at a time; a server tells of three, at most four times a second."""


class ConnectionState(Enum):
    """The state of a room's connection."""

    CONNECTING = auto()
    CONNECTED = auto()
    AWAY = auto()
    ENDED = auto()
    """The server has ended the membership for good."""


class RoomView:
    """One room.

    Args:
        membership: the membership in the room.
        unsent: stores unsent messages; None if they cannot be stored.
        name: the room's name as typed; the attribute takes the server's form.
        receive: called with each event, after the view has applied it.
        until_printable: returns when the screen can take more; no event is read before.

    Attributes:
        name: the room's name.
        number: its number among the user's rooms, from 1 on; 0 until it is one of them.
        me: the user's own name in it.
        kind: open, private or direct.
        peer: the other person in a direct room.
        may: the user's rights in it, beside posting.
        slow: in slow mode, the seconds between two messages of a person; 0: the room is not slow.
        is_archived: whether the room is archived: nobody may post.
        state: the state of the connection.
        retry_at: the time of the next attempt to connect, by the loop's clock, while `state` is `AWAY`.
        people: the names of those present, the first hundred or so.
        clients_count: the number of people present.
        unshown: the newest of the messages that arrived while another room was on the screen.
        oldest: the id of the oldest message shown; 0 if none was.
        newest: the id of the newest message shown or unshown.
        day: the date of the message shown last.
        ended: done when the connection has ended for good.
    """

    def __init__(
        self,
        membership: Membership,
        unsent: UnsentMessages | None,
        name: str,
        receive: Callable[[RoomView, Event], None],
        until_printable: Callable[[], Awaitable[None]],
    ) -> None:
        self.membership = membership
        self.name = name
        self.number = 0
        self.me = ""
        self.kind = Kind.OPEN
        self.peer = ""
        self.may: list[str] = []
        self.slow = 0
        self.is_archived = False
        self.state = ConnectionState.CONNECTING
        self.retry_at = 0.0
        self.people: list[str] = []
        self.clients_count = 0
        self.unshown = Backlog[ReceivedMessage](UNREAD_AT_MOST, UNREAD_BYTES_AT_MOST)
        self.oldest = 0
        self.newest = 0
        self.day = ""
        # The number of messages that were not shown, including those no longer in `unshown`, and the last of them that mentions the user.
        self._unshown_count = 0
        self._mentioned_in = 0
        # The last message that was read before a rule that is still to be shown; 0 if none is.
        self._rule_behind = 0
        self._received_to = membership.cursor[0]
        self._unsent = unsent
        self._authors: dict[int, str] = {}
        self._typing_until: dict[str, float] = {}
        self._receive = receive
        self._until_printable = until_printable
        self._loop = asyncio.get_running_loop()
        self._joined: asyncio.Future[None] = new_future()
        self._welcomed = asyncio.Event()
        self.ended = asyncio.ensure_future(self._receive_events())

    @property
    def title(self) -> str:
        """The room's name on the screen: of a direct room, the other person."""
        return title(self.name, self.kind, self.peer)

    @property
    def may_moderate(self) -> bool:
        """Whether the user is a moderator here."""
        return "moderate" in self.may

    @property
    def read_up_to(self) -> int:
        """The id of the last message that the user has read, on any device, as far as the server knows it; 0 if it knows of none."""
        return self.membership.read_up_to or 0

    @property
    def unread_count(self) -> int:
        """The number of messages that the user has seen neither here nor on another device."""
        return min(self._unshown_count, max(0, self._received_to - self.read_up_to))

    @property
    def is_mentioned(self) -> bool:
        """Whether one of them mentions the user."""
        return self._mentioned_in > self.read_up_to

    @property
    def received_to(self) -> tuple[int, str]:
        """The id of the last message received, and its epoch."""
        return self._received_to, self.membership.cursor[1]

    @property
    def read_to(self) -> tuple[int, str]:
        """The id of the last message before the unread ones, and its epoch."""
        return max(0, self._received_to - self.unread_count), self.membership.cursor[1]

    async def joined(self) -> None:
        """Wait for the response to the join.

        Raises:
            ConnectionFailed: if the chat cannot be reached.
            JoinRefused: if the server refuses the room or the name.
            NotConnected: if the room is left meanwhile.
        """
        await self._joined

    async def leave(self) -> None:
        """Leave the room, and store its unsent messages."""
        await self.membership.leave()
        self.ended.cancel()
        await asyncio.gather(self.ended, return_exceptions=True)
        self.save_unsent()
        self.close_unsent()

    async def rename(self, name: str, secret: str) -> None:
        """Change the name.

        Raises:
            RemoteError: if the server refuses the name; the old one stays in use.
        """
        self._welcomed.clear()
        await self.membership.rename(name, secret=secret)
        if not self.ended.done():
            await self._welcomed.wait()

    def store_unsent_in(self, unsent: UnsentMessages | None) -> None:
        """Store unsent messages in another file from now on, and send the messages recovered from it."""
        self.close_unsent()
        self._unsent = unsent
        self.membership.resend(unsent.recovered if unsent else [])

    def save_unsent(self) -> None:
        """Store the unsent messages."""
        if self._unsent:
            self._unsent.save(self.membership.unsent)

    def close_unsent(self) -> None:
        """Stop storing unsent messages."""
        if self._unsent:
            self._unsent.close()

    def throttled_seconds(self, now: float) -> float:
        """The seconds until the server takes the next of the messages that wait; 0 if nothing waits for that.

        Args:
            now: the time by the loop's clock.
        """
        return max(0.0, self.membership.allowed_at - now) if self.membership.waiting else 0.0

    def typing(self) -> list[str]:
        """The names of the people who are typing now."""
        now = self._loop.time()
        self._typing_until = {name: until for name, until in self._typing_until.items() if until > now}
        return [*self._typing_until]

    def add_unshown(self, message: ReceivedMessage) -> None:
        """Add a message that is not shown yet."""
        self.unshown.add_newest(message)
        self._unshown_count += 1
        self.newest = max(self.newest, message.id)
        if self.is_for_me(message):
            self._mentioned_in = message.id

    def pass_over(self, message: ReceivedMessage) -> None:
        """Note a message that is not shown, as one before those that are."""
        if not self.unshown:
            self.oldest = self.oldest or MessageId(message.id + 1)
        self.newest = max(self.newest, message.id)

    def take_unshown(self) -> tuple[int, list[ReceivedMessage]]:
        """Empty `unshown`. Returns the number of messages dropped from it, and the others."""
        unshown, dropped = [*self.unshown], self._unshown_count - len(self.unshown)
        self.unshown.clear()
        self._unshown_count = self._mentioned_in = 0
        return dropped, unshown

    def expect_unread_rule(self) -> None:
        """Expect a rule above the first of the messages that were there and not read at the join, if the server knows which that is."""
        self._rule_behind = self.read_up_to

    def take_unread_rule(self, message: ReceivedMessage) -> int | None:
        """Whether that rule is due above a message, once: the number of unread messages that are missing before it; None if it is not due."""
        if not (0 < self._rule_behind < message.id and message.is_old and message.user != self.me):
            return None
        missing = 0 if self.oldest else message.id - 1 - self._rule_behind
        self._rule_behind = 0
        return missing

    def mark_read(self) -> None:
        """Note that the user has seen all that was shown."""
        # After a change of the log its messages may not be shown yet.
        if 0 < self.newest <= self.membership.cursor[0]:
            self.membership.mark_read(self.newest)

    def is_for_me(self, message: ReceivedMessage) -> bool:
        """Whether a message by somebody else mentions the user, or is in a direct room."""
        return message.user != self.me and (self.kind is Kind.DIRECT or mentions(message.text, self.me))

    def mark_shown(self, message: ReceivedMessage) -> None:
        """Remember that a message is on the screen."""
        self.oldest = self.oldest or message.id
        self.newest = max(self.newest, message.id)
        self._authors[message.id] = message.display_name
        if len(self._authors) > SHOWN_AT_MOST:
            del self._authors[next(iter(self._authors))]

    def author_shown(self, number: int) -> str:
        """The author of a message that was shown, as shown; empty if it was not."""
        return self._authors.get(number, "")

    async def _receive_events(self) -> None:
        try:
            async for event in self.membership.events():
                before = self.state
                self._apply(event)
                self._receive(self, event)
                if isinstance(event, Welcome) and before is ConnectionState.CONNECTING:
                    self._joined.set_result(None)
                await self._until_printable()
        except Exception as error:  # the task of the join must receive any error
            if self._joined.done():
                raise
            self._joined.set_exception(error)
        finally:
            # Nobody waits for a room whose events have ended, whatever has ended them.
            if not self._joined.done():
                self._joined.set_exception(NotConnected("the room was left"))
            self._welcomed.set()

    def _apply(self, event: Event) -> None:
        match event:
            case Welcome():
                self._apply_welcome(event)
            case System():
                self.clients_count = event.clients_count
                self.people = people_after(self.people, event)
                self.slow = event.slow if isinstance(event.slow, int) else self.slow
                self.is_archived = event.archived if isinstance(event.archived, bool) else self.is_archived
            case Away():
                self.state, self.retry_at = ConnectionState.AWAY, self._loop.time() + event.retry_in
                self._typing_until.clear()
            case Typing():
                self._note_typing(event.user)
            case ReceivedMessage():
                self._typing_until.pop(event.user, None)
                self._received_to = event.id
            case Reset():
                self.oldest = self.newest = self._received_to = self._mentioned_in = self._rule_behind = 0
                self._authors.clear()
            case Redacted():
                self._redact_unshown(event)
            case Rights():
                self.may = event.may
            case Error() | RoomOpened() | ReadUpTo():
                pass

    def _note_typing(self, name: str) -> None:
        if name not in self._typing_until and len(self._typing_until) >= TYPING_AT_MOST:
            self.typing()  # forgets those who have stopped
        if name in self._typing_until or len(self._typing_until) < TYPING_AT_MOST:
            self._typing_until[name] = self._loop.time() + TYPING_SHOWN_SECONDS

    def _apply_welcome(self, welcome: Welcome) -> None:
        self.name, self.me, self.state = welcome.room, welcome.user, ConnectionState.CONNECTED
        self._welcomed.set()
        self.people, self.clients_count = welcome.users, welcome.clients_count
        self.kind, self.peer, self.may = welcome.kind, welcome.peer, welcome.may
        self.slow, self.is_archived = welcome.slow, welcome.archived
        if welcome.reset:
            self._received_to = 0

    def _redact_unshown(self, redacted: Redacted) -> None:
        self.unshown.change(
            lambda message: message.id == redacted.id, lambda message: message.with_text(redacted.text)
        )
        while self.unshown.is_overfull:
            self.unshown.take()


def title(room: str, kind: Kind, peer: str) -> str:
    """A room's name on the screen."""
    return f"@ {peer}" if kind is Kind.DIRECT else f"# {room}"
