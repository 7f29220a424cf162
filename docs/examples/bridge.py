"""Carries what is said in one room into another, and back: ``python docs/examples/bridge.py URL#ROOM OTHER_URL#ROOM``.

The rooms may be of different servers, reached in different ways.
"""

import asyncio
import sys

from besedka import RoomClient, connect


async def carry(here: RoomClient, there: RoomClient) -> None:
    async for message in here.follow():
        if not message.is_old and not message.is_own:
            # The bridge posts under its own verified name, so each line says who the author is, and whether they are verified.
            lines = message.text.split("\n")
            there.post("\n".join(f"<{message.display_name}> {line}" for line in lines))


async def main(one: str, other: str) -> None:
    async with connect(one, "Bridge") as here, connect(other, "Bridge") as there:
        await asyncio.gather(carry(here, there), carry(there, here))


asyncio.run(main(*sys.argv[1:]))
