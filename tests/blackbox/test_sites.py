"""One customer has many IPv6 networks, and one share: at every door, behind a proxy that says who comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice

import grpc
import pytest
from websockets.exceptions import InvalidStatus

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import Caller
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

OF_ADDRESS = 3
OTHERS = ("2001:db8:2::1", "203.0.113.9")


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server behind a proxy, which the clients say that they are."""
    options = ("--lang", "en", "--behind-proxy", "127.0.0.1", "--open")
    return make_server(*options, "--connections-per-address", str(OF_ADDRESS), grpc=True).start()


def networks() -> Iterator[str]:
    """An address in each network of a customer."""
    return (f"2001:db8:1:{number:x}::1" for number in range(2**16))


def test_the_networks_of_a_site_have_twice_the_connections_of_an_address(server: RunningServer) -> None:
    with ExitStack() as there:

        def come(address: str) -> int:
            """The status of the handshake."""
            try:
                there.enter_context(WireClient(server, additional_headers={"X-Forwarded-For": address}))
            except InvalidStatus as refusal:
                return refusal.response.status_code
            return 101

        statuses = [come(address) for address in islice(networks(), 4 * OF_ADDRESS)]
        assert statuses == [101] * 2 * OF_ADDRESS + [429] * 2 * OF_ADDRESS
        assert [come(address) for address in OTHERS] == [101, 101]


def test_the_networks_of_a_site_have_twice_the_streams_of_an_address_over_grpc(server: RunningServer) -> None:
    with Caller(server) as caller:

        def follow(address: str) -> str:
            """The status of a stream; empty if it was begun."""
            stream = caller.stub.Follow(
                pb.FollowRequest(), metadata=[("x-forwarded-for", address)], timeout=60
            )
            try:
                next(stream)
            except grpc.RpcError as refusal:
                return str(refusal.code().name)
            streams.append(stream)
            return ""

        streams: list[object] = []
        begun = [follow(address) for address in islice(networks(), 4 * OF_ADDRESS)]
        assert begun == [""] * 2 * OF_ADDRESS + ["RESOURCE_EXHAUSTED"] * 2 * OF_ADDRESS
        assert [follow(address) for address in OTHERS] == ["", ""]
