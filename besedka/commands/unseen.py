"""Joining a room unseen, for commands that read from its log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from besedka.remote.address import Address
    from besedka.remote.room.membership import Membership
    from besedka.wire.frames import Welcome


@asynccontextmanager
async def join_unseen(
    there: Address, secret: str, *, must_exist: bool
) -> AsyncIterator[tuple[Membership, Welcome]]:
    """Join a room to read it: without a name, so nobody sees it. An access key that works is remembered.

    Args:
        there: where the chat is, with the room and the access key.
        secret: proves who reads.
        must_exist: whether it is an error if there is no such room.

    Raises:
        RemoteError: if the chat cannot be reached, or refuses.
    """
    from besedka.home import remember_key
    from besedka.remote.chat_connection import ChatConnection

    async with ChatConnection(there.url, key=there.key) as connection:
        membership = connection.join(there.room, secret=secret, invite=there.invite, must_exist=must_exist)
        welcome = await _welcome(membership)
        if there.key:
            remember_key(there.url, there.key)
        yield membership, welcome


async def _welcome(membership: Membership) -> Welcome:
    """Wait for the welcome; ignore other events."""
    from besedka.wire.frames import Welcome

    async for event in membership.events():
        if isinstance(event, Welcome):
            return event
    raise AssertionError("nobody else leaves the room")
