"""Connections that are passed on to the gRPC server, in a loop of the server's own kind."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import uvloop

from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.connections import Connection, Connections
from besedka.serve.limits.descriptors import Capacity
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.metrics import Metrics
from besedka.wire.errors import ErrorCode, Refused
from tests import looping
from tests.looping import until


def leave_at_once(address: tuple[str, int]) -> None:
    socket.create_connection(address).close()


async def pass_on_many_that_leave_at_once() -> None:
    connections = Connections(
        Clients(Sources(RateLimits())), Capacity(), Metrics(), asyncio.get_running_loop().time
    )
    path = "\0" + connections.address.partition(":")[2]
    inside = await asyncio.start_unix_server(lambda _, writer: writer.close(), path)
    listener = socket.create_server(("127.0.0.1", 0))
    async with inside, connections.open(listener):
        for _ in range(50):
            await asyncio.to_thread(leave_at_once, listener.getsockname())
            await until(lambda: not connections.count)


def test_no_descriptor_of_a_connection_that_has_ended_is_closed_once_more() -> None:
    """By then its number may be that of another connection."""

    def in_thread() -> list[warnings.WarningMessage]:
        with warnings.catch_warnings(record=True, action="always", category=ResourceWarning) as caught:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(pass_on_many_that_leave_at_once())
            gc.collect()
        return caught

    with ThreadPoolExecutor(1) as thread:
        assert [str(warning.message) for warning in thread.submit(in_thread).result()] == []


async def look_after_a_faulty_one_and_another(looked_after: list[Connection]) -> None:
    connections = Connections(
        Clients(Sources(RateLimits())), Capacity(), Metrics(), asyncio.get_running_loop().time
    )
    path = "\0" + connections.address.partition(":")[2]
    served: list[asyncio.StreamWriter] = []
    inside = await asyncio.start_unix_server(lambda _, writer: served.append(writer), path)
    listener = socket.create_server(("127.0.0.1", 0))
    async with inside, connections.open(listener):
        with (
            socket.create_connection(listener.getsockname()),
            socket.create_connection(listener.getsockname()),
        ):
            await until(lambda: connections.count == len(served) == 2)
            connections.look_after(0.0)
            assert len(looked_after) == 2
            await until(lambda: connections.count == 1)
        await until(lambda: not connections.count)
        for writer in served:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def test_a_faulty_connection_is_cut_off_and_the_others_are_looked_after(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looked_after: list[Connection] = []

    def check_deadlines(connection: Connection, _: float) -> None:
        looked_after.append(connection)
        if len(looked_after) == 1:
            raise ValueError("a fault")

    monkeypatch.setattr(Connection, "check_deadlines", check_deadlines)
    looping.run(look_after_a_faulty_one_and_another(looked_after))
    assert "a gRPC connection could not be looked after" in caplog.text


class FromElsewhere(Clients):
    """Clients that all count as if they came from another machine."""

    def admit_connection(self, host: str) -> RateLimiter | None:
        sources = Sources(RateLimits(rate=1, rate_address=1))
        return sources.limiter(sources.admit(host, is_limited=True))


async def send_much(clients: Clients, is_held: bool) -> None:
    connections = Connections(clients, Capacity(), Metrics(), asyncio.get_running_loop().time)
    path = "\0" + connections.address.partition(":")[2]
    received = 0

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        while piece := await reader.read(65_536):
            received += len(piece)
        writer.close()

    inside = await asyncio.start_unix_server(read, path)
    listener = socket.create_server(("127.0.0.1", 0))
    async with inside, connections.open(listener):
        with socket.create_connection(listener.getsockname()) as client:
            await until(lambda: connections.count == 1)
            (connection,) = connections
            client.settimeout(60)
            sending = asyncio.get_running_loop().run_in_executor(None, client.sendall, bytes(MUCH))
            await until(lambda: connection.outer.is_held or received == MUCH)
            assert connection.outer.is_held is is_held
            connection.abort()
            with suppress(ConnectionError):
                await sending
        await until(lambda: not connections.count)


MUCH = 4 * 1024 * 1024


@pytest.mark.parametrize(("clients", "is_held"), [(FromElsewhere, True), (Clients, False)])
def test_a_client_pays_for_its_bytes_whether_they_become_calls_or_not(
    clients: type[Clients], is_held: bool
) -> None:
    """Calls that are cancelled at once reach no handler, and cost the server all the same; programs on this machine are free."""
    looping.run(send_much(clients(Sources(RateLimits(rate=1, rate_address=1))), is_held))


class LateCall:
    """A call whose connection has ended, as gRPC may still hand it over."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer

    def invocation_metadata(self) -> tuple[()]:
        return ()


def test_a_call_of_the_last_connection_that_has_ended_does_not_count_as_this_machine() -> None:
    async def scenario() -> None:
        clients = Clients(Sources(RateLimits()))
        clients.connections = Connections(clients, Capacity(), Metrics(), asyncio.get_running_loop().time)
        assert not clients.connections.count
        inside = clients.connections.address.rpartition("-")[0] + "-4711"
        with pytest.raises(Refused) as refused:
            clients.limiter(LateCall(inside))
        assert refused.value.code is ErrorCode.NO_ACCESS
        assert clients.limiter(LateCall("unix:/run/chat.sock")).is_own_program
        with pytest.raises(ValueError, match="vsock"):
            clients.limiter(LateCall("vsock:3:4711"))

    looping.run(scenario())
