"""Puts the parts of the server together and runs them until a signal, or until the history can no longer be written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Final

import uvicorn

from besedka import __version__
from besedka.serve.chat import Chat
from besedka.serve.doors.pages import pages
from besedka.serve.doors.websocket.besedka import BesedkaTalk
from besedka.serve.doors.websocket.connection import CLOSE_SECONDS, WebSocketDoor
from besedka.serve.doors.websocket.seed import SeedTalk
from besedka.serve.errors import AddressUnusable, HistoryLost
from besedka.serve.history import Restored
from besedka.serve.settings import Settings
from besedka.wire.line import STAMP

BACKLOG: Final = 2_048
"""How many connections may wait to be accepted, when everybody comes back at once."""

LOST_CLOSE_SECONDS: Final = 0.3
"""How long clients may take to answer a close when the history is lost: whoever watches the server must know soon."""

HTTP_STOP_SECONDS: Final = 1
"""How long a half-sent page may take to be finished when the server stops."""


def run(settings: Settings, announce: Callable[[str], None] = print) -> None:
    """Run a server until SIGINT or SIGTERM.

    Args:
        settings: what to serve, and where.
        announce: is given the lines for the person who started it.

    Raises:
        ServeError: if it cannot start, or if the history can no longer be written.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, announce))


async def _serve(settings: Settings, announce: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    chat = Chat(settings)
    try:
        restored = await chat.start()
        listener = _listen(settings.host, settings.port)
        door = WebSocketDoor(
            {
                "/": lambda connection: SeedTalk(connection, chat, settings.language),
                "/ws": lambda connection: BesedkaTalk(connection, chat, settings.language),
            },
            loop.time,
        )
        sweep = loop.create_task(door.sweep())
        async with _web_server(door, listener) as web:
            for line in _greeting(settings, listener, restored):
                announce(line)
            lost = await _stopped_or_lost(chat)
            web.stop_accepting()
            await chat.finish()
            await door.close(LOST_CLOSE_SECONDS if lost else CLOSE_SECONDS)
        sweep.cancel()
    finally:
        await chat.close()
    if lost:
        raise lost


async def _stopped_or_lost(chat: Chat) -> HistoryLost | None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    chat.lost.add_done_callback(lambda _: stop.set())
    await stop.wait()
    return chat.lost.result() if chat.lost.done() else None


class _WebServer(uvicorn.Server):
    """uvicorn, which leaves signals to us and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    def stop_accepting(self) -> None:
        for server in self.servers:
            server.close()


@contextlib.asynccontextmanager
async def _web_server(door: WebSocketDoor, listener: socket.socket) -> AsyncIterator[_WebServer]:
    config = uvicorn.Config(
        pages(),
        http="httptools",
        ws=door.connection,  # type: ignore[arg-type]  # made like a class, and shares the door
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=HTTP_STOP_SECONDS,
    )
    server = _WebServer(config)
    running = asyncio.get_running_loop().create_task(server.serve([listener]))
    await server.listens.wait()
    try:
        yield server
    finally:
        server.should_exit = True
        await running


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).split(" (", 1)[0].lower()
        raise AddressUnusable(host, port, reason) from error


def _greeting(settings: Settings, listener: socket.socket, restored: Restored) -> Iterator[str]:
    host, port = listener.getsockname()[:2]
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else host  # noqa: S104 - compared, not bound
    yield f"Besedka {__version__}"
    yield f"open      http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    yield f"history   {settings.history.absolute()}"
    yield f"restored  {_report(restored, datetime.now(settings.zone).strftime(STAMP))}"
    yield "stop      Ctrl-C"


def _report(restored: Restored, now: str) -> str:
    """What was restored, in one line: ``12 431 messages (2025-03-01 … today), repaired 1 torn line``."""
    if not restored.messages:
        report = "nothing yet, the history is empty"
    else:
        first, last, today = (moment[:10] for moment in (restored.first_stamp, restored.last_stamp, now))
        span = " … ".join(dict.fromkeys("today" if day == today else day for day in (first, last)))
        plural = "" if restored.messages == 1 else "s"
        report = f"{restored.messages:,} message{plural} ({span})".replace(",", "\u202f")
    if restored.torn:
        report += f", repaired 1 torn line ({restored.torn.size} bytes kept in {restored.torn.kept.name})"
    if restored.damaged_line:
        report += f", line {restored.damaged_line} is damaged and shown as it is"
    return report


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    return uvloop.new_event_loop


if __name__ == "__main__":
    # As the first version was started: `cd serve; python main.py`.
    logging.basicConfig(level=logging.WARNING)
    run(Settings())
