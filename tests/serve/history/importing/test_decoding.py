"""Files to be imported are decoded as they say, or refused with the number of the first line that cannot be."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from besedka.serve.errors import SourceUnusable
from besedka.serve.files.descriptor import BLOCK_BYTES, Descriptor
from besedka.serve.history.importing.decoding import EncodingUnknown, as_utf_8, known_encoding

TEXT = "[2009-11-19 23:46:36] Анна: привет\r\n\tещё\n" * 3


def decoded(path: Path, content: bytes, encoding: str | None = None) -> str:
    path.write_bytes(content)
    text = as_utf_8(Descriptor(path, os.O_RDONLY), "talk.txt", encoding and known_encoding(encoding))
    return text.read(0, text.size).decode()


@pytest.mark.parametrize(
    "encoding",
    [
        "cp1251",
        "koi8-r",
        "KOI8_R",
        "cp866",
        "iso8859-5",
        "utf-8",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-7",
        "utf-8-sig",
    ],
)
@pytest.mark.parametrize("times", [1, 2000])
def test_text_is_decoded_as_it_is_said_across_blocks(tmp_path: Path, encoding: str, times: int) -> None:
    text = TEXT * times
    assert decoded(tmp_path / "a", text.encode(encoding), encoding).removeprefix("\ufeff") == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_needs_no_option(tmp_path: Path, encoding: str) -> None:
    assert decoded(tmp_path / "a", TEXT.encode(encoding)).removeprefix("\ufeff") == TEXT


@pytest.mark.parametrize(
    ("bom", "encoding"), [(codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_BE, "utf-32-be")]
)
def test_a_byte_order_mark_says_the_order(tmp_path: Path, bom: bytes, encoding: str) -> None:
    assert decoded(tmp_path / "a", bom + TEXT.encode(encoding)) == f"\ufeff{TEXT}"


@pytest.mark.parametrize(
    ("content", "encoding", "line"),
    [
        (b"a\nb\n\xff\nc\n", None, 3),
        (b"a\nb\n\xd0\n", None, 3),
        (b"a\nb\n\xd0", None, 3),
        (b"a\n" * BLOCK_BYTES + b"\xff", None, BLOCK_BYTES + 1),
        (b"a\n" * (BLOCK_BYTES // 2 - 1) + b"a\xd0\xd0\n", None, BLOCK_BYTES // 2),
        (b"a\nb\x98\n", "cp1251", 2),
        ("a\nb\n".encode("utf-16") + b"\n", None, 3),
        ("a\nb\n".encode("utf-16-le") + b"\x00\xd8x\0", "utf-16-le", 3),
        ("ж\n".encode(), "ascii", 1),
        (b"ok\n\x80\n", "utf-8", 2),
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_is_named_by_its_line(
    tmp_path: Path, content: bytes, encoding: str | None, line: int
) -> None:
    with pytest.raises(
        SourceUnusable, match=rf"cannot import talk.txt: line {line} is not .*nothing was imported"
    ):
        decoded(tmp_path / "a", content, encoding)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"\x1f\x8b\x08", r"a compressed file \(gzip\); zcat FILE"),
        (b"\x89PNG\r\n\x1a\n\xff", "a picture"),
        (b"SQLite format 3\0", "a database"),
    ],
)
@pytest.mark.parametrize("encoding", [None, "latin-1"])
def test_what_is_no_text_is_not_decoded(
    tmp_path: Path, content: bytes, part: str, encoding: str | None
) -> None:
    with pytest.raises(SourceUnusable, match=part):
        decoded(tmp_path / "a", content, encoding)


@pytest.mark.parametrize("encoding", ["cp1251", "latin-1", "utf-8"])
def test_an_encoding_that_contradicts_the_byte_order_mark_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(SourceUnusable, match="its byte order mark says utf-16"):
        decoded(tmp_path / "a", TEXT.encode("utf-16"), encoding)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "cp12510",
        "base64",
        "rot13",
        "zlib",
        "idna",
        "punycode",
        "unicode_escape",
        "undefined",
        "../x",
        "ж",
        "\udc80",
        "x" * 999,
        "a\0b",
    ],
)
def test_an_unknown_encoding_is_refused_with_examples_of_known_ones(name: str) -> None:
    with pytest.raises(EncodingUnknown, match=r"known are utf-8, utf-16, .*cp1251, koi8-r"):
        known_encoding(name)
