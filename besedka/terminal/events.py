"""What happens in the rooms that one is in, and what of it is told."""

from __future__ import annotations

from collections.abc import Callable

from besedka.remote.connection import SAID_AGAIN
from besedka.remote.events import Away, Event, Heard, Reset
from besedka.terminal.direct_messages import Aside
from besedka.terminal.room_view import RoomView
from besedka.terminal.rooms import Rooms
from besedka.terminal.ui import formatting
from besedka.terminal.ui.notifier import Telling
from besedka.wire.frames import Error, Redacted, Rights, RoomOpened, System, Welcome


class Hearing:
    """Hears it.

    Args:
        rooms: the rooms.
        tell: tells what is worth it.
        aside: comes to talks of two.
        away: whether to say that a connection is lost: elsewhere the bar tells it.
    """

    def __init__(self, rooms: Rooms, tell: Telling, aside: Aside, *, away: Callable[[], bool]) -> None:
        self._rooms = rooms
        self._tell = tell
        self._words = tell.words
        self._aside = aside
        self._tells_away = away
        self._away: set[RoomView] = set()
        self._speakers: dict[str, None] = {}

    def names(self) -> list[str]:
        """Who can be spoken to: who spoke last first."""
        here = self._rooms.current
        names = dict.fromkeys((*reversed(self._speakers), *here.people, *self._rooms.known_talks))
        return [name for name in names if name != here.me]

    def happen(self, place: RoomView, event: Event) -> None:
        """Something has happened in a room."""
        match event:
            case Heard():
                self._hear(place, event)
            case Away():
                self._went_away(place)
            case Welcome() if place in self._away:
                self._came_back(place)
            case System() if self._rooms.is_looked_at(place):
                if notice := formatting.notice(event, self._rooms.own_names, self._words):
                    self._tell.put(notice)
            case Error() if event.code not in SAID_AGAIN:
                self._tell.problem(self._words.refusals.get(event.code, event.text))
            case Redacted() | Rights():
                self._changed(place, event)
            case RoomOpened():
                self._aside.begin(event)
            case Reset() if self._rooms.is_looked_at(place):
                self._tell.remark(self._words.reset)
            case _:
                pass

    def _went_away(self, place: RoomView) -> None:
        if self._tells_away() and place not in self._away:
            self._tell.remark(self._words.away_now)
        self._away.add(place)

    def _came_back(self, place: RoomView) -> None:
        self._away.discard(place)
        if self._rooms.is_looked_at(place):
            self._tell.remark(self._words.back)
            self._aside.look()

    def _hear(self, place: RoomView, heard: Heard) -> None:
        if self._rooms.places.get(place.room) is not place:
            place.miss(heard)  # on the way in
            return
        is_own = heard.user == place.me
        self._speakers.pop(heard.user, None)
        self._speakers[heard.user] = None
        if place is not self._rooms.current:
            place.miss(heard)
        else:
            if self._rooms.unread_is_due and not is_own:
                self._rooms.unread_is_due = False
                self._tell.put(formatting.rule(self._words.unread))
            self._tell.show(place, [heard])
        if not (is_own or heard.is_old):
            self._tell.ring(is_called=place.calls(heard))

    def _changed(self, place: RoomView, event: Redacted | Rights) -> None:
        if isinstance(event, Redacted):
            self._redacted(place, event)
        elif self._rooms.is_looked_at(place):
            words = self._words
            self._tell.remark(words.moderates if place.may_moderate else words.moderates_no_more)

    def _redacted(self, place: RoomView, event: Redacted) -> None:
        speaker = place.shown_speaker(event.id)
        # What was not shown yet, or is not known any more, is shown as it is now.
        if speaker or place.may_moderate:
            phrase = self._words.redacted if speaker else self._words.redacted_unknown
            notice = phrase.format(id=event.id, user=speaker)
            self._tell.remark(notice if self._rooms.is_looked_at(place) else f"{place.title}: {notice}")
