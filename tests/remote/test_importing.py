"""Posting many messages over gRPC: in order, once, and with a clear error where one is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from besedka import ConnectionFailed, InvalidAddress, JoinRefused, SayRefused, connect, importing
from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote import importing as importing_module
from besedka.remote.backoff import SHORTEST_HOLD_SECONDS
from besedka.remote.importing import Importer
from besedka.remote.transport.grpc_responses import reason_of
from besedka.wire.message import MessageId
from tests import looping
from tests.conftest import ServerMaker
from tests.running import RunningServer, free_port


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server that speaks gRPC."""
    return make_server("--lang", "en", grpc=True).start()


def test_all_is_stored_and_the_ids_are_returned(server: RunningServer) -> None:
    async def scenario() -> None:
        async with importing(server.urls[1], "Anna") as importer:
            assert (importer.room, importer.name) == ("main", "Anna")
            assert [number async for number in importer.say([])] == []
            assert [number async for number in importer.say(["one", "two\nlines"])] == [1, 2]
            many = ["ж" * 5_000] * 300
            assert [number async for number in importer.say(many)] == list(range(3, 303))

    looping.run(scenario())
    assert server.lines[1].endswith("Anna: two")
    assert server.lines[2] == "\tlines"
    assert len(server.lines) == 303


def test_an_importer_is_the_same_person_as_a_room_client(server: RunningServer) -> None:
    url = server.urls[1]

    async def scenario() -> None:
        async with connect(url, "Anna") as anna, importing(url, "Anna") as importer:
            assert [number async for number in importer.say(["one"])] == [1]
            async for message in anna.follow():
                assert not message.is_unverified
                break

    looping.run(scenario())


def test_a_refused_message_ends_the_import_after_those_that_are_stored(server: RunningServer) -> None:
    stored: list[int] = []

    async def scenario() -> None:
        async with importing(server.urls[1], "Anna", "dev") as importer:
            async for number in importer.say(["one", "two", "x" * 5_001, "four"]):
                stored.append(number)  # noqa: PERF401 - it ends in the middle

    with pytest.raises(SayRefused, match="too long") as refused:
        looping.run(scenario())
    assert refused.value.code == "text_too_long"
    assert stored == [1, 2]
    log = server.history.with_name("chat_history.dev.txt")
    assert [line[22:] for line in log.read_text().splitlines()] == ["Anna: one", "Anna: two"]


def test_a_refused_importer_gets_the_reason(server: RunningServer) -> None:
    url = server.urls[1]

    async def come(name: str, room: str = "", url: str = url) -> None:
        async with importing(url, name, room):
            pass

    async def scenario() -> None:
        async with connect(url, "Boris", secret=""):
            with pytest.raises(JoinRefused, match="in use"):
                await come("Boris")
        with pytest.raises(JoinRefused, match="colon"):
            await come("a:b")
        with pytest.raises(JoinRefused, match="room"):
            await come("Anna", "a/b")
        with pytest.raises(ConnectionFailed, match="cannot reach"):
            await come("Anna", url=f"grpc://127.0.0.1:{free_port()}")
        with pytest.raises(InvalidAddress):
            await come("Anna", url="ftp://lab")

    looping.run(scenario())


def test_an_importer_that_loses_its_name_gets_the_reason(server: RunningServer) -> None:
    async def scenario() -> None:
        async with importing(server.urls[1], "Anna", secret="") as importer:
            async with connect(server.urls[1], "Anna", secret=""):
                with pytest.raises(SayRefused, match="in use"):
                    await anext(importer.say(["mine"]))
            assert [number async for number in importer.say(["free again"])] == [1]

    looping.run(scenario())


def test_more_messages_than_one_call_may_hold_are_posted_by_several(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    class Stub:
        async def Import(self, requests: Iterator[pb.ImportRequest], **_: object) -> pb.ImportResponse:  # noqa: N802 - gRPC's
            first = sum(calls) + 1
            calls.append(sum(len(request.messages) for request in requests))
            return pb.ImportResponse(ids=[pb.IdRange(first=first, last=sum(calls))])

    async def scenario() -> list[int]:
        importer = Importer(Stub(), pb.Speaker(room="main", user="Anna"), MessageId(0))
        return [number async for number in importer.say(["one"] * 25)]

    monkeypatch.setattr(importing_module, "CALL_MESSAGES", 10)
    assert looping.run(scenario()) == [*range(1, 26)]
    assert calls == [10, 10, 5]


@pytest.mark.parametrize(("first", "last"), [(1, 2**62), (1, 2), (5, 4)])
def test_ids_that_cannot_be_those_of_the_messages_end_the_import(first: int, last: int) -> None:
    class Stub:
        async def Import(self, *_: object, **__: object) -> pb.ImportResponse:  # noqa: N802 - gRPC's
            return pb.ImportResponse(ids=[pb.IdRange(first=first, last=last)])

    async def scenario() -> list[int]:
        importer = Importer(Stub(), pb.Speaker(room="main", user="Anna"), MessageId(0))
        return [number async for number in importer.say(["one"])]

    with pytest.raises(ConnectionFailed, match="ids that cannot be theirs"):
        looping.run(scenario())


def refusal_of(detail: Message, reason: str = "too_fast") -> grpc.aio.AioRpcError:
    """The error of a call that a server refuses with a detail of its own."""
    status = Status()
    status.details.add().Pack(ErrorInfo(reason=reason))
    status.details.add().Pack(detail)
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.aio.Metadata(), trailing, "no", None)


@pytest.mark.parametrize("nanos", [0, 1, -1])
def test_a_server_that_asks_for_no_pause_is_tried_ever_more_seldom(nanos: int) -> None:
    tried: list[float] = []

    class Stub:
        async def Import(self, *_: object, **__: object) -> pb.ImportResponse:  # noqa: N802 - gRPC's
            raise refusal_of(RetryInfo())

        async def Send(self, *_: object, **__: object) -> pb.SendResponse:  # noqa: N802 - gRPC's
            tried.append(asyncio.get_running_loop().time())
            if len(tried) < 8:
                raise refusal_of(RetryInfo(retry_delay=Duration(nanos=nanos)))
            return pb.SendResponse(id=1)

    async def scenario() -> list[int]:
        importer = Importer(Stub(), pb.Speaker(room="main", user="Anna"), MessageId(0))
        return [number async for number in importer.say(["one"])]

    assert looping.run_jumping(scenario()) == [1]
    assert [round(later - earlier, 1) for earlier, later in pairwise(tried)] == [
        SHORTEST_HOLD_SECONDS * 2**refusals for refusals in range(7)
    ]


def test_no_duration_is_too_long_to_be_read() -> None:
    trailing = refusal_of(RetryInfo(retry_delay=Duration(seconds=2**62))).trailing_metadata()
    assert reason_of(trailing, "") == ("too_fast", 2.0**62)


GARBLED = Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")


@pytest.mark.parametrize("details", [b"\xff", Status(details=[GARBLED]).SerializeToString()])
def test_details_that_are_none_are_an_error(details: bytes) -> None:
    with pytest.raises(ConnectionFailed, match="is not Besedka"):
        reason_of([("grpc-status-details-bin", details)], "")
