"""Read marks, shared by all nodes: a stream that has the last one of each person and room.

They are merged by their maximum, so nobody waits for an order: a mark that has moved here is sent once a second at most, again until it comes back, and again if an older one of
another node has come behind it. The clients here are told of it as of one that has moved in another session of theirs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import msgspec
from nats.errors import Error as NatsError

from besedka.serve.cluster.errors import StreamLost
from besedka.serve.cluster.jetstream.consumer import Consumer
from besedka.serve.cluster.jetstream.stream import Stream
from besedka.serve.errors import ClusterUnusable
from besedka.serve.people.read_marks import MARKS_AT_MOST, ReadMark, ReadMarks
from besedka.serve.repeated_error import RepeatedError

log = logging.getLogger(__name__)

MARKS_STREAM: Final = "BESEDKA_READ"
SUBJECTS: Final = "besedka.read."

SEND_SECONDS: Final = 1.0
"""Interval between two times that marks are sent: those of a person who reads move every few seconds."""

AGAIN_SECONDS: Final = 5.0
"""After so long a mark is sent again that has not come back."""

SENT_AT_ONCE: Final = 200
"""Marks that a node sends in that time: each is a sync at three servers, which have messages to sync as well. The others wait, and move meanwhile."""

REMEMBERED_AT_MOST: Final = 10_000
"""Marks that have moved here and are remembered, in case that an older one comes; the oldest are forgotten."""

_SETTINGS: Final[Mapping[str, Any]] = {
    "retention": "limits",
    "storage": "file",
    "max_consumers": -1,
    "max_msgs": MARKS_AT_MOST,
    "max_bytes": -1,
    "max_age": 0,
    "max_msgs_per_subject": 1,
    "max_msg_size": 4096,
    "discard": "old",
    "deny_purge": True,
    "deny_delete": False,
    "allow_direct": True,
}
"""The marks that have not moved for longest give way, as in the files of the nodes."""


class _Mark(msgspec.Struct, frozen=True):
    """A mark, as it is in the stream."""

    claim: str
    room: str
    epoch: str
    id: int


_decode: Final = msgspec.json.Decoder(_Mark).decode


class ClusterMarks:
    """The marks of all nodes.

    Args:
        stream: the connection.
        cluster: the id of the cluster.
        marks: those of this node.
        is_known: whether a claim holds a name.
        moved: is told of each mark that another node has moved.
    """

    def __init__(
        self,
        stream: Stream,
        cluster: str,
        marks: ReadMarks,
        *,
        is_known: Callable[[str], bool],
        moved: Callable[[ReadMark], None],
    ) -> None:
        self._stream = stream
        self._cluster = cluster
        self._marks = marks
        self._is_known = is_known
        self._moved = moved
        self._loop = asyncio.get_running_loop()
        self._trouble = RepeatedError(log, self._loop.time, level=logging.WARNING, kind="mark_invalid")
        # By their subjects: those to be sent, the first ones first; those that were sent, with the time; those that have moved here.
        self._due: dict[str, ReadMark] = {}
        self._sent: dict[str, tuple[float, ReadMark]] = {}
        self._own: dict[str, ReadMark] = {}
        self._has_people = asyncio.Event()

    def begin(self) -> None:
        """Take in marks from now on: it is known whose claims hold names."""
        self._has_people.set()

    def move(self, mark: ReadMark) -> None:
        """Have the other nodes know of a mark that has moved here."""
        subject = _subject(mark)
        self._own.pop(subject, None)
        self._own[subject] = mark
        if len(self._own) > REMEMBERED_AT_MOST:
            forgotten = next(iter(self._own))
            del self._own[forgotten]
            self._due.pop(forgotten, None)
        self._due[subject] = mark

    async def run(self) -> None:
        """Share them, for ever; others' are taken in after `begin`.

        Raises:
            ClusterUnusable: if the stream cannot be made.
        """
        await asyncio.gather(self._receive_all(), self._send_all())

    async def _receive_all(self) -> None:
        await self._has_people.wait()
        while True:
            metadata = {"besedka_id": self._cluster}
            found = await self._stream.ensure_beside(MARKS_STREAM, f"{SUBJECTS}>", _SETTINGS, metadata)
            if found.get("besedka_id") != self._cluster:
                raise ClusterUnusable(f"its stream {MARKS_STREAM} is of another cluster")
            # One that is lost is made anew: each node has the marks in its file.
            with suppress(StreamLost):
                await Consumer(self._stream, MARKS_STREAM, self._cluster, 0, self._receive).run()

    def _receive(self, subject: str, _: int, data: bytes) -> bool:
        try:
            found = _decode(data)
            mark = ReadMarks.read([found.claim, found.room, found.epoch, str(found.id)])
        except (msgspec.MsgspecError, ValueError) as error:
            self._trouble.note("a read mark of another node is not understood: %s", error)
            return True
        sent = self._sent.get(subject)
        if sent and _covers(mark, sent[1]):
            del self._sent[subject]
        own = self._own.get(subject)
        if own and own.epoch == mark.epoch and own.id > mark.id:
            self._due.setdefault(subject, own)  # an older one has come behind it
        elif self._is_known(mark.claim) and self._marks.move(mark):
            self._moved(mark)
        return True

    async def _send_all(self) -> None:
        while True:
            await asyncio.sleep(SEND_SECONDS)
            now = self._loop.time()
            for subject, (at, mark) in [*islice(self._sent.items(), SENT_AT_ONCE)]:
                if now - at < AGAIN_SECONDS:
                    break
                del self._sent[subject]
                self._due.setdefault(subject, mark)
            if self._stream.connection.client.is_connected:
                for subject in [*islice(self._due, SENT_AT_ONCE)]:
                    await self._send(subject, self._due.pop(subject), now)

    async def _send(self, subject: str, mark: ReadMark, now: float) -> None:
        self._sent.pop(subject, None)
        self._sent[subject] = now, mark
        data = msgspec.json.encode(_Mark(mark.claim, mark.room, mark.epoch, mark.id))
        with suppress(NatsError):
            await self._stream.connection.client.publish(subject, data)


def _covers(mark: ReadMark, other: ReadMark) -> bool:
    """Whether a mark that came back is as far as one that was sent."""
    return mark.epoch != other.epoch or mark.id >= other.id


def _subject(mark: ReadMark) -> str:
    key = hashlib.blake2b(f"{mark.claim} {mark.room}".encode(), digest_size=16)
    return f"{SUBJECTS}{key.hexdigest()}"
