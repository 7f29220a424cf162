"""A client for the tests: one WebSocket, frames as dictionaries."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from ssl import SSLContext
from typing import Any, Protocol, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.bending import unsealed

Frame = dict[str, Any]

TIMEOUT_SECONDS = 60.0


class Reachable(Protocol):
    """A server, or a proxy in front of one."""

    @property
    def port(self) -> int:
        """Where it listens."""

    def url(self, path: str = "/ws") -> str:
        """The address of one of its WebSockets."""


class WireClient:
    """One connection to a server.

    Args:
        receive_buffer: bytes that the system may hold for it; then a client that does not receive does not read from its socket either.
            Without it everything is read at once: a client that has stopped reading waits ten seconds at its close.
        seal: a connection for TLS, its context, and the name of the server (`unsealed`).
    """

    def __init__(
        self,
        server: Reachable,
        path: str = "/ws",
        receive_buffer: int = 0,
        seal: tuple[socket.socket, SSLContext, str] | None = None,
        **options: Any,
    ) -> None:
        self._open = ExitStack()
        self._asked = 0
        options = {"max_queue": 16 if receive_buffer else None, "open_timeout": TIMEOUT_SECONDS, **options}
        if seal:
            options["sock"] = self._open.enter_context(unsealed(*seal))
        if receive_buffer:
            options["sock"] = socket.socket()
            options["sock"].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            options["sock"].connect(("127.0.0.1", server.port))
        self._socket = self._open.enter_context(
            connect(server.url(path), max_size=None, ping_interval=None, **options)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send_frame(self, kind: str, **fields: object) -> None:
        """Send a frame."""
        self._socket.send(json.dumps({"type": kind, **fields}))

    def send(self, data: str | bytes | Iterator[str]) -> None:
        """Send a message that may be no valid frame; an iterator is sent in fragments."""
        self._socket.send(data)

    def receive(self, kind: str | None = None, seconds: float = TIMEOUT_SECONDS) -> Frame:
        """The next frame, or the next one of a kind, skipping all others."""
        while True:
            frame: Frame = json.loads(self._socket.recv(seconds))
            if kind in {None, frame["type"]}:
                return frame

    def receives_nothing(self) -> bool:
        """Whether no frame has arrived by now; wait first for an event after which one would have."""
        try:
            self._socket.recv(0)
        except TimeoutError:
            return True
        return False

    def receive_until(self, is_last: Callable[[Frame], bool]) -> list[Frame]:
        """All frames up to the one that is the last."""
        frames = [self.receive()]
        while not is_last(frames[-1]):
            frames.append(self.receive())
        return frames

    def receive_to(self, last: int) -> list[int]:
        """The ids of all messages received up to this one, live or in pages."""
        ids: list[int] = []
        while not ids or ids[-1] < last:
            ids += ids_in(self.receive())
        return ids

    def receive_to_the_end(self) -> list[int]:
        """The ids of all messages received until the connection ends."""
        ids: list[int] = []
        with suppress(ConnectionClosed):
            while True:
                ids += ids_in(self.receive())
        return ids

    def say_many(self, texts: list[str]) -> list[int]:
        """Post all this, and receive it now and then, as a client that does not read is disconnected; returns the ids received."""
        ids: list[int] = []
        for first in range(0, len(texts), 200):
            some = texts[first : first + 200]
            for text in some:
                self.send_frame("chat", text=text)
            while len(ids) < first + len(some):
                ids += ids_in(self.receive())
        return ids

    def join(self, user: str | None, room: str = "main", **fields: object) -> Frame:
        """Enter a room, perhaps without a name, and return the welcome."""
        self.send_frame("join", room=room, **({} if user is None else {"user": user}), **fields)
        answer = self.receive_until(lambda frame: frame["type"] in {"welcome", "error"})[-1]
        assert answer["type"] == "welcome", answer
        return answer

    def ask(self, kind: str, **fields: object) -> Frame:
        """Send a request with a key, and return the response, or the refusal."""
        self._asked += 1
        key = f"question {self._asked}".replace(" ", "-")
        self.send_frame(kind, key=key, **fields)
        while (answer := self.receive()).get("key") != key:
            pass
        return answer

    def refused(self, kind: str, **fields: object) -> str:
        """Say something that is refused, and return the code."""
        self.send_frame(kind, **fields)
        return str(self.receive("error")["code"])

    def search(self, text: str, **fields: object) -> Frame:
        """Search a room, and return what was found."""
        self.send_frame("search", text=text, **fields)
        return self.receive("found")

    def ending(self) -> tuple[int, str]:
        """The code and reason with which the server ends the connection."""
        with suppress(ConnectionClosed):
            while True:
                self._socket.recv(TIMEOUT_SECONDS)
        received = self._socket.protocol.close_rcvd
        assert received, "the connection was cut off without a close frame"
        return received.code, received.reason

    def end_code(self) -> int:
        """The code with which the connection ends, whoever ends it; 1006 if it is cut off."""
        with suppress(ConnectionClosed):
            while True:
                self._socket.recv(TIMEOUT_SECONDS)
        return int(self._socket.close_code or 0)

    def abort(self) -> None:
        """Cut the connection as a lost network does."""
        self._socket.socket.close()

    def half_close(self) -> None:
        """Say that nothing more will be said, and read no more."""
        self._socket.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End the connection in good order."""
        self._open.close()


def ids_in(frame: Frame) -> list[int]:
    """The ids of the messages that a frame tells."""
    if frame["type"] == "chat":
        return [frame["id"]]
    if frame["type"] == "history":
        return list(range(frame["first"], frame["first"] + len(frame["messages"])))
    return []
