"""Presence notices: who has come and gone, for all who are live, and the present state for those who have missed that."""

from __future__ import annotations

from collections.abc import Callable

from besedka.serve.chat.notices import Notices, NoticeTurns
from besedka.serve.room import Room, Subscriber


class PresenceNotices:
    """The presence notices of all rooms.

    Args:
        stamp: the time now, as the log writes it.
        turns: what they share with other notices.
    """

    def __init__(self, stamp: Callable[[], str], turns: NoticeTurns) -> None:
        self._stamp = stamp
        self._notices = Notices(self._broadcast, turns)

    def note(self, room: Room) -> None:
        """Schedule a notice of a change of presence."""
        self._notices.note(room)

    def send_state(self, room: Room) -> None:
        """Send all who are live the present state."""
        room.broadcast_notice(room.presence.state(self._stamp()))

    def send_missed(self, room: Room, subscriber: Subscriber) -> None:
        """Send a subscriber that has just gone live the present state, if it missed notices while behind."""
        missed = room.presence.missed_notices(subscriber, self._stamp())
        if missed:
            subscriber.send(missed(subscriber.language))

    def close(self) -> None:
        """Cancel all scheduled notices."""
        self._notices.close()

    def _broadcast(self, room: Room) -> bool:
        notice = room.presence.take_notice(self._stamp())
        if notice is None:
            return False
        room.broadcast_notice(notice)
        return True
