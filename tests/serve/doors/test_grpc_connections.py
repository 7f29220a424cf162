"""Connections that are passed on to the gRPC server, in a loop of the server's own kind."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import pytest
import uvloop

from besedka.serve.doors.forwarded import Proxies
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.connections import Connection, Connections
from besedka.serve.limits.descriptors import Capacity
from besedka.serve.limits.rate_limits import (
    FRAMES_AT_LEAST,
    FRAMES_SECONDS,
    HANDSHAKE_FRAMES,
    REFUSED_FRAMES,
    RateLimiter,
    RateLimits,
    Source,
)
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


class FakeCall:
    """A call as gRPC hands it over."""

    def __init__(self, peer: str, *metadata: tuple[str, str]) -> None:
        self._peer = peer
        self._metadata = metadata

    def peer(self) -> str:
        return self._peer

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata


CALLS: Final = 5
LONGEST: Final = 30.0
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FORWARDED: Final = ("x-forwarded-for", "192.0.2.1")


def frames_left(limiter: RateLimiter) -> int:
    """How many frames may come at once from a connection; they are charged."""
    for count in range(int(FRAMES_AT_LEAST * FRAMES_SECONDS), 0, -1):
        with suppress(Refused):
            limiter.charge_call(0.0, count, 0.0)
            return count
    return 0


async def make_calls(
    trusted: str, metadata: Sequence[tuple[str, str]], has_key: bool
) -> tuple[RateLimiter, ...]:
    """The rate limits of calls, and those of the connection that they come over, if it has others."""
    clients = Clients(StrangersOnly(RateLimits(rate=1, rate_address=1)), Proxies([trusted]))
    connections = clients.connections = Connections(clients, Capacity(), Metrics(), lambda: 0.0)
    path = "\0" + connections.address.partition(":")[2]
    served: list[asyncio.StreamWriter] = []
    inside = await asyncio.start_unix_server(lambda _, writer: served.append(writer), path)
    listener = socket.create_server(("127.0.0.1", 0))
    async with inside, connections.open(listener):
        with socket.create_connection(listener.getsockname()) as client:
            client.sendall(PREFACE)
            await until(lambda: served)
            (connection,) = connections
            for stream in range(1, 2 * CALLS, 2):
                client.sendall(b"\0\0\1\1\0" + stream.to_bytes(4, "big") + b"h")
            await until(lambda: connection.half_open.begun == CALLS)
            call = FakeCall(connection.peer, *metadata)
            limiter = clients.limiter(call)
            for _ in range(CALLS):
                if has_key:
                    assert clients.charge_call(call, limiter, 0.0, LONGEST) == 0
                else:
                    clients.charge_refusal(call, 0.0)
            beside = connection.limiters.get(False, limiter)
        await until(lambda: not connections.count)
        for writer in served:
            writer.close()
    return (limiter,) if limiter is beside else (limiter, beside)


class StrangersOnly(Sources):
    """Sources of which none is this machine."""

    def admit(
        self,
        host: str,
        *,
        counts: bool = True,
        is_limited: bool = False,  # noqa: ARG002 - all of them are
        descriptors: int = 1,
    ) -> Source:
        return super().admit(host, counts=counts, is_limited=True, descriptors=descriptors)


@pytest.mark.parametrize(
    ("has_key", "price"), [(True, 1), (False, REFUSED_FRAMES)], ids=["handled", "refused"]
)
@pytest.mark.parametrize(
    ("trusted", "metadata"),
    [("192.0.2.9", []), ("192.0.2.9", [FORWARDED]), ("127.0.0.1", [FORWARDED])],
    ids=["a client", "a client that says that it acts for another", "a trusted proxy"],
)
def test_a_call_is_charged_once_and_to_the_client_for_whom_it_is(
    trusted: str, metadata: Sequence[tuple[str, str]], has_key: bool, price: int
) -> None:
    limiter, *beside = looping.run(make_calls(trusted, metadata, has_key))
    burst = int(FRAMES_AT_LEAST * FRAMES_SECONDS)
    handshake = 0 if limiter.is_forwarded else HANDSHAKE_FRAMES
    assert frames_left(limiter) == burst - handshake - CALLS * price
    assert [frames_left(one) for one in beside] == [burst - HANDSHAKE_FRAMES] * len(beside)


def test_a_call_of_the_last_connection_that_has_ended_does_not_count_as_this_machine() -> None:
    async def scenario() -> None:
        clients = Clients(Sources(RateLimits()))
        clients.connections = Connections(clients, Capacity(), Metrics(), asyncio.get_running_loop().time)
        assert not clients.connections.count
        inside = clients.connections.address.rpartition("-")[0] + "-4711"
        with pytest.raises(Refused) as refused:
            clients.limiter(FakeCall(inside))
        assert refused.value.code is ErrorCode.NO_ACCESS
        assert clients.limiter(FakeCall("unix:/run/chat.sock")).is_own_program
        with pytest.raises(ValueError, match="vsock"):
            clients.limiter(FakeCall("vsock:3:4711"))

    looping.run(scenario())
