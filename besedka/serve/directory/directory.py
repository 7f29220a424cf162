"""What the server knows of people, as it runs: who comes and goes, and what of it is kept in `Files`. The loop's side of `people`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from besedka.serve.directory.files import Change, Files
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.devices import DeviceLinks
from besedka.serve.people.invitations import Invitations, Offer
from besedka.serve.people.moderation import Moderation
from besedka.serve.people.moments import write_moment
from besedka.serve.people.names import KnownNames, claim_of
from besedka.serve.people.person import Person, PresentPeople
from besedka.serve.people.policy import Policy
from besedka.serve.people.rooms import PrivateRooms
from besedka.serve.people.sessions import LiveSession, LiveSessions
from besedka.serve.people.table import Table
from besedka.serve.people.uptime import Uptime
from besedka.serve.rate_limits import RateLimiter
from besedka.serve.settings import Settings
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Act, Kind

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often changes are written that nobody waits for, and other hands' changes looked for."""

LAPSE_SECONDS: Final = 600.0
"""How often uptime is counted, and names are looked for that have lapsed."""

JUMP_SECONDS: Final = 10.0
"""By so much the wall clock must have been set to be told of; less happens where the machine was busy."""

_DAY: Final = 24 * 3600


class Directory:
    """What is known of people.

    Args:
        settings: where the files are, how names are held.
        clock: unix seconds.
        ticks: seconds of a clock that never goes back; the loop's if None.

    Attributes:
        names: whose which name is.
        uptime: how long the server has been up, and what its clock said.
        rooms: who belongs where.
        invitations: who may come to belong there.
        devices: links by which a name is taken along.
        people: who is present.
        sessions: all connections, calls and downloads.
        moderation: what is in force to keep it.
        policy: who may enter.
        keeping: held by who keeps order: one thing is done after the other.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float], ticks: Callable[[], float] | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._ticks = ticks or self._loop.time
        self._counted_at = self._ticks()
        self._ahead = clock() - self._ticks()
        self._latest = clock()
        self._settings = settings
        self.names = KnownNames(settings.names, write_moment(clock()))
        self.uptime = Uptime()
        self.rooms = PrivateRooms()
        self.invitations = Invitations()
        self.devices = DeviceLinks()
        self.people = PresentPeople(self.names)
        self.sessions = LiveSessions()
        self.moderation = Moderation(settings.zone)
        self.policy = Policy(self.names, self.rooms, self.invitations, self.moderation)
        self.keeping = asyncio.Lock()
        # Whether there is something to write; no more after an error of ours, which whoever was waiting has been told.
        self._is_kept = False
        tables: dict[str, Table[Any]] = {
            "uptime.txt": self.uptime,
            "known_names.txt": self.names,
            "private_rooms.txt": self.rooms,
            "invitations.txt": self.invitations,
        }
        if not self.names.is_kept:
            del tables["known_names.txt"], tables["uptime.txt"]  # rooms that were private stay so
        self._files = Files(settings.people_folder, tables, self.recheck_sessions)

    # Its life.

    async def start(self) -> None:
        """Read the files; they are to be looked after from now on, by `watch`.

        Raises:
            RecordUnusable: if one is there and cannot be read.
            FolderInUse: if they are another server's.
        """
        for entry in await self._files.read():
            self.moderation.apply(entry)
            if entry.act is Act.RELEASE:
                self.names.was_freed(entry.user)
        self._latest = max(self._latest, self.uptime.ended)
        self.look_after_names()
        self._is_kept = True

    async def finish(self, *, is_disk_lost: bool = False) -> None:
        """Wait for who keeps order just now, and write what is not written yet, unless nothing should wait for the disk."""
        if not is_disk_lost:
            async with self.keeping:
                pass
            if self._is_kept:
                await self._agree()

    async def close(self, *, is_disk_lost: bool = False) -> None:
        """Write what is not written yet, unless the disk is one that nothing should wait for."""
        try:
            if self._is_kept and not is_disk_lost:
                self._count_uptime()
                self._touch_present(write_moment(self._clock()))
                await self._agree()
        finally:
            self._files.close()

    async def record(self, entry: AuditEntry) -> None:
        """Have something that is done to keep order on disk, and in force.

        Raises:
            Refused: `storage_full`, `not_stored`; then it is not done.
        """
        await self._files.note(entry)
        self.moderation.apply(entry)

    async def store(self, changes: Iterable[Change], *, gathers: bool = False) -> None:
        """Wait until what was changed is on disk: these rows, whatever becomes of others.

        Args:
            changes: the rows.
            gathers: whether many who come at once may wait for each other.

        Raises:
            Refused: `storage_full`, `not_stored`; what was changed stays changed, and is written when it can be.
        """
        await self._files.store(changes, gathers=gathers)

    def is_stored(self, changes: Iterable[Change]) -> bool:
        """Whether there is nothing to wait for."""
        return self._files.is_stored(changes)

    async def store_invitation(self, offer: Offer) -> None:
        """Wait until an invitation is on disk; it is withdrawn if it cannot be, because nobody is told its token.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        try:
            await self.store([(self.invitations, offer.token)])
        except Refused:
            if self.invitations.has(offer.token):
                self.invitations.withdraw(offer)
            raise

    def membership_changes(self, room: str) -> list[Change]:
        """The rows of all who belong to a room, to `store` them."""
        return [(self.rooms, self.rooms.key(row)) for row in self.rooms.members(room)]

    def revoke_invitations(self, room: str) -> list[Change]:
        """Take back all invitations into a room. Returns their rows, to `store` that."""
        return [(self.invitations, token) for token in self.invitations.take_back("room", room)]

    # Coming and going.

    def sign_in(self, name: str, secret: str, own: str, limiter: RateLimiter, invite: str = "") -> Person:
        """Let somebody be here under a name.

        Args:
            name: as `clean_name` gives it.
            secret: what he shows; may be empty.
            own: what tells one who shows none from others.
            limiter: of his connection.
            invite: the token of an invitation, if he has one.

        Raises:
            Refused: `name_taken`, `name_claimed`, `not_known`, `too_many_names`.
        """
        claim, now = claim_of(secret), self._now()
        offer = self.invitations.find(invite, "name", name, now) if invite else None
        is_new = self.names.is_new(name, claim)
        if is_new:
            limiter.check_claim(self._loop.time())
        # Where the clock was set back, what was said by then is earlier than a claim all the same.
        moment = write_moment(self._latest + 1 if is_new and now < self._latest else now)
        person = self.people.come(name, claim, own, moment, is_invited=offer is not None)
        if is_new:
            limiter.charge_claim(self._loop.time())
        if offer and is_new:
            self.invitations.use(offer)
        return person

    def storing_arrival(self, person: Person, room: str = "", invite: str = "") -> Awaitable[None] | None:
        """What to wait for before somebody who was let in is welcomed, if anything: what makes them belong here is on disk by then.

        Args:
            person: who.
            room: into which room.
            invite: the token by which they come, if they do.
        """
        changes = [
            *self._belonging(person.claim, room),
            *([(self.invitations, claim_of(invite))] if invite else []),
        ]
        return None if self._files.is_stored(changes) else self.store(changes, gathers=True)

    async def settled(self, claim: str, room: str) -> None:
        """Wait until what lets somebody into a room is on disk.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        await self.store(self._belonging(claim, room), gathers=True)

    def _belonging(self, claim: str, room: str) -> list[Change]:
        """The rows by which somebody may be in a room: their names, their membership."""
        names: list[Change] = [(self.names, name) for name in self.names.held_by(claim)]
        membership = self.rooms.membership(room, claim) if claim else None
        return [*names, (self.rooms, self.rooms.key(membership))] if membership else names

    def reads(self, claim: str) -> None:
        """Somebody reads, under no name: his names are used all the same."""
        self.names.touch(claim, "", write_moment(self._clock()))

    def recheck_sessions(self) -> None:
        """Ask for all guests again whether they may be here, and in their rooms, and put out who may not."""
        _for_each(self.sessions, self._recheck)

    def disconnect(self, sessions: Iterable[LiveSession], ending: CloseCode, refusal: Refused) -> None:
        """Show some guests out."""
        _for_each(sessions, lambda session: session.disconnect(ending, refusal))

    def _recheck(self, session: LiveSession) -> None:
        try:
            self.policy.check_stay(session, self._clock())
        except Refused as refusal:
            session.disconnect(
                CloseCode.BANNED if refusal.code is ErrorCode.BANNED else CloseCode.UNKNOWN, refusal
            )
            return
        for room, claim in session.places():
            try:
                self.policy.check_room(room, claim)
            except Refused:
                session.remove_from_room(room)

    def sign_out(self, person: Person) -> None:
        """One connection of a person is here no more."""
        self.people.go(person, write_moment(self._now()))

    def redeem(self, room: str, person: Person, invite: str) -> None:
        """Make somebody who has an invitation a member of a private room, if he is none yet.

        Raises:
            Refused: as `Policy.check_room`; `no_secret` if nobody could know him again.
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
        """With whom a talk of two is, for one of the two; empty if it is none.

        Behind the name of one who holds it no more, because it has lapsed or is another's now, stands a question mark.
        """
        other = self.rooms.peer(room, claim)
        return (self.names.name_of(other.claim) or f"{other.name}?") if other else ""

    # In the background.

    async def watch(self) -> None:
        """Look after the files, for ever: what nobody waits for is written, and external edits are taken."""
        lapse_at = self._loop.time() + LAPSE_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._look_at_clock()
            if self._loop.time() >= lapse_at:
                lapse_at = self._loop.time() + LAPSE_SECONDS
                self.look_after_names()
            await self._agree()

    async def _agree(self) -> None:
        try:
            await self._files.agree()
        except Exception:
            self._is_kept = False
            raise

    def _look_at_clock(self) -> None:
        """Where the wall clock was set back, bans may be in force again that had ended: whoever came in meanwhile leaves."""
        ahead, self._ahead = self._ahead, self._now() - self._ticks()
        if abs(self._ahead - ahead) >= JUMP_SECONDS:
            log.warning("the clock was set %+d seconds", round(self._ahead - ahead))
            self.recheck_sessions()

    def look_after_names(self) -> None:
        """Count uptime, and set free what has lapsed; to be called every `LAPSE_SECONDS`."""
        self._count_uptime()
        now = self._clock()
        self.names.see_offset(self._offset(now))
        self._touch_present(write_moment(now))
        # If it is now that the clock is wrong, nobody was seen in 1970 either.
        self.names.correct(self.uptime.ahead(now), write_moment(max(now, self.uptime.passed())))
        passed, days = self.uptime.passed(now), self._settings.claim_days
        self.invitations.forget(passed)
        if not (days and passed):
            return
        for known in self.names.lapse(passed - days * _DAY):
            log.info("the name %s was not used for %d days, and is free", ascii(known.name), days)

    def _count_uptime(self) -> None:
        """Uptime counts for names only: where there are none, nothing is written."""
        ticks = self._ticks()
        if any(self.names.rows()):
            self.uptime.grow(self._clock(), ticks - self._counted_at)
        self._counted_at = ticks

    def _now(self) -> float:
        """What the clock says now; the latest that it has said is remembered."""
        now = self._clock()
        self._latest = max(self._latest, now)
        return now

    def _offset(self, now: float) -> int:
        offset = datetime.fromtimestamp(now, UTC).astimezone(self._settings.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0

    def _touch_present(self, now: str) -> None:
        """Whoever is here uses his name."""
        for session in self.sessions:
            for person in session.people():
                self.names.touch(person.claim, person.name, now)


def _for_each(sessions: Iterable[LiveSession], act: Callable[[LiveSession], None]) -> None:
    for session in sessions:
        try:
            act(session)
        except Exception:
            # Whatever is wrong with one, the others are not spared.
            log.exception("a guest could not be put out")
