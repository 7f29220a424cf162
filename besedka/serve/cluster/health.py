"""How a cluster is, for ``besedka doctor --cluster``: its servers, the stream as each of them has it, and the nodes that receive it.

A server of NATS may have a copy of the stream that never becomes whole again, and say nothing (nats-server issue 8319): so each is asked for its own copy, not the leader for all. Nodes are seen by their
consumers, which carry a name and the time of their clock (`besedka.serve.cluster.jetstream.consumer`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from besedka.serve.cluster.jetstream.connection import ANSWER_SECONDS, NOT_FOUND, shown
from besedka.serve.cluster.jetstream.consumer import NODE_CLOCK, NODE_NAME, NODE_VERSION
from besedka.serve.cluster.jetstream.servers import QUESTION, ServerReport
from besedka.serve.cluster.jetstream.stream import NUMBERING, REPLICAS, RESTORING, SETTINGS, STREAM, unlike

CONNECT_SECONDS: Final = 2.0
"""How long an address may take to answer."""

ACCOUNT: Final = "BESEDKA"
"""The account of ``deploy/nats.conf``."""

_JSZ: Final = msgspec.json.encode({"config": True, "account": ACCOUNT, "streams": True})


@dataclass(frozen=True, slots=True)
class Address:
    """An address that a node is given.

    Attributes:
        shown: the address, without its account.
        trouble: why there is no connection; empty if there is one.
    """

    shown: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server that has answered.

    Attributes:
        report: what it says of itself.
        clock: seconds by which its clock is ahead of this machine's.
        has_copy: whether it keeps a copy of the stream.
        last: the number of the last entry of its copy.
        entries: how many entries its copy has.
    """

    report: ServerReport
    clock: float
    has_copy: bool = False
    last: int = 0
    entries: int = 0

    @property
    def name(self) -> str:
        """Its name."""
        return self.report.server.name


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the stream, as the leader sees it.

    Attributes:
        server: the name of the server that keeps it.
        is_current: whether it follows the leader.
        is_offline: whether its server is away.
        lag: how many changes it has not taken yet.
    """

    server: str
    is_current: bool
    is_offline: bool
    lag: int


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """The stream.

    Attributes:
        id: identifies it; empty if it is not Besedka that has made it.
        numbering: identifies the numbers of its entries.
        zone: of the times in it.
        entries: how many it has.
        last: the number of the last one.
        leader: the server that leads it; empty during an election.
        copies: those of the other servers.
        wrong: the settings that are not as Besedka makes them.
        is_restoring: whether a restoration is not finished.
    """

    id: str
    numbering: str
    zone: str
    entries: int
    last: int
    leader: str
    copies: Sequence[Copy]
    wrong: Sequence[str]
    is_restoring: bool


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """A node that receives the stream.

    Attributes:
        name: its host and port.
        version: of Besedka.
        delivered: the number of the last entry that it was given.
        pending: how many it was not given yet.
        clock: seconds by which its clock was ahead of its server's when it began to receive.
    """

    name: str
    version: str
    delivered: int
    pending: int
    clock: float


@dataclass(frozen=True, slots=True)
class Health:
    """A cluster.

    Attributes:
        addresses: those that were tried.
        servers: those that have answered.
        away: the names of servers that belong to it and have not answered.
        stream: the stream; None if there is none, or nobody answers.
        is_answered: whether it is known if there is a stream.
        nodes: the nodes.
    """

    addresses: Sequence[Address]
    servers: Sequence[Server] = ()
    away: Sequence[str] = ()
    stream: StreamHealth | None = None
    is_answered: bool = False
    nodes: Sequence[NodeHealth] = ()

    @property
    def is_reached(self) -> bool:
        """Whether any address was reached."""
        return any(not address.trouble for address in self.addresses)


async def examine(urls: Sequence[str]) -> Health:
    """Look at a cluster; it takes some seconds at most, whatever is down.

    Args:
        urls: the addresses of its servers.
    """
    addresses = await asyncio.gather(*map(_address, urls))
    reached = [url for url, address in zip(urls, addresses, strict=True) if not address.trouble]
    if not reached:
        return Health(addresses)
    try:
        client = await nats.connect(
            servers=reached, allow_reconnect=False, connect_timeout=int(CONNECT_SECONDS), error_cb=_ignore
        )
    except (NatsError, OSError, TimeoutError) as error:
        return Health([Address(address.shown, address.trouble or _why(error)) for address in addresses])
    try:
        servers, away = await _servers(client)
        is_answered, stream = await _stream(client)
        nodes = await _nodes(client) if stream else []
    finally:
        with suppress(NatsError):
            await client.close()
    return Health(addresses, servers, away, stream, is_answered, nodes)


async def _address(url: str) -> Address:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await nats.connect(
                servers=[url], allow_reconnect=False, connect_timeout=int(CONNECT_SECONDS), error_cb=_ignore
            )
        await client.close()
    except (NatsError, OSError, TimeoutError) as error:
        return Address(shown(url), _why(error))
    return Address(shown(url), "")


async def _servers(client: Client) -> tuple[list[Server], list[str]]:
    """The servers that answer in time, and the names of the others."""
    inbox, found, known = client.new_inbox(), dict[str, Server](), set[str]()
    size = 1
    with suppress(NatsError, TimeoutError):
        answers = await client.subscribe(inbox)
        asked = time.time()
        await client.publish(QUESTION, _JSZ, reply=inbox)
        async with asyncio.timeout(ANSWER_SECONDS):
            while len(found) < size:
                answer = await answers.next_msg(ANSWER_SECONDS)
                if answer.headers:
                    break  # nobody is there who could answer
                # Half of the way is there, and half back.
                server = _server(answer.data, (asked + time.time()) / 2)
                found[server.name] = server
                group = msgspec.json.decode(answer.data).get("data", {}).get("meta_cluster") or {}
                size = max(size, int(group.get("cluster_size", 1)))
                known |= {str(each["name"]) for each in group.get("replicas", [])}
    return [found[name] for name in sorted(found)], sorted(known - found.keys())


def _server(answer: bytes, now: float) -> Server:
    report = msgspec.json.decode(answer, type=ServerReport)
    data: dict[str, Any] = msgspec.json.decode(answer).get("data") or {}
    clock = _seconds(str(data["now"])) - now if "now" in data else 0.0
    for account in data.get("account_details") or []:
        for stream in account.get("stream_detail") or []:
            if stream["name"] == STREAM:
                state = stream["state"]
                return Server(report, clock, True, int(state["last_seq"]), int(state["messages"]))
    return Server(report, clock)


async def _stream(client: Client) -> tuple[bool, StreamHealth | None]:
    info = await _ask(client, f"STREAM.INFO.{STREAM}", {})
    if info is None or "error" in info:
        return info is not None and info["error"].get("code") == NOT_FOUND, None
    config, state, group = info["config"], info["state"], info.get("cluster") or {}
    metadata = config.get("metadata") or {}
    copies = [
        Copy(
            str(each["name"]),
            bool(each.get("current")),
            bool(each.get("offline")),
            int(each.get("lag", 0)),
        )
        for each in group.get("replicas") or []
    ]
    return True, StreamHealth(
        metadata.get("besedka_id", ""),
        metadata.get(NUMBERING, ""),
        metadata.get("besedka_zone", ""),
        int(state["messages"]),
        int(state["last_seq"]),
        group.get("leader", ""),
        copies,
        unlike(config, SETTINGS, REPLICAS),
        metadata.get(RESTORING) == "1",
    )


async def _nodes(client: Client) -> list[NodeHealth]:
    nodes: list[NodeHealth] = []
    offset, total = 0, 1
    while offset < total:
        answer = await _ask(client, f"CONSUMER.LIST.{STREAM}", {"offset": offset})
        consumers = (answer or {}).get("consumers") or []
        if not consumers:
            break
        nodes += [_node(each) for each in consumers if NODE_NAME in (each["config"].get("metadata") or {})]
        offset, total = offset + len(consumers), int((answer or {}).get("total", 0))
    return sorted(nodes, key=lambda node: node.name)


def _node(consumer: dict[str, Any]) -> NodeHealth:
    metadata = consumer["config"]["metadata"]
    clock = float(metadata.get(NODE_CLOCK) or 0)
    return NodeHealth(
        metadata[NODE_NAME],
        metadata.get(NODE_VERSION, ""),
        int(consumer["delivered"]["stream_seq"]),
        int(consumer.get("num_pending", 0)),
        clock - _seconds(consumer["created"]) if clock else 0.0,
    )


async def _ask(client: Client, what: str, question: dict[str, Any]) -> dict[str, Any] | None:
    """The answer of JetStream; None if there is none."""
    try:
        reply = await client.request(f"$JS.API.{what}", msgspec.json.encode(question), timeout=ANSWER_SECONDS)
    except (NatsError, TimeoutError):
        return None
    answer: dict[str, Any] = msgspec.json.decode(reply.data)
    return answer


def _seconds(text: str) -> float:
    """The unix seconds of a time as NATS writes it, with nanoseconds."""
    return msgspec.convert(text, datetime, strict=False).timestamp()


def _why(error: Exception) -> str:
    return (str(error).removeprefix("nats: ") or type(error).__name__).lower()


async def _ignore(_: Exception) -> None:
    """Its end says the same."""
