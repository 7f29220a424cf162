"""Counts what a JSON text holds before it is decoded. Pure.

Decoded, an empty string in a list takes up to twenty times the bytes that it has on the wire. So the number of elements has a bound of
its own, and it is known before one of them is built.
"""

from __future__ import annotations

import re
from typing import Final

BYTES_OF_AN_ELEMENT: Final = 2
"""The shortest element, with the comma behind it, in JSON; in protobuf, an empty message with its tag."""

_UP_TO_COMMA: Final = re.compile(r'(?:[^",]++|"(?:[^"\\]++|\\.)*+")*+,', re.DOTALL)


def has_more_elements(text: str, at_most: int) -> bool:
    """Whether a JSON text has more than so many commas outside of its strings: those between elements of lists and fields of objects.

    It takes time in proportion to the text, whatever that holds. Of a text that is not JSON the result means nothing.
    """
    # Nearly all texts have few commas, and these two cost nothing.
    if len(text) <= BYTES_OF_AN_ELEMENT * at_most or text.count(",") <= at_most:
        return False
    count, end = 0, 0
    # `finditer` would begin again behind each character of a string that does not end.
    while found := _UP_TO_COMMA.match(text, end):
        count, end = count + 1, found.end()
        if count > at_most:
            return True
    return False
