"""The pages of the list of rooms, as a client accepts them: they go on by name, and come to an end. Pure."""

from __future__ import annotations

from typing import Final

from besedka.wire.frames import Kind, Rooms

ROOM_PAGES_AT_MOST: Final = 200
"""Pages of one list: 100 000 rooms, where a server with 60 000 of them is a big one; or 200 000 rooms of other people, which a server
looks at, and leaves out of its pages."""


class RoomPages:
    """The pages of one list that were received so far."""

    def __init__(self) -> None:
        self._count = 0
        # The last room so far: whether it is in the second part of the list, that of the open rooms, and its name.
        self._last = (False, "")

    def check(self, page: Rooms) -> None:
        """Check the next page.

        Raises:
            ValueError: if a room does not follow the one before it in the order of the list, or there are more pages than
                `ROOM_PAGES_AT_MOST`.
        """
        self._count += 1
        if self._count > ROOM_PAGES_AT_MOST:
            raise ValueError(f"the list of rooms has more than {ROOM_PAGES_AT_MOST} pages")
        for entry in page.rooms:
            position = (entry.kind is Kind.OPEN, entry.name)
            if position <= self._last:
                raise ValueError("the list of rooms is not in its order")
            self._last = position
