"""An entry of the audit log, and its format. Pure.

An entry is a line of ``audit.txt``, in the grammar of the log::

    entry  = "[" date " " time "] " actor ": " act *(" " name "=" value)
    value  = one or more characters without blanks, quotes and backslashes  / a JSON string
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, Final

from besedka.serve.limits.networks import NEIGHBOURS, network_of
from besedka.wire.errors import Refused
from besedka.wire.frames import Act
from besedka.wire.log_line import read_line, write_line
from besedka.wire.message import Message
from besedka.wire.validation import DEFAULT_ROOM, clean_room, stored_name

OPERATOR: Final = "operator"
"""The actor of the operator's entries. A moderator's entries also have a ``by``, so that no name can be mistaken for it."""

UNTIL: Final = "%Y-%m-%dT%H:%M:%SZ"
"""Format of ``until``."""

LATEST: Final = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp())
"""Latest end of a restriction that has an end."""

_VALUE: Final = re.compile(r' (?P<name>[a-z]+)=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"\\]+)')
_PLAIN: Final = re.compile(r'[^\s"\\]+')
_CLAIM: Final = re.compile(r"[0-9a-f]{64}")

_ABOUT_ROOMS: Final = frozenset({Act.SLOW, Act.REDACT, Act.ARCHIVE, Act.UNARCHIVE, Act.RENAME, Act.DELETE})

_ABOUT_SOMEBODY: Final = frozenset(Act) - _ABOUT_ROOMS


class Event(StrEnum):
    """An entry that no moderator has asked for.

    A *private* entry says that a room is private, from its creation on, even if nobody is a member of it any more. An *ended* one says that all
    that belongs to a deletion or renaming of a room is done.
    """

    PRIVATE = "private"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of moderation, or one event.

    Attributes:
        stamp: its time, as the log writes it.
        actor: the moderator's name, or `OPERATOR`; of a room: the name of its creator.
        act: the act, or the event.
        user: the target's name; for a redaction, the message's poster.
        claim: the target's claim, if there is one.
        addresses: the banned addresses.
        room: the room.
        id: the message's id.
        said: the message's time, as the log writes it.
        epoch: the epoch of its log.
        size: its size there in bytes.
        seconds: of a slow room: the interval between messages.
        until: unix seconds; 0: until it is lifted.
        by: the claim of a moderator, or of a room's creator.
        reason: the reason.
        to: the new name of a room.
    """

    stamp: str
    actor: str
    act: Act | Event
    user: str = ""
    claim: str = ""
    addresses: tuple[str, ...] = ()
    room: str = ""
    id: int = 0
    said: str = ""
    epoch: str = ""
    size: int = 0
    seconds: int = 0
    until: int = 0
    by: str = ""
    reason: str = ""
    to: str = ""


_FIELDS: Final = tuple(one.name for one in fields(AuditEntry))[3:]


def write_entry(entry: AuditEntry) -> str:
    """The line of an entry, without the LF."""
    shown: dict[str, str] = {}
    for name in _FIELDS:
        value = getattr(entry, name)
        if name == "until":
            value = datetime.fromtimestamp(value, UTC).strftime(UNTIL) if value else ""
        if name == "addresses":
            name, value = "address", ",".join(value)  # noqa: PLW2901 - the name in the file
        if value or (name == "seconds" and entry.act is Act.SLOW):
            shown[name] = str(value)
    values = "".join(f" {name}={_quoted(value)}" for name, value in shown.items())
    return write_line(Message(entry.stamp, entry.actor, f"{entry.act}{values}"))


def read_entry(raw: str) -> AuditEntry:
    """Parse a line of the file.

    Raises:
        ValueError: if it is not an entry.
    """
    if "\0" in raw:
        raise ValueError(f"damaged: {raw!r}")
    line = read_line(raw)
    act, blank, rest = line.text.partition(" ")
    given: dict[str, str] = {}
    at, rest = 0, (blank + rest).rstrip()
    while at < len(rest):
        found = _VALUE.match(rest, at)
        if found is None or found["name"] in given:
            raise ValueError(f"not an audit entry: {raw!r}")
        value = found["value"]
        given[found["name"]] = _plain(value) if value.startswith('"') else value
        at = found.end()
    return _checked(AuditEntry(line.stamp, line.user, _act(act), **_values(given)))


def _act(word: str) -> Act | Event:
    return Event(word) if word in {*Event} else Act(word)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.isprintable():
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    # Escape what a terminal would not show.
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in quoted)


def _values(given: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = dict(given)
    for name in ("id", "size", "seconds"):
        if name in values:
            values[name] = _number(values[name])
    if "until" in values:
        at = datetime.fromisoformat(values["until"])
        values["until"] = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    if "address" in values:
        values["addresses"] = tuple(values.pop("address").split(","))
    unknown = set(values) - set(_FIELDS)
    if unknown:
        raise ValueError(f"unknown fields of an audit entry: {', '.join(sorted(unknown))}")
    return values


def _plain(quoted: str) -> str:
    text = str(json.loads(quoted))
    text.encode()  # raises for half a surrogate pair
    return text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"not a number: {text!r}")
    return int(text)


def _checked(entry: AuditEntry) -> AuditEntry:
    """The entry as the server would have written it, if it is valid and complete."""
    try:
        if entry.act in _ABOUT_SOMEBODY and entry.user:
            entry = replace(entry, user=stored_name(entry.user))
        if entry.room:
            entry = replace(entry, room=clean_room(entry.room))
        if entry.to:
            entry = replace(entry, to=clean_room(entry.to))
    except Refused as refusal:
        raise ValueError(str(refusal)) from refusal
    if entry.claim and not _CLAIM.fullmatch(entry.claim):
        raise ValueError(f"not a claim: {entry.claim!r}")
    entry = replace(entry, addresses=tuple(map(_address, entry.addresses)))
    if entry.until > LATEST:
        raise ValueError("`until` is too late")
    needs = {
        Act.APPOINT: bool(entry.claim),
        Act.BAN: bool(entry.user or entry.claim or entry.addresses),
        Act.UNBAN: bool(entry.user or entry.claim or entry.addresses),
        Act.UNMUTE: bool(entry.user or entry.claim or entry.addresses),
        Act.REDACT: bool(entry.id),
        Act.ENTRUST: bool(entry.claim and entry.room),
        Act.ARCHIVE: bool(entry.room),
        Act.UNARCHIVE: bool(entry.room),
        Act.DELETE: bool(entry.room),
        Act.RENAME: bool(entry.room and entry.to),
        Event.PRIVATE: bool(entry.room),
        Event.ENDED: bool(entry.room),
    }
    if not needs.get(entry.act, bool(entry.user or entry.claim or entry.act is Act.SLOW)):
        raise ValueError("a field is missing")
    if entry.act in {Act.SLOW, Act.REDACT} and not entry.room:
        return replace(entry, room=DEFAULT_ROOM)
    return entry


def _address(given: str) -> str:
    """An address as restrictions have it: what counts as one address.

    Raises:
        ValueError: if it is none, or a wider network, which nobody's address would be equal to.
    """
    network = ip_network(given)
    if network.prefixlen < (NEIGHBOURS if network.version == 6 else network.max_prefixlen):  # noqa: PLR2004 - of the protocol
        raise ValueError(f"wider than what counts as one address: {given!r}")
    return str(network_of(str(network.network_address)) or network.network_address)
