"""The stream about people: the last message of each row, and what is offered to it, all or nothing (ADR-50 of the NATS architecture records)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from nats.errors import Error as NatsError

from besedka.serve.cluster.jetstream.stream import SETTINGS, Stream
from besedka.serve.cluster.people.people_entry import HEAD, SUBJECTS
from besedka.serve.errors import ClusterUnusable

PEOPLE_STREAM: Final = "BESEDKA_PEOPLE"

OFFERED_AT_ONCE: Final = 500
"""Messages in one offer; NATS takes a thousand."""

_SETTINGS: Final[Mapping[str, Any]] = {
    **SETTINGS,
    "max_msgs_per_subject": 1,
    "discard": "old",
    "deny_delete": True,
    "allow_atomic": True,
}
"""Of each row, the last message is kept for ever."""


class Offered(NamedTuple):
    """A message that is offered: its subject and its bytes."""

    subject: str
    data: bytes


async def offer_people(stream: Stream, messages: Sequence[Offered], head: bytes, behind: int) -> None:
    """Offer messages and a head, to be accepted together, and only if the last head has this number. No answer is waited for."""
    client = stream.connection.client
    if not client.is_connected:
        return  # what waits for a connection would come late
    batch = secrets.token_hex(8)
    last = len(messages) + 1
    with suppress(NatsError):
        for number, message in enumerate((*messages, Offered(HEAD, head)), 1):
            headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number == last:
                headers |= {"Nats-Batch-Commit": "1", "Nats-Expected-Last-Subject-Sequence": str(behind)}
            reply = stream.connection.answers if number in {1, last} else ""
            await client.publish(message.subject, message.data, reply=reply, headers=headers)


async def ensure_people(stream: Stream, cluster: str, *, keeps_names: bool) -> None:
    """Make the stream, if there is none.

    Args:
        stream: the connection.
        cluster: the id of the cluster.
        keeps_names: whether names are held.

    Raises:
        ClusterUnusable: if it cannot be used, and why.
    """
    names = "held" if keeps_names else "open"
    metadata = {"besedka_id": cluster, "besedka_names": names}
    found = await stream.ensure_beside(PEOPLE_STREAM, f"{SUBJECTS}>", _SETTINGS, metadata)
    if found.get("besedka_id") != cluster:
        raise ClusterUnusable(
            f"its stream {PEOPLE_STREAM} is of another cluster ({found.get('besedka_id')}, and the messages are of {cluster})"
        )
    if found.get("besedka_names") != names:
        raise ClusterUnusable(
            f"its names are {found.get('besedka_names')}, and here they would be {names}: start all nodes with the same --names"
        )
