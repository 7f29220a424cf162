"""The chat's frames as WebSocket frames, encoded once for any number of connections."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.frames import Frame, Opcode

from besedka.wire.frames import AnyFrame, encode


def encode_frames(frames: Sequence[AnyFrame]) -> bytes:
    """Encode each as one unmasked text frame (RFC 6455, section 5.2)."""
    return b"".join(Frame(Opcode.TEXT, encode(frame)).serialize(mask=False) for frame in frames)
