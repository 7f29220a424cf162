"""The findings of ``besedka doctor --cluster``: how the servers, the stream and the nodes of a cluster are, each with advice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from besedka.commands.cluster_servers import needs_nats
from besedka.commands.doctor_steps import CLOCK_SECONDS, Finding, Mark
from besedka.commands.exit_status import Status
from besedka.wire.counting import count_of

if TYPE_CHECKING:
    from besedka.serve.cluster.health import Health, Server, StreamHealth

BEHIND_SECONDS: Final = 2.0
"""After so long a copy of the stream is asked again that was behind: one that follows has what the leader had before."""

_RESTORE: Final = "End all nodes, and use: besedka cluster restore"
_NEVER_WHOLE: Final = (
    "If it stays so, the copy may never become whole again (nats-server issue 8319): end this server, move its store_dir away, "
    "and start it: it gets a new copy from the others."
)


def examine(urls: Sequence[str], history: Path) -> Iterator[Finding]:
    """All findings about a cluster.

    Args:
        urls: the addresses of its servers.
        history: the history of the node on this machine, if there is one.

    Raises:
        Failure: if the package for NATS is missing.
    """
    with needs_nats():
        from besedka.serve.cluster import health

    found = asyncio.run(health.examine(urls))
    yield from _addresses(found)
    if not found.is_reached:
        return
    later = found
    if found.stream and any(server.last < found.stream.last for server in found.servers if server.has_copy):

        async def look_again() -> Health:
            await asyncio.sleep(BEHIND_SECONDS)
            return await health.examine(urls)

        later = asyncio.run(look_again())
    yield from _servers(found)
    yield from _stream(found)
    if found.stream:
        yield from _copies(found.stream, later.servers)
        yield from _nodes(found)
    yield from _here(found, history)


def _addresses(found: Health) -> Iterator[Finding]:
    for address in found.addresses:
        if not address.trouble:
            yield _good(f"{address.shown} answers")
            continue
        is_refused = "authorization" in address.trouble
        yield _bad(
            f"{address.shown} cannot be used: {address.trouble}",
            "The account in the address is not the one that the server has."
            if is_refused
            else "Does the server run, and is this its address? A firewall may be on the way.",
            Status.FAILED if found.is_reached else Status.UNREACHABLE,
        )


def _servers(found: Health) -> Iterator[Finding]:
    from besedka.serve.cluster.jetstream.servers import SERVERS_AT_LEAST, why_not

    if not found.servers:
        yield _bad("the servers do not say how they sync", "Give them the accounts of deploy/nats.conf.")
        return
    for server in found.servers:
        if why := why_not([server.report]):
            yield _bad(why, "Until then a node does not start with it.")
        else:
            yield _good(
                f"the server {server.name} is nats-server {server.report.server.version}, and syncs what it acknowledges"
            )
        if abs(server.clock) > CLOCK_SECONDS:
            yield _bad(
                f"the clock of {server.name} is {_apart(server.clock)} this machine's",
                "Set one of them right.",
            )
    for name in found.away:
        yield _bad(f"the server {name} does not answer", "Start it again; until then no other one may fail.")
    if len(found.servers) + len(found.away) < SERVERS_AT_LEAST:
        yield _bad(
            f"there are {count_of(len(found.servers), 'server')}, and {SERVERS_AT_LEAST} are needed",
            "Give each the addresses of all as its routes.",
        )


def _stream(found: Health) -> Iterator[Finding]:
    stream = found.stream
    if stream is None:
        if found.is_answered:
            yield _note("there is no stream: the first node makes it")
        else:
            yield _bad(
                "the stream does not answer",
                "If two of three servers run this is an election, and over within ten seconds.",
            )
        return
    if not stream.id or stream.wrong:
        yield _bad(
            f"the stream is not as Besedka makes it: {', '.join(stream.wrong) or 'it is not Besedka that has made it'}",
            "Set these back, as docs/cluster.md says; a node does not start with them.",
        )
    else:
        yield _good(f"the stream is as Besedka makes it, with times in the zone {stream.zone}")
    if stream.is_restoring:
        yield _bad("the stream is being restored, and is not whole yet", "Use besedka cluster restore again.")
    if stream.leader:
        yield _good(
            f"the stream has {_entries(stream.entries)}, the last one is {stream.last}; {stream.leader} leads"
        )
    else:
        yield _bad(
            "the stream has no leader",
            "An election is over within ten seconds; two of three servers must run.",
        )


def _copies(stream: StreamHealth, later: Sequence[Server]) -> Iterator[Finding]:
    """Each server's copy of the stream; those that were behind have had some time."""
    servers = {server.name: server for server in later if server.has_copy}
    seen = {copy.server: copy for copy in stream.copies}
    for name in dict.fromkeys([*([stream.leader] if stream.leader else []), *seen, *servers]):
        copy, server = seen.get(name), servers.get(name)
        is_away = server is None and (copy is None or copy.is_offline or not copy.is_current)
        if is_away:
            yield _bad(f"the copy of {name} cannot be seen", "Does this server run?")
        elif server and server.last < stream.last:
            yield _bad(
                f"the copy of {name} ends at entry {server.last}, {stream.last - server.last} behind",
                _NEVER_WHOLE,
            )
        elif server and server.last == stream.last and server.entries < stream.entries:
            lacking = _entries(stream.entries - server.entries)
            yield _bad(f"the copy of {name} lacks {lacking}", _NEVER_WHOLE)
        elif copy and not copy.is_current:
            yield _bad(
                f"the copy of {name} does not follow the leader: it lacks {count_of(copy.lag, 'change')}",
                _NEVER_WHOLE,
            )
        else:
            lag = f", {count_of(copy.lag, 'change')} behind the leader" if copy and copy.lag else ""
            yield _good(f"{name} has a copy up to entry {server.last if server else stream.last}{lag}")


def _nodes(found: Health) -> Iterator[Finding]:
    if not found.nodes:
        yield _note("no node receives the stream")
    for node in found.nodes:
        is_far = abs(node.clock) > CLOCK_SECONDS
        behind = f"{_entries(node.pending)} to come" if node.pending else "all of them"
        yield _good(
            f"the node {node.name} (besedka {node.version}) was given entries up to {node.delivered}: {behind}"
        )
        if is_far:
            yield _bad(
                f"the clock of the node {node.name} was {_apart(node.clock)} the servers'",
                "Set it right; messages have the time of the node that they were posted at.",
            )
    if len({node.version for node in found.nodes}) > 1:
        yield _note(
            "the nodes are of several versions", "That is so while they are updated one after the other."
        )


def _here(found: Health, history: Path) -> Iterator[Finding]:
    """The node whose files are on this machine."""
    from besedka.serve.cluster.checkpoint import checkpoint_path, read_checkpoint
    from besedka.serve.errors import ClusterUnusable

    path = checkpoint_path(history)
    try:
        kept = read_checkpoint(path)
    except ClusterUnusable as error:
        yield _bad(str(error))
        return
    if kept is None:
        return
    stream = found.stream
    if stream is None:
        if found.is_answered:
            yield _bad(f"the stream of {path} was deleted", _RESTORE)
    elif stream.id != kept.id:
        yield _bad(f"{path} names another stream, {kept.id}", _RESTORE)
    elif stream.numbering != kept.numbering:
        yield _note(
            "the stream was restored since the node here ran",
            "It compares all entries with its logs when it starts.",
        )
    elif stream.last < kept.sequence:
        yield _bad(f"the stream has lost entries: the node here has had all up to {kept.sequence}", _RESTORE)
    else:
        yield _good(f"the logs of the node here are at entry {kept.sequence} of {stream.last}")


def _entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def _apart(seconds: float) -> str:
    return f"{abs(seconds):.0f} seconds {'ahead of' if seconds > 0 else 'behind'}"


def _good(what: str) -> Finding:
    return Finding(Mark.GOOD, what)


def _note(what: str, advice: str = "") -> Finding:
    return Finding(Mark.NOTE, what, advice)


def _bad(what: str, advice: str = "", status: Status = Status.FAILED) -> Finding:
    return Finding(Mark.BAD, what, advice, status)
