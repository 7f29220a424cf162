"""An echo server made of the product's own doors, for the Autobahn test suite to talk to.

It differs from the chat in what the suite needs to talk at all: it says back what it hears, binary messages too, takes
messages as big as the suite's biggest, and does not ping. All else is the product: handshake, frames, buffers, endings.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Final
from unittest import mock

import click
import uvloop
from starlette.applications import Starlette
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from besedka.serve.authentication.keys import Authenticator
from besedka.serve.background import Background
from besedka.serve.doors.http.door import HttpDoor
from besedka.serve.doors.origin import Origins
from besedka.serve.doors.timeouts import SWEEP_SECONDS, SWEEP_SLICES
from besedka.serve.doors.websocket import connection
from besedka.serve.doors.websocket.connection import Connection
from besedka.serve.doors.websocket.door import WebSocketDoor
from besedka.serve.limits.rate_limits import RateLimits, Source
from besedka.serve.limits.sources import Sources
from besedka.serve.metrics import Metrics
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import Refused

PATH: Final = "/echo"

MESSAGE_BYTES_AT_MOST: Final = 16 * 1024 * 1024
"""The suite's biggest messages, in 9.1.6 and 9.2.6."""

PING_SECONDS: Final = 3_600.0
"""Never: some cases send a frame in parts, a second apart, and the suite would answer a ping in the midst of it."""


class EchoSession:
    """A talk that says back what it hears."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self) -> None:
        """The other side speaks first."""

    def receive(self, text: str) -> None:
        self._connection.send(Frame(Opcode.TEXT, text.encode()).serialize(mask=False))

    def refuse(self, refusal: Refused) -> None:
        """Not said: the suite would take it for an echo."""

    def fall_behind(self) -> None:
        """An echo is written in any case."""

    def resume(self) -> None:
        """Nothing waits here."""

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        """Nobody is."""

    def end(self) -> None:
        """Nothing is kept."""


class EchoConnection(Connection):
    """A connection that says back binary messages, which the chat refuses."""

    def _take_message(self, message: bytes | bytearray, *, is_text: bool = True) -> None:
        if is_text:
            super()._take_message(message, is_text=is_text)
        else:
            self.send(Frame(Opcode.BINARY, message).serialize(mask=False))


class EchoDoor(WebSocketDoor):
    """A door whose connections echo."""

    def connection(self, source: Source, *, is_forwarded: bool = False) -> EchoConnection:  # noqa: ARG002 - nobody is limited
        return EchoConnection(self, self._sources.limiter(source))

    def make_protocol(self, state: State) -> ServerProtocol:
        protocol = super().make_protocol(state)
        protocol.max_message_size = MESSAGE_BYTES_AT_MOST
        return protocol


async def serve(port: int) -> None:
    """Print the address, and serve for ever."""
    now, metrics = asyncio.get_running_loop().time, Metrics()
    sources = Sources(RateLimits(rate=0, rate_address=0, connections_per_address=0))
    soon = asyncio.get_running_loop().call_soon
    door = EchoDoor(
        {PATH: lambda connection, _: EchoSession(connection)},
        sources,
        metrics,
        now,
        origins=Origins(),
        access=Authenticator(),
        soon=soon,
    )
    web = HttpDoor(Starlette(), door.connection, sources, metrics, now)
    listener = socket.create_server(("127.0.0.1", port))
    async with Background() as background, web.open(listener, None, background):
        click.echo(f"ws://127.0.0.1:{listener.getsockname()[1]}{PATH}")
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for part in range(SWEEP_SLICES):
                door.look_after(now(), part)


if __name__ == "__main__":
    with mock.patch.object(connection, "PING_SECONDS", PING_SECONDS):  # noqa: SIM117 - one thing a line
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(int(sys.argv[1])))
