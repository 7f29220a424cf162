"""Convert piped input for a chat: takes bytes in pieces of any size, returns text or messages. Pure.

The rules for one message and for many:

- Bytes that are not UTF-8 become U+FFFD.
- Control sequences for a terminal (colours, titles, links: ECMA-48, and OSC as xterm has it) are removed, because they would be
  unreadable. Other control characters stay, and the chat shows their pictures.

Line by line:

- A line ends where a text's line ends: CR LF, LF, CR, NEL.
- A line with nothing visible in it is left out.
- A line that is too long for a message becomes several messages; they are cut as soon as they are full.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import TEXT_CHARACTERS_AT_MOST, clean_text

SEQUENCE_CHARACTERS_AT_MOST: Final = 4_096
"""Longest control sequence, which may be a link with a URL; longer ones are taken as text."""

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
    """Decodes a program's output to text without control sequences; an incomplete one is held until it is complete."""

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
    """Converts a program's output to messages, one for each line."""

    def __init__(self) -> None:
        self._plain = Plain()
        self._line = ""

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[str]:
        """The messages that the next bytes complete."""
        *whole, self._line = _LINE_END.split(self._line + self._plain.feed(data, is_last=is_last))
        for line in whole:
            yield from _messages(line)
        if is_last or len(self._line) > TEXT_CHARACTERS_AT_MOST:
            cut = len(self._line) if is_last else _cut(self._line)
            line, self._line = self._line[:cut], self._line[cut:]
            yield from _messages(line)


def _cut(line: str) -> int:
    """The position at which to cut a line that has not ended: after its last full message."""
    return len(line) // TEXT_CHARACTERS_AT_MOST * TEXT_CHARACTERS_AT_MOST


def _messages(line: str) -> Iterator[str]:
    for start in range(0, len(line), TEXT_CHARACTERS_AT_MOST):
        try:
            yield clean_text(line[start : start + TEXT_CHARACTERS_AT_MOST])
        except Refused as refusal:
            if refusal.code != ErrorCode.EMPTY_TEXT:
                raise
