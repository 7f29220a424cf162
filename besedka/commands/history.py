"""``besedka history`` and ``verify``: on files, without a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from besedka.commands import messages
from besedka.commands.exit_status import Failure
from besedka.commands.messages import Output, complain
from besedka.commands.since import SINCE_HELP, Looking, first_id, is_since, since

if TYPE_CHECKING:
    from besedka.serve.history import ReadableLog

PAGE_MESSAGES = 1_000
PIECE_BYTES = 1024 * 1024
LOOK_AGAIN_SECONDS = 1.0

FILE = click.argument(
    "file",
    envvar="BESEDKA_HISTORY",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
)


@click.command(
    epilog="""\b
Examples:
  besedka history -n 20
  besedka history --since "2025-11-19 23:00" chat_history.dev.txt
  besedka history --json | jq -r .user | sort | uniq -c"""
)
@FILE
@click.option("-n", "last", type=click.IntRange(1), help="Only the last so many messages.")
@click.option("--since", callback=since, metavar="ID|TIME", help=SINCE_HELP)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line instead of the log's own lines."
)
def history(file: Path, last: int | None, since: int | str | None, as_json: bool) -> None:
    """Print the messages of a history FILE, chat_history.txt if not given.

    Messages are printed whole, however long they are. The number of lines that are no messages is printed on stderr. The server
    may be running; nothing is changed.
    """
    log = _open_to_read(file)
    first = 1 if last is None else max(1, log.count - last + 1)
    first = max(first, _look(log, first_id(since, log.count)))
    write = _as_json if as_json else _as_line
    output = Output()
    for number, line, extent in _messages(log, first):
        if not is_since(_stamp(line), since):
            continue
        for piece in _whole(log, number, extent, as_json=as_json) if extent else [write(number, line)]:
            output.write(piece)
    output.flush()
    _report_strange_lines(file, log)


@click.command(
    epilog="""\b
Examples:
  besedka verify
  besedka verify chat_history.dev.txt && echo untouched"""
)
@FILE
def verify(file: Path) -> None:
    """Compare a history FILE with the checksums made when it was written.

    Names the first line that was changed or damaged since, and ends with status 1 then. The server may be running.
    """
    from besedka.serve.history.verifying.verdict import Verdict, judge

    log = _open_to_read(file)
    verdict: Verdict = judge(log.path)
    if verdict.problem:
        # A server may be writing now: it updates the index just before it writes a message, and just after it redacts one.
        time.sleep(LOOK_AGAIN_SECONDS)
        verdict = judge(log.path)
    if verdict.problem:
        raise Failure(f"{file}: {verdict.problem}")
    _report_strange_lines(file, log)
    click.echo(f"{file}: {verdict.confirmation}")


def _open_to_read(file: Path) -> ReadableLog:
    from besedka.serve.errors import StartError
    from besedka.serve.history import ReadableLog

    try:
        return ReadableLog.open_to_read(file.absolute())
    except StartError as error:
        raise Failure(str(error)) from None


def _messages(log: ReadableLog, first: int) -> Iterator[tuple[int, str, range | None]]:
    """Ids and lines; also the extent of a message that `ReadableLog.read` shortens."""
    from besedka.serve.history.log_state import SHOWN_BYTES

    while page := log.read(first, PAGE_MESSAGES):
        extents = log.extents(first, first + len(page) - 1)
        for number, (line, extent) in enumerate(zip(page, extents, strict=True), first):
            yield number, line, extent if len(extent) > SHOWN_BYTES else None
        first += len(page)


def _whole(log: ReadableLog, number: int, extent: range, *, as_json: bool) -> Iterator[str]:
    """A long message, piece by piece."""
    from besedka.commands import long_line

    starts = range(extent.start, extent.stop, PIECE_BYTES)
    pieces = (log.read_bytes(range(start, min(start + PIECE_BYTES, extent.stop))) for start in starts)
    if as_json:
        line, text = long_line.read(pieces)
        yield from messages.as_json_in_pieces(number, line.user, text, line.stamp)
    else:
        yield from long_line.shown(pieces)
        yield "\n"


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


def _as_line(_: int, line: str) -> str:
    return f"{line}\n"


def _as_json(number: int, line: str) -> str:
    from besedka.wire.log_line import read_line

    message = read_line(line)
    return messages.as_json(number, message.user, message.text, message.stamp)
