"""The effects that an act of moderation has at once, when it is in force: for whoever is connected to this server, wherever the act was done."""

from __future__ import annotations

from typing import Final

from besedka.serve.chat import OpenRooms
from besedka.serve.clock import Clock
from besedka.serve.directory import Directory
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.session.act_target import Target
from besedka.serve.session.whereabouts import Whereabouts
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act, Rights

_KICKED: Final = {
    Language.RU: "модератор отключил вас от чата",
    Language.EN: "you were disconnected by a moderator",
}


class ActEffects:
    """Has acts take effect.

    Args:
        directory: people and their sessions.
        rooms: the open rooms.
        clock: the server's clock.
    """

    def __init__(self, directory: Directory, rooms: OpenRooms, clock: Clock) -> None:
        self._directory = directory
        self._rooms = rooms
        self._clock = clock
        self._whereabouts = Whereabouts(directory)

    def follow(self, entry: AuditEntry) -> None:
        """Have an entry that is in force take effect."""
        target = Target.of(entry)
        match entry.act:
            case Act.KICK:
                why = {language: _with_reason(text, entry.reason) for language, text in _KICKED.items()}
                sessions = self._whereabouts.sessions(target)
                self._directory.disconnect(
                    sessions, CloseCode.KICKED, Refused(ErrorCode.NOT_ALLOWED, why=why)
                )
            case Act.BAN | Act.RELEASE:
                self._directory.recheck_sessions()
            case Act.APPOINT | Act.DISMISS | Act.ENTRUST:
                self.send_rights(target.claim)
            case Act.SLOW | Act.ARCHIVE | Act.UNARCHIVE:
                self._notify_room(entry)
            case _:
                pass  # it takes effect with what people do next

    def send_rights(self, claim: str) -> None:
        """Tell a person's sessions what they may do in their rooms."""
        for session in self._directory.sessions.of(claim):
            for room, shown in session.memberships():
                session.send(Rights(room, self._directory.policy.rights(room, shown)))

    def _notify_room(self, entry: AuditEntry) -> None:
        room = self._rooms.opened(entry.room)
        if room is None:
            return
        stamp, presence = self._clock.stamp(), room.presence
        room.broadcast_notice(
            presence.slowed(stamp, entry.seconds)
            if entry.act is Act.SLOW
            else presence.archived(stamp, is_archived=entry.act is Act.ARCHIVE)
        )


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text
