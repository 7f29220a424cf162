"""The connection to NATS: one server of several, which is left for another one when no answer comes by way of it.

A server that stands still, or is cut off from the others, keeps its connections, and may even go on with what it does alone. A leader that is cut off answers for as long as that lasts, from what it
had: so only what a majority has accepted, or a leader says whom a majority follows, shows that the cluster can be reached. All questions are those of NATS's JSON interface (ADR-1, ADR-2 of the NATS architecture records).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec
from nats.aio.client import Client, Server
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from besedka import __version__
from besedka.serve.cluster.errors import Unanswered
from besedka.serve.cluster.jetstream.signs import Signs
from besedka.serve.errors import ClusterUnusable

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 2.0
"""How long a question may take; an election lasts longer, and then it is asked again."""

START_SECONDS: Final = 4.0
"""How long a node tries to reach the cluster at its start before it gives up; during an election it waits on."""

RETRY_SECONDS: Final = 0.2

ELSEWHERE_SECONDS: Final = 3.0
"""After so long without an answer another server is tried, and then the next one: a node is alive for the others without a beat for longer."""

FOLLOWED_SECONDS: Final = 2.0
"""A leader that was not heard of for four seconds may have been replaced. Half of that is how long ago its followers answered it at most, and half how long its answer takes at most."""

NOT_FOUND: Final = 404
SERVER_ERROR: Final = 500
NAME_IN_USE: Final = 10058
NO_PEERS: Final = 10005
NANOSECONDS: Final = 1_000_000_000
NOT_DELETED: Final = 10057
NO_ENTRY: Final = frozenset({10037, 10043})
"""An entry is not there any more."""

CONFLICTS: Final = frozenset({10071, 10164})
"""The last entry under a subject is another one."""

_WRONG_LAST: Final = re.compile(r"wrong last sequence: (\d{1,18})")


class _Answer(msgspec.Struct, frozen=True):
    """The answer to an offer."""

    stream: str = ""
    seq: int = 0
    error: dict[str, Any] | None = None


class Connection:
    """A connection. Make it with `open`.

    Attributes:
        client: the client of NATS.
        answers: where answers to offers are sent.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tried = ""
        self._turned_at = self._loop.time()
        self.client = Client()
        self.answers = self.client.new_inbox()
        self._signs: dict[str, Signs] = {}

    @classmethod
    async def open(cls, servers: Sequence[str]) -> Self:
        """Connect to a cluster.

        Args:
            servers: the addresses of some of its servers, as ``nats://host:port``.

        Raises:
            ClusterUnusable: if none of them answers.
        """
        connection = cls()
        client = connection.client
        try:
            async with asyncio.timeout(START_SECONDS):
                await client.connect(
                    servers=[*servers],
                    name=f"besedka {__version__}",
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RETRY_SECONDS,  # type: ignore[arg-type]  # it sleeps for so long
                    connect_timeout=1,
                    error_cb=_note,
                    reconnect_to_server_handler=connection._next_server,
                )
        except (NatsError, OSError, TimeoutError) as error:
            raise ClusterUnusable(f"none of {', '.join(map(shown, servers))} can be reached") from error
        await client.subscribe(connection.answers, cb=connection._answered)
        return connection

    def signs(self, stream: str) -> Signs:
        """The signs that a stream can be reached."""
        return self._signs.setdefault(stream, Signs(self._loop.time()))

    async def close(self) -> None:
        """Disconnect."""
        with suppress(NatsError):
            await self.client.close()

    async def turn(self) -> None:
        """Leave this server for the next one, unless that was done a moment ago."""
        if self._loop.time() - self._turned_at >= ELSEWHERE_SECONDS:
            self._turned_at = self._loop.time()
            if url := self.client.connected_url:
                self._tried = url.netloc
                log.debug("nothing is answered by way of %s: the next server is tried", url.hostname)
            await self.client.force_reconnect()

    async def ask(self, what: str, stream: str, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Ask JetStream for something that is done with a stream; None if it has not found what was asked for.

        Raises:
            Unanswered: if nobody answers, or nobody can at the moment.
            ClusterUnusable: if it refuses.
        """
        answer = await self._ask(what, stream, question)
        self._note_answer(stream)
        return answer

    async def delete(self, stream: str, number: int, *, overwrites: bool) -> bool:
        """Delete an entry of a stream. Returns whether it was there.

        Args:
            stream: the stream.
            number: of the entry.
            overwrites: whether its bytes are overwritten on the disks of all servers.

        Raises:
            Unanswered: if it is not known whether that was done.
            ClusterUnusable: if JetStream refuses.
        """
        question = msgspec.json.encode({"seq": number, "no_erase": not overwrites})
        answer = await self.request(f"$JS.API.STREAM.MSG.DELETE.{stream}", question)
        self._note_answer(stream)
        error = answer.get("error")
        if error is None:
            return True
        if error["code"] == NOT_FOUND or error.get("err_code") in NO_ENTRY:
            return False
        # Also because it is not there any more.
        if error.get("err_code") != NOT_DELETED or await self.ask("STREAM.MSG.GET", stream, {"seq": number}):
            raise _refusal(error)
        return False

    async def describe(self, stream: str, question: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Describe a stream, as JetStream does; None if there is none.

        Args:
            stream: its name.
            question: what else is to be said of it.

        Raises:
            Unanswered: if nobody answers, or only a server that the others may not follow any more.
            ClusterUnusable: if it refuses.
        """
        answer = await self._ask("STREAM.INFO", stream, question or {})
        if answer and not is_followed(answer):
            raise Unanswered
        self._note_answer(stream)
        return answer

    async def _ask(self, what: str, stream: str, question: Mapping[str, Any]) -> dict[str, Any] | None:
        data = msgspec.json.encode(question) if question else b""
        answer = await self.request(f"$JS.API.{what}.{stream}", data)
        error = answer.get("error")
        if error is None or error["code"] == NOT_FOUND:
            return None if error else answer
        raise _refusal(error)

    def _note_answer(self, stream: str) -> None:
        self.signs(stream).answered_at = self._loop.time()

    async def publish(self, subject: str, data: bytes, behind: int) -> int | None:
        """Publish an entry if the last one under its subject has this number; 0 if there is none.

        Returns:
            Its number; None if another one was before it.

        Raises:
            Unanswered: if it is not known whether it is there.
        """
        headers = {"Nats-Expected-Last-Subject-Sequence": str(behind)}
        answer = await self.request(subject, data, headers)
        error = answer.get("error")
        if error and error.get("err_code") not in CONFLICTS:
            raise Unanswered(str(error.get("description", error)))
        return None if error else int(answer["seq"])

    async def request(
        self, subject: str, data: bytes, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer to a message.

        Raises:
            Unanswered: if there is none.
        """
        if not self.client.is_connected:
            raise Unanswered  # what waits for a connection would come late
        try:
            reply = await self.client.request(subject, data, timeout=ANSWER_SECONDS, headers=headers)
        except (NatsError, TimeoutError) as unanswered:
            raise Unanswered from unanswered
        answer: dict[str, Any] = msgspec.json.decode(reply.data)
        return answer

    async def _answered(self, message: Msg) -> None:
        # A room that nobody listens to answers, too: with a status.
        if (message.headers or {}).get("Status") is not None:
            return
        answer = msgspec.json.decode(message.data or b"{}", type=_Answer)
        signs = self.signs(answer.stream)
        if answer.error:
            signs.note_refused(last_entry(answer.error), self._loop.time())
        elif answer.seq:
            signs.note_accepted(answer.seq, self._loop.time())
        else:
            self._note_answer(answer.stream)  # to the beginning of an offer of several messages

    def _next_server(self, servers: list[Server], _: dict[str, Any]) -> tuple[Server, float]:
        """The server behind the one that was tried last, and how long to wait before it is tried."""
        in_order = sorted(servers, key=lambda server: server.uri.netloc)
        chosen = next((server for server in in_order if server.uri.netloc > self._tried), in_order[0])
        self._tried = chosen.uri.netloc
        return chosen, RETRY_SECONDS if chosen.reconnects else 0.0


def is_followed(description: Mapping[str, Any]) -> bool:
    """Whether a majority of the servers that keep a stream follows the one that describes it.

    Args:
        description: of the stream, with its ``cluster``, in which the leader says how long ago, in nanoseconds, each of the others was ``active``.
    """
    group = description.get("cluster")
    if group is None:
        return True  # one server that belongs to no cluster
    others = group.get("replicas") or []
    active = [each for each in others if 0 < each.get("active", 0) <= FOLLOWED_SECONDS * NANOSECONDS]
    return bool(group.get("leader")) and len(active) >= int(description["config"]["num_replicas"]) // 2


def last_entry(error: Mapping[str, Any]) -> int:
    """The number of the entry that an offer was refused for, because it is the last one under its subject; 0 if that is not said."""
    found = _WRONG_LAST.fullmatch(str(error.get("description", "")))
    return int(found[1]) if found and error.get("err_code") in CONFLICTS else 0


def _refusal(error: Mapping[str, Any]) -> Unanswered | ClusterUnusable:
    """An error of JetStream as ours: nobody can answer at the moment, or it refuses."""
    # Another node was faster at making it; or a server fails at the moment, as in HTTP.
    if error.get("err_code") == NAME_IN_USE or error["code"] >= SERVER_ERROR:
        return Unanswered()
    refusal = f"JetStream refuses: {error.get('description', error['code'])}"
    if error.get("err_code") == NO_PEERS:
        return Unanswered(refusal)  # servers that have just started may not have found each other
    return ClusterUnusable(refusal)


def shown(url: str) -> str:
    """The address of a server without its account."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


async def _note(error: Exception) -> None:
    log.debug("NATS: %s", str(error) or type(error).__name__)
