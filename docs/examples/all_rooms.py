"""Prints what is said in all rooms, over one connection: ``python docs/examples/all_rooms.py ws://localhost:8765``.

Nobody sees that it reads.
"""

import asyncio
import sys

from besedka import RoomClient, connect


async def print_all(room: RoomClient) -> None:
    async for message in room.follow():
        if not message.is_old:
            text = message.text.replace("\n", "\n\t")
            print(f"#{room.room} {message.display_name}: {text}", flush=True)  # noqa: T201 - what it is for


async def main(url: str) -> None:
    async with connect(url, "") as first:
        others = [entry.name for entry in await first.rooms() if entry.name != first.room]
        rooms = [first, *await asyncio.gather(*map(first.join, others))]
        print("in", len(rooms), "rooms", flush=True)  # noqa: T201
        await asyncio.gather(*map(print_all, rooms))


asyncio.run(main(*sys.argv[1:]))
