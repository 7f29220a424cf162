"""A QR code (ISO/IEC 18004) for a terminal: two rows of modules in one line of half blocks."""

from __future__ import annotations

from typing import Final

import segno

QUIET_MODULES: Final = 4
"""The light zone around it that readers expect (ISO/IEC 18004, section 6.3.8)."""

# Black on white from the fixed part of the 256 colours, which no theme changes.
_COLOURED: Final = "\x1b[38;5;16;48;5;231m{}\x1b[0m"
_DARK: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_lines(text: str, *, columns: int, colour: bool = True) -> list[str]:
    """The code of a text as lines; none if it does not fit.

    Args:
        text: what the code says.
        columns: how wide the terminal is.
        colour: dark on light, whatever the terminal's own colours are; else light blocks on a dark terminal are drawn.
    """
    try:
        code = segno.make_qr(text, error="l")
    except segno.DataOverflowError:
        return []
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET_MODULES)]
    if len(rows[0]) > columns:
        return []
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    lines = [
        "".join(_DARK[upper is colour, lower is colour] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
    return [_COLOURED.format(line) for line in lines] if colour else lines
