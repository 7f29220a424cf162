"""What was done to keep order, and how it is written down. Pure.

A deed is a line of ``audit.txt``, in the grammar of the log::

    deed   = "[" date " " time "] " who ": " act *(" " name "=" value)
    value  = one or more characters without blanks, quotes and backslashes  / a JSON string
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, Final

from besedka.wire.errors import Refused
from besedka.wire.frames import Act
from besedka.wire.log_line import read_line, write_line
from besedka.wire.message import Message
from besedka.wire.validation import DEFAULT_ROOM, clean_name, clean_room

OPERATOR: Final = "operator"
"""Who is named where it was not a moderator; those have a ``by``, too, so that none can be taken for him."""

UNTIL: Final = "%Y-%m-%dT%H:%M:%SZ"
"""How it is written until when something is in force."""

LATEST: Final = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp())
"""No restriction ends later, but for those that do not end."""

_VALUE: Final = re.compile(r' (?P<name>[a-z]+)=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"\\]+)')
_PLAIN: Final = re.compile(r'[^\s"\\]+')
_CLAIM: Final = re.compile(r"[0-9a-f]{64}")

_ABOUT_SOMEBODY: Final = frozenset(Act) - {Act.SLOW, Act.REDACT}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done to keep order.

    Attributes:
        stamp: when, in the log's time.
        who: the moderator's name, or `OPERATOR`.
        act: what.
        user: to whom; of a redaction, whose message it was.
        claim: of that person, if he has shown one.
        addresses: from which nobody comes in.
        room: where.
        id: of the message.
        said: when it was said, in the log's time.
        epoch: of its log.
        size: how many bytes it takes there.
        seconds: of a slow room: one message in so many.
        until: unix seconds; 0: until it is taken back.
        by: the moderator's claim.
        reason: why.
    """

    stamp: str
    who: str
    act: Act
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


_FIELDS: Final = tuple(one.name for one in fields(AuditEntry))[3:]


def write_entry(entry: AuditEntry) -> str:
    """A deed as it stands in the file, without the LF."""
    shown: dict[str, str] = {}
    for name in _FIELDS:
        value = getattr(entry, name)
        if name == "until":
            value = datetime.fromtimestamp(value, UTC).strftime(UNTIL) if value else ""
        if name == "addresses":
            name, value = "address", ",".join(value)  # noqa: PLW2901 - as it is written
        if value or (name == "seconds" and entry.act is Act.SLOW):
            shown[name] = str(value)
    values = "".join(f" {name}={_quoted(value)}" for name, value in shown.items())
    return write_line(Message(entry.stamp, entry.who, f"{entry.act}{values}"))


def read_entry(raw: str) -> AuditEntry:
    """The deed in a line of the file.

    Raises:
        ValueError: if it is none.
    """
    line = read_line(raw)
    act, blank, rest = line.text.partition(" ")
    given: dict[str, str] = {}
    at, rest = 0, (blank + rest).rstrip()
    while at < len(rest):
        found = _VALUE.match(rest, at)
        if found is None or found["name"] in given:
            raise ValueError(f"not a deed: {raw!r}")
        value = found["value"]
        given[found["name"]] = _plain(value) if value.startswith('"') else value
        at = found.end()
    return _checked(AuditEntry(line.stamp, line.user, Act(act), **_values(given)))


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.isprintable():
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    # Whoever reads the file in a terminal is shown what is there.
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
        raise ValueError(f"there is no {', '.join(sorted(unknown))} in a deed")
    return values


def _plain(quoted: str) -> str:
    text = str(json.loads(quoted))
    text.encode()  # half a surrogate pair is no text
    return text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"not a number: {text!r}")
    return int(text)


def _checked(entry: AuditEntry) -> AuditEntry:
    """The deed, if it has what it needs."""
    try:
        if entry.act in _ABOUT_SOMEBODY and entry.user:
            clean_name(entry.user)
        if entry.room:
            clean_room(entry.room)
    except Refused as refusal:
        raise ValueError(str(refusal)) from refusal
    for address in entry.addresses:
        ip_network(address)
    if entry.until > LATEST:
        raise ValueError("that is too late")
    needs = {
        Act.APPOINT: bool(_CLAIM.fullmatch(entry.claim)),
        Act.BAN: bool(entry.user or entry.claim or entry.addresses),
        Act.UNBAN: bool(entry.user or entry.claim or entry.addresses),
        Act.REDACT: bool(entry.id),
    }
    if not needs.get(entry.act, bool(entry.user or entry.claim or entry.act is Act.SLOW)):
        raise ValueError("something is missing")
    if entry.act in {Act.SLOW, Act.REDACT} and not entry.room:
        return replace(entry, room=DEFAULT_ROOM)
    return entry
