"""The people at the other nodes of a cluster, as rooms see them. Pure; a server that is alone has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from besedka.serve.people.person import Person


class Elsewhere(Protocol):
    """The people of all rooms at other nodes, and what these are told of the people here."""

    def count(self, room: str) -> int:
        """The number of people who are in a room at other nodes, and not here as well."""

    def names(self, room: str) -> Iterable[str]:
        """Their names; those who have none are left out."""

    def is_present(self, name: str) -> bool:
        """Whether anybody is at another node under a name, in capitals or not."""

    def arrive(self, room: str, person: Person) -> bool:
        """Note that a person is in a room here from now on. Returns whether they are in it elsewhere, too."""

    def depart(self, room: str, person: Person) -> bool:
        """Note that a person is not in a room here any more. Returns whether they are in it elsewhere."""

    def withdraw(self, room: str, person: Person) -> bool:
        """The same of a person of whom no notice is to tell."""

    def rename(self, room: str, former: str, name: str) -> None:
        """Note a change of name, after the person has departed under the old one and arrived under the new one."""

    def type(self, room: str, names: Sequence[str]) -> None:
        """Note that people here are typing in a room."""
