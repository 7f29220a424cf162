"""Which message of a log a line is about: the k-th entry that begins as the line says, if it is earlier and no annotation itself.

The number in the line (``#41``) only says where that entry stood when the line was written; whatever has been added to the log or removed from it since, the line is
about the same message. Lines are resolved many at a time: for these the log is read once, however often it repeats itself. Pure, but for reading the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from besedka.serve.history.log_state import SHOWN_BYTES, LogState
from besedka.serve.history.search import Block
from besedka.wire.annotations import Reference, is_annotation, read_annotation, read_reply
from besedka.wire.log_line import BOM, FIRST_LINE, read_line, readable_line

AT_ONCE: Final = 250_000
"""Lines that are resolved at once: 70 MB, if each is about another message."""

FEW_STAMPS: Final = 8
"""With so many times to look for, most of a log needs not be split into its entries."""

_STAMP_BYTES: Final = len("[0000-00-00 00:00:00] ")
_QUOTE: Final = b" > #"


class About(NamedTuple):
    """An entry that is about a message.

    Attributes:
        target: the id of the message.
        id: the id of the entry.
    """

    target: int
    id: int


class Referring(NamedTuple):
    """An entry that says which message it is about.

    Attributes:
        id: its own id.
        origin: how the message begins.
        ordinal: which one it is among the entries that begin so, from 1.
    """

    id: int
    origin: bytes
    ordinal: int


def resolve(body: LogState, first: int, last: int, pause: Callable[[], object]) -> Iterator[About]:
    """The entries of a log from ``first`` to ``last`` that are about messages, in no certain order.

    Args:
        body: the log.
        first: the id of the first entry that is looked at.
        last: the id of the last one.
        pause: called after each stretch of the log, so that others have their turn.

    Raises:
        OSError: from the system; `IndexDamaged` if the index must be rebuilt.
    """
    referring = _referring(body, first, last, pause)
    while some := [*islice(referring, AT_ONCE)]:
        yield from _resolved(body, some, pause)


def _referring(body: LogState, first: int, last: int, pause: Callable[[], object]) -> Iterator[Referring]:
    """The entries that say of which message they are, the last one first."""
    for block in body.backwards(last + 1, lambda stretch: b"] *" in stretch or _QUOTE in stretch):
        if block.data:
            yield from (found for found in _in_block(block) if found.id >= first)
        if block.first <= first:
            return
        pause()


def _in_block(block: Block) -> Iterator[Referring]:
    for number, raw in _entries(block):
        head = FIRST_LINE.match(raw)
        is_reply = head is not None and raw.startswith(_QUOTE, head.end())
        if is_reply or is_annotation(raw):
            message = read_line(readable_line(raw[:SHOWN_BYTES]))
            about = read_reply(message.text) if is_reply else read_annotation(message)
            if about:
                yield Referring(number, _origin_of(about.target), about.target.ordinal)


def _resolved(body: LogState, some: Collection[Referring], pause: Callable[[], object]) -> Iterator[About]:
    wanted = {found.origin for found in some}
    entries = _beginning_with(body, max(found.id for found in some), wanted, pause)
    for number, origin, ordinal in some:
        same = entries[origin]
        # The last one comes first.
        place = len(same) - ordinal
        if place >= 0 and 0 < same[place] < number:
            yield About(same[place], number)


def _beginning_with(
    body: LogState, before: int, wanted: Collection[bytes], pause: Callable[[], object]
) -> defaultdict[bytes, list[int]]:
    """The ids of the entries in front of one that begin as wanted, the last one first; of annotations the negative ones."""
    stamps = {origin[:_STAMP_BYTES] for origin in wanted}

    def may_hold(stretch: bytes) -> bool:
        return len(stamps) > FEW_STAMPS or any(stamp in stretch for stamp in stamps)

    found: defaultdict[bytes, list[int]] = defaultdict(list)
    for block in body.backwards(before, may_hold):
        for number, raw in reversed([*_entries(block)] if block.data else ()):
            origin = _beginning(raw)
            if origin in wanted:
                found[origin].append(-number if is_annotation(raw) else number)
        pause()
    return found


def _entries(block: Block) -> Iterable[tuple[int, bytes]]:
    return ((number, block.data[begin:end]) for number, (begin, end) in enumerate(block.spans(), block.first))


def _beginning(raw: bytes) -> bytes:
    """The beginning of an entry as a reference to it has it; empty if damage has left none."""
    head = FIRST_LINE.match(raw)
    if head is None:
        return b""
    origin = head[0].removeprefix(BOM)[:-1]
    return origin if origin.isascii() else origin.decode("utf-8", "replace").encode()


def _origin_of(reference: Reference) -> bytes:
    return f"[{reference.origin.stamp}] {reference.origin.name}".encode()
