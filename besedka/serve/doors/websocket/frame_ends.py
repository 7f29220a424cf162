"""Where the frames end in what a client has sent: only their headers are looked at (RFC 6455, section 5.2). Pure."""

from __future__ import annotations

from typing import Final

_SHORT: Final = 126


def end_of_frames(data: bytes, start: int, frames: int) -> int:
    """Where the last of at most so many frames ends: behind the data, if some of it is missing.

    A frame whose header is incomplete is left out: if it is the first one, the end is the start.

    Args:
        data: frames of a client, masked or not.
        start: where a frame begins; it may be behind the data.
        frames: how many at most.
    """
    for _ in range(frames):
        if len(data) - start < 2:  # noqa: PLR2004 - the RFC's own numbers, as below
            return start
        size = data[start + 1] & 0x7F
        header = 6 if data[start + 1] & 0x80 else 2
        if size >= _SHORT:
            digits = 2 if size == _SHORT else 8
            if len(data) - start < 2 + digits:
                return start
            size = int.from_bytes(data[start + 2 : start + 2 + digits])
            header += digits
        start += header + size
    return start
