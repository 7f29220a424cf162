"""Connections as those who keep order see them: who is here, from where, and how to show him out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from besedka.serve.people.order import Network
from besedka.serve.people.presence import Person
from besedka.wire.closing import Ending
from besedka.wire.refusals import Refused


class Guest(Protocol):
    """One connection, or one call that lasts."""

    @property
    def network(self) -> Network | None:
        """From where it comes; None if that is this machine, or no address."""

    def people(self) -> Iterable[Person]:
        """As whom it is here."""

    def show_out(self, ending: Ending, refusal: Refused) -> None:
        """End it, and have it say nothing more.

        Args:
            ending: how, where endings have numbers.
            refusal: why, where they have sentences.
        """
