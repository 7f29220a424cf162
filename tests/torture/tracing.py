"""A server under strace: what it writes, syncs and delivers, in which order."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.running import RunningServer

CALLS: Final = "write,writev,sendto,sendmsg,fdatasync,syncfs"


def start_traced(server: RunningServer, folder: Path) -> Path:
    """Start a server that is traced. Returns the trace; `end_traced` reads it."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.fail("this proof needs strace; `make test` gets it, or leaves the proof out and says so")
    trace = folder / "trace"
    server.within = (strace, "-f", "-q", "-s", "1000000", "-e", f"trace={CALLS}", "-o", str(trace))
    server.start()
    return trace


def end_traced(server: RunningServer, trace: Path) -> Order:
    """End it, and read what it did."""
    for child in psutil.Process(server.pid).children():
        child.terminate()
    assert server.wait() == 0
    return Order(trace)


class Order:
    """A trace of a server: which messages were written, synced and delivered, in this order.

    A sync covers what was written before it began, to its file or, if it is shared, to all. Sockets to the servers of a cluster are left out.

    Attributes:
        delivered: the messages that were written to a socket.
        early: those that were, although no sync that covers them had returned.
        shared: the number of syncs of all files.
    """

    ROW: Final = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?:\((\d+)| resumed>)(.*)")
    TOKEN: Final = re.compile(r"<\d+\.\d+>")

    OF_NATS: Final = re.compile(r', (?:\[\{iov_base=)?"(?:CONNECT \{|H?PUB )')
    OF_HTTP: Final = re.compile(r', (?:\[\{iov_base=)?"HTTP/')

    def __init__(self, trace: Path) -> None:
        self._to_servers: set[str] = set()
        self.delivered: set[str] = set()
        self.early: list[str] = []
        self.shared = 0
        self._written: dict[str, set[str]] = defaultdict(set)
        self._durable: set[str] = set()
        self._begun: dict[str, set[str]] = {}
        for row in trace.read_text(errors="replace").splitlines():
            if found := self.ROW.match(row):
                self._take(*found.groups())

    def _take(self, thread: str, call: str, file: str | None, rest: str) -> None:
        if call in {"fdatasync", "syncfs"}:
            if file is not None:
                covered = [self._written[file]] if call == "fdatasync" else self._written.values()
                self._begun[thread] = set().union(*covered)
            if rest.endswith("= 0"):
                self._durable |= self._begun.pop(thread)
                self.shared += call == "syncfs"
            return
        if self.OF_NATS.match(rest):
            self._to_servers.add(file or "")
        elif self.OF_HTTP.match(rest):
            self._to_servers.discard(
                file or ""
            )  # a descriptor that was one to a server, before this was closed
        if file in self._to_servers:
            return  # it is offered, and shown to nobody
        tokens = self.TOKEN.findall(rest)
        if tokens and rest.startswith(', "['):
            self._written[file or ""].update(tokens)
        elif tokens:
            self.early += [one for one in tokens if one not in self._durable]
            self.delivered.update(tokens)
