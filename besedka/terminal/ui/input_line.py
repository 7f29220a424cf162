"""The line one types in: it stays as it is, whatever is printed above it, from the first key to the last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import BaseStyle
from prompt_toolkit.utils import is_dumb_terminal

from besedka.terminal.ui.formatting import Fragments
from besedka.terminal.ui.line_bound import bound_line
from besedka.terminal.ui.window import asking_for_focus, keep_whole, watch_focus

PROMPT: Final = "> "

COUNTDOWN_SECONDS: Final = 1.0
"""The bar is drawn anew so often; what has not changed is not written."""


class InputLine:
    """One prompt, which lasts as long as the talk; Enter gives out what was typed, and the line is empty again.

    Args:
        bar: what stands below the line.
        completer: what Tab completes.
        history: what was typed before.
        style: what the styles look like.
        color_depth: how many colours there may be; None: as many as the terminal has.
        changed: called with what stands in the line whenever that changes.
        look: called when one looks at the window, and when one looks elsewhere.
        refuse: called when what is typed or pasted is left out, because the line would be too long.

    Attributes:
        typed: what was typed, in order.
        is_dumb: whether the terminal can only write one line below the other.
    """

    def __init__(
        self,
        *,
        bar: Callable[[], Fragments],
        completer: Completer,
        history: History,
        style: BaseStyle,
        color_depth: ColorDepth | None,
        changed: Callable[[str], None],
        look: Callable[[bool], None],
        refuse: Callable[[], None],
    ) -> None:
        self.typed: asyncio.Queue[str] = asyncio.Queue()
        self.is_dumb = is_dumb_terminal()
        keys = _keys()
        bound_line(keys, refuse)
        watch_focus(keys, look)
        self._session: PromptSession[None] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation="  ",
            bottom_toolbar=lambda: FormattedText(bar()),
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
            refresh_interval=COUNTDOWN_SECONDS,
            erase_when_done=True,
        )
        self._buffer.accept_handler = self._accept
        self._buffer.on_text_changed += lambda buffer: changed(buffer.text)
        keep_whole(self._session.app)

    @property
    def output(self) -> Output:
        """The terminal."""
        return self._session.output

    @property
    def shown(self) -> str:
        """The line as it stands there."""
        return PROMPT + self._buffer.text

    async def run(self) -> None:
        """Take in what is typed, until Ctrl-D, Ctrl-C in an empty line, or `end`."""
        watching = nullcontext() if self.is_dumb else asking_for_focus(self.output)
        with suppress(EOFError, KeyboardInterrupt), watching:
            await self._session.prompt_async(set_exception_handler=False)

    async def ask(self, question: str, default: str) -> str:
        """Ask for something short, before `run`.

        Raises:
            EOFError: by Ctrl-D.
            KeyboardInterrupt: by Ctrl-C.
        """
        asking: PromptSession[str] = PromptSession(question, color_depth=self._session.color_depth)
        return (await asking.prompt_async(default=default, set_exception_handler=False)).strip()

    def end(self) -> None:
        """Take in nothing more."""
        app = get_app()
        if app.is_running and not app.is_done:
            app.exit()

    def give_back(self, text: str) -> bool:
        """Put something that was typed into the line again, if there is nothing else in it."""
        if self._buffer.text:
            return False
        self._buffer.insert_text(text)
        self.refresh()
        return True

    def edit(self, text: str) -> None:
        """Have a text written in an editor; it comes back into the line."""
        self._buffer.text = text
        self._buffer.open_in_editor()

    def refresh(self) -> None:
        """Draw the line and its bar anew, soon."""
        get_app().invalidate()

    def clear(self) -> None:
        """Clear the screen."""
        get_app().renderer.clear()

    @property
    def _buffer(self) -> Buffer:
        return self._session.default_buffer

    def _accept(self, buffer: Buffer) -> bool:
        self.typed.put_nowait(buffer.text)
        return False  # the line is emptied


def _keys() -> KeyBindings:
    """The keys, beside those of Emacs that prompt_toolkit brings."""
    keys = KeyBindings()
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
        else:
            event.app.exit(exception=EOFError)

    return keys
