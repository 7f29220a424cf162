"""The process that forks: it has imported all of besedka, and becomes a program in each fork.

Its argument is the descriptor of a socket. An order comes as one byte with five descriptors: a JSON text, stdin, stdout, stderr, and a
socket that is told the process ID and later the exit status. When the socket of the orders ends, all programs are killed.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import termios
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import besedka

_DESCRIPTORS: Final = 5

_LATE: Final = ("concurrent.futures.thread", "uvicorn.lifespan.off", "uvloop")
"""Modules that a program imports only when it runs."""


@dataclass(frozen=True, slots=True)
class Order:
    """The program that a fork becomes."""

    text: dict[str, Any]
    files: list[int]
    news: socket.socket

    def close(self) -> None:
        for number in self.files:
            os.close(number)


class Forking:
    """Takes orders and tells how programs have ended; all in one thread, as forks want it."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._woken, self._wakes = socket.socketpair()
        for end in (self._woken, self._wakes):
            end.setblocking(False)
        self._running: dict[int, socket.socket] = {}

    def next_program(self) -> Order | None:
        """Fork for each order, until there are no more.

        Returns:
            In a fork: its order. Here: nothing, when the orders end.
        """
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._orders.send(b"\n")
        while order := self._next_order():
            if (pid := os.fork()) == 0:
                self._forget()
                return order
            self._running[pid] = order.news
            order.news.send(str(pid).encode())
            order.close()
            self._orders.send(b"\n")
        self._end()
        return None

    def _next_order(self) -> Order | None:
        with selectors.DefaultSelector() as selector:
            for end in (self._orders, self._woken):
                selector.register(end, selectors.EVENT_READ)
            while self._orders not in [key.fileobj for key, _ in selector.select()]:
                self._report_ends()
        received, files, _, _ = socket.recv_fds(self._orders, 1, _DESCRIPTORS)
        if not received:
            return None
        with os.fdopen(files[0], encoding="utf-8") as text:
            return Order(json.load(text), files[1:4], socket.socket(fileno=files[4]))

    def _report_ends(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._report_end(*ended)

    def _report_end(self, pid: int, status: int) -> None:
        with self._running.pop(pid) as news, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            news.send(str(os.waitstatus_to_exitcode(status)).encode())

    def _end(self) -> None:
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)

    def _forget(self) -> None:
        """Be a process that has never heard of orders."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(
            signal.SIGHUP, signal.SIG_DFL
        )  # a test may have ignored it when this process was started
        for end in (self._orders, self._woken, self._wakes, *self._running.values()):
            end.close()


def become(order: Order) -> None:
    """Run a program in this process, as ``python -m`` does."""
    text = order.text
    order.news.close()
    for number, file in enumerate(order.files):
        os.dup2(file, number)
    order.close()
    if text["is_terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if text["ignores_hangup"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.chdir(text["cwd"])
    os.environ.clear()
    os.environ.update(set_by_imports | text["environment"])
    time.tzset()
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr]  # it is no other kind here
    sys.argv = [text["module"], *text["arguments"]]
    sys.path[0] = text["cwd"]
    status = 0
    try:
        runpy.run_module(text["module"], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        status = ended.code or 0
    end(status)


def end(status: int) -> NoReturn:
    """End this process as an interpreter does, but leave its objects to the system.

    An interpreter frees each of them: a fork would have to copy all the memory that it shares, which is most of what a short program costs.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as Py_FinalizeEx does
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status & 0xFF)


def import_everything() -> dict[str, str]:
    """Returns the environment variables that were set meanwhile."""
    before = dict(os.environ)
    # Set by us before gRPC is imported; whatever is imported first here.
    os.environ["GRPC_VERBOSITY"] = "NONE"
    for found in pkgutil.walk_packages(besedka.__path__, "besedka."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in _LATE:
        importlib.import_module(name)
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork would have less than all threads"
    return {name: value for name, value in os.environ.items() if name not in before}


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end their programs
    set_by_imports = import_everything()
    gc.collect()
    gc.freeze()
    if program := Forking(socket.socket(fileno=int(sys.argv[1]))).next_program():
        become(program)
