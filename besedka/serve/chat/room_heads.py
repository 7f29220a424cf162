"""Clients that move between the nodes of a cluster: who has read further than this node waits until it has what they know."""

from __future__ import annotations

import asyncio
from typing import Final

from besedka.serve.room import Room
from besedka.serve.tasks import mark_retrieved
from besedka.wire.errors import ErrorCode, Refused

REACH_SECONDS: Final = 10.0
"""A node that is behind for longer has lost the others: the client looks for another one."""

RETRY_SECONDS: Final = 2.0


class RoomHeads:
    """Waits until logs have reached the ids that clients know from other nodes.

    Args:
        has_others: whether there are other nodes; otherwise nobody knows more than this log, and who says so has seen another one.

    Attributes:
        has_others: the same.
    """

    def __init__(self, *, has_others: bool) -> None:
        self.has_others = has_others
        self._loop = asyncio.get_running_loop()
        self._awaited: dict[str, dict[int, asyncio.Future[None]]] = {}

    def reaching(self, room: Room, since: int | None, epoch: str) -> asyncio.Future[None] | None:
        """The wait for a client's cursor.

        Args:
            room: the room, as it is now.
            since: the id of the last message that the client has seen; None for a newcomer.
            epoch: the epoch of that id.

        Returns:
            None if the client can be served. Else a future, to be shielded: it fails with `out_of_reach` after ten seconds.
        """
        if not self.has_others or since is None or since <= room.head or epoch != room.epoch:
            return None
        awaited = self._awaited.setdefault(room.name, {})
        if since not in awaited:
            reached = awaited[since] = mark_retrieved(self._loop.create_future())
            timer = self._loop.call_later(REACH_SECONDS, self._give_up, room.name, since)
            reached.add_done_callback(lambda _: timer.cancel())
        return awaited[since]

    def note(self, room: Room) -> None:
        """Note that a room's head has moved."""
        if room.name in self._awaited:
            for since in [since for since in self._awaited[room.name] if since <= room.head]:
                self._pop(room.name, since).set_result(None)

    def _give_up(self, name: str, since: int) -> None:
        # A process that stood still may have both at once: the head, and the end of the wait.
        if since in self._awaited.get(name, {}):
            self._pop(name, since).set_exception(Refused(ErrorCode.OUT_OF_REACH, wait=RETRY_SECONDS))

    def _pop(self, name: str, since: int) -> asyncio.Future[None]:
        reached = self._awaited[name].pop(since)
        if not self._awaited[name]:
            del self._awaited[name]
        return reached
