"""Failures that nobody awaits write no traceback into a user's terminal."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import grpc
import pytest

from besedka import connect
from besedka.remote.errors import TransportClosed
from besedka.remote.transport.grpc import GrpcTransport
from besedka.wire.frames import Leave
from tests import looping
from tests.conftest import ServerMaker


class EndingCall:
    """A call that ends in the midst of a write."""

    def __init__(self) -> None:
        self.begun, self.ends = asyncio.Event(), asyncio.Event()

    async def write(self, _: object) -> None:
        self.begun.set()
        await self.ends.wait()
        raise asyncio.InvalidStateError("RPC already finished.")

    async def code(self) -> Any:
        return grpc.StatusCode.UNAVAILABLE

    async def details(self) -> str:
        return "gone"

    async def trailing_metadata(self) -> tuple[()]:
        return ()


async def complaints(work: Any) -> list[str]:
    """The reports of asyncio about exceptions of tasks that were never retrieved."""
    reported: list[str] = []

    def take(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # gRPC has one poller for all loops of a process: it may still have something for the loop of another test, which is closed. Ours
        # is not.
        if "PollerCompletionQueue" not in str(context) or "Event loop is closed" not in str(context):
            reported.append(str(context))

    asyncio.get_running_loop().set_exception_handler(take)
    await work
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    return reported


def test_a_cancelled_write_may_fail_unnoticed() -> None:
    async def break_off() -> None:
        call = EndingCall()

        async def ask() -> None: ...

        sending = asyncio.ensure_future(GrpcTransport(call, ask).send(Leave(room="main")))
        await call.begun.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        call.ends.set()
        for _ in range(10):
            await asyncio.sleep(0)

    assert looping.run(complaints(break_off())) == []


def test_a_failed_write_is_raised_to_its_caller() -> None:
    async def fail() -> None:
        call = EndingCall()
        call.ends.set()

        async def ask() -> None: ...

        with pytest.raises(TransportClosed, match="gone"):
            await GrpcTransport(call, ask).send(Leave(room="main"))

    assert looping.run(complaints(fail())) == []


def test_a_server_that_is_killed_under_grpc_clients_leaves_no_complaints(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", "--rate", "0", grpc=True).start()

    async def talk() -> None:
        async with connect(server.urls[1], "Anna") as anna, connect(server.urls[1], "Boris") as boris:
            said = [chat.post(f"message {number}") for number in range(50) for chat in (anna, boris)]
            await asyncio.wait(said, return_when=asyncio.FIRST_COMPLETED)
            server.kill()
            await asyncio.to_thread(server.start)
            await asyncio.gather(*said)

    assert looping.run(complaints(talk())) == []
