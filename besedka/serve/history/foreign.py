"""Files that are no logs of Besedka: their likely format, so that the refusal of a start can name it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from besedka.serve.errors import HistoryUnusable
from besedka.serve.files.descriptor import BLOCK_BYTES, Descriptor
from besedka.serve.history.recovery import could_be_torn_line, has_lost_sectors
from besedka.serve.history.scan import FIRST_BYTES, messages

_MAGIC: Final = {
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"\x89PNG\r\n\x1a\n": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"SQLite format 3\0": "a database (SQLite)",
    b"\x1f\x8b": "a compressed file (gzip)",
    b"BZh": "a compressed file (bzip2)",
    b"\xfd7zXZ\0": "a compressed file (xz)",
    b"\x28\xb5\x2f\xfd": "a compressed file (zstd)",
    b"PK\x03\x04": "an archive (zip)",
    b"%PDF-": "a document (PDF)",
    b"\x7fELF": "a program",
    b"besedka index ": "the index of a history",
}
_CLOCK: Final = rb"\d\d?:\d\d(?::\d\d)?(?:[ \xe2\x80\xaf\xc2\xa0]{1,3}[AaPp]\.?[Mm]\.?)?"
_DAY: Final = rb"\d\d?[./-]\d\d?[./-]\d\d(?:\d\d)?"
_NICK: Final = rb"<[ @+%&~]?[^\s<>]{1,64}> "
_FORMATS: Final = tuple(
    (re.compile(pattern, re.MULTILINE), name)
    for pattern, name in (
        (rb"\A--- Log opened ", "a log of irssi"),
        (rb"\ASession (?:Start|Time): ", "a log of mIRC"),
        (rb"\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\t[^\t\n]{0,99}\t", "a log of WeeChat"),
        (rb"\A" + _DAY + rb",? " + _CLOCK + rb" - ", "an export of WhatsApp"),
        (rb"\A(?:\xe2\x80\x8e)?\[" + _DAY + rb", " + _CLOCK + rb"\] ", "an export of WhatsApp"),
        (rb"\AConversation with .{1,200} at .{1,200} on ", "a log of Pidgin"),
        (rb"\A=+\r?\nGuild: ", "an export of Discord"),
        (rb"\AFrom: .{0,200}\r?\n(?:To: .*\n)?Type: (?:incoming|outgoing)\r?\n", "an export of Signal"),
        (rb"\A\s{0,9}> [^\n]{1,200} \[[UW]\w+\] @ ", "an export of Slack"),
        (rb"\A\s{0,9}(?:<!DOCTYPE html|<html)", "a page (HTML)"),
        (rb"\A\s{0,9}\{\s{0,9}\"", "data in JSON"),
        (rb"^\[?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d(?::\d\d)?(?:[+-]\d{4}|Z)?\]?\s{1,2}" + _NICK, "a log of an IRC client"),
        (rb"\A[^\r\n]{0,999}\r(?!\n)[^\n]*\Z", "text whose lines end in CR"),
    )
)  # fmt: skip
"""Sure signs of other programs, in the first bytes of their files."""

_BLANK: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*")
_READ_BYTES: Final = 4096
_TEXT_IN_EIGHT_BITS: Final = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]*")


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
    if not _is_text(log_file):
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


def _is_text(log: Descriptor) -> bool:
    """Whether the beginning of a file is plain text in UTF-8."""
    head = log.read(0, _READ_BYTES)
    return b"\0" not in head and _decodes(head)


def looks_like(log: Descriptor) -> str:
    """The likely format of a file, as a part of a sentence."""
    return head_looks_like(log.read(0, _READ_BYTES))


def head_looks_like(head: bytes) -> str:
    """The likely format of a file, by its first bytes."""
    return binary_format(head) or _text_format(head)


def binary_format(head: bytes) -> str:
    """The format of a file that is not UTF-8 text, by the magic number at its beginning; empty if it has none."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    return ""


def _text_format(head: bytes) -> str:
    if b"\0" in head:
        is_wide = head.count(0) * 3 > len(head)
        return "text in UTF-16" if is_wide else "a binary file"
    if _decodes(head):
        text = head.removeprefix(b"\xef\xbb\xbf")
        return next((name for sign, name in _FORMATS if sign.search(text)), "text in another format")
    return "text that is not UTF-8" if _TEXT_IN_EIGHT_BITS.fullmatch(head) else "a binary file"


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


def _decodes(head: bytes) -> bool:
    """Whether it is UTF-8, except for a character cut by the end of the read."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end >= len(head) > _READ_BYTES - 4 and error.start >= len(head) - 3
    return True
