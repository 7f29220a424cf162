"""Small servers that bend the network between a client and a chat: proxies that change what passes, ports that say little."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

Bend = Callable[[bytes], bytes]


def _same(data: bytes) -> bytes:
    return data


@contextmanager
def port(greet: bytes = b"", answer: bytes = b"") -> Iterator[int]:
    """A port that says something to everybody who comes, and something else to whoever has spoken; and no more."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            with suppress(OSError):
                connection.sendall(greet)
                if connection.recv(65536) and answer:
                    connection.sendall(answer)
                elif not answer:
                    while connection.recv(65536):
                        pass

    with _serving(Handler) as number:
        yield number


@contextmanager
def proxy(to: int, *, request: Bend = _same, response: Bend = _same) -> Iterator[int]:
    """An HTTP proxy before a port, that changes the head of each request and of each response."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            client: socket.socket = self.request
            with suppress(OSError), socket.create_connection(("127.0.0.1", to)) as server:
                server.sendall(request(_head(client)))
                there = threading.Thread(target=_pump, args=(client, server), daemon=True)
                there.start()
                client.sendall(response(_head(server)))
                _pump(server, client)

    with _serving(Handler) as number:
        yield number


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that does not even answer those who want to connect, as behind a firewall that drops all."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        number: int = listener.getsockname()[1]
        for waiting in (first, second):  # Linux drops what comes when the queue is full
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", number))
        yield number


@contextmanager
def unsealed(sealed: socket.socket, context: ssl.SSLContext, name: str) -> Iterator[socket.socket]:
    """The plain side of a connection that speaks TLS with a server of this name.

    The client of `websockets` reads in one thread and writes in another, and OpenSSL allows that to nobody: a request that was written
    while the ticket of TLS 1.3 was read never arrived, once in some hundred times. Here one thread does both.
    """
    plain, inner = socket.socketpair()

    async def carry() -> None:
        inside = await asyncio.open_connection(sock=inner)
        outside = await asyncio.open_connection(sock=sealed, ssl=context, server_hostname=name)
        await asyncio.gather(_pour(inside[0], outside[1]), _pour(outside[0], inside[1]))
        await asyncio.gather(inside[1].wait_closed(), outside[1].wait_closed(), return_exceptions=True)

    carrying = threading.Thread(target=asyncio.run, args=(carry(),), daemon=True)
    carrying.start()
    with plain:
        yield plain
    carrying.join()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer), suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@contextmanager
def _serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _head(source: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := source.recv(65536)):
        data += more
    return data


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
