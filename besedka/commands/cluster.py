"""``besedka cluster``: repairs of a cluster, by the operator of its nodes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import click

from besedka.commands import server_config
from besedka.commands.cluster_servers import cluster_servers, needs_nats
from besedka.commands.exit_status import Failure, used_wrongly
from besedka.commands.messages import Output
from besedka.commands.options import confirmed, setting
from besedka.wire.counting import count_of
from besedka.wire.sanitize import sanitize_line

if TYPE_CHECKING:
    from besedka.serve.cluster.logs.restoring import Plan


@click.group(
    short_help="Repair a cluster.",
    epilog="""\b
Examples:
  besedka doctor --cluster     is the cluster well?
  besedka cluster restore      its stream was deleted, or has lost entries""",
)
def cluster() -> None:
    """Repair a cluster of servers; docs/cluster.md tells what it is. How it is, besedka doctor --cluster says."""


@cluster.command(
    short_help="Make the cluster's stream anew from this node's files.",
    epilog="""\b
Examples:
  besedka cluster restore
  besedka cluster restore --config /etc/besedka.toml --yes""",
)
@setting(
    "--config",
    type=click.Path(readable=False),
    is_eager=True,
    callback=server_config.take_part,
    help="The node's config file, whose settings are taken. If not given: besedka.toml in this folder, if there is one. '' is none.",
)
@setting(
    "--history",
    default="chat_history.txt",
    type=click.Path(readable=False, path_type=Path),
    help="The history of the node; the rooms' files and cluster.txt stand beside it.",
)
@setting(
    "--cluster",
    multiple=True,
    callback=cluster_servers,
    metavar="URL",
    help="The servers of NATS, as nats://user:password@host:port, with a comma between them.",
)
@setting(
    "--cluster-unchecked",
    is_flag=True,
    help="Take the servers as they are, also if they do not say that what they acknowledge is on their disks.",
)
@setting("--utc", is_flag=True, help="The times in the history are in UTC.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(
    *,
    config: str | None,  # noqa: ARG001 - its callback has read it
    history: Path,
    cluster: tuple[str, ...],
    cluster_unchecked: bool,
    utc: bool,
    yes: bool,
) -> None:
    """Publish again what the cluster's stream lacks of this node's history, where the stream was deleted or has lost entries.

    All nodes must be stopped. Messages keep their ids, and rooms their epochs. Start with the node whose files are longest, and do it at
    the others, too: each adds the messages that only it has. Then start the nodes.

    It shows what it would do, and asks. Where the stream is well nothing is done, and the status is 1.
    """
    if not cluster:
        raise used_wrongly("no server of the cluster is named: give --cluster, or a config file that has it")
    from besedka.serve.errors import ServeError

    history = history.absolute()
    try:
        found = _plan(cluster, history, is_unchecked=cluster_unchecked, utc=utc)
        output = Output()
        for line in _sentences(found):
            output.write(f"{sanitize_line(line)}\n")
        output.flush()
        if not found.is_needed:
            return
        question = f"Publish {count_of(found.messages, 'message')} of this node? No node may be running"
        if not yes and not confirmed(question, "nothing was changed"):
            raise Failure("nothing was changed")
        _carry_out(cluster, found, utc=utc)
    except ServeError as error:
        raise Failure(str(error)) from None
    output.write(
        f"{count_of(found.messages, 'message')} published; do the same at the other nodes, then start them\n"
    )
    output.flush()


def _plan(cluster: Sequence[str], history: Path, *, is_unchecked: bool, utc: bool) -> Plan:
    with needs_nats():
        from besedka.serve.cluster.checkpoint import checkpoint_path, read_checkpoint
        from besedka.serve.cluster.jetstream.stream import Stream
        from besedka.serve.cluster.logs.restoring import plan

    path = checkpoint_path(history)
    checkpoint = read_checkpoint(path)
    if checkpoint is None:
        raise Failure(f"there is no {path}: this is not the history of a node")

    async def look() -> Plan:
        stream = await Stream.open(cluster)
        try:
            return await plan(
                stream, history, checkpoint, "UTC" if utc else "local", is_unchecked=is_unchecked
            )
        finally:
            await stream.connection.close()

    return asyncio.run(look())


def _carry_out(cluster: Sequence[str], found: Plan, *, utc: bool) -> None:
    from besedka.serve.cluster.jetstream.stream import Stream
    from besedka.serve.cluster.logs.restoring import carry_out

    async def act(note: Callable[[int], None]) -> None:
        stream = await Stream.open(cluster)
        try:
            await carry_out(stream, found, UTC if utc else None, note)
        finally:
            await stream.connection.close()

    if not sys.stderr.isatty():
        asyncio.run(act(lambda _: None))
        return
    with click.progressbar(length=found.messages, label="publishing", file=sys.stderr) as progress:
        asyncio.run(act(progress.update))


def _sentences(found: Plan) -> Sequence[str]:
    """The findings, and the steps that follow from them."""
    lacking = [
        f"{room}: messages {ids.start} to {ids.stop - 1} of {path} are not in the stream"
        for room, path, ids in found.lacking
    ]
    return [found.why, *(lacking or ["the stream has all messages of this node"]), *found.concerns]
