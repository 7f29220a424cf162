"""Frames over WebSocket, as JSON."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import gaierror

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from besedka.remote.errors import ACCESS_ENDINGS, ConnectionFailed, TransportClosed
from besedka.remote.transport import HANDSHAKE_SECONDS
from besedka.wire.access import authorization
from besedka.wire.close_codes import NO_RECONNECT_CODES
from besedka.wire.errors import Refused
from besedka.wire.frames import ClientFrame, ServerFrame, decode_server, encode


class WebSocketTransport:
    """An open WebSocket."""

    def __init__(self, socket: ClientConnection, url: str) -> None:
        self._socket = socket
        self._url = url

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame."""
        try:
            await self._socket.send(encode(frame).decode())
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """Receive frames."""
        try:
            while True:
                try:
                    frame = decode_server(await self._socket.recv())
                except Refused:
                    raise ConnectionFailed(f"the server at {self._url} is not Besedka") from None
                yield frame
        except ConnectionClosed as closed:
            raise _ended(closed) from None


@asynccontextmanager
async def open_websocket(url: str, key: str = "") -> AsyncIterator[WebSocketTransport]:
    """Connect by ``ws://`` or ``wss://``, with an access key or without.

    Raises:
        TransportClosed: if the chat cannot be reached.
    """
    try:
        socket = await connect(
            url,
            open_timeout=HANDSHAKE_SECONDS,
            compression=None,
            max_size=None,
            additional_headers={"Authorization": authorization(key)} if key else None,
        )
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise TransportClosed(_reason(error), reconnect=True) from None
    async with socket:
        yield WebSocketTransport(socket, url)


def _ended(closed: ConnectionClosed) -> TransportClosed:
    if closed.rcvd is None:
        return TransportClosed("the connection was lost", reconnect=True)
    number = closed.rcvd.code
    code = next((code for ending, code in ACCESS_ENDINGS.items() if ending.value.code == number), "")
    return TransportClosed(closed.rcvd.reason, reconnect=number not in NO_RECONNECT_CODES, code=code)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "the TLS handshake failed; for a server without TLS use ws://"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, InvalidStatus):
        body = error.response.body.decode(errors="replace").strip() if error.response.body else ""
        return f"it answers HTTP {error.response.status_code}{f': {body}' if body else ''}"
    if isinstance(error, gaierror):
        return "there is no host of this name"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
