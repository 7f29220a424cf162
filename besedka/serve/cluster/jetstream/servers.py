"""The servers of NATS, as they say of themselves: whether what they acknowledge is on their disks, and whether one of them may fail.

A plain client cannot see how a server syncs. The ``nats.conf`` that comes with Besedka (``deploy/nats.conf``) lets its account ask: the request ``$SYS.REQ.SERVER.PING.JSZ`` of the system's account is
``besedka.nats.jsz`` in ours, and each server answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from besedka.serve.errors import ClusterUnusable

QUESTION: Final = "besedka.nats.jsz"
SERVERS_AT_LEAST: Final = 3
"""With two of them one may be down."""

FIRST_VERSION: Final = (2, 15, 1)
"""Earlier ones lose entries in some cases (nats-server issues 8057, 8376 and 8598)."""

ANSWER_SECONDS: Final = 2.0
"""How long all answers may take; enough servers are enough."""


class _Server(msgspec.Struct, frozen=True):
    name: str
    version: str = msgspec.field(name="ver")


class _Config(msgspec.Struct, frozen=True):
    sync_always: bool = False


class _Data(msgspec.Struct, frozen=True):
    config: _Config | None = None
    disabled: bool = False


class ServerReport(msgspec.Struct, frozen=True):
    """A server, as it describes itself.

    Attributes:
        server: its name and version.
        data: its JetStream; if it is disabled, or has no configuration, there is none.
    """

    server: _Server
    data: _Data = _Data()


_decoder: Final = msgspec.json.Decoder(ServerReport)


async def check_servers(client: Client) -> int:
    """Check that the servers of a cluster keep what they acknowledge.

    Returns:
        How many are there now.

    Raises:
        ClusterUnusable: if they do not keep it, or do not say.
    """
    reports = await _reports(client)
    if why := why_not(reports):
        raise ClusterUnusable(why)
    return len(reports)


def why_not(reports: Sequence[ServerReport]) -> str:
    """Why these servers cannot be used; empty if they can. (Not how many they are: one of them may be down.)"""
    if not reports:
        return "its servers do not say how they sync: give them the accounts of deploy/nats.conf, or start with --cluster-unchecked"
    for report in reports:
        name, version = report.server.name, report.server.version
        found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
        if not found or tuple(map(int, found.groups())) < FIRST_VERSION:
            return f"the server {name} is nats-server {version}, and {'.'.join(map(str, FIRST_VERSION))} or newer is needed"
        if report.data.disabled or report.data.config is None:
            return f"the server {name} has no JetStream"
        if not report.data.config.sync_always:
            return f"the server {name} does not sync what it acknowledges: set sync_interval: always in its jetstream block"
    return ""


async def _reports(client: Client) -> list[ServerReport]:
    """The answers of all servers that answer in time."""
    inbox = client.new_inbox()
    reports: dict[str, ServerReport] = {}
    with suppress(NatsError, TimeoutError):
        answers = await client.subscribe(inbox)
        try:
            await client.publish(QUESTION, b'{"config":true}', reply=inbox)
            async with asyncio.timeout(ANSWER_SECONDS):
                while len(reports) < SERVERS_AT_LEAST:
                    answer = await answers.next_msg(ANSWER_SECONDS)
                    if not answer.headers:  # else nobody is there who could answer
                        report = _decoder.decode(answer.data)
                        reports[report.server.name] = report
        finally:
            await answers.unsubscribe()
    return [*reports.values()]
