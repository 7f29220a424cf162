"""A message and its lines in the log.

The grammar, in full::

    log            = *(message / not-understood)
    message        = first LF *(continuation LF)
    first          = [BOM] "[" date " " time "] " name ": " text   ; a name holds no ": ", and is not "<" … "> " …
    continuation   = TAB text                                      ; as Besedka writes it
                   / any line that starts no entry                 ; as a person or another program may have written it
    not-understood = strange LF *(continuation LF)
    strange        = a line that starts no message, though it begins with "[", has its "]" within 40 bytes, and
                     between them a full date and a time: a message in the format of another program
                   / a line that begins with a NUL, which no text does, or with a part of a time and a NUL: a hole that a
                     disk has left, or UTF-16

Only the byte 0A ends a line. A CR before it is dropped on reading, so a file from Windows reads the same. The text of
a message may therefore hold anything but CR and still never forge another message. Lines that are not understood have no
id: pages skip them, and the file keeps them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache

from besedka.wire.invisible import BLANK, UNSEEN
from besedka.wire.message import Message
from besedka.wire.message import MessageId as MessageId  # noqa: PLC0414 - until all import it from there

Line = Message

STAMP = "%Y-%m-%d %H:%M:%S"
STAMP_CHARACTERS = len("0000-00-00 00:00:00")

_CLOCK = "%H:%M:%S"
REMOVED = "[removed]"
"""The beginning of a tombstone; a text of fewer bytes becomes dashes only when it is redacted."""

_TOMBSTONE = re.compile(rf"{re.escape(REMOVED)}-*")

_OF_ANOTHER_PROGRAM = re.compile(r"<[^>]*> ")

_AFTER_YEAR = "-%m-%d %H:%M:%S"  # strftime does not pad early years

HEAD_BYTES_AT_MOST = 4096
"""A longer name is no name, so that the beginning of a line of any length is enough to classify it."""

BOM = b"\xef\xbb\xbf"
"""Some programs write it before UTF-8, and joined files have it in the middle; it is part of no name."""

NO_HEAD = "[0000-00-00 00:00:00] ?: "
"""Replaces a damaged time and name; no name may end with ?."""

_FIRST = (
    rb"(?:\xef\xbb\xbf)?\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (?!<[^>\n]{0,%d}> )[^\n]{0,%d}?:(?= |\r?\n|\r?\Z)"
    % (
        HEAD_BYTES_AT_MOST,
        HEAD_BYTES_AT_MOST,
    )
)

PLAIN_FIRST = rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (?!<)[^:\n]{0,%d}+: " % HEAD_BYTES_AT_MOST
"""A pattern of what is in front of the text of nearly all messages; of others that `FIRST_LINE` matches, too, it does not match."""

_DATES = (
    rb"\d{4}[-./]\d\d?[-./]\d\d?",  # 2011-10-12
    rb"\d\d?[-./]\d\d?[-./]\d\d(?:\d\d)?",  # 12.10.2011, 10/12/11
    rb"\d\d?[-. ]{1,2}[A-Za-z\x80-\xff]{3,}[-., ]{1,2}\d\d(?:\d\d)?",  # 12 Oct 2011, 12-Oct-11
    rb"[A-Za-z\x80-\xff]{3,}[. ]{1,2}\d\d?,? \d{4}",  # Oct 12, 2011
    rb"\d{8}(?=T| )",  # 20111012T
)
_TIMES = rb"\d\d?:\d\d|T\d{4}"

_STRANGE = (
    rb"(?:\xef\xbb\xbf|\xe2\x80[\x8e\x8f])?\[(?=[^\]\n]{0,38}\])(?=[^\]\n]*?(?:%s))(?=[^\]\n]*?(?:%s))"
    % (b"|".join(_DATES), _TIMES)
)

FIRST_LINE = re.compile(rb"^" + _FIRST, re.MULTILINE)
"""Matches in bytes of a log where messages start."""

_HOLE = rb"(?:\[[-0-9: ]{0,19})?\0"

ENTRY = re.compile(rb"^(?:(?P<message>" + _FIRST + rb")|" + _STRANGE + rb"|" + _HOLE + rb")", re.MULTILINE)
"""Matches where entries of a log start: messages, or lines that are not understood."""

_PARTS = re.compile(
    r"\[(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] (?P<user>[^\n]*?):(?: (?P<text>.*)|(?P<rest>\n.*|))",
    re.DOTALL | re.ASCII,
)


def stamp(at: float, zone: tzinfo | None) -> str:
    """The log's time for a moment in unix seconds, in a zone (None: the machine's own)."""
    return _stamp(int(at), zone)


@lru_cache(maxsize=16)
def _stamp(at: int, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(at, tz=UTC).astimezone(zone).strftime(STAMP)


def stamp_by_clock(at: int, utc_offset: int, clock: str) -> str:
    """The log's time for a moment in unix seconds, when its clock showed ``HH:MM:SS``.

    The offset from UTC, in seconds, may be that of another season: the result is the nearest moment with this clock time. An
    invalid clock time is ignored.

    Raises:
        ValueError, OverflowError: if there is no such moment.
    """
    moment = datetime.fromtimestamp(at, UTC) + timedelta(seconds=utc_offset)
    if clock != moment.strftime(_CLOCK):
        with suppress(ValueError):
            shown = time.fromisoformat(clock)
            days = (moment.date() + timedelta(days=days) for days in (-1, 0, 1))
            moment = min(
                (datetime.combine(day, shown, UTC) for day in days), key=lambda other: abs(other - moment)
            )
    return f"{moment.year:04}{moment.strftime(_AFTER_YEAR)}"


def clock_time(stamp: str) -> str:
    """The ``HH:MM:SS`` of a log's time."""
    return stamp.rpartition(" ")[2]


@lru_cache(maxsize=1024)
def moment(stamp: str, zone: tzinfo | None) -> int:
    """The unix seconds of a log's time; 0 if it is invalid, which only an external edit can make it."""
    try:
        return int(datetime.strptime(stamp, STAMP).replace(tzinfo=zone).timestamp())
    except ValueError:
        return 0


def can_be_author(name: str) -> bool:
    """Whether a name can stand in front of a message in the log: written there, it is read as the same name."""
    return not ("\n" in name or ": " in name or _OF_ANOTHER_PROGRAM.match(name))


def write_line(message: Message) -> str:
    """The message as it stands in the log, without the last LF."""
    return f"[{message.stamp}] {message.user}: " + message.text.replace("\n", "\n\t")


def read_line(raw: str) -> Message:
    """Parse the lines of a message from a log (without the last LF).

    Raises:
        ValueError: if they do not start with a message's first line.
    """
    parts = _PARTS.fullmatch(raw)
    if parts is None:
        raise ValueError(f"not a message of the log: {raw[:80]!r}")
    text = parts["text"] if parts["text"] is not None else parts["rest"]
    return Message(parts["stamp"], parts["user"], text.replace("\n\t", "\n"))


def is_redacted(text: str) -> bool:
    """Whether a text is a tombstone. (One of fewer bytes than ``[removed]`` is dashes only, as many a text is, and not recognised.)"""
    return _TOMBSTONE.fullmatch(text) is not None


def as_posted(text: str) -> str:
    """A text in which no line can be taken for a tombstone: ``(removed)`` replaces ``[removed]`` in such a line.

    A file alone cannot tell a tombstone from a text that somebody has posted, so nobody may post one. Invisible characters and
    surrounding blanks make no other line of it. The length stays the same.
    """
    return _like_a_tombstone().sub(_in_parentheses, text) if "[" in text else text


@lru_cache(maxsize=1)
def _like_a_tombstone() -> re.Pattern[str]:
    # Compiled when it is needed: it takes longer than all others of a client together.
    return re.compile(
        rf"^[{BLANK}]*+{f'[{UNSEEN}]*+'.join(map(re.escape, REMOVED))}[{UNSEEN}-]*+[{BLANK}]*+$",
        re.MULTILINE,
    )


def _in_parentheses(found: re.Match[str]) -> str:
    return found[0].replace("[", "(").replace("]", ")")


def tombstone(size: int) -> str:
    """The replacement of a redacted text, of the same size in bytes of the log."""
    return REMOVED.ljust(size, "-") if size >= len(REMOVED) else "-" * size


def written_bytes(text: str) -> int:
    """How many bytes of the log a text takes."""
    return len(text.encode()) + text.count("\n")


def show_line(raw: bytes) -> str:
    """Bytes of one message from a log as text: no BOM, no CR before LF, no last LF, bad UTF-8 replaced."""
    whole = raw.removeprefix(BOM).replace(b"\r\n", b"\n").removesuffix(b"\n")
    return whole.decode("utf-8", "replace")


def readable_line(raw: bytes) -> str:
    """The same, for `read_line`: `NO_HEAD` replaces a damaged beginning."""
    head = FIRST_LINE.match(raw)
    if head is None:
        return f"{NO_HEAD}{show_line(raw)}"
    return show_line(without_half_a_line_end(raw, head.end()))


def without_half_a_line_end(raw: bytes, head: int) -> bytes:
    """A message without the CR after its empty first line of ``head`` bytes, where the log ends before the LF."""
    return raw[:head] if len(raw) == head + 1 and raw.endswith(b"\r") else raw
