"""A load for gRPC servers: ``grpc_load.py PORT follow|send|import COUNT``.

It says `ready` when all is prepared, begins when a line comes in, and answers with one JSON object. Every message carries its
number; every reader checks that the numbers go up by one. Without streams of its own (`send`, `import`) the ids are checked.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import uvloop

from besedka.proto.besedka.v1 import chat_pb2 as pb

STREAMS = 200
CALLERS = 64
PACKED = 50
"""Messages in one request of `Import`; while streams follow, only so many are on their way."""

TEXT = "~m{}~ and so on, until it is forty-five long"
MARK = re.compile(rb"~m(\d+)~")
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]


class Reader:
    """One stream of `Follow`: counts, without taking responses apart."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        call = channel.unary_stream("/besedka.v1.Chat/Follow", pb.FollowRequest.SerializeToString, None)
        self._stream = call(pb.FollowRequest())
        self.ready = asyncio.Event()
        self.heard = 0
        self.more = asyncio.Event()

    async def read(self) -> None:
        while isinstance(data := await self._stream.read(), bytes):
            self.ready.set()
            for mark in MARK.findall(data):
                if int(mark) != self.heard:
                    sys.exit(f"heard {int(mark)} instead of {self.heard}")
                self.heard += 1
            self.more.set()

    async def has(self, count: int) -> None:
        while self.heard < count:
            self.more.clear()
            await self.more.wait()


def packed(first: int) -> pb.ImportRequest:
    numbers = range(first, first + PACKED)
    return pb.ImportRequest(
        messages=[pb.ImportedMessage(text=TEXT.format(number).ljust(45)[:45]) for number in numbers]
    )


async def begun() -> float:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    return time.perf_counter()


async def follow(channels: list[grpc.aio.Channel], count: int) -> dict[str, Any]:
    readers = [Reader(channels[number % len(channels)]) for number in range(STREAMS)]
    reading = [asyncio.ensure_future(reader.read()) for reader in readers]
    for reader in readers:
        await reader.ready.wait()
    await asyncio.sleep(1)

    async def requests() -> AsyncIterator[pb.ImportRequest]:
        yield pb.ImportRequest(speaker=pb.Speaker(user="load"))
        for first in range(0, count, PACKED):
            # A slow one of them is enough to be waited for: a queue in the server would tell us nothing.
            await readers[first // PACKED % STREAMS].has(first - 3 * PACKED)
            yield packed(first)

    start = await begun()
    imported = asyncio.ensure_future(importing(channels[0], requests()))
    for reader in readers:
        await reader.has(count)
    seconds = time.perf_counter() - start
    await imported
    for task in reading:
        task.cancel()
    return {"seconds": seconds, "done": STREAMS * count}


async def importing(
    channel: grpc.aio.Channel, requests: AsyncIterator[pb.ImportRequest]
) -> pb.ImportResponse:
    call = channel.stream_unary(
        "/besedka.v1.Chat/Import", pb.ImportRequest.SerializeToString, pb.ImportResponse.FromString
    )
    answer: pb.ImportResponse = await call(requests)
    return answer


async def import_(channels: list[grpc.aio.Channel], count: int) -> dict[str, Any]:
    made = [pb.ImportRequest(speaker=pb.Speaker(user="load")), *map(packed, range(0, count, PACKED))]

    async def requests() -> AsyncIterator[pb.ImportRequest]:
        for request in made:
            yield request

    start = await begun()
    answer = await importing(channels[0], requests())
    seconds = time.perf_counter() - start
    if answer.count != count:
        sys.exit(f"{answer.count} stored instead of {count}")
    return {"seconds": seconds, "done": count}


async def send(channels: list[grpc.aio.Channel], count: int) -> dict[str, Any]:
    ids: list[int] = []

    async def call(caller: int) -> None:
        send = channels[caller % len(channels)].unary_unary(
            "/besedka.v1.Chat/Send", pb.SendRequest.SerializeToString, pb.SendResponse.FromString
        )
        for number in range(count // CALLERS):
            request = pb.SendRequest(
                user=f"caller {caller}", text=TEXT.format(number)[:45], key=f"{caller}-{number}"
            )
            ids.append((await send(request)).id)

    start = await begun()
    await asyncio.gather(*map(call, range(CALLERS)))
    seconds = time.perf_counter() - start
    if sorted(ids) != list(range(1, len(ids) + 1)):
        sys.exit("ids have holes, or are given twice")
    return {"seconds": seconds, "done": len(ids)}


async def main(port: str, what: str, count: str) -> None:
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) for _ in range(4)]
    done = await {"follow": follow, "send": send, "import": import_}[what](channels, int(count))
    print(json.dumps(done), flush=True)
    for channel in channels:
        await channel.close(None)


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main(*sys.argv[1:]))
