"""A used disk: its free blocks hold chat lines, and records of an index that fit them, as files that were removed leave them."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

BLOCK_BYTES: Final = 4096
PATTERN_BLOCKS: Final = 128
STALE: Final = "stale"
"""How each sender of an old line is called: nothing of the kind may ever be shown."""


def fill(image: Path, chance: random.Random) -> None:
    """Fill an image, block by block, now with lines, now with records."""
    pattern = b"".join(_block(_lines(chance, number)) for number in range(PATTERN_BLOCKS))
    pattern += b"".join(_block(_records(_lines(chance, number))) for number in range(PATTERN_BLOCKS))
    with image.open("r+b") as file:
        for _ in range(image.stat().st_size // len(pattern)):
            file.write(pattern)


def _lines(chance: random.Random, block: int) -> Iterator[bytes]:
    number = block * 1000
    while True:
        number += 1
        more = "".join(f"\n\tline {line}" for line in range(chance.choice((0, 0, 1, 5))))
        yield f"[2025-01-01 00:00:00] {STALE}: {STALE} #{number}{more}\n".encode()


def _records(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield struct.pack("<II", len(line) | 1 << 31, zlib.crc32(line))


def _block(parts: Iterator[bytes]) -> bytes:
    block = bytearray()
    while len(block) < BLOCK_BYTES:
        block += next(parts)
    return bytes(block[:BLOCK_BYTES])
