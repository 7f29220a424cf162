"""The rights in a room at the moment of an entry: until a node has received them, it may take a private room for one that is open to everybody.

People and messages are in streams of their own, and a node may be behind with one of them. So an entry of a room that is not open to everybody says what its node knew about people.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Known(Protocol):
    """The knowledge of this node about people."""

    def reached(self) -> int:
        """The number of the last head that was received."""

    async def wait_for(self, number: int) -> None:
        """Wait until a head is received, or it is certain that there is none of this number.

        Raises:
            Refused: `out_of_reach`, `going_down`.
        """


class RoomRights(Protocol):
    """Whether the rights of an entry are known."""

    def needed(self, room: str) -> int:
        """The number of the head that others need for an entry of a room; 0 if they need none."""

    def has(self, number: int) -> bool:
        """Whether that head was received here."""

    async def wait_for(self, number: int) -> None:
        """Wait for it, as `Known.wait_for`."""


class OpenToAll:
    """The rights where no room is private."""

    def needed(self, room: str) -> int:  # noqa: ARG002 - they are all alike
        """None."""
        return 0

    def has(self, number: int) -> bool:  # noqa: ARG002
        """Always."""
        return True

    async def wait_for(self, number: int) -> None:
        """Nothing is waited for."""


class PeoplesRights:
    """The rights as the people of all nodes have them.

    Args:
        known: the knowledge of this node about people.
        is_private: whether a room is not open to everybody.
    """

    def __init__(self, known: Known, is_private: Callable[[str], bool]) -> None:
        self._known = known
        self._is_private = is_private

    def needed(self, room: str) -> int:
        """The number of the last head, for a private room."""
        return self._known.reached() if self._is_private(room) else 0

    def has(self, number: int) -> bool:
        """Whether that head was received here."""
        return number <= self._known.reached()

    async def wait_for(self, number: int) -> None:
        """Wait for it, as `Known.wait_for`."""
        await self._known.wait_for(number)
