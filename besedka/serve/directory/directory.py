"""The directory: people and their rights while the server runs, kept in `Files`. The event loop's side of `people`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

from besedka.serve.act_on_each import act_on_each
from besedka.serve.directory.agreement import AgreementMaker
from besedka.serve.directory.files import Change, Files
from besedka.serve.directory.lapses import LAPSE_SECONDS, Lapses
from besedka.serve.directory.names_in_use import NamesInUse
from besedka.serve.directory.other_links import OtherLinks
from besedka.serve.directory.other_marks import OtherMarks
from besedka.serve.directory.private_record import PrivateRecord
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.log_event import event
from besedka.serve.people.acts_in_force import ActsInForce
from besedka.serve.people.agreed_rows import Taken
from besedka.serve.people.audit_entry import AuditEntry, Event
from besedka.serve.people.blocks import Blocks
from besedka.serve.people.devices import DeviceLinks
from besedka.serve.people.direct import DirectRules
from besedka.serve.people.invitations import Invitations, Offer
from besedka.serve.people.memberships import PrivateRooms
from besedka.serve.people.names import KnownNames, claim_of
from besedka.serve.people.person import Person, PresentPeople
from besedka.serve.people.policy import Policy
from besedka.serve.people.read_marks import ReadMarks
from besedka.serve.people.room_quotas import RoomQuotas
from besedka.serve.people.sessions import LiveSession, LiveSessions
from besedka.serve.people.table import Table
from besedka.serve.people.uptime import Uptime
from besedka.serve.people.written_times import write_moment
from besedka.serve.settings import Settings
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Act, Kind
from besedka.wire.log_line import stamp

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
"""Interval between writes of changes that are not awaited, and between checks for external edits."""

JUMP_SECONDS: Final = 10.0
"""Smallest step of the wall clock that counts as a change; a busy machine may cause smaller ones."""


class Others(Protocol):
    """Acts on what other nodes have done, at the sessions of this one."""

    def connections(self, entry: AuditEntry) -> Iterable[int]:
        """The connections of a mute's target."""

    def acted(self, entry: AuditEntry) -> None:
        """Do what follows from an act that is in force now."""

    def changed(self, taken: Sequence[Taken]) -> None:
        """Do what follows from changes of rows."""


class Directory:
    """People and their rights.

    Args:
        settings: the folder of the files, and how names are held.
        clock: unix seconds.
        ticks: seconds of a monotonic clock; the loop's if None.
        agree: makes the agreement with other nodes; None if there are none.

    Attributes:
        names: the known names and their holders.
        uptime: the server's uptime and its clock during it.
        rooms: the members of private rooms.
        private: records which rooms are private.
        blocks: who has blocked whom.
        direct: the rules of direct messages.
        quotas: how many private and direct rooms there may be.
        invitations: the invitations to private rooms and names.
        devices: the add-a-device links.
        read_marks: how far people have read; empty where no names are held.
        people: the people present.
        names_in_use: the names in use at other nodes of a cluster; None if the server is alone.
        other_links: the add-a-device links of other nodes; None if the server is alone.
        other_marks: takes the read marks that move here to other nodes; None if the server is alone.
        sessions: all connections, calls and downloads.
        moderation: the moderation in force.
        policy: the rules of entry.
        moderation_lock: held during each act of moderation.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float],
        ticks: Callable[[], float] | None = None,
        *,
        agree: AgreementMaker | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._ticks = ticks or self._loop.time
        self._ahead = clock() - self._ticks()
        self._latest = clock()
        self._settings = settings
        self.names = KnownNames(settings.names, write_moment(clock()))
        self.uptime = Uptime()
        self.rooms = PrivateRooms()
        self.blocks = Blocks()
        self.direct = DirectRules(self.rooms, self.blocks)
        self.quotas = RoomQuotas(self.rooms)
        self.invitations = Invitations()
        self.devices = DeviceLinks()
        self.read_marks = ReadMarks()
        self.people = PresentPeople(self.names)
        self.names_in_use: NamesInUse | None = None
        self.other_links: OtherLinks | None = None
        self.other_marks: OtherMarks | None = None
        self.sessions = LiveSessions(clock)
        self.moderation = ActsInForce(settings.zone)
        self._lapses = Lapses(
            settings,
            names=self.names,
            uptime=self.uptime,
            sessions=self.sessions,
            rooms=self.rooms,
            moderation=self.moderation,
            clock=clock,
            ticks=self._ticks,
        )
        self.policy = Policy(self.names, self.rooms, self.invitations, self.moderation)
        self.moderation_lock = asyncio.Lock()
        # Whether changes are still written; not after an unexpected error, which was reported to the waiters.
        self._is_kept = False
        tables: dict[str, Table[Any]] = {
            "uptime.txt": self.uptime,
            "known_names.txt": self.names,
            "private_rooms.txt": self.rooms,
            "blocks.txt": self.blocks,
            "invitations.txt": self.invitations,
            "read_marks.txt": self.read_marks,
        }
        if not self.names.is_kept:
            # Private rooms stay private.
            for name in ("known_names.txt", "uptime.txt", "read_marks.txt"):
                del tables[name]
        shared = {name: table for name, table in tables.items() if table.is_shared}
        agreement = agree(shared, self) if agree else None
        self._files = Files(settings.people_folder, tables, self._adopted, agreement)
        self._agreement = agreement
        # Acts on what other nodes have done; set by the sessions' side.
        self.of_others: Others | None = None
        self.private = PrivateRecord(self.rooms, self._files.record, self._stamp)
        # Whether there may be private rooms that are not recorded.
        self._is_to_record = True

    # Start and stop.

    async def start(self) -> None:
        """Read the files. From now on `watch` must run.

        Raises:
            RecordUnusable: if one of them exists and cannot be read.
            FolderInUse: if another server uses the folder.
        """
        entries = await self._files.read()
        if self._agreement:
            self._agreement.note_recorded(entries)
        for entry in entries:
            self._apply(entry)
        await self._record_rooms()
        self._latest = max(self._latest, self.uptime.ended)
        self.look_after_names()
        self._is_kept = True

    async def joined(self) -> None:
        """Write down what the others have, and tell them what was made in the files here, when the agreement has begun."""
        self._is_to_record = True
        await self._reconcile(at_once=True)

    async def finish(self, *, is_disk_lost: bool = False) -> None:
        """Wait for moderation in progress, and write pending changes, unless the disk is lost."""
        if self._agreement:
            self._agreement.finish()
        if not is_disk_lost:
            async with self.moderation_lock:
                pass
            if self._is_kept:
                await self._reconcile(at_once=True)

    async def close(self, *, is_disk_lost: bool = False) -> None:
        """Write pending changes, unless the disk is lost, and close the files."""
        try:
            if self._is_kept and not is_disk_lost:
                self._lapses.count_uptime()
                self._lapses.touch_present(self._clock())
                await self._reconcile(at_once=True)
        finally:
            self._files.close()

    async def record(self, entry: AuditEntry, connections: Callable[[], Iterable[int]] = lambda: ()) -> None:
        """Store an audit entry, then put it in force.

        Args:
            entry: the entry.
            connections: returns the connections that the target of a mute has by then.

        Raises:
            Refused: `storage_full`, `not_stored`; then it is not in force.
        """
        await self._files.record(entry)
        self.moderation.apply(entry, connections())

    async def write_audit(self, entry: AuditEntry) -> None:
        """Write an entry of the audit log on which all nodes have agreed.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        await self._files.write_audit(entry)

    def take_act(self, entry: AuditEntry) -> None:
        """Put in force what was recorded at another node."""
        self._apply(entry, self.of_others.connections(entry) if self.of_others else ())
        if entry.act is Event.PRIVATE:
            self.recheck_sessions(self.sessions.in_room(entry.room))
        if self.of_others:
            self.of_others.acted(entry)

    def _apply(self, entry: AuditEntry, connections: Iterable[int] = ()) -> None:
        """Put an entry in force that this server did not decide now: it was in the file, or another node has recorded it."""
        self.moderation.apply(entry, connections)
        if entry.act is Act.RELEASE:
            self.names.note_freed(entry.user)
        if entry.act is Event.PRIVATE:
            self.rooms.note_recorded(entry.room)

    def take_changes(self, taken: Sequence[Taken]) -> None:
        """Act on changes that another node has made: whose rights have ended is put out."""
        claims = {
            change.before.claim
            for change in taken
            if change.after is None and change.table in {self.names, self.rooms}
        }
        self.recheck_sessions({session for claim in claims for session in self.sessions.of(claim)})
        if self.of_others:
            self.of_others.changed(taken)

    async def store(self, changes: Iterable[Change], *, gathers: bool = False) -> None:
        """Wait until these rows are on disk.

        Args:
            changes: the rows.
            gathers: whether the batch may wait for others, if many come.

        Raises:
            Refused: `storage_full`, `not_stored`. The changes stay in memory, and are written when possible.
        """
        await self._files.store(changes, gathers=gathers)

    def is_stored(self, changes: Iterable[Change]) -> bool:
        """Whether these rows are on disk."""
        return self._files.is_stored(changes)

    async def store_invitation(self, offer: Offer) -> None:
        """Wait until an invitation is on disk; if that fails it is withdrawn, because its token is not sent to anybody.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        with self.withdrawn_if_refused(offer):
            await self.store([(self.invitations, offer.token)])

    @contextmanager
    def withdrawn_if_refused(self, offer: Offer) -> Iterator[None]:
        """Withdraw an invitation if a block is refused: its token is not sent to anybody."""
        try:
            yield
        except Refused:
            if self.invitations.has(offer.token):
                self.invitations.withdraw(offer)
            raise

    def membership_changes(self, room: str) -> list[Change]:
        """The rows of a room's members, for `store`."""
        return [(self.rooms, self.rooms.key(row)) for row in self.rooms.members(room)]

    def revoke_invitations(self, room: str) -> list[Change]:
        """Revoke all invitations to a room. Returns their rows, for `store`."""
        return [(self.invitations, token) for token in self.invitations.revoke_all("room", room)]

    def give_up(self, room: str) -> list[Change]:
        """End all memberships and invitations of a room in which nothing was said. Returns their rows, for `store`."""
        sessions = [session for row in self.rooms.members(room) for session in self.sessions.of(row.claim)]
        revoked = self.revoke_invitations(room)
        left: list[Change] = [(self.rooms, key) for key in self.rooms.give_up(room)]
        self.recheck_sessions(sessions)
        return [*left, *revoked]

    def end_room(self, room: str, to: str) -> list[Change]:
        """Move the memberships, invitations and read marks of a room to its new name; if that is empty, end them. Returns rows, for `store`."""
        self.read_marks.rename_room(room, to)
        invitations = self.invitations.rename_room(room, to) if to else None
        revoked = (
            self.revoke_invitations(room)
            if invitations is None
            else [(self.invitations, key) for key in invitations]
        )
        return [*((self.rooms, key) for key in self.rooms.rename_room(room, to)), *revoked]

    async def record_ending(self, entry: AuditEntry, connections: Iterable[AuditEntry] = ()) -> None:
        """Store the entry of a deletion or a renaming, behind others that belong to it, then put it in force.

        Raises:
            Refused: `storage_full`, `not_stored`; then it is not in force.
        """
        await self._files.record(*connections, entry)
        for other in connections:
            self.rooms.note_recorded(other.room)
        self.moderation.apply(entry)

    # Signing in and out.

    def sign_in(
        self, name: str, secret: str, fallback: str, limiter: RateLimiter, invite: str = ""
    ) -> Person:
        """Sign a person in under a name.

        Args:
            name: as `clean_name` gives it.
            secret: the person's secret; may be empty.
            fallback: the person's identity without a secret.
            limiter: of their connection.
            invite: the token of an invitation, if they have one.

        Raises:
            Refused: `name_taken`, `name_claimed`, `not_known`, `too_many_names`.
        """
        claim, now = claim_of(secret), self._now()
        offer = self.invitations.find(invite, "name", name, now) if invite else None
        is_new = self.names.is_new(name, claim)
        # The operator's invitations are few, and need no share.
        if is_new and offer is None:
            limiter.check_claim(self._loop.time())
            self._lapses.free_unused()
        # After the clock was set back, a new claim must still be later than all messages posted before it.
        moment = write_moment(self._latest + 1 if is_new and now < self._latest else now)
        person = self.people.sign_in(name, claim, fallback, moment, is_invited=offer is not None)
        if is_new and offer is None:
            limiter.charge_claim(self._loop.time())
        if offer and is_new:
            self.invitations.use(offer)
        return person

    def storing_arrival(self, person: Person, room: str = "", invite: str = "") -> Awaitable[None] | None:
        """A future to await before a welcome: the person's names and membership are on disk then. None if they are already.

        Args:
            person: the person.
            room: the room that they enter.
            invite: the token that they have used, if any.
        """
        changes = [
            *self._rows_behind(person.claim, room),
            *([(self.invitations, claim_of(invite))] if invite else []),
        ]
        return None if self._files.is_stored(changes) else self.store(changes, gathers=True)

    async def wait_until_stored(self, claim: str, room: str) -> None:
        """Wait until a person's names and membership in a room are on disk.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        await self.store(self._rows_behind(claim, room), gathers=True)

    def _rows_behind(self, claim: str, room: str) -> list[Change]:
        """The rows that entitle a person to be in a room: their names, their membership."""
        names: list[Change] = [(self.names, name) for name in self.names.held_by(claim)]
        membership = self.rooms.membership(room, claim) if claim else None
        return [*names, (self.rooms, self.rooms.key(membership))] if membership else names

    def note_reader(self, claim: str) -> None:
        """Note that a person reads without giving a name, which counts as a use of their names."""
        self.names.touch(claim, "", write_moment(self._clock()))

    def _adopted(self) -> None:
        """After an external edit: check rights again, and record rooms that are new."""
        self.recheck_sessions()
        self._is_to_record = True

    async def _record_rooms(self) -> None:
        """Record the private rooms of an older version, or of an external edit. They are private meanwhile."""
        if self._is_to_record:
            self._is_to_record = False
            # If the disk is full, the log says so, and it is tried again with the next look after the names.
            with suppress(Refused):
                await self.private.enter_all()

    def recheck_sessions(self, sessions: Iterable[LiveSession] | None = None) -> None:
        """Check the rights of sessions again, of all if none are given; disconnect them or remove them from rooms accordingly."""
        chosen = self.sessions if sessions is None else sessions
        act_on_each(chosen, self._recheck, "the rights of a session could not be checked")

    def disconnect(self, sessions: Iterable[LiveSession], ending: CloseCode, refusal: Refused) -> None:
        """Disconnect sessions."""
        act_on_each(
            sessions,
            lambda session: session.disconnect(ending, refusal),
            "a session could not be disconnected",
        )

    def _recheck(self, session: LiveSession) -> None:
        try:
            self.policy.check_stay(session, self._clock())
        except Refused as refusal:
            session.disconnect(
                CloseCode.BANNED if refusal.code is ErrorCode.BANNED else CloseCode.UNKNOWN, refusal
            )
            return
        for room, claim in session.memberships():
            try:
                self.policy.check_room(room, claim)
            except Refused:
                session.remove_from_room(room, Refused(ErrorCode.NOT_INVITED, room=room))

    def sign_out(self, person: Person) -> None:
        """Sign out one connection of a person."""
        self.people.sign_out(person, write_moment(self._now()))
        if self.names_in_use and not person.uses:
            self.names_in_use.release(person)

    def redeem(self, room: str, person: Person, invite: str) -> None:
        """Use a person's invitation to make them a member of a private room, unless they are one already.

        Raises:
            Refused: as `Policy.check_room`; `no_secret` if the person is not verified.
        """
        if self.rooms.kind(room) is Kind.OPEN or self.rooms.membership(room, person.claim):
            return
        offer = self.invitations.find(invite, "room", room, self._clock())
        if offer is None:
            raise Refused(ErrorCode.BAD_LINK, room=room)
        if not person.is_verified:
            raise Refused(ErrorCode.NO_SECRET, room=room)
        self.rooms.add_member(room, person.name, person.claim)
        self.invitations.use(offer)

    def peer(self, room: str, claim: str) -> str:
        """The name of the other person in a direct room; empty for other rooms.

        A question mark follows a name that its person holds no more, because it has lapsed or has another holder.
        """
        other = self.rooms.peer(room, claim)
        return (self.names.name_of(other.claim) or f"{other.name}?") if other else ""

    # In the background.

    async def watch(self) -> None:
        """Write changes that are not awaited, and take external edits, for ever."""
        lapse_at = self._loop.time() + LAPSE_SECONDS
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._check_clock()
            if self._loop.time() >= lapse_at:
                lapse_at = self._loop.time() + LAPSE_SECONDS
                self.look_after_names()
                self._is_to_record = True
            await self._reconcile()

    async def _reconcile(self, *, at_once: bool = False) -> None:
        try:
            await self._files.reconcile(at_once=at_once)
        except Exception:
            self._is_kept = False
            raise
        await self._record_rooms()

    def _check_clock(self) -> None:
        """Recheck sessions after a step of the wall clock: bans that had ended may be in force again."""
        ahead, self._ahead = self._ahead, self._now() - self._ticks()
        if abs(self._ahead - ahead) >= JUMP_SECONDS:
            seconds = round(self._ahead - ahead)
            log.warning("the clock was set %+d seconds", seconds, extra=event("clock_set", seconds=seconds))
            self.recheck_sessions()

    def look_after_names(self) -> None:
        """Free lapsed names, and forget what has ended with them; to be called every `LAPSE_SECONDS`."""
        self._lapses.free_lapsed()
        self.read_marks.keep(self.names.is_known)
        self.invitations.forget(self.uptime.passed(self._clock()))

    def _stamp(self) -> str:
        """The wall clock's time, as the log writes it."""
        return stamp(int(self._clock()), self._settings.zone)

    def _now(self) -> float:
        """The wall clock's time; remembers the latest."""
        now = self._clock()
        self._latest = max(self._latest, now)
        return now
