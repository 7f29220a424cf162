"""A `grpc.aio` server that hands on what it gets and keeps nothing: each stream has a queue, each message a response.

It has the same service as Besedka's, so the same load speaks to it.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import uvloop

from besedka.proto.besedka.v1 import chat_pb2 as pb

queues: set[asyncio.Queue[bytes]] = set()
count = 0


def deliver(text: str) -> int:
    global count  # noqa: PLW0603 - the smallest server there is
    count += 1
    response = pb.FollowResponse(messages=pb.Messages(messages=[pb.Message(id=count, text=text)]))
    data = response.SerializeToString()
    for queue in queues:
        queue.put_nowait(data)
    return count


async def send(request: pb.SendRequest, _: Any) -> pb.SendResponse:
    return pb.SendResponse(id=deliver(request.text))


async def follow(_: pb.FollowRequest, context: Any) -> None:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    queues.add(queue)
    try:
        await context.write(pb.FollowResponse(caught_up=pb.CaughtUp()).SerializeToString())
        while True:
            await context.write(await queue.get())
    finally:
        queues.discard(queue)


async def import_(requests: AsyncIterator[pb.ImportRequest], _: Any) -> pb.ImportResponse:
    stored = 0
    async for request in requests:
        for message in request.messages:
            deliver(message.text)
            stored += 1
        await asyncio.sleep(0)
    return pb.ImportResponse(count=stored)


async def main() -> None:
    server = grpc.aio.server()
    handlers = {
        "Send": grpc.unary_unary_rpc_method_handler(
            send, pb.SendRequest.FromString, pb.SendResponse.SerializeToString
        ),
        "Follow": grpc.unary_stream_rpc_method_handler(follow, pb.FollowRequest.FromString),
        "Import": grpc.stream_unary_rpc_method_handler(
            import_, pb.ImportRequest.FromString, pb.ImportResponse.SerializeToString
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("besedka.v1.Chat", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print("listening", port, flush=True)
    await server.wait_for_termination()


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
