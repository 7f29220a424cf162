"""Says each line of its input: ``journalctl -f | python docs/examples/log_shipper.py grpc://localhost:50051 web1``.

It ends when the input does and all of it is on the server's disk.
"""

import asyncio
import sys

from besedka import connect


async def main(url: str, name: str) -> None:
    async with connect(url, name) as room:
        said = None
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip():
                said = room.post(line.rstrip("\n"))
        if said:
            await said


asyncio.run(main(*sys.argv[1:]))
