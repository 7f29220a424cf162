"""``besedka history``, ``verify`` and ``import``: on files, without a server."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from besedka.commands import messages
from besedka.commands.endings import Failure
from besedka.commands.messages import Output
from besedka.commands.options import setting
from besedka.commands.since import SINCE_HELP, Looking, first_id, is_since, since

if TYPE_CHECKING:
    from besedka.serve.history import ChatHistory

PAGE_MESSAGES = 1_000
PROGRESS_SECONDS = 0.2
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

    The server may be running; nothing is changed.
    """
    log = _open_to_read(file)
    first = 1 if last is None else max(1, log.count - last + 1)
    first = max(first, _look(log, first_id(since, log.count)))
    write = _as_json if as_json else _as_line
    output = Output()
    for number, line in _messages(log, first):
        if is_since(_stamp(line), since):
            output.write(write(number, line))
    output.flush()


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
    from besedka.serve.history.verdict import Verdict, judge

    log = _open_to_read(file)
    verdict: Verdict = judge(log.path)
    if verdict.problem:
        # A server may be writing just now: it notes what it writes a moment before it writes it, and what it redacts a moment after.
        time.sleep(LOOK_AGAIN_SECONDS)
        verdict = judge(log.path)
    if verdict.problem:
        raise Failure(f"{file}: {verdict.problem}")
    click.echo(f"{file}: {verdict.praise}")


@click.command(
    "import",
    epilog="""\b
Examples:
  besedka import old/chat_history.txt
  besedka import talk.log --history chat_history.dev.txt""",
)
@click.argument("file", type=click.Path(readable=False, path_type=Path))
@setting(
    "--history",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
    help="The history to add them to.",
)
def import_history(file: Path, history: Path) -> None:
    """Add the messages of another history FILE behind those of a history, in their order, with their times.

    No server may be using the history meanwhile.
    """
    from besedka.serve.errors import AppendError, StartError
    from besedka.serve.history import ChatHistory
    from besedka.wire.line import read_line, write_line
    from besedka.wire.names import show_controls

    source = _open_to_read(file)
    if history.exists() and file.samefile(history):
        raise Failure(f"{file} cannot be imported into itself")
    try:
        target = ChatHistory.open(history)
    except StartError as error:
        raise Failure(str(error)) from None
    done = 0
    try:
        with click.progressbar(length=source.count, label=f"importing {file}", file=sys.stderr) as progress:
            while page := source.read(done + 1, PAGE_MESSAGES):
                target.append([show_controls(write_line(read_line(line))) for line in page])
                done += len(page)
                progress.update(len(page))
    except AppendError as error:
        raise Failure(f"{error}; {done} messages were imported") from None
    finally:
        target.close()
    click.echo(f"{history}: {done} messages imported, {target.count} in all", err=True)


def _open_to_read(file: Path) -> ChatHistory:
    from besedka.serve.errors import StartError
    from besedka.serve.history import ChatHistory

    try:
        return ChatHistory.open_to_read(file.absolute())
    except StartError as error:
        raise Failure(str(error)) from None


def _messages(log: ChatHistory, first: int) -> Iterator[tuple[int, str]]:
    while page := log.read(first, PAGE_MESSAGES):
        yield from enumerate(page, first)
        first += len(page)


def _look(log: ChatHistory, looking: Looking) -> int:
    try:
        number = next(looking)
        while True:
            number = looking.send(_stamp("".join(log.read(number, 1))))
    except StopIteration as found:
        return int(found.value)


def _stamp(line: str) -> str:
    from besedka.wire.line import STAMP_CHARACTERS

    return line[1 : 1 + STAMP_CHARACTERS]


def _as_line(_: int, line: str) -> str:
    return f"{line}\n"


def _as_json(number: int, line: str) -> str:
    from besedka.wire.line import read_line

    message = read_line(line)
    return messages.as_json(number, message.user, message.text, message.stamp)
