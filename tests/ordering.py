"""The operator of a server, for the tests: one line said to its socket, one line heard."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Self

from besedka.serve.doors.unix_sockets import short
from tests.running import RunningServer

TIMEOUT_SECONDS = 60


class Operator:
    """One connection to a server's socket."""

    def __init__(self, server: RunningServer, path: Path | None = None) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_SECONDS)
        try:
            with short(path or server.history.with_name("chat_history.txt.admin")) as name:
                self._socket.connect(name)
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, data: bytes) -> dict[str, Any]:
        """Say something that is perhaps no line, and hear the answer; empty if there is none."""
        self._socket.sendall(data)
        answer: dict[str, Any] = json.loads(self._lines.readline() or b"{}")
        return answer

    def ask(self, act: str, user: str = "", **fields: object) -> dict[str, Any]:
        """Do something, and hear what came of it."""
        word = {"type": "moderate", "act": act, "user": user, **fields}
        return self.send(json.dumps(word).encode() + b"\n")

    def begin(self, act: str, **fields: object) -> None:
        """Ask for something, and wait for no answer."""
        self._socket.sendall(json.dumps({"type": "moderate", "act": act, **fields}).encode() + b"\n")

    def do(self, act: str, user: str = "", **fields: object) -> str:
        """Do something that is done; the sentence."""
        answer = self.ask(act, user, **fields)
        assert answer["type"] == "done", answer
        return str(answer["text"])
