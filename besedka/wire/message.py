"""A message, as every part of the program knows it; what surrounds it (a frame, a batch, a page) is composed around it."""

from __future__ import annotations

from typing import NewType

import msgspec

MessageId = NewType("MessageId", int)
"""A message's ordinal number in its room, from 1."""


class Message(msgspec.Struct, frozen=True):
    """Something that was posted in a room.

    Attributes:
        stamp: when, in the server's local time, ``YYYY-MM-DD HH:MM:SS``; empty until it is stored.
        user: who posted it.
        text: its lines, separated by LF.
        id: its ordinal number in its room; 0 until it is stored, and where nobody counts.
        at: the moment of ``stamp`` in unix seconds; 0 if it is not known.
        key: what its poster knows it by; may be empty.
        unverified: nobody can be held to it: its poster had not shown that the name is theirs.
    """

    stamp: str
    user: str
    text: str
    id: MessageId = MessageId(0)
    at: int = 0
    key: str = ""
    unverified: bool = False
