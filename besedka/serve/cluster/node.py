"""A node of a cluster: its connection to the stream, its place in it, and the end of both."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, Self

from besedka.serve.cluster.checkpoint import Checkpoint, checkpoint_path, keep_checkpoint, read_checkpoint
from besedka.serve.cluster.consumer import Consumer, StreamLost
from besedka.serve.cluster.entry import EntryInvalid
from besedka.serve.cluster.fixed import FixedEntries
from besedka.serve.cluster.sequencer import ClusterSequencer
from besedka.serve.cluster.servers import SERVERS_AT_LEAST, check_servers
from besedka.serve.cluster.stream import Stream, StreamState
from besedka.serve.errors import ClusterLost, ClusterUnusable, ServeError
from besedka.serve.files.descriptor import reason
from besedka.serve.history import room_names, room_path
from besedka.serve.log_event import event
from besedka.serve.metrics import Metrics
from besedka.serve.people.names import Names
from besedka.serve.settings import Settings
from besedka.wire.counting import count_of
from besedka.wire.validation import DEFAULT_ROOM

log = logging.getLogger(__name__)

COMING_SECONDS: Final = 3.0
"""How long a new cluster's servers may take to find each other, after the node has found one of them."""

CHECKPOINT_SECONDS: Final = 1.0
"""The next start receives again what was applied since."""


class Node:
    """A node. Make it with `join`.

    Attributes:
        failed: done when the cluster cannot be used any more; the server must then stop with this error.
    """

    def __init__(
        self, stream: Stream, state: StreamState, path: Path, begun: int, *, keeps_names: bool
    ) -> None:
        self._stream = stream
        self._state = state
        self._path = path
        self._begun = begun
        self._keeps_names = keeps_names
        self._sequencer: ClusterSequencer | None = None
        self._consumer: Consumer | None = None
        self._kept = begun
        self.failed: asyncio.Future[ServeError] = asyncio.get_running_loop().create_future()

    @classmethod
    async def join(cls, settings: Settings) -> Self:
        """Connect to the cluster of the settings.

        Raises:
            ClusterUnusable: if it cannot be used, and why.
        """
        if settings.names is not Names.OPEN:
            raise ClusterUnusable(
                "its nodes do not share names, private rooms and moderation yet: start each with --names open"
            )
        history = settings.history.absolute()
        path = checkpoint_path(history)
        kept = read_checkpoint(path)
        stream = await Stream.open(settings.cluster)
        try:
            state = await _state(stream, "UTC" if settings.utc else "local", settings)
            _check(kept, state, path)
            await FixedEntries(stream).ensure(state)
            if kept is None:
                await _check_logs(stream, history)
        except BaseException:
            await stream.close()
            raise
        keeps_names = settings.names is not Names.OPEN
        return cls(stream, state, path, kept.sequence if kept else 0, keeps_names=keeps_names)

    def check_rooms(self, private: Iterable[str]) -> None:
        """Check that there are no private rooms, which the other nodes would open to everybody.

        Args:
            private: their names.

        Raises:
            ClusterUnusable: if there are any.
        """
        if room := next(iter(private), ""):
            raise ClusterUnusable(
                f"its nodes do not share private rooms yet, and here {room} is one: start this node with a history of its own"
            )

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

    def show(self, metrics: Metrics) -> None:
        """Have its figures shown.

        Raises:
            RuntimeError: if there is no sequencer yet.
        """
        if self._sequencer is None:
            raise RuntimeError("the sequencer is made first")
        sequencer = self._sequencer
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

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Receive the stream within a block, which begins when this node has caught up with it."""
        if self._sequencer is None:
            raise RuntimeError("the sequencer is made first")
        consumer = self._consumer = Consumer(
            self._stream, self._state.id, self._begun, self._sequencer.receive
        )
        self._sequencer.go_on = consumer.go_on
        works = (self._receive(consumer), self._keep_checkpoints(), self._sequencer.redactions.replacer.run())
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            ready: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._caught_up(consumer)), self.failed]
            await asyncio.wait(ready, return_when=asyncio.FIRST_COMPLETED)
            log.info(
                "caught up with the cluster at entry %d",
                consumer.received,
                extra=event("caught_up", sequence=consumer.received),
            )
            yield
        finally:
            self._sequencer.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Write down how far this node is, and disconnect."""
        try:
            self._keep_checkpoint()
        finally:
            await self._stream.close()

    async def _caught_up(self, consumer: Consumer) -> None:
        await consumer.caught_up.wait()
        if self._sequencer:
            await self._sequencer.all_applied()

    async def _receive(self, consumer: Consumer) -> None:
        try:
            await consumer.run()
        except (EntryInvalid, StreamLost) as error:
            self._fail(str(error))

    def _fail(self, why: str) -> None:
        if not self.failed.done():
            self.failed.set_result(ClusterLost(why))
        if self._sequencer:
            self._sequencer.close()

    async def _keep_checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            await asyncio.to_thread(self._keep_checkpoint)

    def _keep_checkpoint(self) -> None:
        if self._sequencer is None or self._sequencer.applied_to == self._kept:
            return
        applied = self._sequencer.applied_to
        try:
            keep_checkpoint(self._path, Checkpoint(self._state.id, applied))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, reason(error))
        else:
            self._kept = applied


async def _state(stream: Stream, zone: str, settings: Settings) -> StreamState:
    """The state of the stream, which is made if all servers that it needs are there.

    Raises:
        ClusterUnusable: if it cannot be used.
    """
    begun = time.monotonic()
    while True:
        count = None if settings.cluster_unchecked else await check_servers(stream.client)
        state = await stream.ensure(zone, may_make=count is None or count >= SERVERS_AT_LEAST)
        if state:
            return state
        if time.monotonic() - begun > COMING_SECONDS:
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
            "move the logs away to begin as a new node"
        )
    if kept and kept.sequence > state.last:
        raise ClusterUnusable(
            f"its stream ends at {state.last}, and this node has had all up to {kept.sequence}: the stream has lost entries"
        )


async def _check_logs(stream: Stream, history: Path) -> None:
    """Check that the cluster has the logs of a node that is new in it: what it does not have would be set aside.

    Raises:
        ClusterUnusable: if it lacks one.
    """
    logs = {DEFAULT_ROOM: history, **{room: room_path(history, room) for room in room_names(history)}}
    for room, log_path in logs.items():
        if not (log_path.exists() and log_path.stat().st_size):
            continue
        try:
            last, _ = await stream.last_of(room)
        except TimeoutError as error:
            raise ClusterUnusable("its stream has no leader, or JetStream does not answer") from error
        if not last:
            raise ClusterUnusable(
                f"it does not have the messages of {log_path}, and cannot take over a history yet: start this node in an empty folder"
            )
