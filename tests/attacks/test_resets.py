"""Clients that reset their connection right behind what they have sent: the system forgets their address, and what they sent can be read."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from pathlib import Path
from typing import Final

import pytest

from tests.attacks.raw import LAST, TEXT, frame, handshake
from tests.clocks import BENT
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.proxies.proxying import make_certificate
from tests.running import RunningServer
from tests.talking import WireClient

STRANGER: Final = "127.0.0.2"
SHOTS: Final = 20
RESET: Final = struct.pack("ii", 1, 0)
"""`SO_LINGER`: closing sends a reset, and nothing that is unsent."""


def shoot(server: RunningServer, data: bytes, context: ssl.SSLContext | None) -> None:
    """Connect, send, and reset the connection."""
    with socket.create_connection(("127.0.0.1", server.port), 60, (STRANGER, 0)) as client:
        client.sendall(sealed(client, context, data) if context else data)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def sealed(client: socket.socket, context: ssl.SSLContext, data: bytes) -> bytes:
    """Perform a handshake of TLS but for its last flight, which is returned with the data behind it: they arrive together."""
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(received, to_send, server_hostname="localhost")
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            client.sendall(to_send.read())
            received.write(client.recv(65_536))
    tls.write(data)
    return to_send.read()


def text_frame(kind: str, **fields: str) -> bytes:
    return frame(LAST | TEXT, json.dumps({"type": kind, **fields}).encode())


@pytest.mark.parametrize("is_sealed", [False, True], ids=["TCP", "TLS"])
def test_who_resets_the_connection_does_not_count_as_this_machine(
    make_server: ServerMaker, tmp_path: Path, is_sealed: bool
) -> None:
    context = None
    options: tuple[str, ...] = ()
    if is_sealed:
        context = ssl.create_default_context(cafile=str(make_certificate(tmp_path).path))
        options = ("--tls-cert", "chat.pem", "--tls-key", "chat.key")
    server = make_server("--lang", "en", *options, module=BENT, OWN_ADDRESS="127.0.0.1").start()
    with Operator(server) as operator:
        operator.do("ban", STRANGER)
    for number in range(SHOTS):
        said = text_frame("join", user=f"Guest {number}") + text_frame("chat", text=f"shot {number}")
        shoot(server, handshake() + said, context)
    seal = (socket.create_connection(("127.0.0.1", server.port)), context, "localhost") if context else None
    with WireClient(server, seal=seal) as anna:
        anna.join("Anna")
        anna.send_frame("chat", text="is anybody there?")
        while anna.receive("chat")["text"] != "is anybody there?":
            pass
    assert [line for line in server.lines if "shot" in line] == []
