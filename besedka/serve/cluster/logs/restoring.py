"""Restoring a stream that was deleted, or has lost entries, from the logs of a node: ``besedka cluster restore``.

Each node's log of a room is a beginning of what the stream had, and some are longer than others. So a room is restored by publishing what stands behind its last entry in the stream, and this
may be done at one node after the other: each adds what the ones before did not have. Ids and epochs are those of the logs, and the stream keeps its id. Its entries get other numbers, so that nodes
receive all of them again and compare them with their logs (`StreamState.numbering`).

Keys of messages are not in the log: a message that is sent again afterwards is recognised by its text, as after a start of a single server.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.cluster.checkpoint import Checkpoint
from besedka.serve.cluster.errors import Unanswered
from besedka.serve.cluster.jetstream.connection import RETRY_SECONDS
from besedka.serve.cluster.jetstream.servers import SERVERS_AT_LEAST, check_servers
from besedka.serve.cluster.jetstream.stream import (
    NUMBERING,
    RESTORING,
    STREAM,
    SUBJECTS,
    Stream,
    StreamState,
    metadata_of,
    subject_of,
)
from besedka.serve.cluster.logs.lost_messages import (
    Differs,
    all_of,
    behind,
    entries_of,
    lacking_of,
    last_of,
    log_paths,
)
from besedka.serve.cluster.order.entry import encode_entry
from besedka.serve.cluster.order.redaction.fixed import FIXED, FixedEntries
from besedka.serve.cluster.people.people_stream import PEOPLE_STREAM
from besedka.serve.errors import ClusterUnusable
from besedka.serve.history import ChatHistory
from besedka.serve.history.verifying.verdict import judge
from besedka.wire.counting import count_of

BELIEF_SECONDS: Final = 3.0
"""A loss that is still there after so long is believed."""


class Lacking(NamedTuple):
    """The messages of a room that a node has, and the stream does not.

    Attributes:
        room: the room.
        path: its log.
        ids: of the messages.
    """

    room: str
    path: Path
    ids: range


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a restoration.

    Attributes:
        why: what has happened to the stream, in a sentence.
        checkpoint: of the node.
        lacking: what is published.
        concerns: what a person should know first, each in a sentence.
        is_lost: whether the stream, or a part of it, was lost.
        is_unfinished: whether a restoration was interrupted.
        is_gone: whether nothing of the stream is left.
    """

    why: str
    checkpoint: Checkpoint
    lacking: Sequence[Lacking]
    concerns: Sequence[str]
    is_lost: bool
    is_unfinished: bool
    is_gone: bool

    @property
    def messages(self) -> int:
        """How many messages are published."""
        return sum(len(lacking.ids) for lacking in self.lacking)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return self.is_lost or self.is_unfinished or bool(self.lacking)


async def plan(
    stream: Stream, history: Path, checkpoint: Checkpoint, zone: str, *, is_unchecked: bool
) -> Plan:
    """Find out what the stream lacks of a node's logs. The node must not be running: its logs are opened, and repaired.

    Args:
        stream: the connection.
        history: the default room's log.
        checkpoint: of the node.
        zone: of the log's times, as the stream names it.
        is_unchecked: whether the servers are taken as they are.

    Raises:
        ClusterUnusable: if there is nothing to restore, or it cannot be done.
        StartError: if a log cannot be used.
    """
    count = None if is_unchecked else await check_servers(stream.connection.client)
    state = await _believed(stream, zone, checkpoint)
    if state is None and count is not None and count < SERVERS_AT_LEAST:
        raise ClusterUnusable(
            f"it has {count_of(count, 'server')}, and {SERVERS_AT_LEAST} are needed to make its stream"
        )
    is_without_people = checkpoint.people > 0 and not await stream.exists(PEOPLE_STREAM)
    why, is_lost = _situation(state, checkpoint, is_without_people=is_without_people)
    lacking: list[Lacking] = []
    concerns: list[str] = []
    for room, path in log_paths(history).items():
        log = ChatHistory.open(path)
        try:
            ids = await lacking_of(stream, room, log) if state and state.id == checkpoint.id else all_of(log)
        except Differs as differs:
            concerns.append(
                f"{path}: message {differs.first} is another one than in the stream: nothing of this room is published"
            )
        else:
            if ids:
                lacking.append(Lacking(room, path, ids))
                concerns += _changes(path)
        finally:
            log.close(remove_if_empty=True)
    return Plan(
        why,
        checkpoint,
        lacking,
        concerns,
        is_lost,
        is_unfinished=state is not None and state.is_restoring,
        is_gone=state is None or state.id != checkpoint.id,
    )


async def _believed(stream: Stream, zone: str, checkpoint: Checkpoint) -> StreamState | None:
    """The state of the stream, asked for again while it seems to be lost: servers that have just come up may know less for a moment.

    Raises:
        ClusterUnusable: as `Stream.ensure`.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        state = await stream.ensure(zone, may_make=False)
        if state and (state.id != checkpoint.id or state.last >= checkpoint.sequence):
            return state
        if loop.time() - begun > BELIEF_SECONDS:
            return state
        await asyncio.sleep(RETRY_SECONDS)


def _situation(
    state: StreamState | None, checkpoint: Checkpoint, *, is_without_people: bool
) -> tuple[str, bool]:
    """A sentence about what has happened to the stream, and whether something of it was lost.

    Raises:
        ClusterUnusable: if there is nothing to restore.
    """
    if state is None:
        return "the stream is not there any more", True
    if state.id != checkpoint.id:
        if state.last:
            raise ClusterUnusable(
                f"its stream is another one, {state.id}, with entries up to {state.last}; if nothing in it is needed, "
                "delete it (nats stream rm BESEDKA), and start this again"
            )
        return f"the stream is another one, {state.id}, without an entry; it is replaced", True
    if state.numbering != checkpoint.numbering:
        return "the stream was restored at another node, or this was interrupted", False
    if state.last < checkpoint.sequence:
        return (
            f"the stream ends at entry {state.last}, and this node has had all up to {checkpoint.sequence}",
            True,
        )
    if is_without_people:
        return (
            "the stream about people is not there any more; it is made anew from the files of the nodes when they start",
            True,
        )
    if state.is_restoring:
        return "the stream is being restored, or this was interrupted", False
    raise ClusterUnusable(
        f"its stream is well: it ends at entry {state.last}, and this node has all up to {checkpoint.sequence}; nothing was changed"
    )


async def carry_out(stream: Stream, plan: Plan, zone: tzinfo | None, note: Callable[[int], None]) -> None:
    """Publish what the stream lacks; if that is interrupted it can be begun again.

    Args:
        stream: the connection.
        plan: what is to be done.
        zone: of the log's times.
        note: called with the number of messages of each entry that is stored.

    Raises:
        ClusterUnusable: if the stream refuses, or does not answer.
        StartError: if a log cannot be used.
    """
    await _begin(stream, plan, "local" if zone is None else "UTC")
    fixed = FixedEntries(stream)
    # People need no step of their own: with other numbers each node offers its files about them when it starts.
    for lacking in plan.lacking:
        log = ChatHistory.open(lacking.path)
        try:
            # Found anew: what was published meanwhile, at another node, is not published twice.
            number, ids = await behind(stream, lacking.room, log)
            for entry in entries_of(log, ids, zone):
                number = await _publish(stream, lacking.room, encode_entry(entry), number)
                await _forget_fixed(stream, fixed, lacking.room, entry.head.first)
                note(entry.last - entry.head.first + 1)
        except Differs as differs:
            raise ClusterUnusable(_overtaken(lacking.room)) from differs
        finally:
            log.close()
    await stream.until_answered(lambda: _mark(stream, {RESTORING: ""}))


async def _begin(stream: Stream, plan: Plan, zone: str) -> None:
    """Make the stream anew, or mark the one that is there: until it is whole no node starts.

    Raises:
        ClusterUnusable: if it cannot be made or marked.
    """
    if plan.is_gone:
        # The fixed entries are those of entries that are not there any more.
        await _delete(stream, STREAM)
        await _delete(stream, FIXED)
    if plan.is_gone and await _id_of(stream, PEOPLE_STREAM) not in {"", plan.checkpoint.id}:
        await _delete(stream, PEOPLE_STREAM)
    marks = {RESTORING: "1", **({NUMBERING: secrets.token_hex(4)} if plan.is_lost else {})}

    async def begin() -> None:
        if not await _mark(stream, marks):
            metadata = {**metadata_of(plan.checkpoint.id, zone), **marks}
            await stream.make(STREAM, f"{SUBJECTS}*", metadata)

    await stream.until_answered(begin)


async def _delete(stream: Stream, name: str) -> None:
    """Delete a stream with all that is in it, if it is there."""
    await stream.until_answered(lambda: stream.connection.ask("STREAM.DELETE", name, {}))


async def _mark(stream: Stream, marks: Mapping[str, str]) -> bool:
    """Change the metadata of the stream. Returns whether there is a stream.

    Raises:
        Unanswered: if nobody answers.
        ClusterUnusable: if JetStream refuses.
    """
    info = await stream.info()
    if info is None:
        return False
    metadata = {**(info["config"].get("metadata") or {}), **marks}
    if await stream.connection.ask("STREAM.UPDATE", STREAM, {**info["config"], "metadata": metadata}) is None:
        raise Unanswered
    return True


async def _id_of(stream: Stream, name: str) -> str:
    """The id of the cluster that a stream is of; empty if there is no such stream."""
    info = await stream.until_answered(lambda: stream.info(name))
    return str(((info or {"config": {}})["config"].get("metadata") or {}).get("besedka_id", ""))


async def _forget_fixed(stream: Stream, fixed: FixedEntries, room: str, first: int) -> None:
    """Erase what was left of a lost entry that began with the same message: the new one has it."""
    await stream.until_answered(lambda: fixed.forget(room, first))


async def _publish(stream: Stream, room: str, data: bytes, last: int) -> int:
    """Publish an entry behind another one of its room. Returns its number.

    Raises:
        ClusterUnusable: if it does not follow any more, or the stream refuses or does not answer.
    """
    number = await stream.until_answered(lambda: stream.connection.publish(subject_of(room), data, last))
    if number is not None:
        return number
    number, found = await last_of(stream, room)
    if found != data:
        raise ClusterUnusable(_overtaken(room))
    return number  # its answer was lost


def _overtaken(room: str) -> str:
    return f"something else is published in room {room} at the same time; end all nodes, and start this again"


def _changes(path: Path) -> Iterator[str]:
    """A sentence if a log is not as it was written."""
    if problem := judge(path).problem:
        yield f"{path}: {problem}; another node may have it as it was"
