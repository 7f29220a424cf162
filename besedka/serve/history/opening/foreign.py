"""Files that are no logs of Besedka: a start refuses them, and names their likely format."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from besedka.serve.errors import HistoryUnusable
from besedka.serve.files.descriptor import BLOCK_BYTES, Descriptor
from besedka.serve.history.file_formats import is_text, looks_like
from besedka.serve.history.opening.torn_end import could_be_torn_line, has_lost_sectors
from besedka.serve.history.scan import FIRST_BYTES, messages

_BLANK: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*")


def is_without_messages(log_file: Descriptor) -> bool:
    """Whether a file holds no message of Besedka."""
    size = log_file.size
    return next(messages(log_file, size, at_once=FIRST_BYTES), None) is None


def refuse_binary(log_file: Descriptor, path: Path) -> None:
    """Refuse a file that was put in the place of an open log, if it holds no message and is not plain text.

    Plain text is accepted, because a person may begin a new file with some words of their own.

    Raises:
        HistoryUnusable: if it is no log.
    """
    if not is_text(log_file):
        refuse_foreign(log_file, path)


def refuse_foreign(log_file: Descriptor, path: Path) -> None:
    """Refuse a file that has content but no message, whatever files are beside it.

    Raises:
        HistoryUnusable: if it is no log.
    """
    if is_without_messages(log_file) and not _is_ours_without_messages(log_file):
        raise HistoryUnusable(
            path,
            f"it holds no message of Besedka and looks like {looks_like(log_file)}; it was left as it is: "
            "name another file, or move this one away",
        )


def _is_ours_without_messages(log: Descriptor) -> bool:
    """Whether a file without a message may be a log: it is blank, or may be left by a power cut in the first batch.

    Such a cut leaves only NULs, a torn first line, or text after whole sectors of NULs.
    """
    return _is_torn_batch(log) or _holds_only(log, _is_blank) or _holds_only(log, _is_zero)


def _is_torn_batch(log: Descriptor) -> bool:
    head = log.read(0, BLOCK_BYTES)
    line = head.rstrip(b"\0").removeprefix(b"\xef\xbb\xbf")
    is_hole = head.startswith(b"\0") and has_lost_sectors(head, 0)
    return log.size <= BLOCK_BYTES and (is_hole or could_be_torn_line(line))


def _holds_only(log: Descriptor, is_nothing: Callable[[bytes], bool]) -> bool:
    return all(is_nothing(log.read(at, BLOCK_BYTES)) for at in range(0, log.size, BLOCK_BYTES))


def _is_blank(block: bytes) -> bool:
    return _BLANK.fullmatch(block) is not None


def _is_zero(block: bytes) -> bool:
    return not block.strip(b"\0")
