"""Everything about people that all nodes share: names, private rooms, invitations, blocks, and the audit log.

Each change is made in a table of this node first, and offered to the stream behind the last head (compare-and-set). If another node was faster, its changes are taken over, and what still holds
of this node's is offered again (`besedka/serve/people/agreed_rows.py`). The files follow; they are the same on all nodes but for the order of their lines.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Final, NamedTuple

from besedka.serve.cluster.errors import EntryInvalid
from besedka.serve.cluster.jetstream.stream import Stream
from besedka.serve.cluster.order.reach import PROBE_SECONDS, Reach
from besedka.serve.cluster.people.act import Act
from besedka.serve.cluster.people.offers import Offer, Offers
from besedka.serve.cluster.people.people_entry import (
    ActEntry,
    HeadEntry,
    PeopleEntry,
    RemarkEntry,
    RowEntry,
    decode_people_entry,
    encode_people_entry,
)
from besedka.serve.cluster.people.people_stream import OFFERED_AT_ONCE, PEOPLE_STREAM, Offered, offer_people
from besedka.serve.directory.agreement import Listener
from besedka.serve.directory.audit import NAME as AUDIT
from besedka.serve.errors import ClusterUnusable
from besedka.serve.people.agreed_rows import AgreedRows, Found, RemarkChange, RowChange, RowKey
from besedka.serve.people.audit_entry import AuditEntry, read_entry, write_entry
from besedka.serve.people.table import Table
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)

REWRITE_SECONDS: Final = 1.0
"""After so long an entry of the audit log that could not be written is tried again. It is in force meanwhile."""


class _Coming(NamedTuple):
    """A message of the stream whose head is to come: its number, its bytes, and what they say."""

    number: int
    data: bytes
    entry: PeopleEntry


class SharedPeople:
    """The agreement of a cluster's nodes.

    Args:
        stream: the connection.
        kept: all messages up to this one are in this node's files; None if it is new in the cluster.
        tables: what is shared, by the names of the files.
        listener: writes the audit log, and acts on what others do.
    """

    def __init__(
        self, stream: Stream, kept: int | None, tables: Mapping[str, Table[Any]], listener: Listener
    ) -> None:
        self._stream = stream
        self._reach = Reach(stream, PEOPLE_STREAM)
        self._kept = kept
        self._tables = tables
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._agreed = AgreedRows(tables)
        # What was found at the start, until it has begun.
        self._found: list[_Coming] | None = []
        self._in_file: Counter[str] = Counter()
        # What has come since the last head.
        self._coming: list[_Coming] = []
        self._head = 0
        self._acts = 0
        self._offers = Offers()
        self._accepted = ""
        self._news = asyncio.Event()
        # Those who wait for any head.
        self._waiting: list[asyncio.Future[None]] = []
        self._turn = asyncio.Lock()
        self._unwritten: deque[Act] = deque()
        self._has_acts = asyncio.Event()
        self._has_none = asyncio.Event()
        self._has_none.set()
        self._written_to = kept or 0

    # The side of the cluster.

    @property
    def kept_to(self) -> int:
        """All messages up to this one are in this node's files."""
        return min(self._written_to, self._unwritten[0].sequence - 1) if self._unwritten else self._written_to

    def receive(self, _: str, number: int, data: bytes) -> bool:
        """Take in a message of the stream. Returns whether more can be taken in.

        Raises:
            EntryInvalid: if it is none.
        """
        entry = decode_people_entry(data)
        if isinstance(entry, RowEntry | RemarkEntry) and entry.table not in self._tables:
            raise EntryInvalid(
                f"a message about people is of a table that this node does not have: {entry.table}"
            )
        if not isinstance(entry, HeadEntry):
            self._coming.append(_Coming(number, data, entry))
            return True
        self._head, self._acts = number, entry.acts
        coming, self._coming = self._coming, []
        own = self._offers.decide(entry)
        if self._found is not None:
            self._found += coming
            return True
        if own:
            self._accepted, offer = own
            coming = self._take_own(coming, offer)
        self._take(coming)
        self._news.set()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)
        return True

    async def begin(self) -> None:
        """Take over what was found in the stream, once all of it was received, and offer what only this node's files have.

        Raises:
            ClusterUnusable: if this node is new, and has files about people that say something else.
        """
        found, self._found = self._found or [], None
        kept = self._kept or 0
        rows = [
            Found(self._change(entry), is_new=number > kept)
            for number, _, entry in found
            if isinstance(entry, RowEntry | RemarkEntry)
        ]
        is_new_here = bool(found) and self._kept is None
        if is_new_here and (foreign := self._agreed.foreign(rows)):
            raise _holds_more(foreign)
        self._agreed.find(rows)
        for number, _, entry in found:
            if isinstance(entry, ActEntry):
                self._find_act(number, entry, is_new=number > kept)
        if is_new_here and self._in_file.total():
            raise _holds_more(AUDIT)
        # Which rooms are private is known then.
        await self._has_none.wait()
        await self._offer_file()

    async def keep_acts(self) -> None:
        """Write the entries of the audit log, for ever."""
        while True:
            await self._has_acts.wait()
            act = self._unwritten[0]
            try:
                if not act.is_written:
                    await self._listener.write_audit(act.entry)
            except Refused as refusal:
                for each in self._unwritten:
                    self._put_in_force(each, refusal)
                await asyncio.sleep(REWRITE_SECONDS)
                continue
            self._put_in_force(act, None)
            self._unwritten.popleft()
            if not self._unwritten:
                self._has_acts.clear()
                self._has_none.set()

    async def _offer_file(self) -> None:
        """Offer the entries of the audit log that only this node's file has.

        Raises:
            Refused: `out_of_reach`, `going_down`.
        """
        lines, self._in_file = [*self._in_file.elements()], Counter()
        for begin in range(0, len(lines), OFFERED_AT_ONCE):
            some = lines[begin : begin + OFFERED_AT_ONCE]
            await self._record([Act(read_entry(line), is_written=True) for line in some])

    async def wait_for(self, number: int) -> None:
        """Wait until a head is received, as `Known.wait_for`."""
        begun = self._loop.time()
        while self.reached() < number:
            news: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(news)
            with suppress(TimeoutError):
                async with asyncio.timeout(PROBE_SECONDS):
                    await news
                continue
            if await self._ends_before(number):
                return  # it was of a stream that was there before this one was restored
            await self._reach.check(begun)

    async def _ends_before(self, number: int) -> bool:
        """Whether it is certain that there is no message of this number."""
        with suppress(TimeoutError):
            info = await self._stream.info(PEOPLE_STREAM)
            return info is not None and int(info["state"]["last_seq"]) < number
        return False

    def close(self) -> None:
        """Offer nothing any more."""
        self._reach.end(0.0)

    # The side of the directory, as `Agreement`.

    def note_recorded(self, entries: Sequence[AuditEntry]) -> None:
        """Note the entries of the audit log that this node's file has at the start."""
        self._in_file = Counter(map(write_entry, entries))

    def is_shared(self, table: Table[Any]) -> bool:
        """Whether the rows of a table are shared."""
        return self._agreed.is_shared(table)

    def unit(self, row_keys: Iterable[RowKey]) -> AbstractContextManager[None]:
        """A block that waits until changes are agreed and written, as `Agreement.unit`."""
        return self._agreed.unit(row_keys)

    def look(self, table: Table[Any]) -> None:
        """Take the differences in a table that was edited by hand as changes of this node."""
        if self._found is None:
            self._agreed.look(table)

    def reached(self) -> int:
        """How far the changes of others are in the tables by now."""
        return self._head if self._found is None else 0

    async def agree(self) -> None:
        """Agree on all changes in flight, as `Agreement.agree`."""
        self._check_begun()
        async with self._turn:
            while wanted := self._agreed.wanted()[:OFFERED_AT_ONCE]:
                await self._offer([self._encoded(change) for change in wanted], ())

    def written(self, reached: int) -> None:
        """Note that everything up to there is in the files."""
        self._written_to = max(self._written_to, reached)

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Agree on entries of the audit log, as `Agreement.record`."""
        await self._record([Act(entry, self._loop.create_future()) for entry in entries])

    def finish(self) -> None:
        """Have the last changes decided soon, because the server stops."""
        self._reach.end()

    # Inside.

    def _check_begun(self) -> None:
        if self._found is not None:
            raise Refused(ErrorCode.OUT_OF_REACH, wait=PROBE_SECONDS)

    async def _record(self, acts: Sequence[Act]) -> None:
        self._check_begun()
        async with self._turn:
            is_accepted = False
            while not is_accepted:
                lines = [ActEntry(write_entry(act.entry)) for act in acts]
                messages = [
                    Offered(ActEntry.subject(number), encode_people_entry(line))
                    for number, line in enumerate(lines, self._acts + 1)
                ]
                is_accepted = await self._offer(messages, acts)
        for act in acts:
            if act.recorded:
                await act.recorded

    async def _offer(self, messages: Sequence[Offered], acts: Sequence[Act]) -> bool:
        """Offer messages until something is received behind the last head. Returns whether that is these.

        Raises:
            Refused: `out_of_reach`, `going_down`.
        """
        begun, behind = self._loop.time(), self._head
        token = secrets.token_hex(8)
        offer = Offer([message.data for message in messages], acts)
        head = encode_people_entry(self._offers.add(token, offer, self._acts + len(acts)))
        try:
            while self._head == behind:
                self._news.clear()
                await offer_people(self._stream, messages, head, behind)
                if self._head == behind:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(PROBE_SECONDS):
                            await self._news.wait()
                if self._head == behind:
                    await self._reach.check(begun)
        finally:
            self._offers.abandon(token)
        return self._accepted == token

    def _take_own(self, coming: Sequence[_Coming], offer: Offer) -> list[_Coming]:
        """Note that an offer of this node was accepted. Returns those messages before the head that are not of it."""
        own = [decode_people_entry(data) for data in offer.messages]
        self._agreed.accepted(
            [self._change(entry) for entry in own if isinstance(entry, RowEntry | RemarkEntry)]
        )
        acts, others = deque(offer.acts), []
        # A row of it may have been replaced meanwhile.
        messages = Counter(offer.messages)
        for message in coming:
            if isinstance(message.entry, ActEntry) and acts:
                self._keep(message.number, acts.popleft())
            elif messages[message.data]:
                messages[message.data] -= 1
            else:
                others.append(message)
        return others

    def _take(self, coming: Sequence[_Coming]) -> None:
        """Take over what other nodes have changed."""
        entries = [message.entry for message in coming]
        taken = self._agreed.receive(
            [self._change(entry) for entry in entries if isinstance(entry, RowEntry | RemarkEntry)]
        )
        if taken:
            self._listener.take_changes(taken)
        for number, _, entry in coming:
            if isinstance(entry, ActEntry):
                self._keep(number, Act(self._entry_of(entry)))

    def _find_act(self, number: int, entry: ActEntry, *, is_new: bool) -> None:
        """Write an entry down that was found at the start, unless the file has it, or had it once."""
        if self._in_file[entry.line]:
            self._in_file[entry.line] -= 1
        elif is_new:
            self._keep(number, Act(self._entry_of(entry)))

    def _keep(self, number: int, act: Act) -> None:
        act.sequence = number
        self._unwritten.append(act)
        self._has_acts.set()
        self._has_none.clear()

    def _put_in_force(self, act: Act, refusal: Refused | None) -> None:
        """Put an entry in force, as `Listener.take_act`, or report it to its recorder, who does."""
        if act.recorded and not act.recorded.done():
            if refusal:
                log.error("an act of moderation is in force and not in this node's audit.txt: %s", refusal)
            act.recorded.set_result(None)
        elif not (act.recorded or act.is_in_force):
            self._listener.take_act(act.entry)
        act.is_in_force = True

    @staticmethod
    def _entry_of(entry: ActEntry) -> AuditEntry:
        try:
            return read_entry(entry.line)
        except ValueError as error:
            raise EntryInvalid(f"an entry of the audit log cannot be read: {entry.line!r}") from error

    def _change(self, entry: RowEntry | RemarkEntry) -> RowChange | RemarkChange:
        """The change that a message says.

        Raises:
            EntryInvalid: if it is none.
        """
        if isinstance(entry, RemarkEntry):
            return RemarkChange(entry.table, entry.key, entry.line)
        try:
            row = self._tables[entry.table].read(entry.fields)
        except (ValueError, IndexError, Refused) as error:
            raise EntryInvalid(f"a row of {entry.table} cannot be read: {entry.fields}") from error
        return RowChange(entry.table, row, is_removed=entry.removed)

    def _encoded(self, change: RowChange | RemarkChange) -> Offered:
        if isinstance(change, RemarkChange):
            remark = RemarkEntry(change.table, change.key, change.line)
            return Offered(remark.subject, encode_people_entry(remark))
        table = self._tables[change.table]
        entry = RowEntry(change.table, [*table.write(change.row)], change.is_removed)
        return Offered(entry.subject(table.key(change.row)), encode_people_entry(entry))


def _holds_more(name: str) -> ClusterUnusable:
    """The refusal of a new node with people of its own."""
    return ClusterUnusable(
        f"{name} of this node, which is new in it, holds what the others do not have; start it in an empty folder"
    )
