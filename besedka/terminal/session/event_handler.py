"""Handles the events of all rooms: shows them, counts them as unread, or rings the bell."""

from __future__ import annotations

import math
from typing import Final
from weakref import WeakSet

from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset
from besedka.remote.room.posts import RESENT_AFTER
from besedka.terminal.room_view import RoomView
from besedka.terminal.session.direct_room_watcher import DirectRoomWatcher
from besedka.terminal.session.rooms import Rooms
from besedka.terminal.ui import formatting
from besedka.terminal.ui.notifier import Notifier
from besedka.wire.durations import format_duration
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import Error, Redacted, Rights, RoomOpened, System, Welcome
from besedka.wire.naming import in_sentence

AUTHORS_AT_MOST: Final = 1_000
"""Authors whose names are kept for completion, the latest ones."""


class EventHandler:
    """Handles the events of all rooms.

    Args:
        rooms: the rooms of the session.
        notifier: shows messages and notices.
        direct_room_watcher: joins direct rooms that other people open.
        announces_disconnects: whether to announce a lost connection, because no status bar shows it.
    """

    def __init__(
        self,
        rooms: Rooms,
        notifier: Notifier,
        direct_room_watcher: DirectRoomWatcher,
        *,
        announces_disconnects: bool,
    ) -> None:
        self._rooms = rooms
        self._notifier = notifier
        self._phrases = notifier.phrases
        self._direct_room_watcher = direct_room_watcher
        self._announces_disconnects = announces_disconnects
        self._away = WeakSet[RoomView]()
        self._throttled_rooms = WeakSet[RoomView]()
        self._authors: dict[str, None] = {}

    def names(self) -> list[str]:
        """Names for completion: the latest authors first, then the people present, those of direct rooms, and ignored ones; without the user."""
        current = self._rooms.current
        known = (*current.people, *self._rooms.known_direct_rooms, *self._notifier.ignored.names)
        names = dict.fromkeys((*reversed(self._authors), *known))
        return [name for name in names if name != current.me]

    def handle(self, view: RoomView, event: Event) -> None:
        """Handle an event, after its view has applied it."""
        match event:
            case ReceivedMessage():
                self._receive_message(view, event)
            case Away():
                self._disconnected(view)
            case Welcome() if view in self._away:
                self._reconnected(view)
            case System() if self._rooms.is_current(view):
                self._presence_changed(event)
            case Error() if event.code not in RESENT_AFTER:
                self._refused(view, event)
            case Redacted():
                self._redacted(view, event)
            case Rights() if self._rooms.is_current(view):
                self._rights_changed(view)
            case RoomOpened():
                self._direct_room_watcher.opened(event)
            case Reset() if self._rooms.is_current(view):
                self._notifier.notify(self._phrases.history_replaced)
            case _:
                pass

    def _refused(self, view: RoomView, event: Error) -> None:
        """Report a refusal; of a message that is too fast once, until it is sent: the status bar counts the seconds."""
        is_too_fast = event.code == ErrorCode.TOO_FAST
        if is_too_fast and view in self._throttled_rooms:
            return
        if is_too_fast:
            self._throttled_rooms.add(view)
        if is_too_fast and view.slow:
            wait = format_duration(max(1, math.ceil(event.retry_after)))
            self._notifier.show_problem(self._phrases.slow_hold.format(time=wait))
        else:
            self._notifier.show_problem(self._notifier.sentence(event.code, event.text))

    def _note_author(self, name: str) -> None:
        """Remember an author as the latest one, for completion."""
        self._authors.pop(name, None)
        self._authors[name] = None
        if len(self._authors) > AUTHORS_AT_MOST:
            del self._authors[next(iter(self._authors))]

    def _disconnected(self, view: RoomView) -> None:
        if self._announces_disconnects and view not in self._away:
            self._notifier.notify(self._phrases.reconnecting_now)
        self._away.add(view)

    def _reconnected(self, view: RoomView) -> None:
        self._away.discard(view)
        if self._rooms.is_current(view):
            self._notifier.notify(self._phrases.reconnected)
            self._direct_room_watcher.check()

    def _presence_changed(self, event: System) -> None:
        if isinstance(event.slow, int):
            seconds = event.slow
            phrase = self._phrases.slow if seconds else self._phrases.not_slow
            self._notifier.notify(phrase.format(time=format_duration(seconds)))
        if isinstance(event.archived, bool):
            self._notifier.notify(
                self._phrases.refusals[ErrorCode.ROOM_ARCHIVED]
                if event.archived
                else self._phrases.not_archived
            )
        ignored = [name for name in (*event.joined, *event.left) if name in self._notifier.ignored]
        if change := formatting.presence(event, {*self._rooms.own_names, *ignored}, self._phrases):
            self._notifier.show(change)

    def _rights_changed(self, view: RoomView) -> None:
        phrases = self._phrases
        self._notifier.notify(phrases.moderates if view.may_moderate else phrases.moderates_no_longer)

    def _receive_message(self, view: RoomView, message: ReceivedMessage) -> None:
        if message.user in self._notifier.ignored:
            self._pass_over(view, message)
            return
        if self._rooms.views.get(view.name) is not view:
            view.add_unshown(message)  # the room is being joined
            return
        is_own = message.user == view.me
        if is_own:
            self._throttled_rooms.discard(view)
        self._note_author(message.user)
        if view is not self._rooms.current:
            view.add_unshown(message)
        else:
            if self._rooms.is_unread_rule_due and not is_own:
                self._rooms.is_unread_rule_due = False
                self._notifier.show(formatting.rule(self._phrases.unread))
            self._rooms.show_received(view, message)
        if not (is_own or message.is_old):
            self._notifier.ring(is_for_me=view.is_for_me(message))

    def _pass_over(self, view: RoomView, message: ReceivedMessage) -> None:
        """Handle a message by an ignored person: nothing is shown, counted or rung."""
        view.pass_over(message)
        if self._rooms.is_current(view) and (self._rooms.is_in_sight or message.is_old):
            view.mark_read()

    def _redacted(self, view: RoomView, event: Redacted) -> None:
        author = view.author_shown(event.id)
        # A message that was not on the screen yet will appear redacted, if at all.
        if author or view.may_moderate:
            phrase = self._phrases.redacted if author else self._phrases.redacted_unknown
            notice = phrase.format(id=event.id, user=in_sentence(author, self._phrases.language))
            self._notifier.notify(notice if self._rooms.is_current(view) else f"{view.title}: {notice}")
