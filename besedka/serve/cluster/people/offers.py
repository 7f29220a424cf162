"""The offers of this node that nobody has decided yet. Pure.

All of them stand behind the same head, so the next head says which of them was accepted, if any: each carries the tokens of the offers before it. (The head of an
accepted offer may be gone before it is received: the stream has only the last one.) Also an offer that nobody waits for any more may be among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from besedka.serve.cluster.people.act import Act
from besedka.serve.cluster.people.people_entry import HeadEntry

REMEMBERED_AT_MOST: Final = 64
"""Tokens of earlier offers in a head. Whoever has missed more heads takes an own offer for that of another node."""


class Offer(NamedTuple):
    """An offer.

    Attributes:
        messages: the rows and acts in it, as they are in the stream.
        acts: its entries of the audit log.
    """

    messages: Sequence[bytes]
    acts: Sequence[Act]


class Offers:
    """The offers behind the last head."""

    def __init__(self) -> None:
        self._tokens: Sequence[str] = ()
        self._undecided: dict[str, Offer] = {}

    def add(self, token: str, offer: Offer, acts: int) -> HeadEntry:
        """Add an offer. Returns its head.

        Args:
            token: its token.
            offer: the offer.
            acts: how many entries the audit log has behind it.
        """
        self._undecided[token] = offer
        return HeadEntry(token, acts, [*self._tokens[:REMEMBERED_AT_MOST]])

    def abandon(self, token: str) -> None:
        """Note that nobody waits for an offer any more: its acts take effect as if they were of others, if it was accepted."""
        if offer := self._undecided.get(token):
            self._undecided[token] = offer._replace(
                acts=[Act(act.entry, is_written=act.is_written) for act in offer.acts]
            )

    def decide(self, head: HeadEntry) -> tuple[str, Offer] | None:
        """Take in the next head. Returns the offer that was accepted, and its token; None if none was."""
        self._tokens = (head.by, *head.before)
        undecided, self._undecided = self._undecided, {}
        return next(((token, undecided[token]) for token in self._tokens if token in undecided), None)
