"""Transports: they carry frames to a chat and back, over WebSocket or gRPC; `grpc_responses` has what all calls over gRPC accept as an answer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from besedka.remote.errors import parsing_frames
from besedka.wire.access import authorization
from besedka.wire.errors import Language
from besedka.wire.frames import ClientFrame, ServerFrame
from besedka.wire.languages import ACCEPT_LANGUAGE
from besedka.wire.received_frames import check_received

HANDSHAKE_SECONDS: Final = 10.0
"""How long a server may take to accept a connection."""

CLOSE_SECONDS: Final = 2.0
"""How long a server may take to confirm that a connection is closed: whoever leaves does not wait for one that hangs."""


class Transport(Protocol):
    """An open connection to a chat. Every method raises `TransportClosed` once it is closed."""

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame; returns when the transport can take the next one."""

    def frames(self) -> AsyncIterator[ServerFrame]:
        """Receive frames until the connection ends."""


async def checked_frames(transport: Transport, url: str) -> AsyncIterator[ServerFrame]:
    """Receive frames until the connection ends; what no Besedka sends is handed to nobody.

    Raises:
        ConnectionFailed: at the first frame that breaks the rules of `besedka.wire.received_frames`.
    """
    async for frame in transport.frames():
        with parsing_frames(url):
            check_received(frame)
        yield frame


def credentials(key: str, language: str) -> dict[str, str]:
    """Headers of a handshake, or metadata of a call: the user's language, and the access key, if there is one."""
    return {ACCEPT_LANGUAGE: language} | ({"authorization": authorization(key)} if key else {})


def open_transport(
    url: str, key: str = "", language: str = Language.EN
) -> AbstractAsyncContextManager[Transport]:
    """Connect to a chat.

    Args:
        url: the chat's URL, as `besedka.remote.address` returns it.
        key: the access key, if the chat requires one.
        language: of the server's sentences, as a language range (RFC 9110, section 12.5.4). The library's own are English.

    Raises:
        TransportClosed: if the chat cannot be reached.
    """
    # Each transport needs a library that is slow to import, and most programs need only one of them.
    if url.startswith(("ws:", "wss:")):
        from besedka.remote.transport.websocket import open_websocket  # noqa: PLC0415

        return open_websocket(url, credentials(key, language))
    # gRPC's core logs errors to stderr, where a terminal client has its input line.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from besedka.remote.transport.grpc import open_grpc  # noqa: PLC0415

    return open_grpc(url, credentials(key, language))
