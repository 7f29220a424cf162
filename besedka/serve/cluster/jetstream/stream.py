"""The stream that decides the order, as JetStream keeps it: its settings, its entries, and what is offered to it.

Whether an offer was accepted is not decided by its answer, which may
be lost: it is decided by what is received (`besedka/serve/cluster/jetstream/consumer.py`). Answers only show that the stream can be reached.
"""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, unquote

import msgspec
from nats.errors import Error as NatsError

from besedka.serve.cluster.errors import Unanswered
from besedka.serve.cluster.jetstream.connection import RETRY_SECONDS, Connection
from besedka.serve.errors import ClusterUnusable

T = TypeVar("T")

STREAM: Final = "BESEDKA"
SUBJECTS: Final = "besedka.log."
"""In front of a room's name."""

REPLICAS: Final = 3
ELECTION_SECONDS: Final = 30.0
"""How long a node waits for a stream that has no leader."""

RESTORING: Final = "besedka_restoring"
NUMBERING: Final = "besedka_numbering"
"""Marks in the metadata of the stream, for `StreamState.is_restoring` and `StreamState.numbering`."""

SETTINGS: Final[Mapping[str, Any]] = {
    "retention": "limits",
    "storage": "file",
    "max_consumers": -1,
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0,
    "max_msgs_per_subject": -1,
    "max_msg_size": 1024 * 1024,
    "discard": "new",
    "deny_purge": True,
    "deny_delete": False,
    "allow_direct": True,
}
"""An entry is never dropped by itself: where a room's last entry was gone, an old node could be believed."""


class StreamState(msgspec.Struct, frozen=True):
    """The state of the stream.

    Attributes:
        id: identifies it, and with it the cluster's history.
        first: the number of its first entry.
        last: the number of its last entry; 0 if there is none.
        zone: the zone of the log's times.
        deleted: how many entries were deleted, because texts in them were redacted.
        numbering: identifies the numbers of its entries: a stream that was restored has others. Empty if it never was.
        is_restoring: whether it is being restored, and is not whole yet.
    """

    id: str
    first: int
    last: int
    zone: str
    deleted: int = 0
    numbering: str = ""
    is_restoring: bool = False


class Stream:
    """The stream, by way of a connection.

    Args:
        connection: the connection.
        replicas: how many servers keep the stream.

    Attributes:
        connection: the connection.
    """

    def __init__(self, connection: Connection, replicas: int = REPLICAS) -> None:
        self.connection = connection
        self._replicas = replicas
        self._loop = asyncio.get_running_loop()
        self._numbering = ""

    @classmethod
    async def open(cls, servers: Sequence[str]) -> Self:
        """Connect to a cluster; raises as `Connection.open`."""
        return cls(await Connection.open(servers))

    async def ensure(self, zone: str, *, may_make: bool) -> StreamState | None:
        """The state of the stream, which is made if there is none.

        Args:
            zone: of the log's times: what a new stream is given, and an existing one must have.
            may_make: whether it may be made; otherwise None is returned if there is none.

        Raises:
            ClusterUnusable: if it cannot be used, and why.
        """

        async def look() -> StreamState | None:
            info = await self.info()
            if info is None and not may_make:
                return None
            return self._checked(info or await self._create(zone), zone)

        return await self.until_answered(look)

    async def exists(self, name: str) -> bool:
        """Whether there is a stream.

        Raises:
            ClusterUnusable: if nobody answers.
        """
        return await self.until_answered(lambda: self.info(name)) is not None

    async def until_answered(self, work: Callable[[], Awaitable[T]]) -> T:
        """Ask something again and again, also by way of other servers, until it is answered.

        Raises:
            ClusterUnusable: if nobody answers for longer than an election takes; also what the work raises.
        """
        begun = self._loop.time()
        while True:
            try:
                return await work()
            except TimeoutError as unanswered:
                if self._loop.time() - begun > ELECTION_SECONDS:
                    raise ClusterUnusable(
                        str(unanswered) or "its stream has no leader, or JetStream does not answer"
                    ) from unanswered
                await self.connection.turn()
                await asyncio.sleep(RETRY_SECONDS)

    async def surely(self, ask: Callable[[], Awaitable[T]], *names: str) -> T:
        """The result of questions about streams, if one leader of each has answered all of them, whom a majority followed: another one may know less.

        Args:
            ask: asks.
            names: the names of the streams.

        Raises:
            Unanswered: if that is not so; also what the questions raise.
        """
        before = [await self._leader(name) for name in names]
        found = await ask()
        if [await self._leader(name) for name in names] != before:
            raise Unanswered
        return found

    async def lost(self, name: str, cluster: str, received: int) -> str:
        """Why a stream is not what this node has received so far; empty if it is, or if nobody answers.

        Args:
            name: its name.
            cluster: the id of the cluster that it must be of.
            received: the number of the last entry that was received.
        """
        try:
            info = await self.info(name)
        except Unanswered:
            return ""
        if info is None:
            return "its stream was deleted"
        metadata = info["config"].get("metadata") or {}
        if metadata.get("besedka_id") != cluster:
            return "its stream is another one now"
        if name == STREAM and metadata.get(NUMBERING, "") != self._numbering:
            return "its stream was restored; start this node again"
        last = int(info["state"]["last_seq"])
        return f"its stream ends at {last}, and entry {received} was received" if last < received else ""

    async def last_of(self, room: str) -> tuple[int, bytes]:
        """The number of a room's last entry, and its bytes; 0 if it has none.

        Raises:
            TimeoutError: if the stream does not answer.
        """
        return await self.find(STREAM, {"last_by_subj": subject_of(room)}) or (0, b"")

    async def next_of(self, room: str, begin: int) -> tuple[int, bytes] | None:
        """A room's first entry from a number on, with its number; None if there is none.

        Raises:
            TimeoutError: if the stream does not answer.
        """
        return await self.find(STREAM, {"seq": begin, "next_by_subj": subject_of(room)})

    async def find(self, stream: str, question: Mapping[str, Any]) -> tuple[int, bytes] | None:
        """An entry of a stream, with its number; None if there is none.

        Args:
            stream: this stream, or another one.
            question: which entry, as JetStream asks for one.

        Raises:
            TimeoutError: if the stream does not answer.
        """
        found = await self.connection.ask("STREAM.MSG.GET", stream, question)
        return (int(found["message"]["seq"]), b64decode(found["message"]["data"])) if found else None

    async def erase(self, stream: str, number: int) -> None:
        """Overwrite an entry of a stream on the disks of all servers, and delete it.

        Raises:
            TimeoutError: if it is not known whether that was done.
            ClusterUnusable: if JetStream refuses.
        """
        await self.connection.delete(stream, number, overwrites=True)

    async def offer(self, room: str, data: bytes, behind: int) -> None:
        """Offer an entry, to be accepted only if the room's last entry has this number. Its answer is not waited for."""
        if not self.connection.client.is_connected:
            return  # what waits for a connection would come late
        headers = {"Nats-Expected-Last-Subject-Sequence": str(behind)}
        with suppress(NatsError):
            await self.connection.client.publish(
                subject_of(room), data, reply=self.connection.answers, headers=headers
            )

    async def probe(self) -> None:
        """Ask for the stream's state, so that its signs say whether it can be reached."""
        with suppress(Unanswered):
            await self.info()

    async def info(self, name: str = STREAM) -> dict[str, Any] | None:
        """Describe a stream, as JetStream does; None if there is none.

        Raises:
            Unanswered: if nobody answers whom the others follow.
        """
        return await self.connection.describe(name)

    async def _leader(self, name: str) -> tuple[str, str]:
        """The leader of a stream, and since when it leads.

        Raises:
            Unanswered: if nobody answers, or there is no such stream any more, of which nothing can be known.
        """
        info = await self.info(name)
        if info is None:
            raise Unanswered
        group = info.get("cluster") or {}
        return group.get("leader", ""), group.get("leader_since", "")

    async def _create(self, zone: str) -> dict[str, Any]:
        return await self.make(STREAM, f"{SUBJECTS}*", metadata_of(secrets.token_hex(8), zone))

    async def make(
        self, name: str, subjects: str, metadata: Mapping[str, str], settings: Mapping[str, Any] = SETTINGS
    ) -> dict[str, Any]:
        """Make a stream; without other settings one that loses nothing by itself. Returns what JetStream says of it.

        Raises:
            Unanswered: if nobody answers, or nobody can at the moment.
            ClusterUnusable: if it cannot be made.
        """
        config = {
            "name": name,
            "subjects": [subjects],
            "num_replicas": self._replicas,
            "metadata": metadata,
            **settings,
        }
        made = await self.connection.ask("STREAM.CREATE", name, config)
        if made is None:
            raise ClusterUnusable(f"the stream {name} cannot be made")
        return made

    async def ensure_beside(
        self, name: str, subjects: str, settings: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> Mapping[str, str]:
        """The metadata of another stream of the cluster, which is made if there is none.

        Args:
            name: its name.
            subjects: its subjects.
            settings: what it must be like.
            metadata: of a new one.

        Raises:
            ClusterUnusable: if it cannot be used, and why.
        """

        async def look() -> dict[str, Any]:
            found = await self.info(name)
            return found or await self.make(name, subjects, metadata, settings)

        found = (await self.until_answered(look))["config"]
        if wrong := unlike(found, settings, self._replicas):
            raise ClusterUnusable(f"the stream {name} is not as Besedka makes it: {', '.join(wrong)}")
        return found.get("metadata") or {}

    def _checked(self, info: dict[str, Any], zone: str) -> StreamState:
        config, state = info["config"], info["state"]
        wrong = unlike(config, SETTINGS, self._replicas)
        metadata = config.get("metadata") or {}
        if wrong or not metadata.get("besedka_id"):
            raise ClusterUnusable(
                f"the stream {STREAM} is not as Besedka makes it: {', '.join(wrong) or 'it is not Besedka that has made it'}"
            )
        if metadata.get("besedka_zone") != zone:
            raise ClusterUnusable(
                f"the cluster writes times in the zone {metadata.get('besedka_zone')}, and this node in {zone} (--utc)"
            )
        self._numbering = metadata.get(NUMBERING, "")
        return StreamState(
            metadata["besedka_id"],
            state["first_seq"],
            state["last_seq"],
            zone,
            state["last_seq"] - state["messages"],
            self._numbering,
            metadata.get(RESTORING) == "1",
        )


def metadata_of(cluster: str, zone: str) -> dict[str, str]:
    """The metadata of a new stream.

    Args:
        cluster: its id.
        zone: of the log's times.
    """
    return {"besedka_id": cluster, "besedka_version": "1", "besedka_zone": zone}


def unlike(config: Mapping[str, Any], settings: Mapping[str, Any], replicas: int) -> list[str]:
    """The names of a stream's settings that are not as they should be."""
    expected = {**settings, "num_replicas": replicas}
    return [key for key, value in expected.items() if config.get(key, _default(value)) != value]


def subject_of(room: str) -> str:
    """The subject of a room's entries."""
    return f"{SUBJECTS}{quote(room, safe='')}"


def room_of(subject: str) -> str:
    """The room of a subject."""
    return unquote(subject.removeprefix(SUBJECTS))


def _default(value: object) -> object:
    """A setting that the stream does not show."""
    return False if isinstance(value, bool) else 0
