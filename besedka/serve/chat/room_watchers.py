"""Sessions that watch the list of rooms: they are sent each new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol

from besedka.serve.chat.notices import NoticeTurns
from besedka.wire.frames import Kind, RoomOpened

SENT_AT_ONCE: Final = 500
"""Sessions that are told of a room before other notices have their turn: some milliseconds."""

WAITING_AT_MOST: Final = 1_000
"""Turns that may wait. Beyond that no notice is sent: clients find those rooms when they request the list again."""


class Watcher(Protocol):
    """A session that receives frames."""

    def send(self, frame: RoomOpened, /) -> None:
        """Send a frame to this session alone."""


class RoomWatchers:
    """Tells sessions of each new open room. The notices share the turns, and so the price, of all others.

    Args:
        kind: the kind of a room.
        turns: what they share with other notices.
    """

    def __init__(self, kind: Callable[[str], Kind], turns: NoticeTurns) -> None:
        self._kind = kind
        self._turns = turns
        self._sessions: dict[Watcher, None] = {}
        self._waiting = 0

    def add(self, session: Watcher) -> None:
        """Tell a session of each new room from now on."""
        self._sessions[session] = None

    def discard(self, session: Watcher) -> None:
        """Tell a session nothing more."""
        self._sessions.pop(session, None)

    def note(self, rooms: Iterable[str]) -> None:
        """Note rooms that are new."""
        if not self._sessions:
            return
        for room in rooms:
            sessions = tuple(self._sessions)
            for first in range(0, len(sessions), SENT_AT_ONCE):
                if self._waiting >= WAITING_AT_MOST:
                    return
                self._waiting += 1
                self._turns.take(partial(self._send, room, sessions[first : first + SENT_AT_ONCE]))

    def _send(self, room: str, sessions: Iterable[Watcher]) -> int:
        """Tell those who are still there of a room that is still open to all; returns how many those are."""
        self._waiting -= 1
        if self._kind(room) is not Kind.OPEN:
            return 0
        present = [session for session in sessions if session in self._sessions]
        for session in present:
            session.send(RoomOpened(room, Kind.OPEN))
        return len(present)
