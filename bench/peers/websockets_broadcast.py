"""A peer of the benchmark: `websockets.broadcast`, the way that its documentation recommends, on uvloop."""

from __future__ import annotations

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

JOINED = "joined"

members: set[ServerConnection] = set()


async def chat(connection: ServerConnection) -> None:
    """Hand on what one member says, as it came, until it goes."""
    members.add(connection)
    try:
        await connection.send(JOINED)
        async for text in connection:
            broadcast(members, text)
    finally:
        members.discard(connection)


async def main() -> None:
    """Serve on a free port, and say which."""
    async with serve(chat, "127.0.0.1", 0, compression=None) as server:
        print("listening", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


uvloop.run(main())
