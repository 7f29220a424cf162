"""Frames for many subscribers, encoded once for all of one kind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from besedka.wire.frames import ServerFrame

Encode = Callable[[Sequence[ServerFrame]], bytes]
"""How a kind of door encodes frames; all subscribers of that kind receive the same bytes."""


class Broadcast:
    """Frames for many subscribers, encoded once for each kind of door.

    Attributes:
        frames: the frames.
        first: the id of the first message, if these are messages.
    """

    __slots__ = ("_encoded", "first", "frames")

    def __init__(self, frames: Sequence[ServerFrame], first: int = 0) -> None:
        self.frames = frames
        self.first = first
        self._encoded: dict[Encode, bytes] = {}

    def encoded(self, encode: Encode) -> bytes:
        """The frames in the encoding of a kind of door."""
        known = self._encoded.get(encode)
        if known is None:
            known = self._encoded[encode] = encode(self.frames)
        return known
