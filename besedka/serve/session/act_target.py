"""The target of an act of moderation: a person, known or present, a name, or an address."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Self

from besedka.serve.directory import Directory
from besedka.serve.limits.networks import network_of
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.person import Person
from besedka.serve.people.restrictions import identifiers_from
from besedka.serve.people.sessions import LiveSession
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act, Moderate
from besedka.wire.skeletons import skeletons
from besedka.wire.validation import stored_name

_THIS_MACHINE: Final = {
    Language.RU: "это адрес самого сервера",
    Language.EN: "that is the server's own address",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The target of an act.

    Attributes:
        user: the person's name; empty for an address.
        claim: the person's claim, if there is one.
        addresses: the address, if that is the target.
        looks: the name's skeletons.
    """

    user: str = ""
    claim: str = ""
    addresses: tuple[str, ...] = ()
    looks: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", skeletons(self.user) if self.user else frozenset())  # it is frozen

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        """The target of an act that was recorded."""
        return cls(entry.user, entry.claim, entry.addresses)

    @property
    def shown(self) -> str:
        """The target's name in an answer."""
        return self.user or ", ".join(self.addresses)

    @property
    def identifiers(self) -> list[str]:
        """Identify the target to `ActsInForce`."""
        return [*identifiers_from(self.claim, self.user), *(f"from {address}" for address in self.addresses)]

    def is_person(self, person: Person) -> bool:
        """Whether a person is the target, or has a name that looks the same."""
        is_same = bool(self.claim) and self.claim == person.claim
        return is_same or not person.looks.isdisjoint(self.looks)

    def is_session(self, session: LiveSession) -> bool:
        """Whether a session is the target's."""
        return any(map(self.is_person, session.people())) or str(session.network) in self.addresses


def target_of(frame: Moderate, directory: Directory) -> Target:
    """The target of a frame: the holder of the name, or a person present under it or a name that looks the same.

    Raises:
        Refused: `bad_name`; `not_allowed` for an address of this machine.
    """
    if frame.act in {Act.BAN, Act.UNBAN, Act.UNMUTE} and _is_address(frame.user):
        network = network_of(frame.user)
        if network is None:
            raise Refused(ErrorCode.NOT_ALLOWED, why=_THIS_MACHINE)
        return Target(addresses=(str(network),))
    name = stored_name(frame.user)
    known = directory.names.holder(name) if directory.names.is_kept else None
    if known:
        return Target(known.name, known.claim)
    looks = skeletons(name)
    present = [person for person in directory.people.present() if not person.looks.isdisjoint(looks)]
    return Target(present[0].name, present[0].claim) if present else Target(name)


def author(name: str, directory: Directory) -> Target:
    """The target for the poster of a message."""
    known = directory.names.holder(name) if directory.names.is_kept else None
    return Target(name, known.claim if known else "")


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
