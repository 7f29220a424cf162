"""The keys that switch rooms: Alt-1 to Alt-9, and Ctrl-N and Ctrl-P for the next and the previous one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

KEYS_AT_MOST: Final = 9
"""Rooms that have a key of their own."""


@dataclass(frozen=True, slots=True)
class RoomKey:
    """A key that leads to a room.

    Attributes:
        number: the room's number; 0 for a step.
        step: 1 leads to the next room, -1 to the previous one; 0 for a number.
        line: the content of the input line when the key was pressed: it stays with the room that is left.
    """

    number: int = 0
    step: int = 0
    line: str = ""


def bind_room_keys(
    keys: KeyBindings, leads_to_room: Callable[[RoomKey], bool], pressed: Callable[[RoomKey], None]
) -> None:
    """Bind the keys.

    Where there is but one room, Ctrl-N and Ctrl-P browse the typed lines as Up and Down do.

    Args:
        keys: the bindings of the input line.
        leads_to_room: whether there is a room for a key; else it does nothing.
        pressed: called with the key; the line is empty by then.
    """
    is_typing = has_focus(DEFAULT_BUFFER)

    def press(event: KeyPressEvent, key: RoomKey) -> None:
        if leads_to_room(key):
            line = event.current_buffer.text
            event.current_buffer.reset()
            pressed(RoomKey(key.number, key.step, line))

    def bind(*sequence: str, key: RoomKey, has_others: bool = False) -> None:
        condition = is_typing & Condition(lambda: leads_to_room(key)) if has_others else is_typing
        keys.add(*sequence, filter=condition)(lambda event: press(event, key))

    for number in range(1, KEYS_AT_MOST + 1):
        bind("escape", str(number), key=RoomKey(number))
    bind("c-n", key=RoomKey(step=1), has_others=True)
    bind("c-p", key=RoomKey(step=-1), has_others=True)
