"""People who come, go and type at other nodes of a cluster: the rooms that are open here are told of them, in the same notices as of people here."""

from __future__ import annotations

from besedka.serve.chat.notices import Notices
from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.presence import PresenceNotices


class ElsewhereNotices:
    """Notes the changes at other nodes in the open rooms. A room that is not open here has nobody to tell.

    Args:
        rooms: the rooms.
        presence: reports changes of presence.
        typing: reports who is typing.
    """

    def __init__(self, rooms: OpenRooms, presence: PresenceNotices, typing: Notices) -> None:
        self._rooms = rooms
        self._presence = presence
        self._typing = typing

    def arrived(self, room: str, name: str) -> None:
        """Note that a person is in a room who was in it nowhere before."""
        if found := self._rooms.opened(room):
            found.presence.arrive_elsewhere(name)
            self._presence.note(found)

    def departed(self, room: str, name: str) -> None:
        """Note that a person is in a room nowhere any more."""
        if found := self._rooms.opened(room):
            found.presence.depart_elsewhere(name)
            self._presence.note(found)

    def renamed(self, room: str, former: str, name: str) -> None:
        """Note a change of name, after the person has departed under the old one and arrived under the new one."""
        if found := self._rooms.opened(room):
            found.presence.rename_elsewhere(former, name)

    def withdrawn(self, room: str, name: str) -> None:
        """Note that a person is in a room nowhere any more, of whom no notice is to tell."""
        if found := self._rooms.opened(room):
            found.presence.withdraw_elsewhere(name)
            self.changed(room)

    def changed(self, room: str) -> None:
        """Note that others are in a room now than were known: it is told the present state."""
        if found := self._rooms.opened(room):
            found.presence.change_elsewhere()
            self._presence.note(found)

    def typing(self, room: str, name: str) -> None:
        """Note that a person is typing in a room."""
        if found := self._rooms.opened(room):
            found.typists.add_elsewhere(name)
            self._typing.note(found)
