"""The people present at this node, shared with the other nodes: who they are, their names, how far they have read, and the links by which they add devices."""

from __future__ import annotations

import asyncio

from nats.errors import Error as NatsError

from besedka.serve.cluster.jetstream.stream import Stream
from besedka.serve.cluster.presence.device_links import ClusterLinks
from besedka.serve.cluster.presence.gossip import Gossip, Observer
from besedka.serve.cluster.presence.names_in_use import ClusterNames, names_bucket
from besedka.serve.cluster.presence.read_marks import ClusterMarks
from besedka.serve.directory import Directory
from besedka.serve.errors import ClusterUnusable
from besedka.serve.people.person import Person
from besedka.serve.people.read_marks import ReadMark
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import ReadUpTo


class SharedPresence:
    """The presence of a node's people. Call `share`, then `start`, then `run`.

    Args:
        stream: the connection to NATS.
        cluster: the id of the cluster.

    Attributes:
        gossip: tells who is where.
    """

    def __init__(self, stream: Stream, cluster: str) -> None:
        self._stream = stream
        self._client = client = stream.connection.client
        self._cluster = cluster
        self._observer: Observer | None = None
        self._names: ClusterNames | None = None
        self._marks: ClusterMarks | None = None
        self.gossip = Gossip(client, cluster)

    def share(self, observer: Observer, directory: Directory) -> None:
        """Share these people.

        Args:
            observer: is told of people at other nodes.
            directory: the people here, and their sessions.
        """

        def lose(person: Person) -> None:
            sessions = [session for session in directory.sessions if person in session.people()]
            refusal = Refused(ErrorCode.OUT_OF_REACH)  # they may come back at once
            directory.disconnect(sessions, CloseCode.OUT_OF_REACH, refusal)

        def report(mark: ReadMark) -> None:
            for session in directory.sessions.of(mark.claim):
                if (mark.room, mark.claim) in session.memberships():
                    session.send(ReadUpTo(mark.room, mark.id))

        self._observer = observer
        if directory.names.is_kept:
            self._marks = directory.other_marks = ClusterMarks(
                self._stream,
                self._cluster,
                directory.read_marks,
                is_known=directory.names.is_known,
                moved=report,
            )
        # They are made by the loop's clock.
        directory.other_links = ClusterLinks(self._client, directory.devices, asyncio.get_running_loop().time)
        self._names = directory.names_in_use = ClusterNames(
            names_bucket(self._stream.connection),
            self.gossip.node,
            self._cluster,
            self.gossip,
            known=directory.names,
            people=directory.people,
            digest=self.gossip.people.digest_of,
            lose=lose,
        )

    async def run(self) -> None:
        """Share them, for ever.

        Raises:
            ClusterUnusable: if that cannot be done.
        """
        if self._observer is None or self._names is None:
            raise RuntimeError("the people to share are given first")
        try:
            works = [self.gossip.run(self._observer), self._names.run()]
            await asyncio.gather(*works, *([self._marks.run()] if self._marks else []))
        except NatsError as error:
            raise ClusterUnusable(f"the people at its other nodes are not known: {error}") from error

    async def start(self) -> None:
        """Get ready to take names.

        Raises:
            ClusterUnusable: if that cannot be done.
        """
        if self._names:
            await self._names.start()

    def begin(self) -> None:
        """Take in from now on what belongs to known names: this node has those of the others."""
        if self._marks:
            self._marks.begin()

    def leave(self) -> None:
        """Tell the others that this node stops: who leaves it now may come back at another one."""
        self.gossip.leave()
