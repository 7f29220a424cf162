"""The status bar in windows of any width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from besedka.terminal.ui.fitting import Part, Urgency, fit

ROOM = Part(
    "room", "# a-room-of-some-length (private)", "# a-room-of-some-length", Urgency.ALWAYS, is_name=True
)
UNSENT = Part("unsent", "3 waiting", "3 waiting", Urgency.UNSENT)
AWAY = Part("away", "no connection, next try in 12 s", "retry in 12 s", Urgency.ALWAYS)
NAME = Part("name", "2 here · Anna Maria", "Anna Maria", Urgency.ALWAYS, is_name=True)
TYPING = Part("typing", "Boris typing …", "Boris typing …", Urgency.TYPING)
UNREAD = [
    Part("unread", f"{number}: # dev{number} 3", f"{number}: # dev{number} 3", Urgency.UNREAD)
    for number in (2, 3)
]
PARTS = [ROOM, UNSENT, AWAY, NAME, TYPING, *UNREAD]


def shown(parts: list[Part], columns: int) -> str:
    return "".join(text for _, text in fit(parts, columns))


@pytest.mark.parametrize(
    ("columns", "bar"),
    [
        (200, " │ ".join(part.text for part in PARTS)),
        (
            126,
            "# a-room-of-some-length │ 3 waiting │ retry in 12 s │ Anna Maria │ Boris typing … │ 2: # dev2 3 │ 3: # dev3 3",
        ),
        (
            100,
            "# a-room-of-some-length│3 waiting│retry in 12 s│Anna Maria│Boris typing …│2: # dev2 3│3: # dev3 3",
        ),
        (85, "# a-room-of-some-length│3 waiting│retry in 12 s│Anna Maria│2: # dev2 3│3: # dev3 3"),
        (80, "# a-room-of-some-length│3 waiting│retry in 12 s│Anna Maria│2: # dev2 3"),
        (60, "# a-room-of-some-length│3 waiting│retry in 12 s│Anna Maria"),
        (50, "# a-room-of-some-length│retry in 12 s│Anna Maria"),
        (40, "# a-room-of-so…│retry in 12 s│Anna Maria"),
        (32, "# a-roo…│retry in 12 s│Anna Mar…"),
    ],
)
def test_the_least_urgent_parts_are_left_out_first(columns: int, bar: str) -> None:
    assert shown(PARTS, columns) == bar


@given(st.text(max_size=40), st.text(max_size=40), st.integers(31, 200))
def test_the_room_the_countdown_and_the_name_are_there_at_any_width(
    room: str, name: str, columns: int
) -> None:
    room, name = (f"#{text}" for text in (room, name))
    parts = [
        Part("", room, room, Urgency.ALWAYS, is_name=True),
        AWAY,
        Part("", name, name, Urgency.ALWAYS, is_name=True),
        TYPING,
    ]
    bar = shown(parts, columns)
    assert get_cwidth(bar) <= columns
    assert "12 s" in bar
    assert bar.count("#") >= 2
