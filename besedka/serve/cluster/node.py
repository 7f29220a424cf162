"""A node of a cluster: its connection to the stream, its place in it, and the end of both."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, Self

from besedka.serve.chat import OpenRooms
from besedka.serve.cluster.checkpoint import Checkpoint, checkpoint_path, keep_checkpoint, read_checkpoint
from besedka.serve.cluster.errors import EntryInvalid, StreamLost
from besedka.serve.cluster.jetstream.consumer import Consumer
from besedka.serve.cluster.jetstream.servers import SERVERS_AT_LEAST, check_servers
from besedka.serve.cluster.jetstream.stream import STREAM, Stream, StreamState, room_of
from besedka.serve.cluster.logs.lost_messages import Differs, lacking_of, log_paths, written_logs
from besedka.serve.cluster.logs.taking_over import take_over
from besedka.serve.cluster.order.redaction.fixed import FixedEntries
from besedka.serve.cluster.order.room_rights import PeoplesRights
from besedka.serve.cluster.order.sequencer import ClusterSequencer
from besedka.serve.cluster.people.people_stream import PEOPLE_STREAM, ensure_people
from besedka.serve.cluster.people.shared_people import SharedPeople
from besedka.serve.cluster.presence.shared_presence import SharedPresence
from besedka.serve.directory.agreement import Listener
from besedka.serve.errors import ClusterLost, ClusterUnusable, ServeError
from besedka.serve.files.descriptor import reason
from besedka.serve.history import ReadableLog
from besedka.serve.log_event import event
from besedka.serve.metrics import Metrics
from besedka.serve.people.names import Names
from besedka.serve.people.table import Table
from besedka.serve.settings import Settings
from besedka.serve.tasks import cancel_all, run_to_end
from besedka.wire.counting import count_of
from besedka.wire.errors import Refused

log = logging.getLogger(__name__)

COMING_SECONDS: Final = 3.0
"""How long a new cluster's servers may take to find each other, after the node has found one of them."""

CHECKPOINT_SECONDS: Final = 1.0
"""The next start receives again what was applied since."""


class Node:
    """A node. Make it with `join`.

    Attributes:
        failed: done when the cluster cannot be used any more; the server must then stop with this error.
        presence: the people present here, and at the other nodes.
    """

    def __init__(
        self,
        stream: Stream,
        state: StreamState,
        history: Path,
        kept: Checkpoint | None,
        *,
        keeps_names: bool,
        name: str,
    ) -> None:
        self._stream = stream
        self._state = state
        self._history = history
        self._path = checkpoint_path(history)
        self._is_new = kept is None
        self._begun = kept.sequence if kept else 0
        self._keeps_names = keeps_names
        self._name = name
        self._sequencer: ClusterSequencer | None = None
        self._people: SharedPeople | None = None
        self._checkpoint = kept
        self._writing = asyncio.Lock()
        self.presence = SharedPresence(stream, state.id)
        self.failed: asyncio.Future[ServeError] = asyncio.get_running_loop().create_future()

    @classmethod
    async def join(cls, settings: Settings) -> Self:
        """Connect to the cluster of the settings.

        Raises:
            ClusterUnusable: if it cannot be used, and why.
        """
        history = settings.history.absolute()
        path = checkpoint_path(history)
        kept = read_checkpoint(path)
        stream = await Stream.open(settings.cluster)
        try:
            state = await _state(stream, "UTC" if settings.utc else "local", settings, is_new=kept is None)
            _check(kept, state, path)
            await FixedEntries(stream).ensure(state)
            if kept and kept.numbering != state.numbering:
                await _check_restored(stream, history)
                kept = Checkpoint(state.id, 0, numbering=state.numbering)
            elif kept and kept.people:
                await _check_people(stream)
            await ensure_people(stream, state.id, keeps_names=settings.names is not Names.OPEN)
        except BaseException:
            await stream.connection.close()
            raise
        name = f"{socket.gethostname()}:{settings.port}"
        return cls(stream, state, history, kept, keeps_names=settings.names is not Names.OPEN, name=name)

    def people(self, tables: Mapping[str, Table[Any]], listener: Listener) -> SharedPeople:
        """Make the agreement of this node with the others, as `AgreementMaker`."""
        kept = self._checkpoint.people if self._checkpoint else None
        self._people = SharedPeople(self._stream, kept, tables, listener)
        return self._people

    def sequencer(self, clock: Callable[[], float], zone: tzinfo | None) -> ClusterSequencer:
        """Make the sequencer of this node.

        Args:
            clock: unix seconds.
            zone: of the log's times.
        """
        self._sequencer = ClusterSequencer(
            self._stream,
            self._state.id,
            clock=clock,
            zone=zone,
            received_to=self._begun,
            keeps_names=self._keeps_names,
        )
        return self._sequencer

    @asynccontextmanager
    async def receiving(
        self, joined: Callable[[], Awaitable[None]], rooms: OpenRooms, metrics: Metrics
    ) -> AsyncIterator[None]:
        """Receive the streams within a block, which begins when this node has caught up with them.

        Args:
            joined: called when it has the people of the others.
            rooms: opens the rooms whose logs the cluster does not have, if this node is new in it: they are taken over.
            metrics: where its figures are shown.

        Raises:
            ClusterUnusable: if its people are not those of the others, or a log cannot be taken over.
            ClusterLost: if the streams cannot be received.
            HistoryUnusable: if a log cannot be taken over.
        """
        if self._sequencer is None or self._people is None:
            raise RuntimeError("the sequencer and the people are made first")
        sequencer, people = self._sequencer, self._people
        sequencer.rights = PeoplesRights(people, rooms.is_private)
        self._show(sequencer, metrics)
        await self.presence.start()
        of_people = Consumer(self._stream, PEOPLE_STREAM, self._state.id, 0, people.receive)
        consumer = Consumer(
            self._stream,
            STREAM,
            self._state.id,
            self._begun,
            lambda subject, number, data: sequencer.receive(room_of(subject), number, data),
            node=self._name,
        )
        sequencer.go_on = consumer.go_on
        works = [of_people.run(), people.keep_acts(), sequencer.reach.watch()]
        tasks = [asyncio.ensure_future(self._run(work)) for work in works]
        try:
            await self._or_failed(of_people.caught_up.wait())
            await self._or_failed(self._begin_people(people, joined))
            self.presence.begin()
            # Before anything is received: a log that the cluster refuses must not be set aside first.
            if self._is_new:
                logs = await asyncio.to_thread(log_paths, self._history)
                await take_over(self._stream, rooms, sequencer.rights, logs)
            sequencer.redactions.begin()
            works = [
                consumer.run(),
                self._keep_checkpoints(),
                self.presence.run(),
                sequencer.redactions.replacer.run(),
            ]
            tasks += [asyncio.ensure_future(self._run(work)) for work in works]
            await self._or_failed(self._caught_up(consumer, sequencer))
            await self._keep_checkpoint()
            log.info(
                "caught up with the cluster at entry %d",
                consumer.received,
                extra=event("caught_up", sequence=consumer.received),
            )
            yield
        finally:
            sequencer.close()
            people.close()
            await cancel_all(tasks)

    async def close(self) -> None:
        """Write down how far this node is, and disconnect."""
        try:
            await self._keep_checkpoint()
        finally:
            await self._stream.connection.close()

    @staticmethod
    def _show(sequencer: ClusterSequencer, metrics: Metrics) -> None:
        metrics.show(
            "cluster_lag", "Entries of the cluster that are not in the logs yet.", lambda: sequencer.lag
        )
        metrics.show(
            "cluster_conflicts",
            "Batches that came behind those of other nodes, and were offered again, since the start.",
            lambda: sequencer.conflicts,
        )
        metrics.show(
            "cluster_silence_seconds",
            "Seconds since the cluster was heard of last; idle it is heard of each second.",
            lambda: sequencer.silence_seconds,
        )

    async def _or_failed(self, work: Coroutine[Any, Any, object]) -> None:
        """Do some work of the start, as long as the cluster can be used.

        Raises:
            ClusterLost: if it cannot be used any more.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, self.failed), return_when=asyncio.FIRST_COMPLETED)
            if self.failed.done():
                raise self.failed.result()
            await task
        finally:
            await cancel_all([task])

    @staticmethod
    async def _begin_people(people: SharedPeople, joined: Callable[[], Awaitable[None]]) -> None:
        try:
            await people.begin()
            await joined()
        except Refused as refusal:
            raise ClusterUnusable(f"its people cannot be changed now: {refusal}") from refusal

    @staticmethod
    async def _caught_up(consumer: Consumer, sequencer: ClusterSequencer) -> None:
        await consumer.caught_up.wait()
        await sequencer.all_applied()

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work of this node that does not end. Whatever ends it ends the node, which would go on as if it were done."""
        try:
            await work
        except (EntryInvalid, StreamLost, ClusterUnusable) as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("a part of this node has failed")
            self._fail(reason(error))

    def _fail(self, why: str) -> None:
        if not self.failed.done():
            self.failed.set_result(ClusterLost(why))
        if self._sequencer:
            self._sequencer.close()
        if self._people:
            self._people.close()

    async def _keep_checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            await self._keep_checkpoint()

    async def _keep_checkpoint(self) -> None:
        if self._sequencer and self._people:
            await run_to_end(self._write_checkpoint(self._sequencer, self._people))

    async def _write_checkpoint(self, sequencer: ClusterSequencer, people: SharedPeople) -> None:
        async with self._writing:
            # Not in the thread, which would see what is changed meanwhile.
            checkpoint = Checkpoint(
                self._state.id, sequencer.applied_to, people.kept_to, self._state.numbering
            )
            if checkpoint == self._checkpoint:
                return
            try:
                await asyncio.to_thread(keep_checkpoint, self._path, checkpoint)
            except OSError as error:
                log.warning("%s cannot be written: %s", self._path, reason(error))
            else:
                self._checkpoint = checkpoint


async def _state(stream: Stream, zone: str, settings: Settings, *, is_new: bool) -> StreamState:
    """The state of the stream, which is made for a node that is new in it, if all servers that it needs are there.

    Raises:
        ClusterUnusable: if it cannot be used.
    """
    begun = time.monotonic()
    while True:
        count = None if settings.cluster_unchecked else await check_servers(stream.connection.client)
        state = await stream.ensure(zone, may_make=is_new and (count is None or count >= SERVERS_AT_LEAST))
        if state:
            return state
        if time.monotonic() - begun > COMING_SECONDS:
            if not is_new:
                raise ClusterUnusable(
                    "its stream was deleted; end all nodes, and use besedka cluster restore"
                )
            raise ClusterUnusable(
                f"it has {count_of(count or 0, 'server')}, and {SERVERS_AT_LEAST} are needed so that one may fail"
            )


def _check(kept: Checkpoint | None, state: StreamState, path: Path) -> None:
    """Check that a node's logs are of this stream, and not ahead of it.

    Raises:
        ClusterUnusable: if not.
    """
    if kept and kept.id != state.id:
        raise ClusterUnusable(
            f"its stream is not the one whose messages this node has ({path} names {kept.id}, and the stream is {state.id}); "
            "besedka cluster restore brings back the one of this node, or move the logs away to begin as a new node"
        )
    if kept and kept.numbering == state.numbering and kept.sequence > state.last:
        raise ClusterUnusable(
            f"its stream ends at {state.last}, and this node has had all up to {kept.sequence}: the stream has lost entries; "
            "end all nodes, and use besedka cluster restore"
        )
    if state.is_restoring:
        raise ClusterUnusable(
            "its stream is being restored; if that was interrupted, use besedka cluster restore again"
        )


async def _check_people(stream: Stream) -> None:
    """Check that the stream about people is there, which this node has received before.

    Raises:
        ClusterUnusable: if it was deleted.
    """
    if not await stream.exists(PEOPLE_STREAM):
        raise ClusterUnusable(
            f"its stream {PEOPLE_STREAM} was deleted; end all nodes, and use besedka cluster restore"
        )


async def _check_restored(stream: Stream, history: Path) -> None:
    """Check that a stream that was restored elsewhere has all messages of this node. (A log that differs is set aside later.)

    Raises:
        ClusterUnusable: if it lacks some.
    """
    for room, log_path in written_logs(history).items():
        log = ReadableLog.open_to_read(log_path)
        try:
            ids = await lacking_of(stream, room, log)
        except Differs:
            continue
        finally:
            log.close()
        if ids:
            raise ClusterUnusable(
                f"its stream was restored, and lacks {count_of(len(ids), 'message')} of {log_path}: "
                "use besedka cluster restore here, too; or remove cluster.txt, and they are set aside"
            )
