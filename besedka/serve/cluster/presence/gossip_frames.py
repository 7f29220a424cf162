"""The forms in which nodes tell each other who is where. Pure.

A person is a number here: a digest of their name and identity, keyed with the id of the cluster, so that all nodes have the same one and nobody learns a claim from it.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from besedka.wire.validation import NAME_CHARACTERS_AT_MOST, ROOM_CHARACTERS_AT_MOST

Digest = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A person."""

Name = Annotated[str, msgspec.Meta(max_length=NAME_CHARACTERS_AT_MOST)]
RoomName = Annotated[str, msgspec.Meta(max_length=ROOM_CHARACTERS_AT_MOST)]
NodeName = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
"""A node, from one start of it to its end."""

PEOPLE_IN_FRAME: Final = 500
"""At most so many people in one frame: some dozens of kilobytes, as NATS likes them."""


class RoomChange(msgspec.Struct, omit_defaults=True):
    """The changes in a room since the last frame.

    Attributes:
        joined: those who are in it now, with their names.
        left: those who are not any more.
        hidden: the same, of whom no notice is to tell.
        renamed: new names by former ones, of people who are in ``left`` and ``joined``.
    """

    joined: dict[Digest, Name] = {}
    left: set[Digest] = set()
    hidden: set[Digest] = set()
    renamed: dict[Name, Name] = {}

    @property
    def size(self) -> int:
        """The number of people in it."""
        return len(self.joined) + len(self.left) + len(self.hidden)


class _Frame(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """A frame.

    Attributes:
        node: the node that has sent it.
    """

    node: NodeName


class Beat(_Frame, frozen=True, tag="beat"):
    """A node is alive.

    Attributes:
        number: that of the last change which it has told.
    """

    number: int


class Changes(_Frame, frozen=True, tag="changes"):
    """Changes, each with the next number: whoever misses one asks for the state.

    Attributes:
        number: its number.
        rooms: what has changed in each room.
    """

    number: int
    rooms: dict[RoomName, RoomChange]


class State(_Frame, frozen=True, tag="state"):
    """A part of the state of a node; its parts follow each other.

    Attributes:
        number: that of the last change in it.
        rooms: the people in each room, with their names.
        part: which part it is, from 0.
        parts: how many there are.
    """

    number: int
    rooms: dict[RoomName, dict[Digest, Name]]
    part: int
    parts: int


class TypingElsewhere(_Frame, frozen=True, tag="typing"):
    """People are typing.

    Attributes:
        rooms: their names, by their rooms.
    """

    rooms: dict[RoomName, list[Name]]


class Ask(_Frame, frozen=True, tag="ask"):
    """A node asks for the state of another.

    Attributes:
        of: which; empty for all.
    """

    of: str = ""


class Bye(_Frame, frozen=True, tag="bye"):
    """A node stops: its people may come back at others."""


GossipFrame = Beat | Changes | State | TypingElsewhere | Ask | Bye

encode_gossip: Final = msgspec.json.Encoder().encode
decode_gossip: Final = msgspec.json.Decoder(GossipFrame).decode
"""Raises `msgspec.MsgspecError` for what is none."""
