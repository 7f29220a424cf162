"""Small servers that bend the network between a client and a chat: proxies that change what passes, ports that say little."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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
