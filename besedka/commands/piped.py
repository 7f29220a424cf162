"""What comes in by a pipe, as a chat takes it: bytes in pieces of any size in, text or messages out. Pure.

The rules, whether it is one message or many:

- Bytes that are no UTF-8 become U+FFFD.
- What a program says to a terminal (colours, titles, links: ECMA-48 control sequences, and OSC as xterm has it) is taken
  out: nobody could read it. Other control characters stay, and the chat shows their pictures.

Line by line:

- A line ends where a text's line ends: CR LF, LF, CR, NEL.
- A line with nothing to be seen in it is left out.
- A line that is too long for a message becomes several ones. Nothing waits for its end longer than that.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import TEXT_CHARACTERS_AT_MOST, clean_text

SEQUENCE_CHARACTERS_AT_MOST: Final = 4_096
"""How long a control sequence may be: a link holds a URL. What is longer is none."""

_BODY = r"\x1b\[[0-?]*[ -/]*|\x1b\][^\x07\x1b\n\r]*\x1b?|\x1b[PX^_][^\x1b\n\r]*\x1b?|\x1b[ -/]*"
_SEQUENCE: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor
    r"|\x1b\][^\x07\x1b\n\r]*(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|\x1b[PX^_][^\x1b\n\r]*\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"  # all others
)
_UNFINISHED: Final = re.compile(rf"(?:{_BODY})\Z")
_LINE_END: Final = re.compile("\r\n|[\r\n\x85]")


class Plain:
    """Bytes of a program's output as text without control sequences; one that is not whole yet is waited for."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, data: bytes, *, is_last: bool = False) -> str:
        """The text in the next bytes."""
        text = self._held + self._decoder.decode(data, is_last)
        self._held = ""
        unfinished = (
            None if is_last else _UNFINISHED.search(text, max(0, len(text) - SEQUENCE_CHARACTERS_AT_MOST))
        )
        if unfinished:
            text, self._held = text[: unfinished.start()], unfinished.group()
        return _SEQUENCE.sub("", text)


class Lines:
    """A program's output as messages, one for each line."""

    def __init__(self) -> None:
        self._plain = Plain()
        self._line = ""

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[str]:
        """The messages that are whole with the next bytes."""
        *whole, self._line = _LINE_END.split(self._line + self._plain.feed(data, is_last=is_last))
        for line in whole:
            yield from _messages(line)
        if is_last or len(self._line) > TEXT_CHARACTERS_AT_MOST:
            cut = len(self._line) if is_last else _cut(self._line)
            line, self._line = self._line[:cut], self._line[cut:]
            yield from _messages(line)


def _cut(line: str) -> int:
    """Where to cut a line that has not ended: at a full message."""
    return len(line) // TEXT_CHARACTERS_AT_MOST * TEXT_CHARACTERS_AT_MOST


def _messages(line: str) -> Iterator[str]:
    for start in range(0, len(line), TEXT_CHARACTERS_AT_MOST):
        try:
            yield clean_text(line[start : start + TEXT_CHARACTERS_AT_MOST])
        except Refused as refusal:
            if refusal.code != ErrorCode.EMPTY_TEXT:
                raise
