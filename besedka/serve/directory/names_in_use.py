"""Names in use at other nodes of a cluster, as admission sees them. A server that is alone has none."""

from __future__ import annotations

from asyncio import Future
from typing import Protocol

from besedka.serve.people.person import Person


class NamesInUse(Protocol):
    """The names in use at all nodes: each belongs to one person at a time."""

    def taking(self, name: str, claim: str, fallback: str) -> Future[None] | None:
        """The wait until a name is this node's for a person; None if it is, or needs not be.

        Args:
            name: as `clean_name` gives it.
            claim: the person's claim; empty if they have shown no secret.
            fallback: their identity without one.

        Returns:
            A future, to be shielded: it fails with `name_taken`.
        """

    def release(self, person: Person) -> None:
        """Note that a person's last connection under a name has ended here."""
