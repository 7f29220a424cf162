"""The likely format of a file that is no log of Besedka, by its first bytes, so that its refusal can name it."""

from __future__ import annotations

import re
from typing import Final

from besedka.serve.files.descriptor import Descriptor

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

_READ_BYTES: Final = 4096
_TEXT_IN_EIGHT_BITS: Final = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]*")


def looks_like(log: Descriptor) -> str:
    """The likely format of a file, as a part of a sentence."""
    return head_looks_like(log.read(0, _READ_BYTES))


def is_text(log: Descriptor) -> bool:
    """Whether the beginning of a file is plain text in UTF-8."""
    head = log.read(0, _READ_BYTES)
    return b"\0" not in head and _decodes(head)


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


def _decodes(head: bytes) -> bool:
    """Whether it is UTF-8, except for a character cut by the end of the read."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end >= len(head) > _READ_BYTES - 4 and error.start >= len(head) - 3
    return True
