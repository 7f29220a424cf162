"""One address that uses every request of every door as fast as it may: ``python -m tests.torture.greedy PORT GRPC_PORT SECONDS``.

It reads all that it is sent, and writes as fast as the server reads. At the end it prints how often it has used each request, as JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Final
from urllib.error import HTTPError

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.proto.besedka.v1.chat_pb2_grpc import ChatStub

EACH: Final = 3
"""Connections that use the same request."""

SECRET: Final = "greedy's own secret"  # noqa: S105 - of nobody
"""Of all its people: who has a name of their own may ask for more."""

Frames = Iterator[dict[str, Any]]

numbers = itertools.count()


def _texts() -> Frames:
    for number in numbers:
        yield {"type": "chat", "text": f"greedy {number}", "key": f"g{number}"}


def _resent() -> Frames:
    for number in numbers:
        yield {"type": "chat", "text": f"never posted {number}", "key": f"r{number}", "after": 0}


def _rooms_to_join() -> Frames:
    for number in numbers:
        yield {"type": "join", "user": f"Greedy {number % 50}", "room": f"greedy-{number}"}
        yield {"type": "leave", "room": f"greedy-{number}"}


def _rooms_that_are_not_there() -> Frames:
    for number in numbers:
        yield {
            "type": "join",
            "user": f"Greedy {number % 50}",
            "room": f"absent-{number}",
            "must_exist": True,
        }


def _always(**frame: object) -> Frames:
    return itertools.repeat(frame)


def _people() -> Frames:
    for number in numbers:
        yield {"type": "private", "room": f"mine-{number}", "key": "p"}
        yield {"type": "invite", "room": f"mine-{number}", "key": "i"}
        yield {"type": "uninvite", "room": f"mine-{number}", "key": "u"}
        yield {"type": "direct", "user": "Victim 0", "key": "d"}
        yield {"type": "add_device", "user": "Greedy", "secret": SECRET, "key": "a"}
        yield {"type": "take_device", "token": f"{number:032}", "key": "t"}
        yield {"type": "moderate", "act": "kick", "user": "Victim 0", "key": "m"}


FRAMES: Final[dict[str, Callable[[], Frames]]] = {
    "chat": _texts,
    "chat with after": _resent,
    "join and leave": _rooms_to_join,
    "join with must_exist": _rooms_that_are_not_there,
    "history": lambda: _always(type="history", before=1 << 40, limit=500),
    "history from a time": lambda: _always(type="history", from_time=1, limit=500),
    "search": lambda: _always(type="search", text="nothing holds this", key="s"),
    "search for marks": lambda: _always(type="search", text="q\u0301\u0323", key="m"),
    "search by author and time": lambda: _always(
        type="search", user="Nobody", from_time=1, to_time=1 << 36, key="a"
    ),
    "rooms": lambda: _always(type="rooms", key="l"),
    "typing": lambda: _always(type="typing"),
    "people": _people,
    "nonsense": lambda: _always(type="nonsense"),
}


class Greedy:
    """All that one address does.

    Args:
        port: of HTTP and WebSocket.
        grpc_port: of gRPC.
    """

    def __init__(self, port: int, grpc_port: int) -> None:
        self._port = port
        self._grpc = f"127.0.0.1:{grpc_port}"
        self.used: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """Use everything, for so many seconds."""
        acts: list[tuple[str, Callable[[str], Awaitable[None]]]] = [
            *((name, self._frames) for name in FRAMES),
            ("seed", self._seed),
            ("handshake", self._handshakes),
            *((f"GET {path}", self._get) for path in ("/", "/history.txt", "/healthz", "/metrics", "/none")),
            *((name, self._calls) for name in self._kinds_of_calls()),
        ]
        tasks = [asyncio.ensure_future(self._for_ever(name, act)) for name, act in acts * EACH]
        await asyncio.wait(tasks, timeout=seconds)

    async def _for_ever(self, name: str, act: Callable[[str], Awaitable[None]]) -> None:
        """Begin anew whenever it is cut off."""
        while True:
            with suppress(OSError, WebSocketException, grpc.aio.AioRpcError):
                await act(name)
            await asyncio.sleep(0.01)

    # WebSocket.

    async def _frames(self, name: str) -> None:
        async with self._connected("/ws") as socket:
            await socket.send(
                json.dumps({"type": "join", "user": f"Greedy {next(numbers)}", "secret": SECRET})
            )
            reading = asyncio.ensure_future(self._read(socket))
            try:
                for frame in FRAMES[name]():
                    await socket.send(json.dumps(frame))
                    self.used[name] += 1
                    if reading.done():
                        return reading.result()
                    await asyncio.sleep(0)
            finally:
                reading.cancel()

    async def _read(self, socket: ClientConnection) -> None:
        async for _ in socket:
            pass

    async def _seed(self, name: str) -> None:
        async with self._connected("/") as socket:
            reading = asyncio.ensure_future(self._read(socket))
            try:
                for number in numbers:
                    await socket.send(json.dumps({"type": "chat", "user": f"Seed {number % 9}", "text": "x"}))
                    self.used[name] += 1
                    await asyncio.sleep(0)
            finally:
                reading.cancel()

    async def _handshakes(self, name: str) -> None:
        self.used[name] += 1
        async with self._connected("/ws"):
            pass

    def _connected(self, path: str) -> connect:
        return connect(f"ws://127.0.0.1:{self._port}{path}", max_size=None, ping_interval=None)

    # HTTP.

    async def _get(self, name: str) -> None:
        url = f"http://127.0.0.1:{self._port}{name.removeprefix('GET ')}"

        def get() -> None:
            with suppress(HTTPError), urllib.request.urlopen(url, timeout=60) as answer:
                answer.read()

        self.used[name] += 1
        await asyncio.to_thread(get)

    # gRPC.

    def _kinds_of_calls(self) -> dict[str, Callable[[Any, grpc.aio.Channel], Awaitable[object]]]:
        return {
            "Send": lambda stub, _: stub.Send(pb.SendRequest(user="Greedy caller", text="x")),
            "Send with after": lambda stub, _: stub.Send(
                pb.SendRequest(user="Greedy caller", text=f"never {next(numbers)}", key="k", after=0)
            ),
            "ListMessages": lambda stub, _: stub.ListMessages(pb.ListMessagesRequest(limit=500)),
            "ListMessages, cancelled": lambda stub, _: _cancelled(
                stub.ListMessages(pb.ListMessagesRequest(limit=500))
            ),
            "ListRooms": lambda stub, _: stub.ListRooms(pb.ListRoomsRequest()),
            "Search": lambda stub, _: stub.Search(pb.SearchRequest(text="nothing holds this")),
            "Follow": lambda stub, _: _first(stub.Follow(pb.FollowRequest(since=0))),
            "Import": lambda stub, _: stub.Import(_imported()),
            "Converse": lambda stub, _: _first(stub.Converse(_conversed())),
            "Check": lambda _, channel: health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest()
            ),
            "connect": lambda _, channel: channel.channel_ready(),
        }

    async def _calls(self, name: str) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        call = self._kinds_of_calls()[name]
        async with grpc.aio.insecure_channel(self._grpc, options) as channel:
            stub = ChatStub(channel)  # type: ignore[no-untyped-call]  # generated
            for _ in range(1 if name == "connect" else 1_000):
                self.used[name] += 1
                try:
                    await asyncio.wait_for(call(stub, channel), 60)
                except (grpc.aio.AioRpcError, TimeoutError):
                    await asyncio.sleep(0.05)


async def _first(call: Any) -> None:
    """Read the first response of a stream, and leave."""
    async for _ in call:
        call.cancel()
        return


async def _cancelled(call: Any) -> None:
    """Cancel a call as soon as it is sent."""
    await call.wait_for_connection()
    await asyncio.sleep(0)
    call.cancel()


async def _imported() -> AsyncIterator[pb.ImportRequest]:
    yield pb.ImportRequest(speaker=pb.Speaker(user="Greedy importer"))
    yield pb.ImportRequest(messages=[pb.ImportedMessage(text="x")] * 100)


async def _conversed() -> AsyncIterator[pb.ConverseRequest]:
    yield pb.ConverseRequest(join=pb.Join(since=0))
    for _ in range(100):
        yield pb.ConverseRequest(list_rooms=pb.ListRooms())


async def main() -> None:
    port, grpc_port, seconds = sys.argv[1:]
    greedy = Greedy(int(port), int(grpc_port))
    await greedy.run(float(seconds))
    sys.stdout.write(json.dumps(greedy.used))
    sys.stdout.flush()
    os._exit(0)  # a request that is not answered yet is not waited for


if __name__ == "__main__":
    asyncio.run(main())
