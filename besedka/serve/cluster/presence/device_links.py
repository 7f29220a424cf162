"""Add-a-device links at all nodes: the node that has made one is asked for it, on a subject that it subscribes to for as long as the link lasts.

So a link that nobody has is refused at once, and no other node is troubled by it. The secret behind the link crosses NATS in the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from besedka.serve.people.devices import LINK_SECONDS, LINKS_AT_MOST, DeviceLinks
from besedka.serve.people.names import claim_of
from besedka.wire.errors import ErrorCode, Refused

SUBJECTS: Final = "besedka.devices."
"""In front of the hash of a token."""

ANSWER_SECONDS: Final = 2.0
"""How long the other node may take."""


class _Identity(msgspec.Struct, frozen=True):
    """The answer: what a link hands over."""

    user: str
    secret: str


class ClusterLinks:
    """The links of all nodes.

    Args:
        client: the connection to NATS.
        links: those of this node.
        now: seconds of the clock by which they were made.
    """

    def __init__(self, client: Client, links: DeviceLinks, now: Callable[[], float]) -> None:
        self._client = client
        self._links = links
        self._now = now
        self._loop = asyncio.get_running_loop()
        # By the hash of the token, the oldest first.
        self._offered: dict[str, tuple[Subscription, asyncio.TimerHandle]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def offer(self, token: str) -> None:
        """Have a link that was made here be valid at the other nodes. Where they cannot be reached it is valid here only, until they can."""
        if len(self._offered) >= LINKS_AT_MOST:
            self._end(next(iter(self._offered)))
        name = claim_of(token)
        with suppress(NatsError, TimeoutError):
            subscription = await self._client.subscribe(f"{SUBJECTS}{name}", cb=self._asked)
            self._offered[name] = subscription, self._loop.call_later(LINK_SECONDS, self._end, name)
            # The servers must know of it before the person does.
            if self._client.is_connected:
                await self._client.flush(int(ANSWER_SECONDS))

    async def take(self, token: str) -> tuple[str, str]:
        """Use a link of another node.

        Returns:
            The name and the secret.

        Raises:
            Refused: `bad_link`; `out_of_reach` if it is not known whether there is such a link.
        """
        if not self._client.is_connected:
            raise Refused(ErrorCode.OUT_OF_REACH, wait=ANSWER_SECONDS)
        try:
            answer = await self._client.request(
                f"{SUBJECTS}{claim_of(token)}", token.encode(), timeout=ANSWER_SECONDS
            )
            identity = msgspec.json.decode(answer.data, type=_Identity)
        except (NoRespondersError, msgspec.MsgspecError):
            raise Refused(ErrorCode.BAD_LINK) from None
        except (NatsError, TimeoutError):
            raise Refused(ErrorCode.OUT_OF_REACH, wait=ANSWER_SECONDS) from None
        return identity.user, identity.secret

    async def _asked(self, message: Msg) -> None:
        """Hand over what a link is for, once."""
        token, name = message.data.decode("utf-8", "replace"), message.subject.removeprefix(SUBJECTS)
        if claim_of(token) != name:
            return  # whoever asks does not have the link
        self._end(name)
        try:
            handover = self._links.take(token, self._now())
        except Refused:
            answer = b"{}"
        else:
            answer = msgspec.json.encode(_Identity(handover.user, handover.secret))
        with suppress(NatsError):
            await message.respond(answer)

    def _end(self, name: str) -> None:
        """Let a link be valid at the other nodes no more."""
        offered = self._offered.pop(name, None)
        if offered:
            offered[1].cancel()
            task = self._loop.create_task(_unsubscribe(offered[0]))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


async def _unsubscribe(subscription: Subscription) -> None:
    with suppress(NatsError):
        await subscription.unsubscribe()
