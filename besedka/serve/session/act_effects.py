"""The effects that an act of moderation has at once, when it is in force: for whoever is connected to this server, wherever the act was done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from besedka.serve.chat import OpenRooms, Subscriptions
from besedka.serve.clock import Clock
from besedka.serve.directory import Directory
from besedka.serve.people.agreed_rows import Taken
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.memberships import Membership, Role, direct_room
from besedka.serve.people.restrictions import identifiers_from
from besedka.serve.session.act_target import Target
from besedka.serve.session.whereabouts import Whereabouts
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act, Kind, Rights, RoomOpened

log = logging.getLogger(__name__)

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
        target = Target(entry.user, entry.claim, entry.addresses)
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


class ActsOfOthers:
    """Has what other nodes do take effect here.

    Args:
        directory: people and their sessions.
        effects: of acts of moderation.
        subscriptions: shows and hides people in rooms.
        clock: unix seconds.
    """

    def __init__(
        self,
        directory: Directory,
        effects: ActEffects,
        subscriptions: Subscriptions,
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._effects = effects
        self._subscriptions = subscriptions
        self._clock = clock
        self._whereabouts = Whereabouts(directory)
        self._recording: set[asyncio.Task[None]] = set()

    def connections(self, entry: AuditEntry) -> Iterable[int]:
        """The connections of a mute's target."""
        return self._whereabouts.connections(_target(entry)) if entry.act is Act.MUTE else ()

    def acted(self, entry: AuditEntry) -> None:
        """Do what follows from an act that is in force now."""
        addresses = self._addresses(entry)
        self._effects.follow(entry)
        if addresses:
            task = asyncio.ensure_future(self._extend(entry, addresses))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)

    def changed(self, taken: Sequence[Taken]) -> None:
        """Do what follows from changes of rows."""
        for table, before, after in taken:
            if table is self._directory.rooms and after is not None:
                self._joined(before, after)
            if table is self._directory.blocks and after is not None:
                self._subscriptions.hide(direct_room(after.by, after.claim), after.claim)

    def _joined(self, before: Membership | None, after: Membership) -> None:
        """Tell a person's sessions of the rooms that others have opened for them."""
        if after.role is Role.OWNER:
            self._effects.send_rights(after.claim)
        if after.role is not Role.ASKED or before is not None:
            return
        asking = self._directory.rooms.peer(after.room, after.claim)
        if asking and self._directory.moderation.is_muted(
            self._clock(), identifiers_from(asking.claim, asking.name)
        ):
            return
        opened = RoomOpened(
            after.room, Kind.DIRECT, self._directory.peer(after.room, after.claim), asked=True
        )
        for session in self._directory.sessions.outside(after.room, after.claim):
            session.send(opened)

    def _addresses(self, entry: AuditEntry) -> set[str]:
        """The addresses from which a target is connected here, and which are not restricted with it yet."""
        if not entry.user:
            return set()
        target = _target(entry)
        sessions = self._whereabouts.sessions(target)
        if entry.act is Act.BAN:
            found = {*self._whereabouts.addresses(sessions)}
        elif entry.act is Act.MUTE:
            found = {*self._whereabouts.muted_addresses(target, sessions)}
        else:
            return set()
        is_restricted: Mapping[Act, Callable[[float, Iterable[str]], bool]] = {
            Act.BAN: self._directory.moderation.is_banned,
            Act.MUTE: self._directory.moderation.is_muted,
        }
        now = self._clock()
        return {address for address in found if not is_restricted[entry.act](now, [f"from {address}"])}

    async def _extend(self, entry: AuditEntry, addresses: Iterable[str]) -> None:
        """Record that an act of another node is about addresses, too, which only this node knows."""
        extended = replace(entry, addresses=tuple(sorted(addresses)))
        connections = self.connections(entry)
        try:
            await self._directory.record(extended, lambda: connections)
        except Refused as refusal:
            log.warning(
                "%s of %s is not in force for its addresses: %s", entry.act, ascii(entry.user), refusal
            )
        else:
            self._effects.follow(extended)


def _target(entry: AuditEntry) -> Target:
    return Target(entry.user, entry.claim, entry.addresses)


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text
