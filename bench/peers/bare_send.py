"""The least that sends something over a WebSocket: what ``besedka send`` is compared with."""

import asyncio
import sys

from websockets.asyncio.client import connect


async def main(url: str) -> None:
    """Connect, send one frame of the seed's protocol, and close."""
    async with connect(url, compression=None) as socket:
        await socket.send('{"type":"chat","user":"Anna","text":"hi"}')


asyncio.run(main(sys.argv[1]))
