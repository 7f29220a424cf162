"""A network between a page and a server that can be pulled out and put in again."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

CHUNK_BYTES = 65_536


class Cable:
    """Passes on what comes to a port of its own; pulled out, it cuts all connections and takes no new ones.

    Args:
        port: the server's.
        of: only connections that begin so are cut and not taken; then the page's files need not be kept by a service worker, which takes seconds.

    Attributes:
        page: where the server's page is, seen through the cable.
    """

    def __init__(self, port: int, of: bytes = b"") -> None:
        self._to = port
        self._of = of
        self._is_in = True
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.page = f"http://localhost:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._listen, daemon=True).start()

    def pull_out(self) -> None:
        """Cut all connections."""
        self._is_in = False
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def put_in(self) -> None:
        """Take connections again."""
        self._is_in = True

    def close(self) -> None:
        """Take it away."""
        self.pull_out()
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        with suppress(OSError):
            is_cut = (
                not self._of or near.recv(len(self._of), socket.MSG_PEEK | socket.MSG_WAITALL) == self._of
            )
            if is_cut and not self._is_in:
                near.close()
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            if is_cut:
                self._ends += [near, far]
            threading.Thread(target=_pass_on, args=(far, near), daemon=True).start()
            _pass_on(near, far)


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(CHUNK_BYTES):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
