"""Rooms that the operator has deleted or renamed, as the audit log says it. Pure.

The entry of the act comes first, then the rows and files are moved, and at last an entry says that all of it is done (`Event.ENDED`). So a
start knows what a crash has left half done: an act without that entry.

A log is named by its epoch, and an ended room by its name and that epoch: a client that comes back with a cursor of the ended room is told apart from a
client of another room that has the same name since.
"""

from __future__ import annotations

from besedka.serve.people.audit_entry import AuditEntry, Event
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act

_DELETED = {
    Language.RU: "её удалил администратор чата",
    Language.EN: "the operator of the chat has deleted it",
}


class EndedRooms:
    """The rooms that have ended.

    Attributes:
        unfinished: the acts whose rows and files may not be moved yet, in their order.
    """

    def __init__(self) -> None:
        self.unfinished: list[AuditEntry] = []
        # By name and epoch of the log, the name that the room has now; empty if it is deleted.
        self._ended: dict[tuple[str, str], str] = {}

    def apply(self, entry: AuditEntry) -> None:
        """Put an entry in force, which deletes or renames a room, or says that this is done."""
        if entry.act is Event.ENDED:
            self.unfinished = [act for act in self.unfinished if act.room != entry.room]
            return
        self.unfinished.append(entry)
        if entry.epoch:
            self._ended[entry.room, entry.epoch] = entry.to
            self._ended.pop((entry.to, entry.epoch), None)

    def finished(self) -> list[tuple[str, str]]:
        """The names and epochs of the rooms whose end is done."""
        unfinished = {act.room for act in self.unfinished}
        return [ended for ended in self._ended if ended[0] not in unfinished]

    def undo(self, room: str, epoch: str) -> None:
        """A room is back: the operator has given its files their old names."""
        self._ended.pop((room, epoch), None)

    def check(self, room: str, epoch: str) -> None:
        """Check that a client does not come back to a room that has ended.

        Args:
            room: the room.
            epoch: the epoch of the client's cursor; empty if it has none.

        Raises:
            Refused: `room_gone`.
        """
        to = self._ended.get((room, epoch)) if epoch else None
        if to is not None:
            raise gone(room, to)


def gone(room: str, to: str) -> Refused:
    """The refusal of a room that has another name now, or, if that is empty, is deleted."""
    renamed = {Language.RU: f"теперь она называется {to}", Language.EN: f"it is called {to} now"}
    return Refused(ErrorCode.ROOM_GONE, room=room, why=renamed if to else _DELETED)


def is_ending(entry: AuditEntry) -> bool:
    """Whether an entry is for `EndedRooms`."""
    return entry.act in {Act.DELETE, Act.RENAME, Event.ENDED}
