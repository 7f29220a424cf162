"""Receiving the stream: each entry once, in its order, from any number on; a start, catching up and live receiving are the same.

A push consumer of JetStream that lives only in memory sends the entries, each with its number in the stream and its number in this consumer. If one is missing in the latter, or
nothing came for a while, not even a heartbeat, a new consumer begins behind the last entry that was received. (The ordered consumer of nats-py does the same, and stops receiving in some cases:
nats.py issues 510 and 1005.)
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from besedka import __version__
from besedka.serve.cluster.errors import StreamLost
from besedka.serve.cluster.jetstream.connection import ANSWER_SECONDS, NANOSECONDS, RETRY_SECONDS
from besedka.serve.cluster.jetstream.stream import Stream

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 1.0
SILENCE_SECONDS: Final = 3.0
"""Three heartbeats are missing: the consumer is gone, or the server that has it."""

LATE_SECONDS: Final = 0.1
"""An entry that the stream has acknowledged comes within milliseconds. If nothing comes for so long, not even another one, the server that had the consumer has ended. On a busy machine it may only be slow: each time in a row that a new consumer is made without avail, twice as long."""

LOSSES_BELIEVED: Final = 10
"""A server that has just come up may know less for a moment."""

NODE_NAME: Final = "besedka_node"
NODE_VERSION: Final = "besedka_version"
NODE_CLOCK: Final = "besedka_clock"
"""By these `besedka doctor --cluster` sees the node that receives: its name, its version, and its clock when it began, in unix seconds."""

Receive = Callable[[str, int, bytes], bool]
"""Takes in an entry: its subject, its number, its bytes. Returns whether more can be taken in now."""


class Consumer:
    """Receives a stream.

    Args:
        stream: the connection.
        name: the stream's name.
        cluster: the id of the cluster that it must be of.
        behind: the number of the last entry that is known here.
        receive: takes in each entry.
        node: the name of this node, for those who look at the cluster.

    Attributes:
        received: the number of the last entry that was received.
        caught_up: set when all entries were received that were there at the start.
    """

    def __init__(
        self, stream: Stream, name: str, cluster: str, behind: int, receive: Receive, *, node: str = ""
    ) -> None:
        self._stream = stream
        self._name = name
        self._node = node
        self._cluster = cluster
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._subscription: Subscription | None = None
        self._failure: Exception | None = None
        self._count = 0
        self._came_at = self._loop.time()
        self._late_after = LATE_SECONDS
        self._again = asyncio.Event()
        self._may_receive = asyncio.Event()
        self._may_receive.set()
        self.received = behind
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Receive, for ever.

        Raises:
            EntryInvalid: if an entry cannot be understood; also whatever else `Receive` raises.
            StreamLost: if the stream is not the one any more that was received.
        """
        losses = 0
        try:
            while True:
                await self._may_receive.wait()
                self._again.clear()
                why = await self._stream.lost(self._name, self._cluster, self.received)
                losses = losses + 1 if why else 0
                if losses == LOSSES_BELIEVED:
                    raise StreamLost(why)
                if why or not await self._begin():
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                await self._until_lost()
                await self._leave()
                if self._failure:
                    raise self._failure
        finally:
            await self._leave()

    def go_on(self) -> None:
        """Go on after `Receive` has returned that nothing more can be taken in."""
        self._may_receive.set()

    async def _until_lost(self) -> None:
        """Wait until the consumer is lost."""
        while not self._again.is_set():
            silence = self._loop.time() - self._came_at
            if silence >= SILENCE_SECONDS or self._is_late():
                log.debug("nothing was heard of the stream for %.1f seconds", silence)
                self._late_after = min(2 * self._late_after, SILENCE_SECONDS)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LATE_SECONDS / 2):
                    await self._again.wait()

    def _is_late(self) -> bool:
        """Whether an entry does not come that is in the stream."""
        acknowledged = self._stream.connection.signs(self._name).acknowledged
        if acknowledged is None or acknowledged.number <= self.received:
            return False
        if self._subscription and self._subscription.pending_msgs:
            return False  # it has come, and waits for its turn
        return self._loop.time() - max(acknowledged.at, self._came_at) >= self._late_after

    async def _begin(self) -> bool:
        """Make a consumer behind the last entry that was received. Returns whether there is one."""
        client = self._stream.connection.client
        inbox = client.new_inbox()
        config = {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self.received + 1,
            "ack_policy": "none",
            "replay_policy": "instant",
            "deliver_subject": inbox,
            "idle_heartbeat": int(HEARTBEAT_SECONDS * NANOSECONDS),
            "flow_control": True,
            "mem_storage": True,
            "num_replicas": 1,
            "metadata": {
                NODE_NAME: self._node,
                NODE_VERSION: __version__,
                NODE_CLOCK: f"{time.time():.3f}",
            },
        }
        self._count, self._came_at = 0, self._loop.time()
        try:
            subscription = self._subscription = await client.subscribe(inbox, cb=self._came)
            question = msgspec.json.encode({"stream_name": self._name, "config": config})
            reply = await client.request(
                f"$JS.API.CONSUMER.CREATE.{self._name}", question, timeout=ANSWER_SECONDS
            )
        except (NatsError, TimeoutError):
            await self._leave()
            return False
        answer: dict[str, Any] = msgspec.json.decode(reply.data)
        if "error" in answer:
            await self._leave()
            return False
        self._came_at = self._loop.time()
        if self._subscription is subscription and not answer.get("num_pending") and not self._count:
            self.caught_up.set()
        return True

    async def _leave(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription:
            with suppress(NatsError):
                await subscription.unsubscribe()

    async def _came(self, message: Msg) -> None:
        if self._again.is_set():
            return  # of a consumer that is given up
        self._came_at = self._loop.time()
        headers = message.headers or {}
        if headers.get("Status") is not None:
            await self._came_status(message, headers)
            return
        number = message.metadata.sequence
        self._stream.connection.signs(self._name).decided_at = self._came_at
        self._count += 1
        if number.consumer != self._count or number.stream <= self.received:
            self._again.set()  # some were lost on the way
            return
        self.received, self._late_after = number.stream, LATE_SECONDS
        try:
            may_go_on = self._receive(message.subject, number.stream, message.data)
        except Exception as error:  # noqa: BLE001 - raised by `run`; the client of NATS would go on behind this entry
            self._failure = error
            may_go_on = False
        if message.metadata.num_pending == 0:
            self.caught_up.set()
        if not may_go_on:
            self._may_receive.clear()
            self._again.set()

    async def _came_status(self, message: Msg, headers: dict[str, str]) -> None:
        """Answer a request of flow control; see from a heartbeat whether an entry is missing."""
        stalled = headers.get("Nats-Consumer-Stalled")
        asked = message.reply or stalled
        if asked:
            with suppress(NatsError):
                await self._stream.connection.client.publish(asked)
        last = headers.get("Nats-Last-Consumer")
        if last is not None and int(last) != self._count:
            self._again.set()
