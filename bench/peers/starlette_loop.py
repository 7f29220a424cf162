"""A peer of the benchmark: Starlette on uvicorn, a `send_text` for each member in a loop, as in its tutorials."""

from __future__ import annotations

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

JOINED = "joined"

members: set[WebSocket] = set()


async def chat(socket: WebSocket) -> None:
    """Hand on what one member says, as it came, until it goes."""
    await socket.accept()
    members.add(socket)
    try:
        await socket.send_text(JOINED)
        while True:
            text = await socket.receive_text()
            for member in tuple(members):
                await member.send_text(text)
    except WebSocketDisconnect:
        pass
    finally:
        members.discard(socket)


def main() -> None:
    """Serve on a free port, and say which."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print("listening", listening.getsockname()[1], flush=True)
    app = Starlette(routes=[WebSocketRoute("/", chat)])
    config = uvicorn.Config(app, log_level="error", ws_per_message_deflate=False)
    uvicorn.Server(config).run(sockets=[listening])


main()
