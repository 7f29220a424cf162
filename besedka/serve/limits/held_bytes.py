"""Bytes that the server holds for the connections of an address: unsent ones, and received ones that are not handled yet. Pure."""

from __future__ import annotations

from typing import Final

HELD_BYTES: Final = 64 * 1024 * 1024
"""Bytes that may be held for all connections of an address: as if a thousand of them had a full socket buffer each."""

HELD_BYTES_OF_MACHINE: Final = 4 * HELD_BYTES
"""The same for this machine itself, where a proxy may bring everybody."""


class HeldBytes:
    """The bytes that are held for the connections of an address.

    Args:
        at_most: how many may be.
        site: those of its site, which count these, too; None if that is no more than the address.
    """

    __slots__ = ("_at_most", "_holders", "_site", "_total")

    def __init__(self, at_most: int, site: HeldBytes | None = None) -> None:
        self._at_most = at_most
        self._site = site
        self._total = 0
        self._holders = 0

    @property
    def total(self) -> int:
        """The bytes that are held now."""
        return self._total

    def change(self, before: int, now: int) -> None:
        """Count what is held for a connection, instead of what was before."""
        self._total += now - before
        self._holders += bool(now) - bool(before)
        if self._site:
            self._site.change(before, now)

    def is_too_much(self, held: int) -> bool:
        """Whether a connection must give up what is held for it: there is too much, and it has no less than others have on average."""
        is_too_much_here = self._total > self._at_most and held * self._holders >= self._total
        return is_too_much_here or (self._site is not None and self._site.is_too_much(held))
