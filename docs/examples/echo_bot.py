"""Answers whoever asks it: ``python docs/examples/echo_bot.py ws://localhost:8765``."""

import asyncio
import sys

from besedka import connect


async def main(url: str) -> None:
    async with connect(url, "Echo") as room:
        async for message in room.follow():
            if message.text.startswith("Echo, ") and not message.is_old and not message.is_own:
                said = message.text.removeprefix("Echo, ").partition("\n")[0]
                await room.say(f"{message.display_name} says {said}")


asyncio.run(main(*sys.argv[1:]))
