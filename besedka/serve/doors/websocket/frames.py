"""The chat's frames as WebSocket frames, encoded once for any number of connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from websockets.frames import Opcode

from besedka.wire.frames import AnyFrame, encode

_WHOLE_TEXT: Final = bytes([0x80 | Opcode.TEXT])


def encode_frames(frames: Sequence[AnyFrame]) -> bytes:
    """Encode each as one unmasked text frame (RFC 6455, section 5.2)."""
    parts: list[bytes] = []
    for frame in frames:
        payload = encode(frame)
        parts += _WHOLE_TEXT, _length(len(payload)), payload
    return b"".join(parts)


def _length(size: int) -> bytes:
    """The length of a payload in the header of its frame."""
    if size < 126:  # noqa: PLR2004 - the RFC's own numbers, as below
        return size.to_bytes()
    return b"\x7e" + size.to_bytes(2) if size < 1 << 16 else b"\x7f" + size.to_bytes(8)
