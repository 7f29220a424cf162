"""How long the input line may get: it is drawn as a whole with each key, and slower the longer it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from prompt_toolkit.application import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from besedka.terminal.ui.keyboard import LINE_CHARACTERS

_LINE_END: Final = re.compile("\r\n?")


def bound_line(keys: KeyBindings, refuse: Callable[[], None]) -> None:
    """Take a paste as a whole or not at all, and no character into a line that is full.

    Args:
        keys: of the line.
        refuse: called when something is left out; of what is typed into a full line, with the first character only.
    """
    is_typing, is_full = has_focus(DEFAULT_BUFFER), Condition(_is_full)
    full_texts: set[str] = set()

    @keys.add(Keys.BracketedPaste, filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        if len(event.data) + len(event.current_buffer.text) > LINE_CHARACTERS:
            refuse()
        else:
            event.current_buffer.insert_text(_LINE_END.sub("\n", event.data))

    @keys.add(Keys.Any, filter=is_typing & is_full)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text not in full_texts:
            full_texts.clear()
            full_texts.add(event.current_buffer.text)
            refuse()

    # No terminal is asked to tell of its mouse.
    @keys.add(Keys.Vt100MouseEvent)
    def _(_: KeyPressEvent) -> None:
        pass


def _is_full() -> bool:
    return len(get_app().current_buffer.text) >= LINE_CHARACTERS
