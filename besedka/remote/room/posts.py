"""The messages that a program posts in a room: each is sent until it is stored or refused, and its future has the outcome.

`Outbox` has their order; here are the futures, and the pause after a message that was posted too fast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from besedka.remote.backoff import hold
from besedka.remote.errors import NotConnected, SayRefused
from besedka.remote.outgoing_requests import check_frame, new_future, new_key
from besedka.remote.room.outbox import Outbox
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Error, Say
from besedka.wire.message import MessageId
from besedka.wire.validation import TEXT_CHARACTERS_AT_MOST

RESENT_AFTER: Final = frozenset({ErrorCode.NOT_STORED, ErrorCode.GOING_DOWN})
"""Refusals by a server that is about to end: the message is kept, and resent to its successor."""


HELD_AFTER: Final = frozenset({ErrorCode.TOO_FAST, ErrorCode.OUT_OF_REACH})
"""Refusals for now: the message is kept, and sent again after a pause."""


class Posts:
    """The messages posted in one room that are not known to be stored.

    Args:
        room: the room's name.
        wake: has the connection look again for frames to send.
    """

    def __init__(self, room: str, wake: Callable[[], None]) -> None:
        self._room = room
        self._wake = wake
        self._outbox = Outbox()
        self._stored: dict[str, asyncio.Future[MessageId]] = {}
        self._held_until = 0.0
        self._allowed_at = 0.0
        # The key of the message that was refused as too fast: the server takes no other before it.
        self._awaited_key = ""
        # Refusals as too fast, and replaced logs, since a message was stored or refused for good.
        self._holds = 0
        self._has_ended = False
        self._error: Exception | None = None

    # For programs.

    @property
    def waiting(self) -> int:
        """The number of messages posted and not known to be stored."""
        return len(self._outbox)

    @property
    def unsent(self) -> list[Say]:
        """These messages, in order, for a later membership."""
        return self._outbox.frames

    def post(self, text: str, after: int) -> asyncio.Future[MessageId]:
        """Post a message.

        Args:
            text: the text.
            after: an id that is lower than the message's will be.

        Returns:
            A future of its id; or failed with `SayRefused`. It need not be awaited.
        """
        frame = Say(text=text, room=self._room, key=new_key(), after=after)
        stored: asyncio.Future[MessageId] = new_future()
        try:
            check_frame(frame)
        except Refused as refusal:
            if refusal.code is ErrorCode.FRAME_TOO_LONG:
                refusal = Refused(ErrorCode.TEXT_TOO_LONG, length=len(text), limit=TEXT_CHARACTERS_AT_MOST)
            stored.set_exception(SayRefused(refusal.code, str(refusal)))
            return stored
        self._outbox.add(frame)
        self._stored[frame.key] = stored
        if self._has_ended:
            self._give_up()
        self._wake()
        return stored

    def resend(self, frames: Sequence[Say]) -> None:
        """Resend messages from an earlier membership of the same person; the server recognises those that are stored."""
        for frame in frames:
            self._outbox.add(frame, is_resend=True)
        self._wake()

    @property
    def is_blocked(self) -> bool:
        """Whether the server takes nothing before a message that was discarded."""
        return bool(self._awaited_key) and self._awaited_key not in self._outbox

    def discard(self, key: str) -> None:
        """Send a message no more; its future is cancelled. It may be stored all the same, if it is in flight."""
        self._outbox.settle(key)
        stored = self._stored.pop(key, None)
        if stored:
            stored.cancel()
        self._wake()

    # For the membership: sending.

    @property
    def in_flight(self) -> int:
        """The number of messages sent and neither stored nor refused."""
        return self._outbox.in_flight

    @property
    def held_until(self) -> float:
        """The time before which nothing is sent: the server has refused a message as too fast, or replaced its log."""
        return self._held_until

    @property
    def allowed_at(self) -> float:
        """The time before which the server will refuse a message as too fast, as it has said; it is asked again earlier if that is long."""
        return self._allowed_at

    def next(self, now: float) -> Say | None:
        """The message to send now; None if there is none."""
        return self._outbox.next() if now >= self._held_until else None

    def begin(self) -> None:
        """Send everything that was in flight again, in a new membership."""
        self._held_until = 0.0
        self._awaited_key = ""
        self._outbox.resend_all()

    def slow_mode_changed(self) -> None:
        """Send what is held back: it was too fast by another rule."""
        self._held_until = self._allowed_at = 0.0
        self._holds = 0
        self._wake()

    def log_replaced(self, now: float) -> None:
        """Post again the messages that may be in the old log only; the server knows one that it is still storing by its key."""
        self._outbox.forget_ids()
        self._outbox.resend_all()
        self._hold(0.0, now)

    # For the membership: receiving.

    def stored(self, key: str, number: int) -> None:
        """Note that the message with a key, if it is one of these, is stored with an id."""
        if key in self._outbox:
            self._holds = 0
        self._forget_awaited(key)
        self._outbox.stored(key, number)
        stored = self._stored.pop(key, None)
        if stored and not stored.done():
            stored.set_result(MessageId(number))
        if key:
            self._wake()  # all rooms share the limit of messages in flight

    def refused(self, frame: Error, now: float) -> bool:
        """Handle the refusal of a message: for good, for now, or until the server has a successor.

        Returns:
            False if the message was only in flight behind one that was refused as too fast.
        """
        if frame.code in HELD_AFTER:
            if now < self._held_until:
                return False
            self._outbox.recall()
            if frame.code == ErrorCode.TOO_FAST:
                self._allowed_at, self._awaited_key = now + frame.retry_after, frame.key
            self._hold(frame.retry_after, now)
            self._wake()
        elif frame.code not in RESENT_AFTER:
            if frame.key in self._outbox:
                self._holds = 0
            self._forget_awaited(frame.key)
            self._outbox.settle(frame.key)
            self._wake()
            stored = self._stored.pop(frame.key, None)
            if stored and not stored.done():
                stored.set_exception(SayRefused(frame.code, frame.text, frame.retry_after))
        return True

    def end(self, error: Exception | None) -> None:
        """Fail the futures of all messages, also of those posted later: none of them will be stored.

        Args:
            error: the reason; None if the room was left.
        """
        self._has_ended, self._error = True, error
        self._give_up()

    def _forget_awaited(self, key: str) -> None:
        """The server has taken, or refused for good, the message that it may have waited for."""
        if key == self._awaited_key:
            self._awaited_key = ""

    def _hold(self, asked: float, now: float) -> None:
        """Send nothing for as long as the server asks for, and for longer each time if it accepts nothing."""
        self._held_until = now + hold(asked, self._holds)
        self._holds += 1

    def _give_up(self) -> None:
        for stored in self._stored.values():
            if not stored.done():
                stored.set_exception(self._error or NotConnected("the room was left"))
        self._stored.clear()
