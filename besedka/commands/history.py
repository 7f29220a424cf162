"""``besedka history`` and ``verify``: on files, without a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from besedka.commands import messages
from besedka.commands.exit_status import Failure
from besedka.commands.messages import Output, complain
from besedka.commands.options import HISTORY_ROOM, file_of_room
from besedka.commands.since import SINCE_HELP, Looking, first_id, is_since, since
from besedka.wire.sanitize import sanitize_line

if TYPE_CHECKING:
    from besedka.serve.history import Flag, ReadableLog

PAGE_MESSAGES = 1_000
PIECE_BYTES = 1024 * 1024
LOOK_AGAIN_SECONDS = 1.0
NAMED_AT_MOST = 20
"""Removed messages that `verify` names: the newest ones."""


class _Logged(NamedTuple):
    """A message of a log.

    Attributes:
        number: its id.
        line: its lines.
        unverified: whether its poster had not shown that the name was theirs; None if that is not known.
        extent: its offsets in the file, if it is longer than `line`, which `ReadableLog.read` shortens; else None.
    """

    number: int
    line: str
    unverified: bool | None
    extent: range | None


FILE = click.argument(
    "file",
    envvar="BESEDKA_HISTORY",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
)


@click.command(
    short_help="Print a history.",
    epilog="""\b
Examples:
  besedka history -n 20
  besedka history --since "2025-11-19 23:00" --room dev
  besedka history --json | jq -r .user | sort | uniq -c""",
)
@FILE
@click.option("-n", "last", type=click.IntRange(1), help="Only the last so many messages.")
@click.option("--since", callback=since, metavar="ID|TIME", help=SINCE_HELP)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line instead of the log's own lines."
)
@HISTORY_ROOM
def history(
    *, file: Path, last: int | None, since: int | str | None, as_json: bool, room: str | None
) -> None:
    """Print the messages of a history FILE, chat_history.txt if not given; with --room, of the room's file beside it.

    Messages are printed whole, however long they are. The number of lines that are no messages is printed on stderr. The server
    may be running; nothing is changed.

    With --json, "unverified" is true or false where the index beside FILE knows whether the poster had shown that the name was theirs.
    """
    file = file_of_room(file, room)
    log = _open_to_read(file)
    first = 1 if last is None else max(1, log.count - last + 1)
    first = max(first, _look(log, first_id(since, log.count)))
    write = _as_json if as_json else _as_line
    output = Output()
    for message in _messages(log, first):
        if is_since(_stamp(message.line), since):
            for piece in write(log, message):
                output.write(piece)
    output.flush()
    _report_strange_lines(file, log)


@click.command(
    short_help="Compare a history with its checksums.",
    epilog="""\b
Examples:
  besedka verify
  besedka verify --room dev && echo untouched""",
)
@FILE
@HISTORY_ROOM
def verify(file: Path, room: str | None) -> None:
    """Compare a history FILE with the checksums made when it was written; with --room, the room's file beside it.

    Names the first line that was changed or damaged since, and ends with status 1 then. Messages that a moderator has removed are as they
    were written, and named; but for those of fewer than 9 bytes, which are dashes now, as a message may be. The server may be running.
    """
    from besedka.serve.history.verifying.verdict import Verdict, judge

    file = file_of_room(file, room)
    log = _open_to_read(file)
    verdict: Verdict = judge(log.path)
    if verdict.problem:
        # A server may be writing now: it updates the index just before it writes a message, and just after it redacts one.
        time.sleep(LOOK_AGAIN_SECONDS)
        verdict = judge(log.path)
    if verdict.problem:
        raise Failure(f"{file}: {verdict.problem}")
    _report_strange_lines(file, log)
    output = Output()
    output.write(f"{sanitize_line(str(file))}: {verdict.confirmation}{_removal(log)}\n")
    output.flush()


def _open_to_read(file: Path) -> ReadableLog:
    from besedka.serve.errors import StartError
    from besedka.serve.history import ReadableLog

    try:
        return ReadableLog.open_to_read(file.absolute())
    except StartError as error:
        raise Failure(str(error)) from None


def _messages(log: ReadableLog, first: int) -> Iterator[_Logged]:
    from besedka.serve.history.log_state import SHOWN_BYTES

    while (page := log.read_with_flags(first, PAGE_MESSAGES)).lines:
        extents = log.extents(first, first + len(page.lines) - 1)
        for number, (line, flags, extent) in enumerate(zip(*page, extents, strict=True), first):
            yield _Logged(number, line, _was_unverified(flags), extent if len(extent) > SHOWN_BYTES else None)
        first += len(page.lines)


@cache
def _was_unverified(flags: Flag) -> bool | None:
    """Whether the poster had not shown that the name was theirs; None if that is not known."""
    from besedka.serve.history import Flag

    if Flag.UNVERIFIED in flags:
        return True
    return False if Flag.VERIFIED in flags else None


def _pieces(log: ReadableLog, extent: range) -> Iterator[bytes]:
    """A long message, piece by piece."""
    for start in range(extent.start, extent.stop, PIECE_BYTES):
        yield log.read_bytes(range(start, min(start + PIECE_BYTES, extent.stop)))


def _removal(log: ReadableLog) -> str:
    """The part of a sentence that says which messages were removed; empty if none were."""
    from besedka.serve.history import Query
    from besedka.wire.log_line import REMOVED, is_redacted, read_line

    found: list[int] = []
    before = log.count + 1
    while before:
        hits = log.search(Query(REMOVED), before, PAGE_MESSAGES, LOOK_AGAIN_SECONDS)
        lines = zip(hits.ids, hits.lines, strict=True)
        found[:0] = [number for number, line in lines if is_redacted(read_line(line).text)]
        before = hits.before
    if not found:
        return ""
    named = ", ".join(map(str, found[-NAMED_AT_MOST:]))
    more = f" and {len(found) - NAMED_AT_MOST} more" if len(found) > NAMED_AT_MOST else ""
    return (
        f"; {len(found)} of them {'was' if len(found) == 1 else 'were'} removed by a moderator: {named}{more}"
    )


def _report_strange_lines(file: Path, log: ReadableLog) -> None:
    if report := log.restored.strange.report():
        complain(f"{file}: {report}")


def _look(log: ReadableLog, looking: Looking) -> int:
    try:
        number = next(looking)
        while True:
            number = looking.send(_stamp("".join(log.read(number, 1))))
    except StopIteration as found:
        return int(found.value)


def _stamp(line: str) -> str:
    from besedka.wire.log_line import STAMP_CHARACTERS

    return line[1 : 1 + STAMP_CHARACTERS]


def _as_line(log: ReadableLog, message: _Logged) -> Iterator[str]:
    if message.extent:
        from besedka.commands import long_line

        yield from long_line.shown(_pieces(log, message.extent))
        yield "\n"
    else:
        yield f"{message.line}\n"


def _as_json(log: ReadableLog, message: _Logged) -> Iterator[str]:
    from besedka.wire.log_line import read_line

    number, _, unverified, extent = message
    if extent:
        from besedka.commands import long_line

        beginning, text = long_line.read(_pieces(log, extent))
        yield from messages.as_json_in_pieces(number, beginning.user, text, beginning.stamp, unverified)
    else:
        read = read_line(message.line)
        yield messages.as_json(number, read.user, read.text, read.stamp, unverified)
