"""Names that a session remembers from the events of its rooms."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from besedka.remote.room.events import ReceivedMessage
from besedka.terminal.session.event_handler import AUTHORS_AT_MOST, EventHandler
from besedka.terminal.storage import IgnoredNames
from besedka.wire.message import Message, MessageId


def test_the_latest_authors_complete_names_and_no_more_of_them_are_kept_than_a_bound() -> None:
    view: Any = SimpleNamespace(name="main", me="Anna", people=["Anna", "Boris"], is_for_me=lambda _: False)
    rooms: Any = SimpleNamespace(
        views={"main": view},
        current=view,
        is_unread_rule_due=False,
        show_received=lambda *_: None,
        known_direct_rooms={},
    )
    ignored = IgnoredNames(None, "", lambda _: None)
    notifier: Any = SimpleNamespace(phrases=None, ring=lambda **_: None, ignored=ignored)
    handler = EventHandler(rooms, notifier, SimpleNamespace(), announces_disconnects=False)  # type: ignore[arg-type]
    count = 2 * AUTHORS_AT_MOST
    for number in range(count):
        message = Message("2026-01-01 12:00:00", f"Author {number}", "x", MessageId(number + 1))
        handler.handle(view, ReceivedMessage(message))
    latest = [f"Author {number}" for number in range(count - 1, AUTHORS_AT_MOST - 1, -1)]
    assert handler.names() == [*latest, "Boris"]
