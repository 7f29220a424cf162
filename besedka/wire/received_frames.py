"""The rules for the frames of a server, as a client accepts them: here and nowhere else. Pure.

A server is not trusted. What it says of people and rooms is kept in files at home, in lines with TABs between the fields, goes into the
environment of commands, and is shown at terminals; its numbers are added to clocks. So names, rooms, tokens and secrets are one line
without control characters, numbers are in range, and texts are no longer than a Besedka sends. The rules are wider than those of
`besedka.wire.validation`: a newer server may allow more names than this one, but no name may break a line.

Texts of messages, and the names in a log's own lines, may hold anything that the log's grammar lets them hold, because a log may be written by
hand; whoever shows them sanitizes them. So a message is one message in whatever is made of it, and its name is one line. Clock times are not
checked; an invalid one is ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sized
from typing import Final

from besedka.wire.frames import (
    FOUND_MESSAGES_AT_MOST,
    PAGE_MESSAGES_AT_MOST,
    ROOMS_LISTED,
    Chat,
    Device,
    DeviceLink,
    Done,
    Error,
    Found,
    History,
    Invitation,
    ReadUpTo,
    Redacted,
    Rights,
    RoomOpened,
    Rooms,
    ServerFrame,
    System,
    Typing,
    Welcome,
)
from besedka.wire.log_line import HEAD_BYTES_AT_MOST, can_be_author
from besedka.wire.message import MessageId
from besedka.wire.sanitize import is_one_line
from besedka.wire.validation import (
    FRAME_BYTES_AT_MOST,
    KEY_CHARACTERS_AT_MOST,
    NAME_CHARACTERS_AT_MOST,
    SECRET_CHARACTERS_AT_MOST,
)

NAME_AT_MOST: Final = 4 * NAME_CHARACTERS_AT_MOST
"""Characters of the name of a person or a room; direct rooms have the longest."""

NAMES_AT_MOST: Final = 1_000
"""Names in one frame; a server lists the first hundred."""

TOKEN_AT_MOST: Final = 256
"""Characters of a token, an epoch or a code."""

SENTENCE_AT_MOST: Final = 2 * FRAME_BYTES_AT_MOST
"""Characters of a sentence for people, which may quote from the frame that it answers."""

MESSAGE_AT_MOST: Final = 64 * 1024
"""Characters of a message as it is told; a server cuts the longest to 32 KiB, and adds a note."""

NUMBER_AT_MOST: Final = 2**53 - 1
"""The highest number that JSON carries everywhere (RFC 8259, section 6)."""

UTC_OFFSET_BELOW: Final = 24 * 60 * 60
"""Seconds; the zones of Python, and of the world, are less than a day from UTC."""

EARLIEST: Final = -62_135_596_800
"""The beginning of the year 1 in unix seconds: a log may be written by hand, but its years have four digits."""

LATEST: Final = 253_402_300_799
"""The end of the year 9999."""

_TOKEN: Final = re.compile(r"[\x21-\x7e]*")
_CODE: Final = re.compile(r"[a-z0-9_]*")


def check_received(frame: ServerFrame) -> None:
    """Check a frame of a server.

    Raises:
        ValueError: if no Besedka sends it; the sentence names the field, and does not quote it.
    """
    _names("room", [] if isinstance(frame, Error) else [getattr(frame, "room", "")])
    _tokens("key", [getattr(frame, "key", "")], KEY_CHARACTERS_AT_MOST)
    match frame:
        case Welcome():
            _check_welcome(frame)
        case History() | Found() | Chat() | Redacted():
            _check_messages(frame)
        case System() | Typing() | Rights():
            _check_presence(frame)
        case ReadUpTo():
            _numbers("id", [frame.id], least=1)
        case Rooms():
            _limit("rooms", frame.rooms, ROOMS_LISTED)
            _limit("blocked", frame.blocked, NAMES_AT_MOST)
            _names("name", (entry.name for entry in frame.rooms))
            _names("peer", (entry.peer for entry in frame.rooms))
            _numbers("clients_count", (entry.clients_count for entry in frame.rooms))
            _numbers("asked", (entry.asked for entry in frame.rooms))
            _names("blocked", frame.blocked)
            _names("next", (frame.next,))
        case RoomOpened() | Invitation() | DeviceLink() | Device() | Done():
            _check_response(frame)
        case Error():
            _check_error(frame)


def _check_welcome(frame: Welcome) -> None:
    _limit("users", frame.users, NAMES_AT_MOST)
    _limit("may", frame.may, NAMES_AT_MOST)
    _names("user", [frame.user])
    _names("peer", [frame.peer])
    _names("users", frame.users)
    _names("may", frame.may)
    _tokens("epoch", [frame.epoch], TOKEN_AT_MOST)
    limits = frame.limits
    _numbers("head", [frame.head])
    _numbers("read_up_to", [frame.read_up_to or 0])
    _numbers("clients_count", [frame.clients_count])
    _numbers("slow", [frame.slow])
    _numbers("limits", [limits.name, limits.room, limits.text, limits.frame])
    if abs(frame.utc_offset) >= UTC_OFFSET_BELOW:
        raise ValueError("`utc_offset` is a day or more")


def _check_messages(frame: History | Found | Chat | Redacted) -> None:
    match frame:
        case History():
            _check_lines(frame.messages, frame.unverified, PAGE_MESSAGES_AT_MOST)
            _limit("keys", frame.keys, PAGE_MESSAGES_AT_MOST)
            _numbers("first", [frame.first, frame.before or 0, *frame.keys])
            _tokens("keys", frame.keys.values(), KEY_CHARACTERS_AT_MOST)
        case Found():
            _texts("text", [frame.text], FRAME_BYTES_AT_MOST)
            _check_lines(frame.messages, frame.unverified, FOUND_MESSAGES_AT_MOST)
            _limit("ids", frame.ids, FOUND_MESSAGES_AT_MOST)
            _numbers("ids", frame.ids, least=1)
            _numbers("before", [frame.before])
            if len(frame.ids) != len(frame.messages):
                raise ValueError("`ids` are not as many as `messages`")
        case Chat():
            _numbers("id", [frame.id], least=1)
            if not EARLIEST <= frame.at <= LATEST:
                raise ValueError("`at` is out of range")
            _check_author(frame.user)
            _texts("text", [frame.text], MESSAGE_AT_MOST)
        case Redacted():
            _numbers("id", [frame.id], least=1)
            _texts("text", [frame.text], MESSAGE_AT_MOST)


def _check_lines(lines: list[str], unverified: list[int], at_most: int) -> None:
    _limit("messages", lines, at_most)
    _texts("messages", lines, MESSAGE_AT_MOST)
    _limit("unverified", unverified, at_most)


def _check_author(user: str) -> None:
    """Check that a name can stand in a line of a log, as one written by hand may: with control characters, but within the line."""
    _limit("user", user, HEAD_BYTES_AT_MOST)
    if not can_be_author(user):
        raise ValueError("`user` is no name that a line of a log can hold")


def _check_presence(frame: System | Typing | Rights) -> None:
    match frame:
        case System():
            users = frame.users if isinstance(frame.users, list) else []
            for field, names in (("joined", frame.joined), ("left", frame.left), ("users", users)):
                _limit(field, names, NAMES_AT_MOST)
                _names(field, names)
            renamed = frame.renamed if isinstance(frame.renamed, dict) else {}
            _limit("renamed", renamed, NAMES_AT_MOST)
            _names("renamed", (*renamed, *renamed.values()))
            _numbers("clients_count", [frame.clients_count])
            _numbers("slow", [frame.slow] if isinstance(frame.slow, int) else [])
            _texts("text", [frame.text], SENTENCE_AT_MOST)
        case Typing():
            _names("user", [frame.user])
        case Rights():
            _limit("may", frame.may, NAMES_AT_MOST)
            _names("may", frame.may)


def _check_response(frame: RoomOpened | Invitation | DeviceLink | Device | Done) -> None:
    match frame:
        case RoomOpened():
            _names("peer", [frame.peer])
        case Invitation():
            _tokens("token", [frame.token], TOKEN_AT_MOST)
            _numbers("uses", [frame.uses])
            _numbers("expires", [frame.expires])
        case DeviceLink():
            _tokens("token", [frame.token], TOKEN_AT_MOST)
            _names("user", [frame.user])
            _numbers("seconds", [frame.seconds])
        case Device():
            _names("user", [frame.user])
            _lines("secret", [frame.secret], SECRET_CHARACTERS_AT_MOST)
            if not (frame.user and frame.secret):
                raise ValueError("`user` or `secret` is empty")
        case Done():
            _texts("text", [frame.text], SENTENCE_AT_MOST)


def _check_error(frame: Error) -> None:
    # The room is quoted from what was asked for, whatever that was.
    _texts("room", [frame.room], FRAME_BYTES_AT_MOST)
    _texts("text", [frame.text], SENTENCE_AT_MOST)
    check_code(frame.code)
    if not (math.isfinite(frame.retry_after) and frame.retry_after >= 0):
        raise ValueError("`retry_after` is no time to wait")


def check_code(code: str) -> None:
    """Check the code of an error, which may be one of a newer server.

    Raises:
        ValueError: if no Besedka has such codes.
    """
    if len(code) > TOKEN_AT_MOST or not _CODE.fullmatch(code):
        raise ValueError("`code` is none")


def check_id(number: int, *, least: int = 1) -> MessageId:
    """An id, as gRPC has it outside of frames.

    Raises:
        ValueError: if it is out of range.
    """
    _numbers("id", [number], least=least)
    return MessageId(number)


def _names(field: str, names: Iterable[str]) -> None:
    _lines(field, names, NAME_AT_MOST)


def _lines(field: str, texts: Iterable[str], at_most: int) -> None:
    for text in texts:
        if not is_one_line(text):
            raise ValueError(f"`{field}` holds control characters, or several lines")
        _limit(field, text, at_most)


def _tokens(field: str, tokens: Iterable[str], at_most: int) -> None:
    for token in tokens:
        if not _TOKEN.fullmatch(token):
            raise ValueError(f"`{field}` holds other characters than printable ASCII")
        _limit(field, token, at_most)


def _texts(field: str, texts: Iterable[str], at_most: int) -> None:
    for text in texts:
        _limit(field, text, at_most)


def _limit(field: str, value: Sized, at_most: int) -> None:
    if len(value) > at_most:
        raise ValueError(f"`{field}` has a length of {len(value)}, and at most {at_most} is allowed")


def _numbers(field: str, numbers: Iterable[int], *, least: int = 0) -> None:
    if not all(least <= number <= NUMBER_AT_MOST for number in numbers):
        raise ValueError(f"`{field}` is out of range")
