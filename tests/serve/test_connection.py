"""A WebSocket connection, fed by hand: a transport of which one sees all, and a clock that jumps."""

from __future__ import annotations

import asyncio

import pytest
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.uri import parse_uri

from besedka.serve.doors.websocket.connection import (
    BUFFER_BYTES,
    CLOSE_SECONDS,
    PING_SECONDS,
    SILENT_SECONDS,
    STUFFED_BYTES,
    Connection,
    WebSocketDoor,
)
from besedka.serve.doors.websocket.frames import frames
from besedka.wire.closing import Ending
from besedka.wire.refusals import Refused
from besedka.wire.words import Typing
from tests import looping


class FakeTransport(asyncio.Transport):
    """Keeps what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.unread = 0
        self.ended = ""
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = self.ended or "eof"

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class FakeTalk:
    """Writes down what it hears."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.heard: list[str] = []
        self.refusals: list[Refused] = []
        self.answer: asyncio.Future[str] | None = None
        self.ended = False
        self.resumed = 0

    def begin(self) -> None:
        self.heard.append("begin")

    def hear(self, text: str) -> None:
        self.heard.append(text)
        if text == "bug":
            raise ZeroDivisionError
        if text == "ask" and self.answer:
            self.connection.wait_for(self.answer, self.heard.append)

    def refuse(self, refusal: Refused) -> None:
        self.refusals.append(refusal)

    def resume(self) -> None:
        self.resumed += 1

    def end(self) -> None:
        self.ended = True


class Scene:
    """A door with one connection, and a client that speaks the protocol."""

    def __init__(self, transport: FakeTransport | None = None) -> None:
        self.now = 1000.0
        self.talks: list[FakeTalk] = []
        self.door = WebSocketDoor({"/ws": self._begin}, lambda: self.now)
        self.transport = transport or FakeTransport()
        self.connection = self.door.connection(config=None)
        self.connection.connection_made(self.transport)
        self.client = ClientProtocol(parse_uri("ws://chat.example/ws"))
        self.client.send_request(self.client.connect())
        self.exchange()

    def _begin(self, connection: Connection) -> FakeTalk:
        self.talks.append(FakeTalk(connection))
        return self.talks[-1]

    @property
    def talk(self) -> FakeTalk:
        return self.talks[0]

    def exchange(self, *, chunk: int = 1 << 20) -> list[Frame]:
        """Hand over what the client has to send, in pieces of this size; return the frames that come back."""
        data = b"".join(self.client.data_to_send())
        for start in range(0, len(data), chunk):
            self.connection.data_received(data[start : start + chunk])
        return self.answers()

    def answers(self) -> list[Frame]:
        data, self.transport.written = self.transport.written, b""
        if data:
            self.client.receive_data(data)
        return [event for event in self.client.events_received() if isinstance(event, Frame)]

    def sweep_until(self, now: float) -> list[Frame]:
        self.now = now
        self.connection.look_after(now)
        return self.answers()


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("chunk", [1 << 20, 1, 7])
def test_messages_arrive_whole_however_they_are_cut(scene: Scene, chunk: int) -> None:
    scene.client.send_text(b"one")
    scene.client.send_text(b"tw", fin=False)
    scene.client.send_ping(b"?")
    scene.client.send_continuation("о".encode()[:1], fin=False)
    scene.client.send_continuation("о".encode()[1:], fin=True)
    answers = scene.exchange(chunk=chunk)
    assert scene.talk.heard == ["begin", "one", "twо"]
    assert [(frame.opcode, frame.data) for frame in answers] == [(Opcode.PONG, b"?")]


def test_what_is_written_for_many_is_what_a_client_reads(scene: Scene) -> None:
    for length in (0, 100, 200, 70_000):
        scene.connection.send(frames([Typing(room="r" * length, user="Anna"), Typing(room="", user="Boris")]))
        first, second = scene.answers()
        assert first.opcode is second.opcode is Opcode.TEXT
        assert len(first.data) > length


def test_a_silent_connection_is_pinged_then_closed_then_cut(scene: Scene) -> None:
    pings = scene.sweep_until(1000 + PING_SECONDS)
    assert [frame.opcode for frame in pings] == [Opcode.PING]
    closing = scene.sweep_until(1000 + SILENT_SECONDS + 1)
    assert closing[0].opcode is Opcode.CLOSE
    assert int.from_bytes(closing[0].data[:2], "big") == Ending.SILENT.value.code
    assert scene.transport.ended == ""
    scene.sweep_until(1000 + SILENT_SECONDS + 2 + CLOSE_SECONDS)
    assert scene.transport.ended == "aborted"


def test_a_connection_that_answers_stays(scene: Scene) -> None:
    for step in range(1, 20):
        scene.sweep_until(1000 + step * PING_SECONDS)
        scene.exchange()
    assert scene.transport.ended == ""


def test_pings_are_spread_over_the_interval() -> None:
    scenes = [Scene() for _ in range(200)]
    early = sum(bool(scene.sweep_until(1000 + PING_SECONDS / 2)) for scene in scenes)
    assert 60 < early < 140


def test_an_error_in_a_talk_ends_the_connection_with_the_code_to_come_back(scene: Scene) -> None:
    scene.client.send_text(b"bug")
    answers = scene.exchange()
    assert int.from_bytes(answers[0].data[:2], "big") == CloseCode.INTERNAL_ERROR


def test_frames_wait_their_turn_while_an_answer_is_looked_up() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.talk.answer = asyncio.get_running_loop().create_future()
        scene.client.send_text(b"ask")
        scene.client.send_text(b"after")
        scene.exchange()
        assert scene.talk.heard == ["begin", "ask"]
        assert not scene.transport.reading
        scene.talk.answer.set_result("answer")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert scene.talk.heard == ["begin", "ask", "answer", "after"]
        assert scene.transport.reading

    looping.run(scenario())


def test_an_answer_that_comes_after_the_end_is_dropped() -> None:
    async def scenario() -> None:
        scene = Scene()
        answer = scene.talk.answer = asyncio.get_running_loop().create_future()
        scene.client.send_text(b"ask")
        scene.exchange()
        scene.connection.connection_lost(None)
        assert scene.talk.ended
        assert not answer.cancelled()
        answer.set_result("too late")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert scene.talk.heard == ["begin", "ask"]

    looping.run(scenario())


def test_a_talk_is_told_when_the_socket_has_room_again(scene: Scene) -> None:
    scene.connection.pause_writing()
    assert scene.connection.is_full
    scene.connection.resume_writing()
    assert not scene.connection.is_full
    assert scene.talk.resumed == 1


def test_nothing_is_written_to_one_who_has_said_his_last(scene: Scene) -> None:
    scene.connection.eof_received()
    scene.connection.send(frames([Typing(room="main", user="Anna")]))
    assert scene.transport.written == b""
    assert scene.transport.ended == "closed"
    scene.sweep_until(1001 + CLOSE_SECONDS)
    assert scene.transport.ended == "aborted"


def test_one_who_leaves_too_many_answers_unread_is_not_listened_to_until_he_reads(scene: Scene) -> None:
    scene.connection.pause_writing()
    scene.client.send_text(b"talking is not asking")
    scene.exchange()
    assert scene.talk.heard == ["begin", "talking is not asking"]
    assert scene.transport.reading
    scene.transport.unread = STUFFED_BYTES + 1
    scene.client.send_text(b"more")
    scene.exchange()
    assert scene.talk.heard[2:] == []
    assert not scene.transport.reading
    scene.transport.unread = 0
    scene.connection.resume_writing()
    assert scene.talk.heard[2:] == ["more"]
    assert scene.transport.reading


def test_what_filled_the_buffer_during_the_handshake_counts(scene: Scene) -> None:
    scene.transport.unread = BUFFER_BYTES + 1
    again = Scene(scene.transport)
    assert again.connection.is_full


def test_what_stands_behind_text_that_is_no_utf8_is_not_heard(scene: Scene) -> None:
    scene.client.send_text(b"\xff")
    scene.client.send_text(b"after")
    answers = scene.exchange()
    assert int.from_bytes(answers[0].data[:2], "big") == Ending.NOT_TEXT.value.code
    assert scene.talk.heard == ["begin"]


def test_nothing_is_written_behind_a_close(scene: Scene) -> None:
    scene.connection.close(Ending.RESTARTING)
    scene.connection.send(frames([Typing(room="main", user="Anna")]))
    assert [frame.opcode for frame in scene.answers()] == [Opcode.CLOSE]
