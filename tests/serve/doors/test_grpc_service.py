"""The gRPC service where something is wrong: errors of ours, clients that are gone or do not read, rooms about to close."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from google.protobuf.message import Message

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.chat import Chat
from besedka.serve.doors.forwarded import Client, Proxies
from besedka.serve.doors.grpc import calls
from besedka.serve.doors.grpc import service as grpc_service
from besedka.serve.doors.grpc.clients import Clients
from besedka.serve.doors.grpc.converse import ConverseStream, ConverseSubscriber
from besedka.serve.doors.grpc.service import LAST_WORDS_SECONDS, ChatService
from besedka.serve.doors.grpc.stream import UNREAD_BYTES
from besedka.serve.errors import StorageFull
from besedka.serve.history import ChatHistory
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits
from besedka.serve.limits.sources import Sources
from besedka.serve.people.audit_entry import AuditEntry
from besedka.serve.people.names import Names, claim_of
from besedka.serve.people.person import Person
from besedka.serve.room import Room
from besedka.serve.session import ChatSession
from besedka.serve.settings import Settings
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Act, History
from besedka.wire.message import MessageId
from tests import looping
from tests.looping import jump, settle, until
from tests.serve.faking import services

PEER = "ipv4:192.0.2.1:5000"


class FakeContext:
    """A call of which one sees what is written and how it ends.

    Attributes:
        written: the kinds of all responses.
        ended: the status with which it was ended.
        is_stuck: nobody reads what is written.
        metadata: what came along.
    """

    def __init__(self, *metadata: tuple[str, str | bytes], is_stuck: bool = False) -> None:
        self.metadata = metadata
        self.written: list[str | None] = []
        self.ended: tuple[grpc.StatusCode, str] | None = None
        self.is_stuck = is_stuck

    def peer(self) -> str:
        return PEER

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self.metadata

    async def write(self, data: bytes) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        self.written.append(pb.ConverseResponse.FromString(data).WhichOneof("event"))

    async def abort(self, code: grpc.StatusCode, sentence: str, _: object) -> None:
        self.ended = (code, sentence)
        raise grpc.aio.AbortError


async def started(
    directory: Path, clients: Clients | None = None, names: Names = Names.CLAIMED
) -> tuple[Chat, Room, ChatService]:
    chat = Chat(Settings(history=directory / "talk.txt", names=names))
    await chat.start()
    room = await chat.rooms.for_operator("main")
    assert isinstance(room, Room)
    return (
        chat,
        room,
        ChatService(services(chat), clients or Clients(Sources(RateLimits()))),
    )


async def without_end(requests: Iterable[object]) -> AsyncIterator[object]:
    """These, and then nothing more, without an end."""
    for one in requests:
        yield one
    await asyncio.Event().wait()


def called(service: ChatService, method: str, context: FakeContext, *requests: Message) -> asyncio.Task[Any]:
    """Call a method as gRPC does, with what its reader makes of the bytes of its request, or of its requests without an end."""
    handler: Any = service.handlers()[method]
    read = [handler.request_deserializer(request.SerializeToString()) for request in requests]
    act = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    return asyncio.ensure_future(act(without_end(read) if handler.request_streaming else read[0], context))


JOIN = pb.ConverseRequest(join=pb.Join(user="Anna"))


def converse(service: ChatService, context: FakeContext, *given: pb.ConverseRequest) -> asyncio.Task[Any]:
    return called(service, "Converse", context, *given)


async def until_there(room: Room) -> None:
    await until(lambda: room.presence.count)


def test_a_call_that_is_cancelled_twice_leaves_its_rooms(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        talking = converse(service, FakeContext(), JOIN)
        await until_there(room)
        # As a withdrawn key and the client itself do at the same moment.
        talking.cancel()
        await asyncio.sleep(0)
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        assert room.presence.names() == []
        await chat.close()

    looping.run(scenario())


def test_an_error_of_ours_ends_its_call_with_a_status_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def page(*_: object, **__: object) -> History:
        raise OSError(5, "Input/output error")

    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        monkeypatch.setattr(chat.log_reader, "page", page)
        context, neighbour = FakeContext(), FakeContext()
        talking = converse(service, neighbour, pb.ConverseRequest(join=pb.Join(user="Boris")))
        ask = pb.ConverseRequest(history=pb.ListHistory(before=1))
        with pytest.raises(grpc.aio.AbortError):
            await converse(service, context, JOIN, ask)
        assert context.ended == (grpc.StatusCode.INTERNAL, "the server has made an error")
        assert room.presence.names() == ["Boris"]
        assert neighbour.ended is None
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        await chat.close()

    looping.run(scenario())
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info
    assert "Input/output error" in str(record.exc_info[1])


def test_a_call_that_cannot_be_disconnected_is_ended_all_the_same_and_that_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        context = FakeContext()
        talking = converse(service, context, JOIN)
        await until_there(room)
        (session,) = chat.directory.sessions
        with monkeypatch.context() as broken:
            broken.setattr(ChatSession, "end", fail)
            chat.directory.disconnect([session], CloseCode.KICKED, Refused(ErrorCode.NOT_ALLOWED, why=""))
        async with asyncio.timeout(60):
            with pytest.raises(grpc.aio.AbortError):
                await talking
        assert context.ended == (grpc.StatusCode.INTERNAL, "the server has made an error")
        assert room.presence.count == 0
        await chat.close()

    def fail(_: ChatSession) -> None:
        raise ZeroDivisionError

    looping.run(scenario())
    (record,) = caplog.records
    assert record.exc_info


def test_responses_are_written_before_the_status_of_a_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        context = FakeContext()
        with pytest.raises(grpc.aio.AbortError):
            await converse(service, context, JOIN, JOIN, pb.ConverseRequest())
        assert [kind for kind in context.written if kind != "presence"] == ["welcome", "refused"]
        assert context.ended
        assert context.ended[0] is grpc.StatusCode.INVALID_ARGUMENT
        assert room.presence.count == 0
        await chat.close()

    looping.run(scenario())


def test_who_breaks_the_protocol_and_does_not_read_is_not_waited_for_long(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        context = FakeContext(is_stuck=True)
        call = converse(service, context, JOIN, pb.ConverseRequest())
        await until_there(room)
        await settle()
        await jump(LAST_WORDS_SECONDS - 1)
        assert not call.done()
        await jump(1)
        async with asyncio.timeout(60):
            with pytest.raises(grpc.aio.AbortError):
                await call
        assert context.ended
        assert room.presence.count == 0
        await chat.close()

    looping.run(scenario())


def test_unread_answers_are_bounded_by_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0

    async def page(*_: object, **__: object) -> History:
        nonlocal taken
        taken += 1
        return History("main", 1, [f"[2026-11-29 10:00:00] Anna: {'x' * 30_000}"])

    async def scenario() -> None:
        chat, _, service = await started(tmp_path)
        monkeypatch.setattr(chat.log_reader, "page", page)
        ask = pb.ConverseRequest(history=pb.ListHistory(before=2))
        call = converse(service, FakeContext(is_stuck=True), JOIN, *[ask] * 20)
        await until(lambda: taken)
        for _ in range(20):
            await settle()
        assert taken * 30_000 <= UNREAD_BYTES + 30_000
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await chat.close()

    looping.run(scenario())


def test_a_client_that_is_gone_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_service, "LAST_WORDS_SECONDS", 600.0)

    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        call = converse(service, FakeContext(is_stuck=True), JOIN)
        await until_there(room)
        call.cancel()
        async with asyncio.timeout(60):
            with pytest.raises(asyncio.CancelledError):
                await call
        assert room.presence.count == 0
        await chat.close()

    looping.run(scenario())


def test_nothing_follows_the_status_that_the_server_goes_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        context = FakeContext()
        call = converse(service, context, JOIN)
        await until_there(room)
        await chat.finish()
        await service.end_streams(1)
        with pytest.raises(grpc.aio.AbortError):
            await call
        assert context.ended
        assert context.ended[0] is grpc.StatusCode.UNAVAILABLE
        await chat.close()

    looping.run(scenario())


def test_a_call_that_waits_for_its_turn_and_is_cancelled_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a call that may begin at once does so."""
    pages: list[Room] = []

    async def page(room: Room, *_: object, **__: object) -> History:
        pages.append(room)
        return History("main", 1, [])

    async def scenario() -> None:
        clients = Clients(Sources(RateLimits(rate=1)))
        chat, room, service = await started(tmp_path, clients)
        monkeypatch.setattr(chat.log_reader, "page", page)
        await called(service, "ListMessages", FakeContext(), pb.ListMessagesRequest())
        assert pages == [room]
        clients.limiter(FakeContext()).charge_frames(chat.clock.now(), 400)
        waiting = called(service, "ListMessages", FakeContext(), pb.ListMessagesRequest())
        await settle()
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert pages == [room]
        await chat.close()

    looping.run(scenario())


@pytest.mark.parametrize("kind", ["ListRooms", "Search", "ListMessages"])
def test_who_is_banned_while_a_call_waits_for_its_turn_reads_nothing(tmp_path: Path, kind: str) -> None:
    request = {
        "ListRooms": pb.ListRoomsRequest(),
        "Search": pb.SearchRequest(text="x"),
        "ListMessages": pb.ListMessagesRequest(),
    }[kind]

    async def scenario() -> None:
        clients = Clients(Sources(RateLimits(rate=1)))
        chat, _, service = await started(tmp_path, clients)
        clients.limiter(FakeContext()).charge_frames(chat.clock.now(), 400)
        context = FakeContext()
        waiting = called(service, kind, context, request)
        await settle()
        chat.directory.moderation.apply(replace(BAN, addresses=("192.0.2.1",)))
        await jump(calls.WAIT_SECONDS_AT_MOST)
        await asyncio.wait([waiting], timeout=60)
        assert isinstance(waiting.exception(), grpc.aio.AbortError)
        assert context.ended
        assert context.ended[0] is grpc.StatusCode.PERMISSION_DENIED
        await chat.close()

    looping.run(scenario())


def test_who_is_banned_while_the_list_of_rooms_is_held_back_does_not_receive_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("besedka.serve.limits.rate_limits.LIST_BYTES", 0.1)

    async def scenario() -> None:
        clients = Clients(Sources(RateLimits(rate=1)))
        chat, _, service = await started(tmp_path, clients)
        context = FakeContext()
        waiting = called(service, "ListRooms", context, pb.ListRoomsRequest())
        await until(lambda: clients.limiter(context).delay(chat.clock.now()))
        await settle()
        chat.directory.moderation.apply(replace(BAN, addresses=("192.0.2.1",)))
        await jump(clients.limiter(context).delay(chat.clock.now()) + 1)
        await asyncio.wait([waiting], timeout=60)
        assert isinstance(waiting.exception(), grpc.aio.AbortError)
        await chat.close()

    looping.run(scenario())


SPEAKER = pb.ImportRequest(speaker=pb.Speaker(user="Anna"))


def test_an_import_that_falls_silent_counts_as_a_stream_and_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        clients = Clients(Sources(RateLimits(connections_per_address=1)))
        chat, _, service = await started(tmp_path, clients)
        context, second = FakeContext(), FakeContext()
        silent = called(service, "Import", context, SPEAKER)
        await until(lambda: list(chat.directory.sessions))
        with pytest.raises(grpc.aio.AbortError):
            await called(service, "Import", second, SPEAKER)
        assert second.ended
        assert second.ended[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        await settle()
        await jump(calls.IMPORT_SECONDS - 1)
        assert not silent.done()
        await jump(1)
        async with asyncio.timeout(60):
            with pytest.raises(grpc.aio.AbortError):
                await silent
        assert context.ended
        assert context.ended[0] is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not list(chat.directory.sessions)
        assert not clients.limiter(context).source.streams
        await chat.close()

    looping.run(scenario())


def test_a_unary_call_that_takes_too_long_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def page(*_: object, **__: object) -> History:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario() -> None:
        chat, room, service = await started(tmp_path)
        monkeypatch.setattr(chat.log_reader, "page", page)
        context = FakeContext()
        waiting = called(service, "ListMessages", context, pb.ListMessagesRequest())
        await until(lambda: room.holds)
        await jump(calls.CALL_SECONDS - 1)
        assert not waiting.done()
        await jump(1)
        async with asyncio.timeout(60):
            with pytest.raises(grpc.aio.AbortError):
                await waiting
        assert context.ended
        assert context.ended[0] is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not room.holds
        await chat.close()

    looping.run(scenario())


def test_a_stream_reads_nothing_of_a_room_from_which_it_was_removed_while_it_wrote(tmp_path: Path) -> None:
    class TwoRooms(ConverseStream):
        """A stream that is in two rooms, and is removed from the second while it writes the messages of the first."""

        rooms: ClassVar[list[tuple[Room, ConverseSubscriber]]] = []

        def subscriptions(self) -> list[tuple[Room, ConverseSubscriber]]:
            return self.rooms

    async def scenario() -> None:
        chat, _, _ = await started(tmp_path)
        history = "[2026-01-01 00:00:00] Old: one\n"
        written: list[bytes] = []

        async def write(data: bytes) -> None:
            written.append(data)
            room, member = stream.rooms.pop()
            chat.subscriptions.leave(room, member)
            stream.end()

        sources = Sources(RateLimits())
        stream = TwoRooms(services(chat), sources.limiter(sources.admit("127.0.0.1")), write)
        for name in ("a", "b"):
            (tmp_path / f"talk.{name}.txt").write_text(history)
            room = await chat.rooms.for_operator(name)
            member = ConverseSubscriber(Person(), room, stream, is_seen=False)
            chat.subscriptions.enter(room, member)
            stream.rooms.append((room, member))
        await stream.run()
        assert len(written) == 1
        await chat.close()

    looping.run(scenario())


def test_a_room_that_is_about_to_be_followed_is_held(tmp_path: Path) -> None:
    rooms: list[Room] = []
    held: list[int] = []

    class WatchedPeers(Clients):
        @contextmanager
        def stream(self, limiter: RateLimiter) -> Iterator[None]:
            held.append(rooms[0].holds)
            with super().stream(limiter):
                yield

    async def scenario() -> None:
        chat, room, service = await started(tmp_path, WatchedPeers(Sources(RateLimits())))
        rooms.append(room)
        following = called(service, "Follow", FakeContext(), pb.FollowRequest())
        await until(lambda: room.behind_count + room.live_count)
        assert held == [1]
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert (room.holds, room.is_idle) == (0, True)
        await chat.close()

    looping.run(scenario())


def test_a_connection_and_its_address_have_one_pace_and_one_bucket() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=1))
    clients = Clients(sources)

    def said(limiter: RateLimiter, now: float) -> int:
        for count in range(100):
            try:
                limiter.charge_message(now)
            except Refused:
                return count
        return 100

    limiter = clients.limiter(FakeContext())
    assert said(limiter, 0.0) == 10
    sources.forget(20.0)
    by_socket = sources.limiter(sources.admit("192.0.2.1"))
    assert said(by_socket, 20.0) == 10
    assert clients.limiter(FakeContext()) is limiter
    assert said(limiter, 20.0) == 0


def test_each_of_those_for_whom_a_proxy_calls_has_a_pace_and_his_address_counts() -> None:
    clients = Clients(Sources(RateLimits(connections_per_address=1)), Proxies(["192.0.2.1/32"]))
    anna, boris = (
        FakeContext(("x-forwarded-for", host), ("trace-bin", b"\xff"))
        for host in ("203.0.113.7", "203.0.113.8")
    )
    of_anna, of_boris = clients.limiter(anna), clients.limiter(boris)
    assert clients.limiter(anna) is of_anna
    assert of_anna is not of_boris
    assert str(of_anna.source.network) == "203.0.113.7"
    with clients.stream(of_anna), clients.stream(of_boris), pytest.raises(Refused), clients.stream(of_anna):
        raise AssertionError


def test_a_call_through_an_unknown_proxy_is_of_no_program_of_this_machine() -> None:
    for metadata, is_own in (((), True), ((("x-forwarded-for", "127.0.0.1"),), False)):
        call = FakeContext(*metadata)
        call.peer = lambda: "ipv4:127.0.0.1:5000"  # type: ignore[method-assign]
        assert Clients(Sources(RateLimits())).limiter(call).is_own_program is is_own


def test_for_whom_a_call_is_made_is_found_out_once(tmp_path: Path) -> None:
    class Counting(Proxies):
        asked = 0

        def client(self, peer: str, headers: Iterable[tuple[str, str]]) -> Client:
            self.asked += 1
            return super().client(peer, headers)

    async def scenario() -> None:
        proxies = Counting()
        chat, _, service = await started(tmp_path, Clients(Sources(RateLimits()), proxies))
        await called(service, "Send", FakeContext(), pb.SendRequest(user="Anna", text="x"))
        await called(service, "ListMessages", FakeContext(), pb.ListMessagesRequest())
        assert proxies.asked == 2
        streams = [
            called(service, "Follow", FakeContext(), pb.FollowRequest()),
            called(service, "Converse", FakeContext(), JOIN),
        ]
        await until(lambda: len(list(chat.directory.sessions)) == 2)
        assert proxies.asked == 4
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        await chat.close()

    looping.run(scenario())


SECRET, CLAIM = "b" * 64, claim_of("b" * 64)
BAN = AuditEntry("2026-11-20 17:00:00", "operator", Act.BAN)


def _remove_member(chat: Chat) -> None:
    chat.directory.rooms.add_member("plans", "Anna", "a" * 64)
    chat.directory.rooms.remove_member("plans", CLAIM)


LOSSES: dict[str, Callable[[Chat], object]] = {
    "by a ban": lambda chat: chat.directory.moderation.apply(replace(BAN, user="Boris", claim=CLAIM)),
    "by a ban of the address": lambda chat: chat.directory.moderation.apply(
        replace(BAN, addresses=("192.0.2.1",))
    ),
    "with the name": lambda chat: chat.directory.names.release("Boris"),
    "with the membership": _remove_member,
}


class SlowOpening:
    """Lets a room's file be opened when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        opens = ChatHistory.open

        def slowly(path: Path, *more: Any, **how: Any) -> ChatHistory:
            if path.name != "talk.txt":
                self.has_begun.set()
                assert self.may_end.wait(60)
            return opens(path, *more, **how)

        monkeypatch.setattr(ChatHistory, "open", staticmethod(slowly))


IMPORTING = pb.ImportRequest(speaker=pb.Speaker(user="Boris", room="plans", secret=SECRET))


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_who_has_waited_for_a_room_to_be_opened_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lose: Callable[[Chat], object]
) -> None:
    opening = SlowOpening(monkeypatch)

    async def scenario() -> None:
        chat, _, service = await started(tmp_path, names=Names.INVITED)
        chat.directory.names.take("Boris", CLAIM, chat.clock.stamp())
        chat.directory.rooms.open_private("plans", "Boris", CLAIM)
        send = pb.SendRequest(user="Boris", room="plans", secret=SECRET, text="x")
        follow = pb.FollowRequest(room="plans", secret=SECRET)
        join = pb.ConverseRequest(join=pb.Join(user="Boris", room="plans", secret=SECRET))
        contexts = [FakeContext() for _ in range(4)]
        *calls, conversing = (
            called(service, method, context, request)
            for method, context, request in zip(
                ("Send", "Follow", "Import", "Converse"),
                contexts,
                (send, follow, IMPORTING, join),
                strict=True,
            )
        )
        await asyncio.to_thread(opening.has_begun.wait, 60)
        await settle()  # until all of them wait
        lose(chat)
        opening.may_end.set()
        await asyncio.wait(calls, timeout=60)
        await until(lambda: contexts[3].ended or contexts[3].written)
        for context in contexts[:3]:
            assert context.ended
            assert context.ended[0] is grpc.StatusCode.PERMISSION_DENIED
        # Of this one some refusals end the call, and others are told.
        assert contexts[3].ended or contexts[3].written == ["refused"]
        assert "welcome" not in contexts[3].written
        conversing.cancel()
        await asyncio.gather(*calls, conversing, return_exceptions=True)
        assert not list(chat.directory.sessions)
        await chat.close()
        assert not (tmp_path / "talk.plans.txt").exists()

    looping.run(scenario())


def test_imported_messages_return_no_frames_because_they_have_cost_none(tmp_path: Path) -> None:
    async def texts() -> AsyncIterator[pb.ImportRequest]:
        yield pb.ImportRequest(speaker=pb.Speaker(user="Anna"), messages=[pb.ImportedMessage(text="x")] * 500)

    async def scenario() -> None:
        chat, room, _ = await started(tmp_path)
        sources = Sources(RateLimits(rate=100))
        limiter = sources.limiter(sources.admit("192.0.2.1"))
        begun = chat.clock.now()
        limiter.charge_frames(begun, 1_000)
        owed = limiter.delay(begun)
        await calls.import_(texts(), services(chat), limiter)
        assert room.head == 500
        assert limiter.delay(begun) == pytest.approx(owed)
        await chat.close()

    looping.run(scenario())


def test_an_import_posts_nothing_behind_a_refused_batch_when_space_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, is_waited_for = ChatHistory.append, threading.Event()
    calls_of_append = itertools.count()

    def fail_once(history: ChatHistory, *given: Any) -> MessageId:
        if next(calls_of_append):
            return append(history, *given)
        assert is_waited_for.wait(60)
        raise StorageFull(history.path, 1)

    async def texts() -> AsyncIterator[pb.ImportRequest]:
        yield pb.ImportRequest(speaker=pb.Speaker(user="Anna"))
        for number in range(10):
            yield pb.ImportRequest(messages=[pb.ImportedMessage(text=f"{number}")])

    async def scenario() -> None:
        monkeypatch.setattr(ChatHistory, "append", fail_once)
        monkeypatch.setattr("besedka.serve.room.batch.GATHERING_BYTES_AT_MOST", 1_000)
        chat, room, _ = await started(tmp_path)
        sources = Sources(RateLimits(rate=0))
        limiter = sources.limiter(sources.admit("127.0.0.1"))
        importing = asyncio.ensure_future(calls.import_(texts(), services(chat), limiter))
        # The first message is with the disk, and the import waits until those behind it have left.
        await until(lambda: room.gathering.is_full)
        await settle()
        is_waited_for.set()
        with pytest.raises(calls.ItemRefused) as refused:
            await importing
        assert refused.value.refusal.code is ErrorCode.STORAGE_FULL
        assert refused.value.index == room.head == 0
        await chat.close()

    looping.run(scenario())
