"""Handshakes of TLS at the page's port: they are counted, charged and bounded like requests."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import psutil
import pytest

from besedka.serve.limits.descriptors import for_connections
from besedka.serve.limits.rate_limits import FRAMES_OF_ADDRESS_AT_LEAST, FRAMES_SECONDS, HANDSHAKE_FRAMES
from tests.attacks.raw import request
from tests.attacks.test_descriptors import closed, flood
from tests.clocks import BENT, Clocks
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.proxies.proxying import make_certificate
from tests.running import RunningServer

LIMIT: Final = 300
ONE, OTHER, OWN = "127.0.0.2", "127.0.0.3", "127.0.0.1"
SEALED: Final = ("--open", "--tls-cert", "chat.pem", "--tls-key", "chat.key")
LONGEST_HANDSHAKE_SECONDS: Final = 40.0
"""Less than a minute."""


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    """For clients of a server with the options `SEALED`."""
    return ssl.create_default_context(cafile=str(make_certificate(tmp_path).path))


def may_come(server: RunningServer, context: ssl.SSLContext, address: str) -> bool:
    """Whether an address is served."""
    try:
        return ask(server, context, address).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def ask(server: RunningServer, context: ssl.SSLContext, address: str, seconds: float = 60.0) -> bytes:
    """The response to a request over TLS from an address."""
    with (
        socket.create_connection(("127.0.0.1", server.port), seconds, (address, 0)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as sealed,
    ):
        sealed.sendall(request(b"/healthz"))
        return sealed.recv(65_536)


@pytest.mark.parametrize("is_grpc", [False, True], ids=["HTTP", "gRPC"])
def test_a_handshake_of_tls_that_never_ends_is_closed_as_a_request_would_be(
    is_grpc: bool, make_server: ServerMaker, context: ssl.SSLContext
) -> None:
    """The deadline is the loop's own timer, so it is bent to be short; that of asyncio would be a minute."""
    soon = json.dumps({"besedka.serve.doors.timeouts.REQUEST_SECONDS": 0.5})
    server = make_server(*SEALED, module=BENT, CONSTANTS=soon, grpc=True).start()
    port = server.grpc_port if is_grpc else server.port
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST_HANDSHAKE_SECONDS) as silent:
        assert silent.recv(1) == b""
    url = f"https://localhost:{server.port}/healthz"
    with urllib.request.urlopen(url, context=context) as response:
        assert response.status == 200


def test_connections_that_never_say_hello_count_as_those_of_their_address(
    make_server: ServerMaker, context: ssl.SSLContext
) -> None:
    server = make_server(*SEALED, module=BENT, OWN_ADDRESS=OWN, DESCRIPTORS=str(LIMIT)).start()
    share = for_connections(LIMIT) // 2
    with ExitStack() as stack:
        opened = flood(stack, server.port, ONE)
        wait_until(lambda: closed(opened) >= len(opened) - share)
        assert closed(opened) == len(opened) - share
        assert ask(server, context, OTHER).startswith(b"HTTP/1.1 200 ")
    wait_until(lambda: may_come(server, context, ONE))


def test_an_address_that_has_made_many_handshakes_waits_for_the_next_and_others_do_not(
    make_server: ServerMaker, context: ssl.SSLContext, clock: Clocks
) -> None:
    clock.stand_still()
    options = (*SEALED, "--rate-address", "1")
    server = make_server(*options, module=BENT, OWN_ADDRESS=OWN, **clock.environment).start()
    at_once = int(FRAMES_OF_ADDRESS_AT_LEAST * FRAMES_SECONDS) // (HANDSHAKE_FRAMES + 1)
    for _ in range(at_once):
        assert ask(server, context, ONE).startswith(b"HTTP/1.1 200 ")
    # While there is a single frame left, a handshake may be begun.
    waiting = [socket.create_connection(("127.0.0.1", server.port), 60, (ONE, 0)) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        performed = [pool.submit(context.wrap_socket, one, server_hostname="localhost") for one in waiting]
        for _ in range(3):
            assert ask(server, context, OTHER).startswith(b"HTTP/1.1 200 ")
        assert not performed[-1].done()
        clock.jump(2)
        for one in performed:
            one.result().close()


def test_clients_that_leave_in_the_middle_of_a_handshake_leave_nothing_behind(
    make_server: ServerMaker, context: ssl.SSLContext
) -> None:
    server = make_server(*SEALED, "--log-level", "warning").start()
    assert ask(server, context, OWN).startswith(b"HTTP/1.1 200 ")
    process = psutil.Process(server.pid)
    wait_until(lambda: not [one for one in process.net_connections("tcp") if one.status == "ESTABLISHED"])
    before = process.num_fds()
    hello = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    said = hello.read()
    for length in (0, 1, 5, len(said) // 2, len(said) - 1, len(said)):
        for is_reset in (False, True):
            for garbage in (b"", b"GET / HTTP/1.1\r\n\r\n"):
                with socket.create_connection(("127.0.0.1", server.port), 60) as client:
                    if is_reset:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.sendall(said[:length] + garbage)
    wait_until(lambda: process.num_fds() == before)
    assert ask(server, context, OWN).startswith(b"HTTP/1.1 200 ")
    server.stop()
    assert server.errors == ""


def test_a_request_in_the_same_packet_as_the_end_of_the_handshake_is_answered(
    make_server: ServerMaker, context: ssl.SSLContext
) -> None:
    server = make_server(*SEALED).start()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    sealed = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", server.port), 60) as client:
        while True:
            try:
                sealed.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                incoming.write(client.recv(65_536))
        sealed.write(request(b"/healthz"))
        client.sendall(outgoing.read())
        answer = b""
        while not answer:
            incoming.write(client.recv(65_536))
            with suppress(ssl.SSLWantReadError):
                answer = sealed.read(65_536)
    assert answer.startswith(b"HTTP/1.1 200 ")
