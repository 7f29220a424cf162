"""The messages of a file that a history has already, so that an import of the same file, or of one that has grown, adds only what is new.

Two messages are the same if their lines in the log are: time, name and text. They are counted, not only looked up: of a message that a file
has three times and the history twice, one is new. So repetitions in the file itself are imported, whatever was imported before.

A message whose text was redacted in the history is there, too: its tombstone has its time, its name and its size. An import does not
bring back what a moderator has removed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from besedka.serve.history.importing.source import Source, rewritten
from besedka.wire.log_line import BOM, STAMP_CHARACTERS, is_redacted, read_line, readable_line

DIGEST_BYTES: Final = 12
"""Of a message, in memory: that two of a hundred million messages have the same one has a chance of 10^-13."""


class StoredMessages:
    """The messages of a history that may also be in a file: those of the same time.

    They take some 100 bytes of memory each, however long they are.

    Args:
        history: the history.
        file: the file to be imported.
    """

    def __init__(self, history: Source, file: Source) -> None:
        self._lines = Counter[bytes]()
        self._redacted = Counter[bytes]()
        earliest, latest = _span(file)
        for raw in history.raw_messages():
            if earliest <= _stamp(raw) <= latest:
                self._add(raw)

    def __bool__(self) -> bool:
        return bool(self._lines or self._redacted)

    def take(self, line: str) -> bool:
        """Whether a message is in the history, and no earlier call has taken it."""
        return _take(self._lines, _digest(line)) or (
            bool(self._redacted) and _take(self._redacted, _outline(line))
        )

    def _add(self, raw: bytes) -> None:
        text = read_line(readable_line(raw)).text
        line, _ = rewritten(raw)
        # A tombstone of few bytes is dashes only.
        if is_redacted(text) or not text.strip("-"):
            self._redacted[_outline(line)] += 1
        else:
            self._lines[_digest(line)] += 1


def stored_ones(file: Source, stored: StoredMessages, skip: int) -> bytearray:
    """The messages of a file that need not be written: a byte for each, 1 if it is stored, or one of the first ``skip``."""
    found = bytearray()
    for number, raw in enumerate(file.raw_messages()):
        # Skipped ones are stored, too: what follows must not be taken for them.
        is_stored = stored.take(rewritten(raw)[0])
        found.append(is_stored or number < skip)
    return found


def _take(counter: Counter[bytes], digest: bytes) -> bool:
    if not counter[digest]:
        return False
    counter[digest] -= 1
    return True


def _span(file: Source) -> tuple[bytes, bytes]:
    """The earliest and the latest time in a file; both are empty if it has no messages."""
    earliest = latest = b""
    for raw in file.raw_messages():
        stamp = _stamp(raw)
        earliest, latest = min(earliest or stamp, stamp), max(latest, stamp)
    return earliest, latest


def _stamp(raw: bytes) -> bytes:
    begin = len(BOM) if raw.startswith(BOM) else 0
    return raw[begin + 1 : begin + 1 + STAMP_CHARACTERS]


def _digest(line: str) -> bytes:
    return hashlib.blake2b(line.encode(), digest_size=DIGEST_BYTES).digest()


def _outline(line: str) -> bytes:
    """The part of a message that its redaction leaves: its time, its name and its size."""
    message = read_line(line)
    return _digest(f"{message.stamp} {len(line.encode())} {message.user}")
