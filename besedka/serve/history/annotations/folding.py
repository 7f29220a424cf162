"""The fates of the messages of a log, by the lines about them: read from the log as far as it is asked for, and kept for the next who ask.

Of each message the lines are applied in their order, each once (`besedka/wire/fold.py`): a reaction more costs one line, also where a million are.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from besedka.serve.history.annotations.annotation_file import AnnotationFile
from besedka.serve.history.annotations.resolving import About
from besedka.serve.history.log_state import SHOWN_BYTES, LogState
from besedka.serve.history.record import Flag, Record
from besedka.wire.annotations import Origin, Verb, read_annotation, read_reply
from besedka.wire.fold import Fate, Target
from besedka.wire.log_line import read_line, readable_line
from besedka.wire.message import Message
from besedka.wire.polls import read_poll

LINES_KEPT: Final = 200_000
"""So many lines at most have made what is kept: 40 MB, if each is another person's reaction. What was asked for longest ago is forgotten first."""

GAP_ENTRIES: Final = 16
"""Entries that are read along rather than left out."""

RUN_BYTES: Final = 256 * 1024
"""A longer stretch is read entry by entry."""


@dataclass(slots=True)
class Folded:
    """A message, and what has become of it.

    Attributes:
        origin: how the message begins.
        target: the message, as it is after its edits.
        fate: what the lines about it have made of it.
        replies: the ids of the messages that reply to it.
        known: the id of the last line that was applied; 0 if none was.
        lines: how many were.
        checked: the id of the entry up to which lines were looked for.
    """

    origin: Origin
    target: Target
    fate: Fate = field(default_factory=Fate)
    replies: list[int] = field(default_factory=list)
    known: int = 0
    lines: int = 0
    checked: int = field(default=0, compare=False)

    @classmethod
    def of(cls, message: Message, *, unverified: bool) -> Folded:
        """A message about which no line is known yet.

        Args:
            message: the message.
            unverified: whether its poster had not shown that the name is theirs.
        """
        origin = Origin(message.stamp, message.user)
        return cls(origin, _target_of(message.user, message.text, unverified=unverified))

    def apply(self, number: int, message: Message, *, unverified: bool) -> bool:
        """Take in the next line about the message. Returns whether it changes anything.

        Args:
            number: its id.
            message: what it says.
            unverified: whether its author had not shown that the name is theirs.
        """
        self.known = number
        self.lines += 1
        annotation = read_annotation(message)
        about = annotation or read_reply(message.text)
        # The log may have been edited since it was noted that this is about the message.
        if about is None or about.target.origin != self.origin:
            return False
        if annotation is None:
            self.replies.append(number)
            return False
        changes = self.fate.apply(number, annotation, self.target, unverified=unverified)
        if changes and annotation.verb is Verb.EDIT:
            self.target = _target_of(self.target.name, annotation.text, unverified=self.target.unverified)
        return changes


class Fates:
    """The fates of a log's messages, as far as they were asked for. Any thread may use it."""

    def __init__(self) -> None:
        # The one that was asked for longest ago first.
        self._folded: OrderedDict[int, Folded] = OrderedDict()
        self._lines = 0
        self._lock = threading.Lock()

    def of(self, body: LogState, file: AnnotationFile, first: int, last: int) -> dict[int, Folded]:
        """The fates of those of the messages ``first`` to ``last`` that any entry is about, by their ids.

        Args:
            body: the log.
            file: knows which entries are about which messages.
            first: the id of the first message.
            last: the id of the last one, of a page at most.

        Raises:
            OSError: from the system; `IndexDamaged` if the index must be rebuilt.
            sqlite3.Error: from the system.
        """
        with self._lock:
            kept = [number for number in range(first, last + 1) if number in self._folded]
            for before, number in pairwise([first - 1, *kept, last + 1]):
                if number - before > 1:
                    self._take(body, file.about(before + 1, number - 1))
            behind = min((self._folded[number].checked for number in kept), default=file.known)
            if behind < file.known:
                self._take(body, file.about_behind(first, last, behind))
            found = {
                number: self._folded[number] for number in range(first, last + 1) if number in self._folded
            }
            for number, folded in found.items():
                folded.checked = file.known
                self._folded.move_to_end(number)
            while self._lines > LINES_KEPT and len(self._folded) > len(found):
                self._lines -= self._folded.popitem(last=False)[1].lines
        return found

    def clear(self) -> None:
        """Forget all: the log is another one, or was cut."""
        with self._lock:
            self._folded.clear()
            self._lines = 0

    def _take(self, body: LogState, about: Iterable[Sequence[About]]) -> None:
        for some in about:
            new = sorted({one.target for one in some}.difference(self._folded))
            for number, message, flags in _entries(body, new):
                self._folded[number] = Folded.of(message, unverified=Flag.UNVERIFIED in flags)
            targets = {one.id: one.target for one in some if one.id > self._folded[one.target].known}
            for number, message, flags in _entries(body, sorted(targets)):
                self._folded[targets[number]].apply(number, message, unverified=Flag.UNVERIFIED in flags)
            self._lines += len(targets)


def _target_of(name: str, text: str, *, unverified: bool) -> Target:
    poll = read_poll(text)
    return Target(name, unverified, len(poll.options) if poll else 0)


def _entries(body: LogState, ids: Sequence[int]) -> Iterator[tuple[int, Message, Flag]]:
    """Some entries of a log, given by their ids in order: those that stand near each other are read at once."""
    for near in _near(ids):
        wanted = set(near)
        records = [*body.index.records(near[0], near[-1])]
        for number, record, raw in _raw(body, near[0], records):
            if number in wanted:
                yield number, read_line(readable_line(raw)), record.flags


def _near(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Ids in their order, parted where they are far from each other."""
    parts = [place for place, (one, other) in enumerate(pairwise(ids), 1) if other - one > GAP_ENTRIES]
    return (ids[begin:end] for begin, end in pairwise([0, *parts, len(ids)]) if end > begin)


def _raw(body: LogState, first: int, records: Sequence[Record]) -> Iterator[tuple[int, Record, bytes]]:
    """Consecutive entries, at most `SHOWN_BYTES` of each."""
    begin, end = records[0].begin, records[-1].end
    run = body.file.read(begin, end - begin) if end - begin <= RUN_BYTES else None
    for number, record in enumerate(records, first):
        length = min(record.length, SHOWN_BYTES)
        start = record.begin - begin
        yield number, record, run[start : start + length] if run else body.file.read(record.begin, length)
