"""The rules of entry: who may enter the chat, and which room. `besedka/serve/session/admission.py` has the order in which they are asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from besedka.serve.limits.networks import Network
from besedka.serve.people.acts_in_force import ActsInForce
from besedka.serve.people.invitations import Invitations
from besedka.serve.people.memberships import DIRECT, PrivateRooms, Role, reserved
from besedka.serve.people.names import KnownNames, Names
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Kind

_OPEN_NAMES = {
    Language.RU: "в этом чате имена ни за кем не закреплены (--names open), и узнать, кто вошёл, нельзя",
    Language.EN: "nobody can hold a name in this chat (--names open), so people cannot be identified",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules, and the data that they use.

    Attributes:
        names: the known names and their holders.
        rooms: the members of private rooms.
        invitations: the invitations that are valid.
        moderation: the bans.
    """

    names: KnownNames
    rooms: PrivateRooms
    invitations: Invitations
    moderation: ActsInForce = field(default_factory=ActsInForce)

    def check_chat(
        self, claim: str, name: str = "", invite: str = "", now: float = 0.0, network: Network | None = None
    ) -> None:
        """Check that a person may enter the chat at all, read, and list rooms.

        Args:
            claim: the person's claim; empty if they have shown no secret.
            name: the name that they want to use, if any.
            invite: the token of an invitation, if they have one.
            now: unix seconds.
            network: their network; None if it is not known, or not limited.

        Raises:
            Refused: `not_known`, `banned`.
        """
        self.moderation.check_entry(now, claim, name, network)
        self._check_known(claim, name, invite, now)

    def check_stay(self, session: LiveSession, now: float) -> None:
        """Check that a session may stay.

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
        """Check that a person may enter this room, and read it.

        Raises:
            Refused: `not_invited`; `bad_link` if there is an invitation but it is not valid, or nobody is a member any more who
                could have given it; `bad_room`.
        """
        if self.rooms.kind(room) is Kind.OPEN:
            if room.startswith(DIRECT):
                raise reserved(room)
            return
        if claim and self.rooms.membership(room, claim):
            return
        if not invite:
            raise Refused(ErrorCode.NOT_INVITED, room=room)
        is_valid = self.rooms.has_members(room) and self.invitations.find(invite, "room", room, now)
        if not (claim and is_valid):
            raise Refused(ErrorCode.BAD_LINK, room=room)

    def check_verified(self, person: Person | None) -> Person:
        """Check that a person is in under a name that they have claimed, and return them.

        Raises:
            Refused: `not_allowed` where no names are held; `no_secret`.
        """
        if not self.names.is_kept:
            raise Refused(ErrorCode.NOT_ALLOWED, why=_OPEN_NAMES)
        if person is None or not person.is_verified:
            raise Refused(ErrorCode.NO_SECRET)
        return person

    def is_invited_to_name(self, invite: str, name: str, now: float) -> bool:
        """Whether this is an invitation to this name."""
        return bool(invite) and self.invitations.find(invite, "name", name, now) is not None

    def lists(self, room: str, claim: str) -> bool:
        """Whether a person's list of rooms shows this one."""
        if self.rooms.kind(room) is Kind.OPEN:
            return not room.startswith(DIRECT)
        return bool(claim) and self.rooms.membership(room, claim) is not None

    def rights(self, room: str, claim: str) -> list[str]:
        """A person's rights in a room beside posting."""
        may = {"invite": self.may_invite(room, claim), "moderate": self.moderation.is_moderator(claim)}
        return [right for right, is_granted in may.items() if is_granted]

    def may_invite(self, room: str, claim: str) -> bool:
        """Whether a person owns a private room."""
        membership = self.rooms.membership(room, claim) if claim else None
        return membership is not None and membership.role is Role.OWNER
