"""Files to be imported, as UTF-8 that can be read twice: a pipe is copied to a file without a name, another encoding is decoded.

Memory stays that of a block, however long a file or a line is. A file that cannot be decoded is refused with the line number, because a
wrong encoding would put wrong letters into a history that is never rewritten.
"""

from __future__ import annotations

import codecs
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Final

from besedka.serve.errors import SourceUnusable
from besedka.serve.files.descriptor import BLOCK_BYTES, Descriptor, reason
from besedka.serve.history.file_formats import binary_format, head_looks_like
from besedka.wire.log_line import BOM

EXAMPLES: Final = "utf-8, utf-16, utf-16-le, utf-16-be, cp1251, koi8-r, cp866, iso8859-5, cp1252, latin-1"
"""Encodings that old logs are likely to have; Python knows many more."""

_UTF_8: Final = "utf-8"
_BOMS: Final = (
    (codecs.BOM_UTF8, _UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TAKES_MARK_AWAY: Final = frozenset({"utf-16", "utf-32"})
_TAKEN_AWAY: Final = tuple(bom for bom, encoding in _BOMS if encoding != _UTF_8)
_NOT_OF_FILES: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})
_HEAD_BYTES: Final = 4096


class EncodingUnknown(ValueError):  # noqa: N818 - says what happened
    """The encoding is not known, or is not one of text."""


def known_encoding(name: str) -> str:
    """The canonical name of an encoding.

    Raises:
        EncodingUnknown: if it is not known, or is not one of text files.
    """
    try:
        known = codecs.lookup(name).name
        codecs.getincrementaldecoder(known)().decode(b"", final=True)
        "".encode(known)
    except (LookupError, ValueError, TypeError):
        known = ""
    if not known or known.replace("_", "-") in _NOT_OF_FILES:
        raise EncodingUnknown(f"{name!r} is no encoding that is known; known are {EXAMPLES} and many others")
    return _UTF_8 if known == "utf-8-sig" else known


def as_utf_8(source: Descriptor, name: str, encoding: str | None) -> Descriptor:
    """The text of a file to be imported.

    Args:
        source: the file, or a pipe, which is read to its end.
        name: its name in errors.
        encoding: as returned by `known_encoding`; None: UTF-8, or the encoding of a byte order mark at the beginning.

    Returns:
        The same file if it is a file in UTF-8; else a copy without a name.

    Raises:
        SourceUnusable: it is not text, or cannot be decoded, or there is no room for the copy.
        OSError: it cannot be read.
    """
    kept = source if _is_whole_file(source) else _spooled(source, name)
    head = kept.read(0, _HEAD_BYTES)
    used = _encoding_of(name, head, encoding)
    if used == _UTF_8:
        for _ in _decoded(kept, name, used, is_given=encoding is not None):
            pass
        return kept
    with _nameless(name) as text:
        if used in _TAKES_MARK_AWAY and head.startswith(_TAKEN_AWAY):
            text.write(BOM)  # the decoder drops the file's own mark, and a file that has one is not empty
        for piece in _decoded(kept, name, used, is_given=True):
            # A lone surrogate, which some encodings (UTF-7) allow, is no character.
            text.write(piece.encode("utf-8", "replace"))
    return text


def _is_whole_file(source: Descriptor) -> bool:
    """Whether it is a regular file at its beginning: a shell may pass one that another command has begun to read."""
    is_file = stat.S_ISREG(os.fstat(source.number).st_mode)
    return is_file and os.lseek(source.number, 0, os.SEEK_CUR) == 0


def _encoding_of(name: str, head: bytes, given: str | None) -> str:
    marked = next((encoding for bom, encoding in _BOMS if head.startswith(bom)), None)
    if marked is None:
        if what := binary_format(head):
            advice = "zcat FILE | besedka import -" if "compressed" in what else "only text can be imported"
            raise SourceUnusable(name, f"it looks like {what}; {advice}")
        return given or _UTF_8
    if given and not given.startswith(marked):
        raise SourceUnusable(
            name, f"its byte order mark says {marked}, and --encoding {given}: leave that out"
        )
    return given or marked


def _spooled(source: Descriptor, name: str) -> Descriptor:
    blocks = iter(lambda: os.read(source.number, BLOCK_BYTES), b"")
    first = next(blocks, b"")
    with _nameless(name) as copy:
        for block in chain((first,), blocks):
            copy.write(block)
    return copy


@contextmanager
def _nameless(name: str) -> Iterator[Descriptor]:
    """A new file without a name."""
    try:
        with tempfile.TemporaryFile() as file:
            made = Descriptor.of(os.dup(file.fileno()))
        yield made
    except OSError as error:
        where = tempfile.gettempdir()
        raise SourceUnusable(name, f"it cannot be kept in {where} meanwhile: {reason(error)}") from error


def _decoded(log: Descriptor, name: str, encoding: str, *, is_given: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, size = 1, log.size
    for offset in range(0, max(size, 1), BLOCK_BYTES):
        block, before, is_last = (
            log.read(offset, BLOCK_BYTES),
            decoder.getstate(),
            offset + BLOCK_BYTES >= size,
        )
        try:
            piece = decoder.decode(block, is_last)
        except UnicodeError:
            decoder.setstate(before)
            line = lines + _lines_until_error(decoder, block)
            raise _undecodable(log, name, line, encoding, is_given=is_given) from None
        lines += piece.count("\n")
        yield piece


def _lines_until_error(decoder: codecs.IncrementalDecoder, block: bytes) -> int:
    """The number of lines that end before the first byte that cannot be decoded."""
    lines = 0
    try:
        for at in range(len(block)):
            lines += decoder.decode(block[at : at + 1]).count("\n")
    except UnicodeError:
        pass
    return lines


def _undecodable(log: Descriptor, name: str, line: int, encoding: str, *, is_given: bool) -> SourceUnusable:
    if is_given:
        return SourceUnusable(name, f"line {line} is not {encoding}; nothing was imported")
    advice = f"say how it is written by --encoding: {EXAMPLES}, …"
    if (looks := head_looks_like(log.read(0, _HEAD_BYTES))) == "a binary file":
        return SourceUnusable(
            name, f"line {line} is not UTF-8; it looks like {looks}. If it is text, {advice}"
        )
    return SourceUnusable(name, f"line {line} is not UTF-8; nothing was imported: {advice}")
