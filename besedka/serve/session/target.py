"""To whom something is done that keeps order: a person, known or present, a name, or an address."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from besedka.serve.directory import Directory
from besedka.serve.people.moderation import identifiers_from
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.rate_limits import network_of
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act, Moderate
from besedka.wire.validation import clean_name, skeletons

_THIS_MACHINE: Final = {
    Language.RU: "это адрес самого сервера",
    Language.EN: "that is the server's own address",
}


@dataclass(frozen=True, slots=True)
class Target:
    """To whom something is done.

    Attributes:
        user: his name; empty of an address.
        claim: his, if he has one.
        addresses: the one that was given.
        looks: what the name looks like.
    """

    user: str = ""
    claim: str = ""
    addresses: tuple[str, ...] = ()
    looks: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", skeletons(self.user) if self.user else frozenset())  # it is frozen

    @property
    def shown(self) -> str:
        """As he is named in an answer."""
        return self.user or ", ".join(self.addresses)

    @property
    def identifiers(self) -> list[str]:
        """By what he is known."""
        return [*identifiers_from(self.claim, self.user), *(f"from {address}" for address in self.addresses)]

    def is_person(self, person: Person) -> bool:
        """Whether this is he, or one who looks like him."""
        is_same = bool(self.claim) and self.claim == person.claim
        return is_same or not person.looks.isdisjoint(self.looks)

    def is_session(self, session: LiveSession) -> bool:
        """Whether this connection is his."""
        return any(map(self.is_person, session.people())) or str(session.network) in self.addresses


def target_of(frame: Moderate, directory: Directory) -> Target:
    """Who is meant: whoever holds the name, or is here by it, or looks like it.

    Raises:
        Refused: `bad_name`; `not_allowed` where it is the address of this machine.
    """
    if frame.act in {Act.BAN, Act.UNBAN} and _is_address(frame.user):
        network = network_of(frame.user)
        if network is None:
            raise Refused(ErrorCode.NOT_ALLOWED, why=_THIS_MACHINE)
        return Target(addresses=(str(network),))
    name = clean_name(frame.user)
    known = directory.names.holder(name) if directory.names.is_kept else None
    if known:
        return Target(known.name, known.claim)
    looks = skeletons(name)
    present = [one for one in directory.people.present() if not one.looks.isdisjoint(looks)]
    return Target(present[0].name, present[0].claim) if present else Target(name)


def author(name: str, directory: Directory) -> Target:
    """Who has said something by this name."""
    known = directory.names.holder(name) if directory.names.is_kept else None
    return Target(name, known.claim if known else "")


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
