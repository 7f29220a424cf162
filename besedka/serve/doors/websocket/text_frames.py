"""Text messages in a frame of their own, read without a protocol: nearly all that clients send (RFC 6455, section 5.2). Pure.

Everything else is the protocol's: other frames, parts of messages and of frames, and what breaks the rules.
"""

from __future__ import annotations

from typing import Final

from websockets.frames import Opcode

from besedka.wire.validation import FRAME_BYTES_AT_MOST

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform for which it is not compiled
    from websockets.utils import apply_mask

_WHOLE_TEXT: Final = 0x80 | Opcode.TEXT
_MASKED: Final = 0x80
_SHORT: Final = 126
_HEADER_BYTES: Final = 2
_MASK_BYTES: Final = 4


def text_frames(data: bytes, at_most: int) -> tuple[list[bytes], int]:
    """The messages in the first frames, and where these end; none if one of them is anything but a whole message of text.

    Args:
        data: frames of a client, the first from its beginning on.
        at_most: how many frames are looked at.
    """
    messages: list[bytes] = []
    at, size = 0, len(data)
    while at < size and len(messages) < at_most:
        mask = at + _HEADER_BYTES
        if mask > size or data[at] != _WHOLE_TEXT:
            return [], 0
        length = data[at + 1] - _MASKED
        if length == _SHORT:
            mask += 2
            length = int.from_bytes(data[at + _HEADER_BYTES : mask])
        elif not 0 <= length < _SHORT:
            return [], 0  # it is not masked, or longer than any that is allowed
        begin = mask + _MASK_BYTES
        end = begin + length
        if length > FRAME_BYTES_AT_MOST or end > size:
            return [], 0
        messages.append(apply_mask(data[begin:end], data[mask:begin]))
        at = end
    return messages, at
