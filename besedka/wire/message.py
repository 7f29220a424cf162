"""A message, one value for every part of the program; frames, batches and pages are composed around it."""

from __future__ import annotations

from typing import Final, NewType

import msgspec

MessageId = NewType("MessageId", int)
"""A message's ordinal number in its room, from 1."""

UNVERIFIED_MARK: Final = "?"
"""Follows a name of which its poster has not shown that it is theirs, wherever it is shown; no name ends with it."""


class Message(msgspec.Struct, frozen=True):
    """A message of a room.

    Attributes:
        stamp: its time in the server's zone, ``YYYY-MM-DD HH:MM:SS``; empty until it is stored.
        user: the poster's name.
        text: its lines, separated by LF.
        id: its ordinal number in its room; 0 until it is stored, and where messages are not counted.
        at: the moment of ``stamp`` in unix seconds; 0 if it is not known.
        key: the poster's key for it; may be empty.
        unverified: its poster had not shown that the name is theirs.
    """

    stamp: str
    user: str
    text: str
    id: MessageId = MessageId(0)
    at: int = 0
    key: str = ""
    unverified: bool = False
