"""The frames that only the operator's socket knows: who is there, which sessions there are, which limits are in force, and their answers. Pure.

Lists come in pages of at most `ROWS_AT_MOST` rows, because a server may have tens of thousands of sessions: `next` is the `after` of the
request for the next page, and 0 on the last one.
"""

from __future__ import annotations

from typing import Annotated, Final, get_args

import msgspec

from besedka.wire.frames import Error, Frame, Moderate, Response, decode_frame, tags

ROWS_AT_MOST: Final = 100
"""Rows of a page: with a hundred rooms each, and the longest names, they are shorter than a server's longest frame (4 MiB)."""

CLIENT_CHARACTERS_AT_MOST: Final = 80
"""Characters of the name that a client gives itself; browsers have the longest."""

After = Annotated[int, msgspec.Meta(ge=0)]


class ListPresent(Frame, tag="who", frozen=True):
    """Ask who is in a room, or in all rooms. Answered by ``present``.

    Attributes:
        room: the room; empty for all of them.
        after: the `next` of the page before; 0 for the first one.
        key: comes back with the answer.
    """

    room: str = ""
    after: After = 0
    key: str = ""


class ListSessions(Frame, tag="sessions", frozen=True):
    """Ask for all sessions. Answered by ``live_sessions``.

    Attributes:
        after: the `next` of the page before; 0 for the first one.
        key: comes back with the answer.
    """

    after: After = 0
    key: str = ""


class ListLimits(Frame, tag="limits", frozen=True):
    """Ask for the limits in force. Answered by ``limits_in_force``.

    Attributes:
        key: comes back with the answer.
    """

    key: str = ""


class PersonPresent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person in a room.

    Attributes:
        room: the room.
        user: their name; empty for readers without one.
        verified: whether they have shown that the name is theirs.
        sessions: the number of their sessions there; of readers, of all of them.
    """

    room: str
    user: str = ""
    verified: bool = False
    sessions: int = 1


class Present(Frame, tag="present", frozen=True):
    """The people present, by room and name.

    Attributes:
        people: a page of them.
        next: where the next page begins; 0 on the last one.
        key: the request's.
    """

    people: list[PersonPresent]
    next: int = 0
    key: str = ""


class SessionEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A connection, a call, or a download.

    Attributes:
        door: the path or the call by which it came.
        since: when it began, in unix seconds.
        address: the client's address, of IPv6 its /64 network; empty: this machine.
        connection: the number of its connection; 0 if it has none of its own.
        client: the name that the program gives itself, if it does; unverified.
        users: the names that it uses.
        rooms: the rooms that it is in.
        unsent: bytes that wait to be sent to it.
        behind: messages of its rooms that it has not received yet.
    """

    door: str
    since: int
    address: str = ""
    connection: int = 0
    client: str = ""
    users: list[str] = []
    rooms: list[str] = []
    unsent: int = 0
    behind: int = 0


class SessionList(Frame, tag="live_sessions", frozen=True):
    """All sessions, the oldest first.

    Attributes:
        sessions: a page of them.
        next: where the next page begins; 0 on the last one.
        key: the request's.
    """

    sessions: list[SessionEntry]
    next: int = 0
    key: str = ""


class LimitEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit in force.

    Attributes:
        name: its name.
        limit: how much there may be; 0 is no limit.
        used: how much there is; None of a rate.
        address: whose it is, if it is the limit of one address; of IPv6 the network. It is the address that has the most.
    """

    name: str
    limit: float
    used: int | None = None
    address: str = ""


class LimitList(Frame, tag="limits_in_force", frozen=True):
    """The limits in force.

    Attributes:
        limits: all of them.
        key: the request's.
    """

    limits: list[LimitEntry]
    key: str = ""


OperatorRequest = Moderate | ListPresent | ListSessions | ListLimits
OperatorResponse = Present | SessionList | LimitList
OperatorAnswer = Response | OperatorResponse | Error

_requests: msgspec.json.Decoder[OperatorRequest] = msgspec.json.Decoder(OperatorRequest)
_answers: msgspec.json.Decoder[OperatorAnswer] = msgspec.json.Decoder(OperatorAnswer)
_encoder = msgspec.json.Encoder()

OPERATOR_REQUESTS: Final = get_args(OperatorRequest)


def encode_operator(frame: OperatorRequest | OperatorAnswer) -> bytes:
    """The frame's JSON."""
    return _encoder.encode(frame)


def decode_operator(data: bytes) -> OperatorRequest:
    """A request of the operator.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`.
    """
    return decode_frame(_requests, data, tags(OperatorRequest))


def decode_operator_answer(data: bytes) -> OperatorAnswer:
    """A server's answer to the operator.

    Raises:
        Refused: `bad_json`, `bad_frame` or `unknown_type`.
    """
    return decode_frame(_answers, data, tags(OperatorAnswer))
