"""Frames over WebSocket, as JSON."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from socket import gaierror
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from besedka.remote.errors import (
    ACCESS_ENDINGS,
    RemoteError,
    TransportClosed,
    frame_too_long,
    not_besedka,
)
from besedka.remote.transport import CLOSE_SECONDS, HANDSHAKE_SECONDS
from besedka.wire.close_codes import NO_RECONNECT_CODES, CloseCode
from besedka.wire.errors import Refused
from besedka.wire.frames import ClientFrame, ServerFrame, decode_server, encode
from besedka.wire.sanitize import sanitize_line
from besedka.wire.validation import SERVER_FRAME_BYTES_AT_MOST

QUOTED_CHARACTERS: Final = 200
"""How much of a refusal over HTTP is quoted; the server's own are shorter."""

_BREACHES: Final = {
    CloseCode.PROTOCOL_ERROR.value.code: "what it sends is no WebSocket frame, or a compressed one",
    CloseCode.NOT_TEXT.value.code: "what it sends is not UTF-8",
}
"""Why this side closes a connection, by the code that it sends (RFC 6455, section 7.4.1)."""


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
            raise _ended(closed, self._url) from None

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """Receive frames."""
        try:
            while True:
                data = await self._socket.recv()
                try:
                    frame = decode_server(data)
                except Refused:
                    raise not_besedka(self._url, "its frames cannot be read") from None
                yield frame
        except ConnectionClosed as closed:
            raise _ended(closed, self._url) from None


class _ConnectOnce(connect):
    """Connects to the URL that was given, and follows no redirect: what a client shows there is for this host alone."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def open_websocket(url: str, headers: Mapping[str, str]) -> AsyncIterator[WebSocketTransport]:
    """Connect by ``ws://`` or ``wss://``, with additional headers.

    Raises:
        TransportClosed: if the chat cannot be reached.
    """
    try:
        socket = await _ConnectOnce(
            url,
            open_timeout=HANDSHAKE_SECONDS,
            close_timeout=CLOSE_SECONDS,
            # Not offered, so that a frame takes as much memory as it has bytes.
            compression=None,
            max_size=SERVER_FRAME_BYTES_AT_MOST,
            additional_headers=headers,
        )
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise TransportClosed(_reason(error), reconnect=True) from None
    async with socket:
        yield WebSocketTransport(socket, url)


def _ended(closed: ConnectionClosed, url: str) -> RemoteError:
    if closed.sent and not closed.rcvd_then_sent:
        if closed.sent.code == CloseCode.FRAME_TOO_LONG.value.code:
            return frame_too_long(url)
        if breach := _BREACHES.get(closed.sent.code):
            return not_besedka(url, breach)
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
        text = (error.response.body or b"").decode(errors="replace").strip()
        body = sanitize_line(text, QUOTED_CHARACTERS)
        return f"it answers HTTP {error.response.status_code}{f': {body}' if body else ''}"
    if isinstance(error, gaierror):
        return "there is no host of this name"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
