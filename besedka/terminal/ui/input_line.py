"""The input line: one prompt for the whole session, below everything that is printed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus, has_selection
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import History
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.selection import SelectionState
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import BaseStyle
from prompt_toolkit.utils import is_dumb_terminal

from besedka.terminal.ui.fragments import Fragments
from besedka.terminal.ui.keyboard import LINE_CHARACTERS
from besedka.terminal.ui.room_keys import RoomKey, bind_room_keys
from besedka.terminal.ui.terminal_quirks import erase_whole_on_resize

PROMPT: Final = "> "

REDRAW_SECONDS: Final = 1.0
"""Interval in which the status bar is drawn anew, for its countdown; nothing is written if it has not changed."""

ROWS_AT_MOST: Final = 8
"""Rows of the input line; a longer text scrolls inside, so that messages stay in sight, and the reason of a refusal."""

PART_OF_WINDOW: Final = 3
"""In a low window the input line takes at most one such part of its rows."""

_LINE_END: Final = re.compile("\r\n?")

_FOCUS_REPORTS_ON: Final = "\x1b[?1004h"
_FOCUS_REPORTS_OFF: Final = "\x1b[?1004l"

# prompt_toolkit has no keys for xterm's FocusIn and FocusOut, so they are given two that no keyboard has.
_FOCUS_IN: Final = Keys.F23
_FOCUS_OUT: Final = Keys.F24


class InputLine:
    """The input line. Enter takes the line and empties it.

    Args:
        status_bar: returns the status bar below the line.
        completer: completes on Tab.
        history: the lines typed so far.
        style: the style of the prompt and the status bar.
        color_depth: the number of colours; None: as many as the terminal has.
        changed: called with the content of the line whenever it changes.
        focus_changed: called with whether the window has the focus.
        overflowed: called when typed or pasted text is dropped, because the line would be too long.
        leads_to_room: whether there is a room for a key.

    Attributes:
        typed: the lines that were typed and the keys that lead to rooms, in order.
        is_dumb: whether the terminal can only write line after line.
    """

    def __init__(
        self,
        *,
        status_bar: Callable[[], Fragments],
        completer: Completer,
        history: History,
        style: BaseStyle,
        color_depth: ColorDepth | None,
        changed: Callable[[str], None],
        focus_changed: Callable[[bool], None],
        overflowed: Callable[[], None],
        leads_to_room: Callable[[RoomKey], bool],
    ) -> None:
        self.typed: asyncio.Queue[str | RoomKey] = asyncio.Queue()
        self.is_dumb = is_dumb_terminal()
        keys = KeyBindings()
        _bind_editing(keys)
        _bind_length(keys, overflowed)
        _bind_focus(keys, focus_changed)
        bind_room_keys(keys, leads_to_room, self.typed.put_nowait)
        self._session: PromptSession[None] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation="  ",
            bottom_toolbar=lambda: FormattedText(status_bar()),
            history=history,
            completer=completer,
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            reserve_space_for_menu=0,
            key_bindings=keys,
            style=style,
            color_depth=color_depth,
            enable_suspend=True,
            enable_open_in_editor=True,
            tempfile_suffix=".txt",
            refresh_interval=REDRAW_SECONDS,
            erase_when_done=True,
        )
        self._limit_rows()
        self._buffer.accept_handler = self._accept
        self._buffer.on_text_changed += lambda buffer: changed(buffer.text)
        # SIGWINCH announces each new size. Polling would draw the line once more, up to half a second later, when tmux may have
        # rewrapped it for the next size already: a copy of it would stay behind.
        self._session.app.terminal_size_polling_interval = None
        erase_whole_on_resize(self._session.app)

    @property
    def text(self) -> str:
        """The content of the line; also after `run`, if it was not sent."""
        return self._buffer.text

    @property
    def shown(self) -> str:
        """The line as it is on the screen."""
        return PROMPT + self._buffer.text

    @property
    def is_empty(self) -> bool:
        """Whether nothing is typed in the line."""
        return not self._buffer.text

    async def run(self) -> None:
        """Read lines until Ctrl-D, Ctrl-C in an empty line, or `end_input`."""
        focus_reports = nullcontext() if self.is_dumb else _focus_reports(self._session.output)
        with suppress(EOFError, KeyboardInterrupt), focus_reports:
            await self._session.prompt_async(default=self.text, set_exception_handler=False)

    async def ask(self, question: str, default: str) -> str:
        """Ask the user a question, before `run`.

        Raises:
            EOFError: by Ctrl-D.
            KeyboardInterrupt: by Ctrl-C.
        """
        prompt: PromptSession[str] = PromptSession(question, color_depth=self._session.color_depth)
        return (await prompt.prompt_async(default=default, set_exception_handler=False)).strip()

    @property
    def hidden_from(self) -> int:
        """The number of lines of the text, if it has more than the rows that it may take; else 0."""
        count = self._buffer.document.line_count
        return count if count > self._rows_at_most() else 0

    def restore(self, text: str) -> bool:
        """Put refused text back into the line; False if the line is not empty.

        It is selected: Enter sends it again, the keys that move the cursor edit it, and what is typed next takes its place.
        """
        if self._buffer.text:
            return False
        self._buffer.insert_text(text)
        self._buffer.selection_state = SelectionState(0)
        self._buffer.selection_state.enter_shift_mode()
        redraw()
        return True

    def resume(self, text: str) -> None:
        """Put an unfinished text into the line, which is empty, to be gone on with at its end."""
        self._buffer.insert_text(text)
        redraw()

    def edit(self, text: str) -> None:
        """Open a text in the user's editor; the result becomes the line."""
        self._buffer.text = text
        self._buffer.open_in_editor()

    @property
    def _buffer(self) -> Buffer:
        return self._session.default_buffer

    def _limit_rows(self) -> None:
        for window in self._session.layout.find_all_windows():
            if window.content is self._session.layout.current_control:
                window.height = lambda: Dimension(max=self._rows_at_most())

    def _rows_at_most(self) -> int:
        rows = self._session.output.get_size().rows
        return max(1, min(ROWS_AT_MOST, rows // PART_OF_WINDOW))

    def _accept(self, buffer: Buffer) -> bool:
        self.typed.put_nowait(buffer.text)
        return False  # empties the line


def redraw() -> None:
    """Schedule a redraw of the input line and the status bar."""
    get_app().invalidate()


def clear_screen() -> None:
    """Clear the screen, and draw the input line at its top."""
    get_app().renderer.clear()


def end_input() -> None:
    """End `InputLine.run`."""
    app = get_app()
    if app.is_running and not app.is_done:
        app.exit()


def _bind_editing(keys: KeyBindings) -> None:
    """Bind the keys that differ from prompt_toolkit's Emacs bindings."""
    is_typing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c", filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
            event.current_buffer.on_text_changed.fire()  # it does not by itself
        else:
            event.app.exit(exception=EOFError)


def _bind_length(keys: KeyBindings, overflowed: Callable[[], None]) -> None:
    """Insert a paste as a whole or not at all, and no character into a full line.

    Args:
        keys: the bindings of the line.
        overflowed: called when input is dropped; for a full line only for the first character.
    """
    is_typing, is_full = has_focus(DEFAULT_BUFFER), Condition(_is_full)
    full_texts: set[str] = set()

    @keys.add(Keys.BracketedPaste, filter=is_typing)
    def _(event: KeyPressEvent) -> None:
        if len(event.data) + len(event.current_buffer.text) > LINE_CHARACTERS:
            overflowed()
        else:
            if event.current_buffer.selection_state:
                event.current_buffer.cut_selection()
            event.current_buffer.insert_text(_LINE_END.sub("\n", event.data))

    @keys.add(Keys.Any, filter=is_typing & is_full & ~has_selection)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text not in full_texts:
            full_texts.clear()
            full_texts.add(event.current_buffer.text)
            overflowed()

    # Mouse reports are never requested.
    @keys.add(Keys.Vt100MouseEvent)
    def _(_: KeyPressEvent) -> None:
        pass


def _is_full() -> bool:
    return len(get_app().current_buffer.text) >= LINE_CHARACTERS


def _bind_focus(keys: KeyBindings, focus_changed: Callable[[bool], None]) -> None:
    """Report whether the window has the focus, if the terminal reports it."""
    ANSI_SEQUENCES["\x1b[I"] = _FOCUS_IN
    ANSI_SEQUENCES["\x1b[O"] = _FOCUS_OUT

    @keys.add(_FOCUS_IN)
    def _(_: KeyPressEvent) -> None:
        focus_changed(True)

    @keys.add(_FOCUS_OUT)
    def _(_: KeyPressEvent) -> None:
        focus_changed(False)


@contextmanager
def _focus_reports(output: Output) -> Iterator[None]:
    """Ask the terminal to report the focus."""
    output.write_raw(_FOCUS_REPORTS_ON)
    output.flush()
    try:
        yield
    finally:
        output.write_raw(_FOCUS_REPORTS_OFF)
        output.flush()
