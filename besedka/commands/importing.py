"""``besedka import``: the messages of another history, from a file or a pipe, without a server.

All errors of the source are found before anything is written. A later failure leaves whole batches, and says how to continue
after them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from besedka.commands.exit_status import Failure
from besedka.commands.messages import say_on_stderr
from besedka.commands.options import HISTORY_ROOM, file_of_room, setting
from besedka.wire.counting import count_of
from besedka.wire.sanitize import sanitize_line
from besedka.wire.validation import DEFAULT_ROOM

if TYPE_CHECKING:
    from besedka.serve.files.descriptor import Descriptor
    from besedka.serve.history import ChatHistory
    from besedka.serve.history.importing.source import Source, Survey

FORM: Final = "[2025-11-19 23:46:36] Anna: Hello"
SAMPLE_CHARACTERS: Final = 60
NUMBERS_AT_MOST: Final = 4
RECORD_BYTES: Final = 24  # of the index, for each message


def _encoding(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    from besedka.serve.history.importing.decoding import EncodingUnknown, known_encoding

    try:
        return None if given is None else known_encoding(given)
    except EncodingUnknown as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    "import",
    short_help="Append another history to this one.",
    epilog="""\b
Examples:
  besedka import old/chat_history.txt
  besedka import talk.log --room dev
  besedka import talk-2009.log --encoding cp1251
  zcat talk.log.gz | besedka import -""",
)
@click.argument("file", type=click.Path(readable=False, path_type=Path))
@setting(
    "--history",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
    help="The history to add them to.",
)
@click.option(
    "--encoding",
    metavar="NAME",
    callback=_encoding,
    help="How FILE is written, if neither in UTF-8 nor with a byte order mark: cp1251, koi8-r, utf-16, …",
)
@click.option(
    "--skip",
    metavar="N",
    default=0,
    type=click.IntRange(0),
    help="Leave out the first N messages of FILE: they were imported before.",
)
@click.option(
    "--again", is_flag=True, help="Import also the messages that the history has already, a second time."
)
@HISTORY_ROOM
def import_history(
    *, file: Path, history: Path, encoding: str | None, skip: int, again: bool, room: str | None
) -> None:
    """Append the messages of another history FILE (- for stdin) to a history, in their order, with their times.

    Messages are lines like "[2025-11-19 23:46:36] Anna: Hello". Lines of other forms are counted, named and left out; if there
    is no message at all, nothing is done, and the status is 1.

    Messages that the history has already, with the same time, name and text, are left out and counted, so a FILE that has
    grown can be imported again.

    No server may be using the history meanwhile.
    """
    from besedka.serve.errors import ServeError

    history = file_of_room(history, room)
    try:
        source = _open(file, history, encoding)
        found = source.survey()
        _check(file, history, found, source)
        _check_room(history)
        done = _Import(file, history, found, skip, again=again).run(source)
    except ServeError as error:
        raise Failure(str(error)) from None
    _report(file, history, found, done)


def _open(file: Path, history: Path, encoding: str | None) -> Source:
    from besedka.serve.history.importing.decoding import as_utf_8
    from besedka.serve.history.importing.source import Source

    name = _name(file)
    try:
        given = _descriptor(file)
        if history.exists() and os.path.samestat(os.fstat(given.number), history.stat()):
            raise Failure(f"{name} cannot be imported into itself")
        text = as_utf_8(given, name, encoding)
        end = _end_of(file, text) if text is given else text.size
    except OSError as error:
        raise Failure(f"cannot import {name}: {(error.strerror or str(error)).lower()}") from None
    return Source(name, text, end)


def _descriptor(file: Path) -> Descriptor:
    from besedka.serve.files.descriptor import Descriptor

    if str(file) != "-":
        return Descriptor(file, os.O_RDONLY)
    if sys.stdin is None:
        raise Failure("cannot import -: stdin is closed")
    return Descriptor.of(os.dup(sys.stdin.fileno()))


def _end_of(file: Path, text: Descriptor) -> int:
    """The end of a history: a server may be writing it now, and only its index says how far it has come."""
    from besedka.serve.history import ChatHistory
    from besedka.serve.history.index import index_path

    if str(file) == "-" or not index_path(file).exists():
        return text.size
    log = ChatHistory.open_to_read(file.absolute())
    return log.span(1, log.count).stop


def _check(file: Path, history: Path, found: Survey, source: Source) -> None:
    """Check everything that can be known before anything is written."""
    if not found.messages and not source.is_empty:
        raise Failure(
            f"{_name(file)} holds no message that can be imported: it looks like {source.looks_like()}. "
            f"Besedka reads lines like {FORM}, in UTF-8 or as --encoding says{_strange(found)}"
        )
    if not history.exists():
        _check_space(history, found.size, found.messages)


def _check_space(history: Path, size: int, messages: int) -> None:
    """Check that there is space for so many bytes of so many messages."""
    needed = size + RECORD_BYTES * messages
    if history.parent.is_dir():
        disk = os.statvfs(history.parent)
        if needed > (free := disk.f_bavail * disk.f_frsize):
            raise Failure(
                f"no room for {needed:,} bytes beside {history}: {free:,} are free; nothing was imported"
            )


def _check_room(history: Path) -> None:
    """Check that the history is no new room that looks like another one beside it."""
    from besedka.serve.history.room_files import room_of
    from besedka.wire.skeletons import skeletons

    first, room = room_of(history)
    if not room or history.exists():
        return
    for other in _rooms_beside(first):
        if other != room and not skeletons(other).isdisjoint(skeletons(room)):
            raise Failure(
                f"{history} would be the room {room}, which looks like the room {other}; nothing was imported: "
                "name another file"
            )


def _rooms_beside(first: Path) -> Iterator[str]:
    """The rooms of the history ``first``, and the private ones that have no log yet."""
    from besedka.serve.history.room_files import room_names

    if first.exists():
        yield DEFAULT_ROOM
    yield from room_names(first)
    yield from _private_rooms(first)


def _private_rooms(first: Path) -> set[str]:
    """The rooms beside the history ``first`` that have members."""
    from besedka.serve.files.descriptor import read_regular, reason
    from besedka.serve.people.memberships import PrivateRooms

    people = first.with_name("private_rooms.txt")
    try:
        text = read_regular(people).decode("utf-8", "replace")
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise Failure(f"cannot read {people}: {reason(error)}; nothing was imported") from None
    return {row.room for row in PrivateRooms.parse(text).rows.values()}


class _Import:
    """Writes the messages of a source.

    Args:
        file: the source's path.
        history: the target.
        found: the survey of the source.
        skip: the number of messages to leave out.
        again: whether to write also messages that are there.

    Attributes:
        done: the number of messages written.
        stored: the number of messages that were there already.
        controls: the number of control characters replaced by pictures.
        count: the number of messages in the target afterwards.
    """

    def __init__(self, file: Path, history: Path, found: Survey, skip: int, *, again: bool) -> None:
        self.done = self.stored = self.controls = self.count = 0
        self._name = _name(file)
        self._history = history
        self._total = found.messages
        self._size = found.size
        self._skip = min(skip, found.messages)
        self._again = again
        self._number = self._skip

    def run(self, source: Source) -> _Import:
        """Write all messages.

        Raises:
            Failure: if some of them were not written.
            StartError: if the target cannot be used.
            click.Abort: if it was interrupted.
        """
        from besedka.serve.errors import AppendError
        from besedka.serve.history import ChatHistory
        from besedka.serve.history.room_files import room_of

        first, room = room_of(self._history)
        is_private = bool(room) and room in _private_rooms(first)
        target = ChatHistory.open(self._history, may_be_link=not is_private, is_private=is_private)
        try:
            left_out = self._left_out(source, target)
            with _interrupts_held() as is_interrupted:
                self._write(source, target, left_out, is_interrupted)
        except (AppendError, OSError) as error:
            raise Failure(f"{error}; {self._how_far()}") from None
        finally:
            target.close()
        self.count = target.count
        return self

    def _write(
        self,
        source: Source,
        target: ChatHistory,
        left_out: bytes | bytearray,
        is_interrupted: Callable[[], bool],
    ) -> None:
        label = sanitize_line(f"importing {self._name}")
        length = self._total - sum(left_out)
        with click.progressbar(length=length, label=label, file=sys.stderr) as progress:
            for batch in source.batches(left_out):
                if is_interrupted():
                    click.echo(f"\nbesedka: interrupted; {self._how_far()}", err=True)
                    raise click.Abort
                if batch.lines:
                    target.append(batch.lines)
                self.done += len(batch.lines)
                self.controls += batch.controls
                self._number = max(self._skip, batch.number)
                progress.update(len(batch.lines))

    def _left_out(self, source: Source, target: ChatHistory) -> bytes | bytearray:
        """A byte for each message of the source, 1 if it is not to be written."""
        skipped = b"\1" * self._skip
        if not target.count:
            return skipped
        left_out = skipped if self._again else self._stored_ones(source, target)
        self.stored = sum(left_out) - self._skip
        share = (self._total - sum(left_out)) / max(1, self._total)
        _check_space(self._history, int(self._size * share), int(self._total * share))
        return left_out

    def _stored_ones(self, source: Source, target: ChatHistory) -> bytes | bytearray:
        from besedka.serve.files.descriptor import Descriptor
        from besedka.serve.history.importing.source import Source
        from besedka.serve.history.importing.stored import StoredMessages, stored_ones

        log = Descriptor(target.path, os.O_RDONLY)
        stored = StoredMessages(Source(str(target.path), log, log.size), source)
        return stored_ones(source, stored, self._skip) if stored else b"\1" * self._skip

    def _how_far(self) -> str:
        done = f"{self._skip + self.done:,} of {count_of(self._total, 'message')} imported"
        there = f", {self.stored:,} there already" if self.stored else ""
        return f"{done}{there}; go on with --skip {self._number}"


def _report(file: Path, history: Path, found: Survey, done: _Import) -> None:
    were = "was" if done.stored == 1 else "were"
    there = f" {done.stored:,} {were} there already (--again imports them once more)," if done.stored else ""
    sentences = [f"{history}: {count_of(done.done, 'message')} imported,{there} {done.count:,} in all"]
    if found.lines:
        sentences.append(f"{_name(file)}{_strange(found)}")
    if found.open_line:
        sentences.append(f"{_name(file)}: line {found.open_line} has no end and is possibly incomplete")
    if done.controls:
        what = "character stands" if done.controls == 1 else "characters stand"
        sentences.append(f"{done.controls} control {what} there as pictures, like ␛")
    for sentence in sentences:
        say_on_stderr(sanitize_line(sentence))


def _strange(found: Survey) -> str:
    """The lines that are not understood, as the end of a sentence."""
    if not found.firsts:
        return ""
    from besedka.serve.history.index import StrangeLines

    first, *others = found.firsts
    numbers = ", ".join(map(str, others[:NUMBERS_AT_MOST]))
    more = f"{', then ' if others else ''}{numbers}{', …' if len(others) > NUMBERS_AT_MOST else ''}"
    sample = sanitize_line(found.sample, SAMPLE_CHARACTERS)
    return f": {StrangeLines(found.lines, first).report()}{more}: {sample}"


def _name(file: Path) -> str:
    return "stdin" if str(file) == "-" else str(file)


@contextmanager
def _interrupts_held() -> Iterator[Callable[[], bool]]:
    """Handle interrupts between two batches only, so that the progress is known."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
