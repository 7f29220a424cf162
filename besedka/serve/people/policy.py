"""Who may enter: the one place that says it, and every door asks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from besedka.serve.people.invitations import Invitations
from besedka.serve.people.moderation import Moderation, Network
from besedka.serve.people.names import KnownNames, Names
from besedka.serve.people.rooms import DIRECT, PrivateRooms, Role, reserved
from besedka.serve.people.sessions import LiveSession
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Kind


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules, and what they are about.

    Attributes:
        names: who is known.
        rooms: who belongs where.
        invitations: who may come to belong there.
        moderation: who may not come in.
    """

    names: KnownNames
    rooms: PrivateRooms
    invitations: Invitations
    moderation: Moderation = field(default_factory=Moderation)

    def check_chat(
        self, claim: str, name: str = "", invite: str = "", now: float = 0.0, network: Network | None = None
    ) -> None:
        """May somebody with this claim come in at all, read, and ask what there is?

        Args:
            claim: who it is; empty if he has shown nothing.
            name: by which he wants to come in, if he does.
            invite: the token of an invitation, if he has one.
            now: unix seconds.
            network: from where he comes; None if it is not known, or not limited.

        Raises:
            Refused: `not_known`, `banned`.
        """
        self.moderation.check_entry(now, claim, name, network)
        self._check_known(claim, name, invite, now)

    def check_stay(self, session: LiveSession, now: float) -> None:
        """May one who is here stay?

        Raises:
            Refused: `not_known`, `banned`.
        """
        self.moderation.check_stay(now, session.people(), session.network)
        for person in session.people():
            self._check_known(person.claim, person.name, "", now)

    def _check_known(self, claim: str, name: str, invite: str, now: float) -> None:
        if self.names.mode is not Names.INVITED or self.names.is_known(claim):
            return
        known = self.names.holder(name) if name else None
        is_awaited = known is not None and not known.claim
        if not (claim and (is_awaited or self.is_invited_to_name(invite, name, now))):
            raise Refused(ErrorCode.NOT_KNOWN)

    def check_room(self, room: str, claim: str, invite: str = "", now: float = 0.0) -> None:
        """May he enter this room, and read it?

        Raises:
            Refused: `not_invited`, `bad_link` if there is an invitation but none that is valid, `bad_room`.
        """
        if self.rooms.kind(room) is Kind.OPEN:
            if room.startswith(DIRECT):
                raise reserved(room)
            return
        if claim and self.rooms.membership(room, claim):
            return
        if not invite:
            raise Refused(ErrorCode.NOT_INVITED, room=room)
        if not claim or self.invitations.find(invite, "room", room, now) is None:
            raise Refused(ErrorCode.BAD_LINK, room=room)

    def is_invited_to_name(self, invite: str, name: str, now: float) -> bool:
        """Whether this is an invitation to this name."""
        return bool(invite) and self.invitations.find(invite, "name", name, now) is not None

    def lists(self, room: str, claim: str) -> bool:
        """Whether somebody is told that there is such a room."""
        if self.rooms.kind(room) is Kind.OPEN:
            return not room.startswith(DIRECT)
        return bool(claim) and self.rooms.membership(room, claim) is not None

    def rights(self, room: str, claim: str) -> list[str]:
        """What he may do in a room beside talking."""
        may = {"invite": self.may_invite(room, claim), "moderate": self.moderation.is_moderator(claim)}
        return [what for what, is_so in may.items() if is_so]

    def may_invite(self, room: str, claim: str) -> bool:
        """Whether he owns a private room."""
        membership = self.rooms.membership(room, claim) if claim else None
        return membership is not None and membership.role is Role.OWNER
