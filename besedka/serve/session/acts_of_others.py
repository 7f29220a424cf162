"""Acts and changes of other nodes of a cluster, as they take effect at the sessions of this one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from besedka.serve.chat import Subscriptions
from besedka.serve.directory import Directory
from besedka.serve.people.agreed_rows import Taken
from besedka.serve.people.audit_entry import AuditEntry, Event
from besedka.serve.people.memberships import Membership, Role, direct_room
from besedka.serve.people.restrictions import identifiers_from
from besedka.serve.session.act_effects import ActEffects
from besedka.serve.session.act_target import Target
from besedka.serve.session.whereabouts import Whereabouts
from besedka.wire.errors import Refused
from besedka.wire.frames import Act, Kind, RoomOpened

log = logging.getLogger(__name__)


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
        self._moderation = directory.moderation
        self._effects = effects
        self._subscriptions = subscriptions
        self._clock = clock
        self._whereabouts = Whereabouts(directory)
        self._recording: set[asyncio.Task[None]] = set()

    def connections(self, entry: AuditEntry) -> Iterable[int]:
        """The connections of a mute's target."""
        return self._whereabouts.muted_connections(entry.act, Target.of(entry))

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
        if asking and self._moderation.is_muted(self._clock(), identifiers_from(asking.claim, asking.name)):
            return
        opened = RoomOpened(
            after.room, Kind.DIRECT, self._directory.peer(after.room, after.claim), asked=True
        )
        for session in self._directory.sessions.outside(after.room, after.claim):
            session.send(opened)

    def _addresses(self, entry: AuditEntry) -> set[str]:
        """The addresses from which a target is connected here, and which are not restricted with it yet."""
        checks: Mapping[Act | Event, Callable[[float, Iterable[str]], bool]] = {
            Act.BAN: self._moderation.is_banned,
            Act.MUTE: self._moderation.is_muted,
        }
        if not (entry.user and entry.act in checks):
            return set()
        target, now = Target.of(entry), self._clock()
        found = self._whereabouts.restricted_addresses(entry.act, target, self._whereabouts.sessions(target))
        return {address for address in found if not checks[entry.act](now, [f"from {address}"])}

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
