"""Words as WebSocket frames, ready to be written to any number of connections."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.frames import Frame, Opcode

from besedka.wire.words import AnyWord, encode


def frames(words: Sequence[AnyWord]) -> bytes:
    """One unmasked text frame for each word, one behind the other (RFC 6455, section 5.2)."""
    return b"".join(Frame(Opcode.TEXT, encode(word)).serialize(mask=False) for word in words)
