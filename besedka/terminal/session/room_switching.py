"""Switching rooms by keys. Each room keeps the line that was not finished in it, also for the next session."""

from __future__ import annotations

from besedka.terminal.room_view import RoomView
from besedka.terminal.session.rooms import Rooms
from besedka.terminal.storage import Storage
from besedka.terminal.ui.input_line import InputLine
from besedka.terminal.ui.notifier import Notifier
from besedka.terminal.ui.room_keys import RoomKey


class RoomSwitching:
    """Switches rooms, and keeps their drafts: lines that were typed and not sent.

    A draft waits until its room is on the screen and the input line is empty.

    Args:
        rooms: the rooms of the session.
        input_line: has the draft of the room on the screen.
        notifier: announces a draft of an earlier session.
        storage: keeps drafts for the next session.

    Attributes:
        is_offering: whether the input line changes because a draft is put into it, not by the user.
    """

    def __init__(self, rooms: Rooms, input_line: InputLine, notifier: Notifier, storage: Storage) -> None:
        self._rooms = rooms
        self._input_line = input_line
        self._notifier = notifier
        self._storage = storage
        self._drafts: dict[str, str] = {}
        self.is_offering = False

    def leads_to_room(self, key: RoomKey) -> bool:
        """Whether there is a room for a key, and for a step another one.

        It may be the room on the screen: lines that are still to be run may lead elsewhere.
        """
        return len(self._rooms.views) > 1 if key.step else self._room_of(key) is not None

    def switch(self, key: RoomKey) -> None:
        """Switch to the room of a key, if it is still there."""
        view = self._room_of(key)
        if key.line:
            self._drafts[self._rooms.current.name] = key.line
        if view and view is not self._rooms.current:
            self._rooms.switch_to(view)
        else:
            self.offer_draft(self._rooms.current)

    def offer_draft(self, view: RoomView) -> None:
        """Put the draft of a room, which is on the screen now, into the input line, if that is empty."""
        if self._input_line.text:
            return
        if draft := self._drafts.pop(view.name, ""):
            self._offer(draft)
        elif draft := self._storage.take_draft(view.name):
            self._offer(draft)
            self._notifier.notify(self._notifier.phrases.draft)

    def save_drafts(self) -> None:
        """Store all drafts for the next session."""
        if not self._rooms.views:
            return
        current = {self._rooms.current.name: self._input_line.text} if self._input_line.text else {}
        self._storage.keep_drafts(self._drafts | current)

    def _offer(self, draft: str) -> None:
        self.is_offering = True
        self._input_line.resume(draft)
        self.is_offering = False

    def _room_of(self, key: RoomKey) -> RoomView | None:
        views = sorted(self._rooms.views.values(), key=lambda view: view.number)
        if key.step:
            return views[(views.index(self._rooms.current) + key.step) % len(views)]
        return next((view for view in views if view.number == key.number), None)
