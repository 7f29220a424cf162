"""Switching rooms by keys: which room a key leads to, and where the unfinished lines go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from besedka.terminal.session.room_switching import RoomSwitching
from besedka.terminal.ui.room_keys import RoomKey


class Line:
    """An input line.

    Attributes:
        text: its content.
        was_offered: whether the latest change was said to be an offer.
    """

    def __init__(self) -> None:
        self.text = ""
        self.was_offered = False
        self.switching: RoomSwitching

    def resume(self, text: str) -> None:
        self.text = text
        self.was_offered = self.switching.is_offering


class Session:
    """Rooms, an input line and what is stored."""

    def __init__(self, *names: str) -> None:
        views = {name: SimpleNamespace(name=name, number=number) for number, name in enumerate(names, 1)}
        self.rooms = cast(
            "Any",
            SimpleNamespace(views=views, current=next(iter(views.values()), None), switch_to=self._switch),
        )
        self.line = cast("Any", Line())
        self.stored: dict[str, str] = {}
        self.shown: list[str] = []
        self.switching = self.line.switching = RoomSwitching(
            self.rooms,
            self.line,
            SimpleNamespace(notify=self.shown.append, phrases=SimpleNamespace(draft="back")),  # type: ignore[arg-type]
            SimpleNamespace(
                take_draft=lambda room: self.stored.pop(room, ""), keep_drafts=self.stored.update
            ),  # type: ignore[arg-type]
        )

    def press(self, key: RoomKey) -> str:
        """Press a key with what is in the line. Returns the room that is on the screen then."""
        line, self.line.text = self.line.text, ""
        self.switching.switch(RoomKey(key.number, key.step, line))
        return str(self.rooms.current.name)

    def _switch(self, view: Any) -> None:
        self.rooms.current = view
        self.switching.offer_draft(view)


def test_a_key_leads_to_its_number_and_steps_go_around() -> None:
    session = Session("main", "dev", "docs")
    keys = [RoomKey(3), RoomKey(step=1), RoomKey(step=-1), RoomKey(step=-1), RoomKey(2), RoomKey(9)]
    assert [session.press(key) for key in keys] == ["docs", "main", "docs", "dev", "dev", "dev"]
    assert [session.switching.leads_to_room(key) for key in (RoomKey(1), RoomKey(9), RoomKey(step=1))] == [
        True,
        False,
        True,
    ]


def test_in_an_only_room_and_in_none_no_step_leads_anywhere() -> None:
    assert not Session("main").switching.leads_to_room(RoomKey(step=1))
    assert not Session().switching.leads_to_room(RoomKey(1))


def test_each_room_keeps_its_line_and_a_line_that_is_back_is_not_being_typed() -> None:
    session = Session("main", "dev")
    session.line.text = "half"
    session.press(RoomKey(2))
    assert session.line.text == ""
    session.line.text = "other"
    session.press(RoomKey(1))
    assert session.line.text == "half"
    assert session.line.was_offered
    assert not session.switching.is_offering
    session.press(RoomKey(1))
    assert session.line.text == "half"
    assert session.shown == []


def test_a_stored_line_waits_until_the_input_line_is_empty() -> None:
    session = Session("main", "dev")
    session.stored = {"dev": "from before"}
    session.line.text = "typed meanwhile"
    session.switching.offer_draft(session.rooms.views["dev"])
    assert session.line.text == "typed meanwhile"
    session.press(RoomKey(2))
    assert session.line.text == "from before"
    assert session.shown == ["back"]


def test_all_unfinished_lines_are_stored() -> None:
    session = Session("main", "dev")
    session.line.text = "half"
    session.press(RoomKey(2))
    session.switching.save_drafts()
    assert session.stored == {"main": "half"}
    session.line.text = "other"
    session.switching.save_drafts()
    assert session.stored == {"main": "half", "dev": "other"}
