"""Parses a terminal's input into keys and pastes (ECMA-48; xterm's control sequences).

Text copied from a terminal may contain control sequences of every kind, and a terminal may send reports that were never requested.
prompt_toolkit's own parser mistakes some of them for mouse events, types out the others, and needs quadratic time for long ones. So:

- A sequence that stands for a key is that key. Any other complete control sequence is dropped, in typed input and in pastes alike.
- The beginning of a sequence is held until the sequence is complete; `flush` types out a held beginning as single keys.
- No input is ever an error.
"""

from __future__ import annotations

import os
import re
import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Final, TextIO

from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.posix_utils import PosixStdinReader
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

READ_BYTES: Final = 1_024
"""Bytes read at once; the screen is drawn between two reads."""

HELD_CHARACTERS: Final = 4_096
"""Length of the longest sequence that is held: a link (OSC 8) contains a URL. Longer ones are typed out."""

LINE_CHARACTERS: Final = 20_000
"""Length of the input line at most: four full messages, to be edited. Each key draws all of it, so it gets slower."""

_PASTE_END: Final = "\x1b[201~"

_INTERRUPTS: Final = frozenset({"\x03", "\x04"})
"""Ctrl-C and Ctrl-D, alone in a read, end a paste whose end never comes. Terminals keep them out of real pastes."""

_STRING: Final = r"\x1b\][0-9][^\x07\x18\x1a\x1b]*|\x1b[PX^_][^\x18\x1a\x1b]+"
_SEQUENCE: Final = re.compile(
    r"\x1b\[\[[A-E]"  # F1 to F5 of the Linux console
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1bO[ -~]"  # SS3
    rf"|(?:{_STRING})(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[()*+][0-~]"  # character sets, as `tput sgr0` selects one
    r"|\x1b#[0-9]"  # lines of double height
    r"|\x1b\t"  # Shift-Tab
)
_UNFINISHED: Final = re.compile(rf"(?:\x1b\[\[?|\x1b\[[0-?]*[ -/]*|(?:{_STRING})\x1b?|\x1b[]O()*+]?)\Z")
_CURSOR_POSITION: Final = re.compile(r"\x1b\[[1-9][0-9]{0,3};[1-9][0-9]{0,3}R")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class TerminalInput(Vt100Input):
    """The input of a terminal; it ends for good when the terminal is gone.

    Args:
        stdin: the terminal.
    """

    def __init__(self, stdin: TextIO) -> None:
        super().__init__(stdin)
        self.stdin_reader = _Reader(stdin.fileno(), encoding=stdin.encoding)
        self.vt100_parser = Keyboard(self._press)

    def cooked_mode(self) -> AbstractContextManager[None]:
        """The mode in which another program gets the terminal; unchanged inside `raw`."""
        return nullcontext() if _stays_raw.get() else super().cooked_mode()

    def _press(self, key_press: KeyPress) -> None:
        self._buffer.append(key_press)


@contextmanager
def raw() -> Iterator[None]:
    """Let `run_in_terminal` run without echo, so that keys pressed meanwhile are not shown twice."""
    token = _stays_raw.set(True)
    try:
        yield
    finally:
        _stays_raw.reset(token)


_stays_raw: Final = ContextVar("stays_raw", default=False)


class _Reader(PosixStdinReader):
    """Reads the available input, and ends on an error; prompt_toolkit's own reader would retry for ever, and keep a core busy."""

    def read(self, count: int = READ_BYTES) -> str:
        """Read the available input; empty at the end."""
        if self.closed or not select.select([self.stdin_fd], [], [], 0)[0]:
            return ""
        try:
            data = os.read(self.stdin_fd, count)
        except BlockingIOError:
            return ""
        except OSError:
            data = b""  # EIO: the terminal is gone
        self.closed = not data
        return self._stdin_decoder.decode(data)


class Keyboard(Vt100Parser):
    """The parser of typed and pasted input.

    Args:
        press: called with each key press.
    """

    def __init__(self, press: Callable[[KeyPress], None]) -> None:
        self._press = press
        super().__init__(press)

    def reset(self, request: bool = False) -> None:  # noqa: ARG002, FBT002 - as prompt_toolkit calls it
        """Forget an incomplete sequence or paste."""
        self._held = ""
        self._paste: _Paste | None = None

    def feed(self, data: str) -> None:
        """Parse input."""
        # Invalid UTF-8 arrives as surrogates, which cannot be encoded again.
        data = _SURROGATE.sub("\ufffd", data)
        if self._paste and data in _INTERRUPTS:
            self._paste = None
            return
        rest: str | None = data
        while rest is not None:
            rest = self._go_on_with_paste(self._paste, rest) if self._paste else self._type(rest)

    def flush(self) -> None:
        """Type out a held beginning, after a pause: it is not a sequence."""
        held, self._held = self._held, ""
        for character in held:
            self._press_key(character)

    def _type(self, data: str) -> str | None:
        """Press keys until a paste begins. Returns the input behind its beginning; None if there is no paste."""
        text, self._held = self._held + data, ""
        unfinished = _UNFINISHED.search(text, max(0, len(text) - HELD_CHARACTERS))
        if unfinished:
            text, self._held = text[: unfinished.start()], unfinished.group()
        for part, end in _parts(text):
            if ANSI_SEQUENCES.get(part) is Keys.BracketedPaste:
                self._paste = _Paste()
                rest, self._held = text[end:] + self._held, ""
                return rest
            self._press_key(part)
        return None

    def _press_key(self, part: str) -> None:
        """Press the key of a character or a known sequence; drop an unknown one."""
        keys = Keys.CPRResponse if _CURSOR_POSITION.fullmatch(part) else ANSI_SEQUENCES.get(part)
        if keys is None and len(part) > 1:
            return
        for index, key in enumerate(keys if isinstance(keys, tuple) else (keys or part,)):
            self._press(KeyPress(key, "" if index else part))

    def _go_on_with_paste(self, paste: _Paste, data: str) -> str | None:
        """Add input to a paste. Returns the input behind its end; None if it has not ended."""
        rest = paste.feed(data)
        if rest is not None:
            self._paste = None
            self._press(KeyPress(Keys.BracketedPaste, _SEQUENCE.sub("", paste.text)))
        return rest


class _Paste:
    """A paste that has begun. Of an overlong one only enough is kept to recognize it as overlong."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._length = 0
        self._tail = ""

    @property
    def text(self) -> str:
        """The text pasted so far, or its beginning."""
        return "".join(self._kept)

    def feed(self, data: str) -> str | None:
        """Add input. Returns the input behind the end of the paste; None if it has not ended."""
        text, end, rest = (self._tail + data).partition(_PASTE_END)
        # The end mark may be split between two reads.
        index = -1 if end else text.find("\x1b", max(0, len(text) - len(_PASTE_END) + 1))
        index = len(text) if index < 0 else index
        self._keep(text[:index])
        self._tail = text[index:]
        return rest if end else None

    def _keep(self, text: str) -> None:
        if self._length <= LINE_CHARACTERS:
            self._kept.append(text)
            self._length += len(text)


def _parts(text: str) -> Iterator[tuple[str, int]]:
    """The sequences and single characters of a text, with the index where each ends."""
    index = 0
    while index < len(text):
        sequence = _SEQUENCE.match(text, index) if text[index] == "\x1b" else None
        end = sequence.end() if sequence else index + 1
        yield text[index:end], end
        index = end
