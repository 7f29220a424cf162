"""Counts the fields of a serialized message before it is parsed. Pure.

An empty message in a list has two bytes on the wire, and takes some three hundred in memory. So the number of elements has a bound of
its own, and it is known before one of them is built. The format is that of protobuf.dev, *Encoding*.
"""

from __future__ import annotations

from typing import Final

from besedka.wire.json_elements import BYTES_OF_AN_ELEMENT

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5
_FIXED_BYTES: Final = {_FIXED_64: 8, _FIXED_32: 4}
_VARINT_BYTES_AT_MOST: Final = 10


def has_more_elements(data: bytes, at_most: int, *, depth: int) -> bool:
    """Whether a message has more than so many fields, with those of the messages in it down to a depth.

    Args:
        data: the message. Of bytes that are none the result means nothing.
        at_most: so many fields.
        depth: 1 counts the message's own fields; 2 also those of each message in it.
    """
    is_short = len(data) <= BYTES_OF_AN_ELEMENT * at_most
    return not is_short and count_elements(data, at_most + 1, depth=depth) > at_most


def count_elements(data: bytes, at_most: int, *, depth: int) -> int:
    """The number of these fields, counted until there are so many. Arguments are as of `has_more_elements`."""
    count, parts = 0, [(0, len(data), depth)]
    try:
        while parts:
            position, end, left = parts.pop()
            while position < end:
                count += 1
                if count == at_most:
                    return count
                tag, position = _varint(data, position)
                kind = tag & 7
                if kind == _LENGTH:
                    size, position = _varint(data, position)
                    if left > 1:
                        parts.append((position, min(position + size, end), left - 1))
                    position += size
                elif kind == _VARINT:
                    _, position = _varint(data, position)
                else:
                    position += _FIXED_BYTES.get(kind, 0)
    except (IndexError, ValueError):
        pass  # not a message, as the parser will say
    return count


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position behind it.

    Raises:
        IndexError: if the data ends in it.
        ValueError: if it is too long.
    """
    number = data[position]
    if number < 0x80:  # noqa: PLR2004 - as below; nearly all have one byte
        return number, position + 1
    number = 0
    for index in range(_VARINT_BYTES_AT_MOST):
        byte = data[position + index]
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that the next byte belongs to it
            return number, position + index + 1
    raise ValueError("a number of more than 10 bytes")
