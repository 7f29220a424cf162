"""A peer of the benchmark: python-socketio as an ASGI application on uvicorn; one `emit` for every message."""

from __future__ import annotations

import socket
from importlib import import_module

import uvicorn

# Published without types, and installed by `make bench` only.
socketio = import_module("socketio")

server = socketio.AsyncServer(async_mode="asgi")


@server.event  # type: ignore[untyped-decorator]  # without types
async def chat(_member: str, text: str) -> None:
    """Hand on what one member says, as it came."""
    await server.emit("chat", text)


def main() -> None:
    """Serve on a free port, and say which."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print("listening", listening.getsockname()[1], flush=True)
    config = uvicorn.Config(socketio.ASGIApp(server), log_level="error", ws_per_message_deflate=False)
    uvicorn.Server(config).run(sockets=[listening])


main()
