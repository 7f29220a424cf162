"""Connects a program to a chat: ``async with connect("ws://…", "Anna") as room``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from besedka.home import secret_for
from besedka.remote.address import address, check_key
from besedka.remote.chat_connection import ChatConnection
from besedka.remote.room_client import ChatClient, RoomClient


@asynccontextmanager
async def connect(
    url: str,
    name: str,
    room: str = "",
    *,
    secret: str | None = None,
    since: int | None = None,
    epoch: str = "",
    quiet: bool = False,
    invite: str = "",
    key: str = "",
) -> AsyncIterator[RoomClient]:
    """Connect to a chat and join a room; disconnect at the end. `RoomClient.join` joins more rooms on the same connection.

    Args:
        url: ``ws://``, ``wss://``, ``http(s)://``, ``grpc://``, ``grpcs://`` or ``unix:``; a room may follow behind a ``#``.
        name: the user's name; empty for a reader, who is not announced.
        room: the room, if the URL names none.
        secret: identifies the person: a name belongs to the first person who uses it, and all programs with the same secret are the same
            person. If it is not given, the secret in the user's home directory is used, which all their programs on this machine share;
            it is created on first use, and if it cannot be stored, the user is a guest. Empty: a guest, who holds the name only while
            connected. Else any text that nobody else knows, best 256 random bits.
        since: read on behind this id; else begin with the last 10 messages.
        epoch: the epoch that ``since`` belongs to; if the log was replaced, reading begins with its last 10 messages.
        quiet: join without being counted, announced or listed.
        invite: the token of an invitation, into the room or to the name, if the URL has none.
        key: the access key, if the URL has none; a chat that requires none ignores it.

    Raises:
        InvalidAddress: if the URL is not valid.
        ConnectionFailed: if the chat cannot be reached.
        JoinRefused: if the chat refuses the room or the name.
    """
    there = address(url)
    check_key(key)
    chat = ChatClient(
        ChatConnection(there.url, key=there.key or key),
        name,
        secret_for(there.url, name) if secret is None else secret,
    )
    try:
        yield await chat.join(
            room or there.room, since=since, epoch=epoch, quiet=quiet, invite=invite or there.invite
        )
    finally:
        await chat.close()
