"""Gossip: each node tells the others who is where, over plain NATS, where nothing is stored.

A change has a number, and a beat each second has that of the last one. Whoever misses a change asks for the state, which is sent to all; so a
node that starts, or was cut off, knows everything after a moment, and an idle cluster says next to nothing. A state is told in rooms as a state, not as comings and goings.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from besedka.serve.cluster.presence.elsewhere import PEOPLE_OF_NODE_AT_MOST, PeopleElsewhere
from besedka.serve.cluster.presence.elsewhere import Observer as PresenceObserver
from besedka.serve.cluster.presence.gossip_frames import (
    PEOPLE_IN_FRAME,
    Ask,
    Beat,
    Bye,
    Changes,
    GossipFrame,
    State,
    TypingElsewhere,
    decode_gossip,
    encode_gossip,
)
from besedka.serve.cluster.presence.liveness import BEAT_SECONDS, Liveness
from besedka.serve.repeated_error import RepeatedError

log = logging.getLogger(__name__)

SUBJECT: Final = "besedka.presence"

PACE_SECONDS: Final = 0.25
"""Shortest interval between two frames of changes: notices come four times a second, too."""

STATE_RATE: Final = 25_000.0
"""People a second of whom a node tells in its states: so many take some thirty milliseconds, and two megabytes."""

ASK_SECONDS: Final = 1.0
"""Shortest interval between two times that a node asks another for its state."""

NODES_AT_MOST: Final = 200
"""Other nodes that are known; of more nothing is taken in."""


class Observer(PresenceObserver, Protocol):
    """Is told of people at other nodes."""

    def typing(self, room: str, name: str) -> None:
        """A person is typing in a room."""


@dataclass(slots=True)
class _Node:
    """Another node.

    Attributes:
        number: that of the last change of it that was taken in; -1 if its state is not known.
        asked_at: when it was asked for its state.
        parts: how many parts have come of a state that is coming in.
        state: what is in them.
    """

    number: int = -1
    asked_at: float = float("-inf")
    parts: int = 0
    state: dict[str, dict[int, str]] = field(default_factory=dict)


class Gossip:
    """The gossip of one node.

    Args:
        client: the connection to NATS.
        cluster: the id of the cluster.

    Attributes:
        node: the name of this node, from this start to its end.
        people: who is where.
        liveness: which nodes are alive.
    """

    def __init__(self, client: Client, cluster: str) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._number = 0
        self._is_asked = False
        self._asks: list[Ask] = []
        self._is_leaving = False
        self._next_state_at = float("-inf")
        self._nodes: dict[str, _Node] = {}
        self._observer: Observer | None = None
        self._trouble = RepeatedError(log, self._loop.time, level=logging.WARNING, kind="gossip_trouble")
        self.node = secrets.token_hex(8)
        self.people = PeopleElsewhere(cluster, self._wake.set)
        self.liveness = Liveness(self.node, self._loop.time())

    async def run(self, observer: Observer) -> None:
        """Tell, and take in what others tell, until `leave`.

        Args:
            observer: is told of people at other nodes.
        """
        self._observer = observer
        subscription = await self._client.subscribe(SUBJECT, cb=self._came)
        try:
            await self._publish(Ask(self.node))
            await self._publish(Beat(self.node, self._number))
            beat_at = self._loop.time() + BEAT_SECONDS
            while not self._is_leaving:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, beat_at - self._loop.time())):
                        await self._wake.wait()
                self._wake.clear()
                # All at once: a state must not have what no change has told, or who leaves before that is told stays for ever.
                for frame in [*self._due()]:
                    await self._publish(frame)
                now = self._loop.time()
                if now >= beat_at:
                    beat_at = now + BEAT_SECONDS
                    await self._publish(Beat(self.node, self._number))
                    self._drop_ended()
                if not self._is_leaving:
                    await asyncio.sleep(PACE_SECONDS)
            await self._publish(Bye(self.node))
        finally:
            with suppress(NatsError):
                await subscription.unsubscribe()

    def leave(self) -> None:
        """Say good-bye, and tell nothing more: people who leave now may come back at other nodes."""
        self._is_leaving = True
        self._wake.set()

    def is_alive(self, node: str) -> bool:
        """Whether a node may use what it has a lease of."""
        return self.liveness.is_alive(node, self._loop.time())

    def is_known(self, node: str) -> bool:
        """Whether a node was heard of."""
        return self.liveness.is_known(node)

    @property
    def returns(self) -> int:
        """How often the others may have taken this node for dead."""
        return self.liveness.returns

    def _due(self) -> Iterator[GossipFrame]:
        """The frames that are due now."""
        if self._is_leaving:
            return  # what they leave is this node, not the cluster
        for rooms in self.people.take_changes():
            self._number += 1
            yield Changes(self.node, self._number, rooms)
        asks, self._asks = self._asks, []
        yield from asks
        if typing := self.people.take_typing():
            yield TypingElsewhere(self.node, typing)
        if self._is_asked and self._loop.time() < self._next_state_at:
            self._wake.set()
        elif self._is_asked:
            self._is_asked = False
            parts = [*self.people.state()]
            self._next_state_at = self._loop.time() + len(parts) * PEOPLE_IN_FRAME / STATE_RATE
            for number, part in enumerate(parts):
                yield State(self.node, self._number, part, number, len(parts))

    async def _publish(self, frame: GossipFrame) -> None:
        # What would wait for a connection comes too late: the others ask for what they have missed.
        if self._client.is_connected:
            with suppress(NatsError):
                await self._client.publish(SUBJECT, encode_gossip(frame))

    def _drop_ended(self) -> None:
        """Forget the nodes that have ended, or were silent for too long."""
        if self._observer:
            for node in self.liveness.ended(self._loop.time()):
                del self._nodes[node]
                self.people.drop(node, self._observer)

    # Taking in.

    async def _came(self, message: Msg) -> None:
        try:
            frame = decode_gossip(message.data)
        except msgspec.MsgspecError as error:
            self._trouble.note("a node tells what this one does not understand: %s", error)
            return
        if frame.node == self.node:
            if isinstance(frame, Beat):
                self.liveness.receive(self.node, self._loop.time())
            return
        if frame.node not in self._nodes and (
            isinstance(frame, Ask | Bye) or len(self._nodes) >= NODES_AT_MOST
        ):
            self._answer(frame)
            if len(self._nodes) >= NODES_AT_MOST:
                self._trouble.note("there are more than %d nodes: some are not known here", NODES_AT_MOST)
            return
        self.liveness.receive(frame.node, self._loop.time())
        if self._observer:
            self._take_in(frame, self._nodes.setdefault(frame.node, _Node()), self._observer)

    def _take_in(self, frame: GossipFrame, node: _Node, observer: Observer) -> None:
        match frame:
            case Beat():
                self._take_beat(frame, node)
            case Changes():
                self._take_changes(frame, node, observer)
            case State():
                self._take_state(frame, node, observer)
            case TypingElsewhere():
                for room, name in ((room, name) for room, names in frame.rooms.items() for name in names):
                    observer.typing(room, name)
            case Bye():
                self.liveness.leave(frame.node, self._loop.time())
            case Ask():
                self._answer(frame)

    def _take_beat(self, frame: Beat, node: _Node) -> None:
        if node.number < 0 and frame.number == 0:
            node.number = 0  # it has just begun, and told nothing yet
        elif frame.number != node.number:
            self._ask(frame.node, node)

    def _take_changes(self, frame: Changes, node: _Node, observer: Observer) -> None:
        if node.number >= 0 and frame.number == node.number + 1:
            node.number = frame.number
            self._check_space(frame.node, fits=self.people.apply(frame.node, frame.rooms, observer))
        elif frame.number > node.number:
            self._ask(frame.node, node)

    def _take_state(self, frame: State, node: _Node, observer: Observer) -> None:
        """Take in a part of a state; the last one puts it in force."""
        if frame.number == node.number:
            return  # another node has asked
        if frame.part == 0:
            node.parts, node.state = 0, {}
        if frame.part != node.parts:
            return  # one was lost: the next beat shows that the state is not known
        node.parts += 1
        for room, people in frame.rooms.items():
            node.state.setdefault(room, {}).update(people)
        if node.parts == frame.parts:
            state, node.state, node.number = node.state, {}, frame.number
            self._check_space(frame.node, fits=self.people.replace(frame.node, state, observer))

    def _answer(self, frame: GossipFrame) -> None:
        if isinstance(frame, Ask) and frame.of in {"", self.node}:
            self._is_asked = True
            self._wake.set()

    def _ask(self, name: str, node: _Node) -> None:
        """Ask a node for its state, unless it was asked a moment ago."""
        now = self._loop.time()
        if now - node.asked_at >= ASK_SECONDS:
            node.asked_at = now
            self._asks.append(Ask(self.node, name))
            self._wake.set()

    def _check_space(self, node: str, *, fits: bool) -> None:
        if not fits:
            self._trouble.note(
                "node %s has more than %d people: the others are not counted here",
                node,
                PEOPLE_OF_NODE_AT_MOST,
            )
